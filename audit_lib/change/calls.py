"""The calls of functions that take a context now: what each hands over, and how it is written."""

from __future__ import annotations

from dataclasses import dataclass

from ast_grep_py import SgNode

from audit_lib.change.contexts import Given
from audit_lib.change.gotext import GoText, block_around, function_around, named_children
from audit_lib.change.imports import of_context
from audit_lib.change.obstacle import Obstacle
from audit_lib.change.problem import Problem, where
from audit_lib.change.signatures import first_in
from audit_lib.judge.trail import crossings_at, started
from audit_lib.model import Edit, Lifetime
from audit_lib.read.facts import Call, Origin

_STATEMENTS = ("expression_statement", "short_var_declaration", "assignment_statement", "return_statement")


@dataclass(frozen=True)
class Handed:
    """How a call hands a context over: the edits, what they need, or why it cannot."""

    edits: tuple[Edit, ...] = ()
    given: Given | None = None
    detached: bool = False
    obstacle: Obstacle | None = None


def handed_over(problem: Problem, call: Call, given: Given, *, behind: bool = False) -> Handed:
    """A call with one more argument: the first, or the second where the receiver is the first, or `behind` says so."""
    text = problem.text_of(call.place)
    node = text.find(call.place.start, call.place.end, "call_expression")
    arguments = node.field("arguments") if node is not None else None
    if arguments is None:
        return Handed(obstacle=Obstacle("a call is written as this tool cannot edit it", where(call.place)))
    detached = outlasts(problem, call, given)
    written = given.text
    if detached:
        written = f"{of_context(text, 'WithoutCancel')}({written})"
    if call.spread:
        edits = _hoisted(problem, text, call, node, written) if node is not None else None
        if edits is None:
            reason = "its arguments are the results of one call, and cannot stand behind a context"
            return Handed(obstacle=Obstacle(reason, where(call.place)))
        return Handed((*edits, *naming(problem, given)), given, detached)
    items = named_children(arguments)
    if (call.method_expr or behind) and items:
        edit = text.insert(text.end(items[0]), f", {written}")
    else:
        edit = first_in(text, arguments, items, written)
    return Handed((edit, *naming(problem, given)), given, detached)


def _hoisted(problem: Problem, text: GoText, call: Call, node: SgNode, written: str) -> tuple[Edit, ...] | None:
    """`err := f(g())` becomes `a, b := g()` and `err := f(ctx, a, b)`; None where the statement does more than that."""
    arguments = node.field("arguments")
    function = function_around(node)
    block, statement = block_around(node)
    values = node.parent()
    whole = values is not None and (values.kind() in _STATEMENTS or (values.parent() or values).kind() in _STATEMENTS)
    if arguments is None or function is None or block is None or statement.kind() not in _STATEMENTS or not whole:
        return None
    start, end = text.start(function), text.end(function)
    func = problem.graph.funcs.get(call.callee)
    declared = [param.name for param in func.params] if func is not None else []
    names = [name if name not in ("", "_") else f"v{i}" for i, name in enumerate(declared, 1)]
    if len(names) != call.spread or any(text.has_word(start, end, name) for name in names):
        names = [f"arg{i}" for i in range(1, call.spread + 1)]
    inner = text.said(text.start(arguments) + 1, text.end(arguments) - 1)
    at = text.start(statement)
    before = text.insert(at, f"{', '.join(names)} := {inner}\n{text.indent(at)}")
    return before, text.replace(arguments, f"({', '.join((written, *names))})")


def outlasts(problem: Problem, call: Call, given: Given) -> bool:
    """Whether what is called must not end with the context that is handed over.

    It runs in a goroutine that nobody waits for while the context is a request's, in a defer, or after the end.
    """
    source = given.source
    if given.kind in ("moved", "test") or call.test:
        return False
    owner = source.owner if source is not None else given.opens
    short = _lifetime(problem, given) in ("request", None)
    begun = started(problem.graph, problem.lifetimes, source) if source is not None else ()
    for crossing in (*crossings_at(problem.graph, call, owner), *begun):
        if crossing.kind == "go" and not crossing.waited and short:
            return True
        if crossing.kind in ("defer", "after"):
            return True
    return False


def starts_a_life(problem: Problem, call: Call, opener: str) -> bool:
    """Whether a call is in a goroutine of its own, that goes on or that a worker starts: a root is right there.

    `opener` is the function that would take a context for it, without having one now.
    """
    for crossing in crossings_at(problem.graph, call, opener):
        if crossing.kind == "go" and not crossing.waited:
            return crossing.endless or _nearest(problem, opener) in ("worker", "process")
    return False


def _nearest(problem: Problem, function: str) -> Lifetime | None:
    """How long the context lives that is nearest above a function."""
    ways = problem.reach.steps_to(function)
    supply = ways[-1].supply if ways else None
    return supply.lifetime if supply is not None else None


def _lifetime(problem: Problem, given: Given) -> Lifetime | None:
    """How long a context that is handed over lives: what is in scope, or what is nearest above a new parameter."""
    if not given.opens:
        return problem.lifetimes.of_source(given.source) if given.source is not None else None
    return _nearest(problem, given.opens)


def naming(problem: Problem, given: Given) -> tuple[Edit, ...]:
    """The edits that an expression needs besides: its parameter's name where it has none, its guard's function."""
    source = given.names
    named = _named(problem.texts[source.file], source) if source is not None else []
    return (*named, *([given.guard] if given.guard is not None else ()))


def _named(text: GoText, source: Origin) -> list[Edit]:
    name = source.expr.partition(".")[0]
    node = text.around(source.declared, "identifier", "blank_identifier")
    if node is not None and node.text() == "_":
        return [text.replace(node, name)]
    declaration = text.around(source.declared, "parameter_declaration", "variadic_parameter_declaration")
    listed = declaration.parent() if declaration is not None else None
    if declaration is None or listed is None:
        return []
    edits = []
    for item in named_children(listed):
        edits.append(text.insert(text.start(item), f"{name} " if item.range() == declaration.range() else "_ "))
    return edits
