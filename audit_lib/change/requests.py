"""`http.Get` and the like hear of no context: they become a request that has one, and `Do`."""

from __future__ import annotations

from ast_grep_py import SgNode

from audit_lib.change.gotext import GoText, block_around, function_around, named_children
from audit_lib.change.obstacle import Obstacle
from audit_lib.change.roots import declared_by, names_in
from audit_lib.model import Edit

METHODS = {"Get": "MethodGet", "Head": "MethodHead", "Post": "MethodPost"}


def requested(text: GoText, node: SgNode, target: str, written: str) -> tuple[Edit, ...] | Obstacle:
    """The edits that make a request with a context and send it.

    That takes a statement of its own, `resp, err := http.Get(url)`, with the `if err != nil` that follows it: a request
    that cannot be made ends in the same way.
    """
    place = f"{text.file}:{text.line_of(text.start(node))}"
    name = target.rpartition(".")[2]
    function, arguments = node.field("function"), node.field("arguments")
    operand = function.field("operand") if function is not None else None
    statement = declared_by(node)
    if name not in METHODS or operand is None or arguments is None or statement is None:
        return Obstacle(f"{name} takes no context, and is not called in a statement of its own", place)
    check = _check_behind(text, node, statement)
    if check is None:
        return Obstacle(
            f"{name} takes no context, and what to do with a request that cannot be made is not clear", place
        )
    package = "http" if ".Client." in target else operand.text()
    client = operand.text() if ".Client." in target else f"{package}.DefaultClient"
    passed = [item.text() for item in named_children(arguments)]
    body = passed[2] if name == "Post" else "nil"
    at, (result, error) = text.start(statement), names_in(statement)
    blanks = text.indent(at)
    lines = [
        f"req, {error} := {package}.NewRequestWithContext({written}, {package}.{METHODS[name]}, {passed[0]}, {body})",
        check,
        *([f'req.Header.Set("Content-Type", {passed[1]})'] if name == "Post" else []),
        f"{result}, {error} := {client}.Do(req)",
    ]
    return (text.edit(at, text.end(statement), f"\n{blanks}".join(lines)),)


def _check_behind(text: GoText, node: SgNode, statement: SgNode) -> str | None:
    """The `if err != nil { … }` that follows `resp, err := …`, where it can stand before it too."""
    block, own = block_around(node)
    function = function_around(node)
    if block is None or function is None or own.range() != statement.range():
        return None
    names = names_in(statement)
    if statement.kind() != "short_var_declaration" or len(names) != 2 or "_" in names:
        return None
    if text.has_word(text.start(function), text.end(function), "req"):
        return None
    following = None
    siblings = named_children(block)
    for i, sibling in enumerate(siblings[:-1]):
        if sibling.range() == statement.range():
            following = siblings[i + 1]
    condition = following.field("condition") if following is not None else None
    if following is None or condition is None or condition.text() != f"{names[1]} != nil":
        return None
    start, end = text.start(following), text.end(following)
    ends = text.has_word(start, end, "return") or text.has_word(start, end, "continue")
    if following.field("alternative") is not None or not ends or text.has_word(start, end, names[0]):
        return None
    return text.said(start, end)
