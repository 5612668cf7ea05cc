"""The calls of functions that take a context now: what each hands over, and how it is written."""

from __future__ import annotations

from dataclasses import dataclass

from ast_grep_py import SgNode

from audit_lib.change.beforehand import read_before
from audit_lib.change.contexts import Given
from audit_lib.change.gotext import CALLS, GoText, block_around, function_around, named_children
from audit_lib.change.imports import of_context
from audit_lib.change.obstacle import Obstacle
from audit_lib.change.problem import Problem, where
from audit_lib.judge.crossings import crossings_at
from audit_lib.judge.objects import works_on
from audit_lib.judge.trail import started
from audit_lib.model import Edit, Lifetime
from audit_lib.read.facts import Call, Origin

_WITH_INITIALIZER = ("if_statement", "expression_switch_statement", "type_switch_statement")
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
    node = text.find(call.place.start, call.place.end, *CALLS)
    arguments = text.arguments(node) if node is not None else None
    if node is None or arguments is None:
        return Handed(obstacle=Obstacle("a call is written as this tool cannot edit it", where(call.place)))
    detached = outlasts(problem, call, given)
    written = given.text
    early = read_before(problem, text, node, given) if detached else None
    if early is not None:
        written = early.name
    elif detached:
        written = f"{of_context(text, 'WithoutCancel', call.place.start)}({written})"
    before = (early.edit,) if early is not None else ()
    if call.spread:
        edits = _hoisted(problem, text, call, node, written)
        if edits is None:
            reason = "its arguments are the results of one call, and cannot stand behind a context"
            return Handed(obstacle=Obstacle(reason, where(call.place)))
        return Handed((*edits, *before, *naming(problem, given)), given, detached)
    if (call.method_expr or behind) and arguments.items:
        edit = text.insert(text.end(arguments.items[0]), f", {written}")
    else:
        edit = text.first_in(arguments, written)
    return Handed((edit, *before, *naming(problem, given)), given, detached)


def _hoisted(problem: Problem, text: GoText, call: Call, node: SgNode, written: str) -> tuple[Edit, ...] | None:
    """`err := f(g())` becomes `a, b := g()` and `err := f(ctx, a, b)`; None where the statement does more than that."""
    arguments = text.arguments(node)
    function = function_around(node)
    block, statement = block_around(node)
    whole = _whole(node)
    if arguments is None or function is None or block is None or whole is None:
        return None
    if whole.range() != statement.range() and not _is_first_in(whole, statement):
        return None
    names = _result_names(problem, text, call, function)
    inner = text.said(arguments.start, arguments.end)
    at = text.start(statement)
    before = text.insert(at, f"{', '.join(names)} := {inner}\n{text.indent(at)}")
    return before, text.edit(arguments.start, arguments.end, ", ".join((written, *names)))


def _result_names(problem: Problem, text: GoText, call: Call, function: SgNode) -> list[str]:
    """Names for what a call gives on, which nothing in the function has: those of the parameters, else numbers."""
    start, end = text.start(function), text.end(function)
    spread = (one for one in problem.spread_calls.get(text.file, ()) if start <= one.place.start < call.place.start)
    earlier = [(one, _parameter_names(problem, one)) for one in spread]
    same = sum(1 for _, names in earlier if names)
    number = sum(one.spread for one, names in earlier if not names)
    names = [f"{name}{same + 1 if same else ''}" for name in _parameter_names(problem, call)]
    while not names or any(text.has_word(start, end, name) for name in names):
        names = [f"arg{number + i}" for i in range(1, call.spread + 1)]
        number += call.spread
    return names


def _parameter_names(problem: Problem, call: Call) -> list[str]:
    """A name for each argument of a call by the parameters of what it calls; none where they are not one for one."""
    func = problem.graph.funcs.get(call.callee)
    declared = [param.name for param in func.params] if func is not None else []
    if len(declared) != call.spread:
        return []
    return [name if name not in ("", "_") else f"v{i}" for i, name in enumerate(declared, 1)]


def _whole(node: SgNode) -> SgNode | None:
    """The statement that calls before it does anything else, and takes or gives what comes of it; else None."""
    values = node.parent()
    if values is not None and values.kind() == "expression_list" and named_children(values)[0].range() != node.range():
        return None
    outer = values.parent() if values is not None else None
    return next((one for one in (values, outer) if one is not None and one.kind() in _STATEMENTS), None)


def _is_first_in(part: SgNode, statement: SgNode) -> bool:
    """Whether a statement begins with another one: `if err := f(g()); err != nil` does, but not behind an `else`."""
    initializer = statement.field("initializer") if statement.kind() in _WITH_INITIALIZER else None
    return initializer is not None and initializer.range() == part.range()


def outlasts(problem: Problem, call: Call, given: Given) -> bool:
    """Whether what is called must not end with the context that is handed over.

    It runs in a goroutine that nobody waits for while the context is a request's, in a defer, or after the end; or it
    makes what is to work on, or does what is others' work too.
    """
    source = given.source
    if given.kind in ("moved", "test") or call.test:
        return False
    owner = source.owner if source is not None else given.opens
    short = lifetime_of(problem, given) in ("request", None)
    begun = started(problem.graph, problem.lifetimes, source) if source is not None else ()
    for crossing in (*crossings_at(problem.graph, call, owner), *begun):
        if crossing.unwaited and short:
            return True
        if crossing.kind in ("defer", "after"):
            return True
    return short and (bool(call.common) or works_on(problem.graph, call.becomes, call.caller))


def starts_a_life(problem: Problem, call: Call, opener: str) -> bool:
    """Whether a call is in a goroutine of its own, that goes on or that a worker starts: a root is right there.

    `opener` is the function that would take a context for it, without having one now.
    """
    for crossing in crossings_at(problem.graph, call, opener):
        if crossing.unwaited:
            return crossing.endless or _nearest(problem, opener) in ("worker", "process")
    return False


def _nearest(problem: Problem, function: str) -> Lifetime | None:
    """How long the context lives that is nearest above a function."""
    ways = problem.reach.steps_to(function)
    supply = ways[-1].supply if ways else None
    return supply.lifetime if supply is not None else None


def lifetime_of(problem: Problem, given: Given) -> Lifetime | None:
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
