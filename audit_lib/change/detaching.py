"""Work that must outlive its context: it keeps the values, and gets a bound of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ast_grep_py import SgNode

from audit_lib.change.edits import splice
from audit_lib.change.gotext import FUNCTIONS, GoText, block_around, function_around, named_children
from audit_lib.change.imports import of_context
from audit_lib.change.obstacle import Obstacle
from audit_lib.change.roots import declared_by, names_in
from audit_lib.judge.timing import Left
from audit_lib.model import Edit, Span

BOUND = "30*time.Second"
"""How long detached work may take where nothing says so."""

_LOOPS = ("for_statement",)
_ASSIGNED = re.compile(rb"[-+*/%&|^]?=[^=]|\+\+|--")
_LIST_END = re.compile(rb"[=\n]")
_COUNTED = re.compile(rb"\+\+|--")

Write = Callable[[str], tuple[Edit, ...]]
"""The edits that write a context, by its expression, where it is wanted."""


def detached(
    text: GoText, site: Span, values: str, write: Write, *, bounded: bool, left: Left
) -> tuple[Edit, ...] | Obstacle:
    """The edits that give a site a context that has no end of its own, `values`, bounded by a time.

    `bounded` says that there is a bound already, `left` what leaves the work to go on when its function has returned:
    nothing that is deferred there may end it. Else the context is made in the statement before, or in the deferred call
    itself; where neither can be, the reason is given.
    """
    node = text.root_at(site.start, site.end)
    if node is None:
        return Obstacle("it is written as this tool cannot edit it", f"{text.file}:{site.line}")
    deferred = _deferred(node)
    if bounded or left == "elsewhere" or (left and deferred is None):
        return write(values)
    if deferred is not None:
        return _in_literal(text, deferred, node, write, values)
    return _before(text, node, write, values)


def _deferred(node: SgNode) -> SgNode | None:
    """The defer or go statement whose own call a root is an argument of."""
    parent = node.parent()
    while parent is not None and parent.kind() in ("argument_list", "call_expression"):
        parent = parent.parent()
    return parent if parent is not None and parent.kind() in ("defer_statement", "go_statement") else None


def _in_literal(
    text: GoText, statement: SgNode, site: SgNode, write: Write, values: str
) -> tuple[Edit, ...] | Obstacle:
    """`defer f(root, x)`, or `go`, becomes a literal that makes the context and calls f.

    What the statement evaluates when it is reached is still evaluated there.
    """
    place = f"{text.file}:{_line(text, statement)}"
    call = next((child for child in named_children(statement) if child.kind() == "call_expression"), None)
    function, arguments = (call.field("function"), call.field("arguments")) if call is not None else (None, None)
    if call is None or function is None or arguments is None or function.find(kind="call_expression") is not None:
        return Obstacle("what it defers or starts is written as this tool cannot edit it", place)
    blanks = text.indent(text.start(statement))
    early: list[str] = []
    edits = list(write("ctx"))
    for argument in named_children(arguments):
        if _holds(argument, site) or _is_settled(text, argument, statement):
            continue
        name = _unused(text, statement, len(early))
        early.append(f"{name} := {argument.text()}\n{blanks}")
        edits.append(text.replace(argument, name))
    after = splice(text.data, edits)
    start, end = text.start(call), text.end(call)
    called = after[start : end + len(after) - len(text.data)].decode("utf-8", "surrogateescape")
    inside = f"{blanks}\t"
    keyword = text.data[text.start(statement) : start].decode()
    lines = (
        f"{''.join(early)}{keyword}func() {{",
        f"{inside}ctx, cancel := {_bound(text, values, text.start(site))}",
        f"{inside}defer cancel()",
        f"{inside}{called}",
        f"{blanks}}}()",
    )
    return (text.edit(text.start(statement), end, "\n".join(lines)),)


def _holds(node: SgNode, inner: SgNode) -> bool:
    outer, within = node.range(), inner.range()
    return outer.start.index <= within.start.index and within.end.index <= outer.end.index


def _is_settled(text: GoText, argument: SgNode, statement: SgNode) -> bool:
    """Whether an argument is the same later: a literal, or a variable that nothing assigns to behind the statement."""
    if argument.kind().endswith("_literal") and argument.kind() not in ("composite_literal", "func_literal"):
        return True
    if argument.kind() in ("true", "false", "nil"):
        return True
    function = function_around(statement)
    if argument.kind() != "identifier" or function is None:
        return False
    rest = text.data[text.end(statement) : text.end(function)]
    name = re.escape(argument.text().encode())
    loop = _is_in_loop(statement, function)
    whole = text.data[text.start(function) : text.end(function)] if loop else rest
    if re.search(rb"&%s\b" % name, whole):
        return False
    return not _is_assigned(whole, re.finditer(rb"\b%s\b\s*" % name, whole))


def _is_assigned(code: bytes, names: Iterable[re.Match[bytes]]) -> bool:
    """Whether something is assigned to a name where it stands, or to what follows it in a list on its line."""
    ends = -1  # where the list of the name before this one ends: at an equals sign, or with its line
    counts = -1  # where the next `++` or `--` stands, wherever
    for name in names:
        at = name.end()
        if _ASSIGNED.match(code, at):
            return True
        if not code.startswith(b",", at):
            continue
        if ends <= at:
            found = _LIST_END.search(code, at)
            ends = found.start() if found else len(code)
        if counts <= at:
            found = _COUNTED.search(code, at)
            counts = found.start() if found else len(code)
        if counts + 1 < ends or (code.startswith(b"=", ends) and code[ends + 1 : ends + 2] not in (b"", b"=")):
            return True
    return False


def _unused(text: GoText, statement: SgNode, count: int) -> str:
    function = function_around(statement)
    start, end = (text.start(function), text.end(function)) if function is not None else (0, len(text.data))
    free = (f"arg{i}" for i in range(count + 1, 100) if not text.has_word(start, end, f"arg{i}"))
    return next(free)


def _before(text: GoText, node: SgNode, write: Write, values: str) -> tuple[Edit, ...] | Obstacle:
    """The context is made before the statement, in the function that runs it."""
    block, statement = block_around(node)
    function = function_around(node)
    if block is None or function is None or _is_in_loop(node, function):
        reason = "it runs in a loop: a bound for each round is for a person to set"
        return Obstacle(reason, f"{text.file}:{_line(text, node)}")
    start, end = text.start(block), text.end(block)
    naming = declared_by(node)
    if naming is not None and not _declares_alone(naming, statement):
        return write(values)  # the variable lives on: it would end with the block, or with the function
    if naming is not None and len(names_in(naming)) == 1:
        name, rest = names_in(naming)[0], (text.start(statement), text.end(statement))
        cancel = _free(text, start, end, "cancel", "cancelDetached")
        made = f"{name}, {cancel} := {_bound(text, values, rest[0])}\n{text.indent(rest[0])}defer {cancel}()"
        return (text.edit(*rest, made),)
    later = text.data[text.end(statement) : end]
    name = "detached" if b"ctx" in later else "ctx"
    cancel = _free(text, start, end, "cancel", "cancelDetached")
    at = text.start(statement)
    blanks = text.indent(at)
    made = f"{name}, {cancel} := {_bound(text, values, at)}\n{blanks}defer {cancel}()\n{blanks}"
    if _is_declared(block, statement, name):
        name = "detached"
        made = f"{name}, {cancel} := {_bound(text, values, at)}\n{blanks}defer {cancel}()\n{blanks}"
    return (text.insert(at, made), *write(name))


def _declares_alone(naming: SgNode, statement: SgNode) -> bool:
    """Whether a statement does nothing but declare what holds a context: `ctx := root`, `var ctx = root`."""
    if naming.kind() == "short_var_declaration":
        return naming.range() == statement.range()
    return naming.kind() == "var_spec" and len(statement.find_all(kind="var_spec")) == 1


def _bound(text: GoText, values: str, at: int) -> str:
    return f"{of_context(text, 'WithTimeout', at)}({values}, {BOUND})"


def _is_in_loop(node: SgNode, function: SgNode) -> bool:
    parent = node.parent()
    while parent is not None and parent.range() != function.range():
        if parent.kind() in _LOOPS:
            return True
        if parent.kind() in FUNCTIONS:
            return False
        parent = parent.parent()
    return False


def _is_declared(block: SgNode, statement: SgNode, name: str) -> bool:
    """Whether a statement of a block before another declares a name."""
    for sibling in named_children(block):
        if sibling.range() == statement.range():
            return False
        if sibling.kind() == "short_var_declaration" and name in names_in(sibling):
            return True
    return False


def _free(text: GoText, start: int, end: int, name: str, other: str) -> str:
    return other if text.has_word(start, end, name) else name


def _line(text: GoText, node: SgNode) -> int:
    return text.line_of(text.start(node))
