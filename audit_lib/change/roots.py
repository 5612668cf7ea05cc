"""A root gives way to the context that is there: in place, or with its whole declaration where that only named it."""

from __future__ import annotations

from ast_grep_py import SgNode

from audit_lib.change.gotext import GoText, block_around, named_children, names_of
from audit_lib.model import Edit, Span

_WITH_INITIALIZERS = ("if_statement", "expression_switch_statement", "type_switch_statement")


def replaced(text: GoText, root: Span, written: str, given: str) -> tuple[Edit, ...]:
    """The edits that write a context in place of a root: `given`, or what is `written` with it.

    `ctx := context.Background()` goes, line and all, where `ctx` is what is written; so does `ctx = …`, and a `var`.
    Where the rest of a `:=` declares nothing new after that, it becomes `=`.
    """
    node = text.root_at(root.start, root.end)
    if node is None:
        return (text.edit(root.start, root.end, written),)
    statement = _naming(node, written)
    if statement is not None and _is_initializer(statement):
        return (text.edit(text.start(statement), _behind_semicolon(text, statement), ""),)
    if statement is not None:
        return (text.without_lines(text.start(statement), text.end(statement)),)
    listed = _one_of_several(text, node, written)
    if listed:
        return listed
    there = (text.replace(node, written),) if node.text() != written else ()
    return (*there, *_assigned(text, node, given))


def declared_by(node: SgNode) -> SgNode | None:
    """The declaration or assignment whose only value an expression is, or None."""
    values = node.parent()
    if values is None or values.kind() != "expression_list" or len(named_children(values)) != 1:
        return None
    statement = values.parent()
    if statement is None or statement.kind() not in ("short_var_declaration", "assignment_statement", "var_spec"):
        return None
    return statement


def names_in(statement: SgNode) -> list[str]:
    """What stands on the left of a declaration or assignment."""
    if statement.kind() == "var_spec":
        return names_of(statement)
    left = statement.field("left")
    return [name.text() for name in named_children(left)] if left is not None else []


def _naming(node: SgNode, written: str) -> SgNode | None:
    """The statement that does nothing but give a root the name that is to be written; it is in nobody's way."""
    statement = declared_by(node)
    if statement is None or names_in(statement) != [written]:
        return None
    if statement.kind() == "var_spec":
        declaration = statement.parent()
        if declaration is not None and declaration.kind() == "var_spec_list":
            if len(named_children(declaration)) > 1:
                return statement
            declaration = declaration.parent()
        return declaration
    parent = statement.parent()
    whole = parent is not None and parent.kind() in ("statement_list", "block")
    return statement if whole or _is_initializer(statement) else None


def _is_initializer(statement: SgNode) -> bool:
    """Whether a statement stands before the condition of an `if` or the value of a `switch`."""
    parent = statement.parent()
    initial = parent.field("initializer") if parent is not None and parent.kind() in _WITH_INITIALIZERS else None
    return initial is not None and initial.range() == statement.range()


def _behind_semicolon(text: GoText, statement: SgNode) -> int:
    end = text.data.index(b";", text.end(statement)) + 1
    while text.data[end : end + 1] in (b" ", b"\t"):
        end += 1
    return end


def _one_of_several(text: GoText, node: SgNode, written: str) -> tuple[Edit, ...]:
    """The edits that take a name and its root out of `ctx, n := root, 3`, where the name is what is to be written."""
    values = node.parent()
    statement = values.parent() if values is not None and values.kind() == "expression_list" else None
    if values is None or statement is None or statement.kind() not in ("short_var_declaration", "var_spec"):
        return ()
    left = statement.field("left")
    names = named_children(left) if left is not None else [n for n in statement.field_children("name") if n.is_named()]
    given = named_children(values)
    if len(names) != len(given) or len(names) < 2:
        return ()
    at = next(i for i, value in enumerate(given) if value.range() == node.range())
    if names[at].text() != written:
        return ()
    return _without_item(text, names, at), _without_item(text, given, at)


def _without_item(text: GoText, items: list[SgNode], at: int) -> Edit:
    if at == 0:
        return text.edit(text.start(items[0]), text.start(items[1]), "")
    return text.edit(text.end(items[at - 1]), text.end(items[at]), "")


def _assigned(text: GoText, node: SgNode, given: str) -> tuple[Edit, ...]:
    """The edit that makes a `:=` an `=`: all that it declares is declared in its block already.

    It is only looked at where the new parameter is one of them, in the outermost block of its function: also where that
    is cut off from its end, `ctx = context.WithoutCancel(ctx)`.
    """
    call = node.parent()
    call = call.parent() if call is not None else None
    made = declared_by(call) if call is not None and call.kind() == "call_expression" else None
    statement = declared_by(node) if made is None else made
    if statement is None or statement.kind() != "short_var_declaration":
        return ()
    names = names_in(statement)
    block, _ = block_around(statement)
    if given not in names or block is None or not _is_body(block):
        return ()
    known = {given, "_"}
    for sibling in named_children(block):
        if sibling.range() == statement.range():
            break
        known.update(_declares(sibling))
    if set(names) - known:
        return ()
    for child in statement.children():
        if child.kind() == ":=":
            return (text.replace(child, "="),)
    return ()


def _is_body(block: SgNode) -> bool:
    """Whether statements are those of a function itself, where its parameters are declared too."""
    outer = block.parent()
    function = outer.parent() if outer is not None else None
    return function is not None and function.kind() in ("function_declaration", "method_declaration", "func_literal")


def _declares(statement: SgNode) -> list[str]:
    if statement.kind() == "short_var_declaration":
        return names_in(statement)
    if statement.kind() == "var_declaration":
        return [name for spec in statement.find_all(kind="var_spec") for name in names_in(spec)]
    return []
