"""Contexts that are read before a goroutine starts: what they are read from may be another's by the time that it runs.

Frameworks take what they hand to a handler back when it returns, and give it to the next request: gin's and echo's
contexts, fiber's. A goroutine that reads the request from there reads that of somebody else, or none.
"""

from __future__ import annotations

from dataclasses import dataclass

from ast_grep_py import SgNode

from audit_lib.change.contexts import Given
from audit_lib.change.gotext import FUNCTIONS, GoText, block_around, named_children
from audit_lib.change.imports import of_context
from audit_lib.change.problem import Problem
from audit_lib.model import Edit
from audit_lib.read.facts import Origin

REQUEST = "net/http.Request"
"""What the server makes anew for each request, and never takes back."""

_NAMES = ("ctx", "detached", "detachedCtx")


@dataclass(frozen=True)
class Early:
    """A context that is read before a goroutine starts: its name, and the edit that declares it."""

    name: str
    edit: Edit


def is_taken_back(problem: Problem, source: Origin | None) -> bool:
    """Whether another module may reuse what a context is read from: its own type, handed over as a parameter."""
    if source is None or not source.param or source.role not in ("method", "field"):
        return False
    return source.type != REQUEST and not problem.graph.owns(source.type)


def read_before(problem: Problem, text: GoText, node: SgNode, given: Given, *, bounded: bool = False) -> Early | None:
    """The context that is read, and cut off from its end, before the statement that starts a goroutine.

    `node` is where it is wanted. None where what it is read from is nobody else's, or where all of it runs in the
    function that was handed it. `go f(c.Request.Context())` reads it in time, but not where it is `bounded`: then a
    literal is written for the call.
    """
    source = given.source
    if source is None or not is_taken_back(problem, source):
        return None
    owner = problem.graph.funcs.get(source.owner)
    if owner is None:
        return None
    outer = _started_in(text, node, owner.place.start) or (_started_with(node) if bounded else None)
    block, statement = block_around(outer) if outer is not None else (None, node)
    if block is None:
        return None
    at = text.start(statement)
    name = _name_for(text, owner.place.start, owner.place.end, block, statement)
    made = f"{name} := {of_context(text, 'WithoutCancel', at)}({given.text})\n{text.indent(at)}"
    return Early(name, text.insert(at, made))


def _started_in(text: GoText, node: SgNode, owner: int) -> SgNode | None:
    """The outermost literal around a node that its function does not call there and then, but starts or gives away."""
    found = None
    for parent in node.ancestors():
        if parent.kind() not in FUNCTIONS:
            continue
        if text.start(parent) == owner:
            return found
        if parent.kind() == "func_literal" and not _runs_there(parent):
            found = parent
    return None


def _started_with(node: SgNode) -> SgNode | None:
    """The go statement whose own call a node is an argument of."""
    outer = next((one for one in node.ancestors() if one.kind() not in ("argument_list", "call_expression")), None)
    return outer if outer is not None and outer.kind() == "go_statement" else None


def _runs_there(literal: SgNode) -> bool:
    """Whether a literal is called where it stands, or deferred, and not started."""
    call = literal.parent()
    if call is None or call.kind() != "call_expression" or call.field("function") is None:
        return False
    function, statement = call.field("function"), call.parent()
    called = function is not None and function.range() == literal.range()
    return called and (statement is None or statement.kind() != "go_statement")


def _name_for(text: GoText, start: int, end: int, block: SgNode, statement: SgNode) -> str:
    """A name that nothing around the statement has, in a function from `start` to `end`; each statement has its own."""
    before, behind = (start, text.start(statement)), (text.end(statement), end)
    free = (one for one in _NAMES if not any(text.has_word(*part, one) for part in (before, behind)))
    name = next(free, _NAMES[-1])
    earlier = 0
    for sibling in named_children(block):
        if sibling.range() == statement.range():
            break
        earlier += sibling.find(kind="func_literal") is not None or sibling.kind() == "go_statement"
    return f"{name}{earlier + 1}" if earlier else name
