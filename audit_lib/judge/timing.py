"""When a context is used: in line, or when the function that made it may have returned.

The context of a root is used in several places. Each is judged by when it runs: also in the functions of the target
that it is handed to, which may start a goroutine with it, or keep it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from audit_lib.judge.crossings import Crossing, goroutine, literals
from audit_lib.judge.graph import Graph
from audit_lib.judge.objects import called_when, is_left_behind
from audit_lib.model import Lifetime
from audit_lib.read.facts import Forward, TypedSite, Use

WORK = frozenset({"arg", "sent", "field"})
"""Uses of a context by which something is done with it; who only asks for its end is told of it wherever he is."""


Left = Literal["", "statement", "elsewhere"]
"""What leaves work to go on when its function has returned: nothing, a `go` statement alone, or something else."""


@dataclass(frozen=True)
class Late:
    """A use of a context, and the border that it is behind."""

    use: Use
    crossing: Crossing


def uses_of(site: TypedSite) -> list[Use]:
    """The uses of a root's context by which something is done with it."""
    return [use for use in site.uses if use.kind in WORK] if site.kind == "root" else []


def late_uses(graph: Graph, site: TypedSite) -> tuple[Late, ...]:
    """The uses of a root's context that may come when its function has returned, or is about to.

    What a deferred cancel function ends goes no further than its function.
    """
    found = []
    for use in uses_of(site):
        for crossing in _borders(graph, site, use):
            if crossing.kind == "defer" or "cancel_deferred" not in site.flags:
                found.append(Late(use, crossing))
                break
    return tuple(found)


def apart(graph: Graph, site: TypedSite, lifetime: Lifetime) -> tuple[Use, ...]:
    """The uses of a root's context that are to be cut off from the end of what takes its place; the others are not.

    None where all of them are late: the whole context is cut off then. What is deferred may run when any context has
    ended; a goroutine goes on when a request has.
    """
    late = late_uses(graph, site)
    if site.test or len(late) == len(uses_of(site)):
        return ()
    short = lifetime == "request"
    return tuple(one.use for one in late if one.crossing.kind == "defer" or (short and not one.crossing.endless))


def left_by(graph: Graph, site: TypedSite) -> Left:
    """What leaves work on a site's context to go on when the function has returned that the site stands in.

    `elsewhere`: a goroutine is started with it, it is kept or returned, or what is made with it is. `statement`: that
    is done by the `go` statement alone which hands it over. A cancel function that is deferred in the function would
    end it.
    """
    made = any(use.kind == "return" or is_left_behind(graph, use.becomes, use.function) for use in site.uses)
    if made:
        return "elsewhere"
    started = False
    for use in uses_of(site):
        for crossing in _borders(graph, site, use):
            if use.go and crossing.kind == "go" and crossing.function == use.function:
                started = True
            elif crossing.kind != "defer":
                return "elsewhere"
    return "statement" if started else ""


def _borders(graph: Graph, site: TypedSite, use: Use) -> Iterator[Crossing]:
    if use.go and not use.waited:
        yield goroutine(graph, use.function, site.place, graph.funcs.get(use.target), waited=False)
    if use.defer:
        yield Crossing("defer", use.function, site.place)
    yield from filter(_is_late, literals(graph, use.function, site.function, use.at))
    if use.kind == "field":
        yield from _with_object(graph, site, use)
    if use.kind == "arg" and graph.owns(use.target):
        yield from _in_callee(graph, site, use)
        yield from _in_returned(graph, site, use)


def _with_object(graph: Graph, site: TypedSite, use: Use) -> Iterator[Crossing]:
    """The borders of what is made with a context: it is sent to another goroutine, or started with, or kept."""
    if is_handed_off(use):
        yield goroutine(graph, use.function, site.place, None, waited=False)
    elif any(made.kind == "kept" for made in use.becomes):
        yield Crossing("kept", use.function, site.place)


def is_handed_off(use: Use) -> bool:
    """Whether what is made with a context goes to a goroutine that nobody waits for: it is a task, and no owner."""
    return any(made.kind == "sent" or (made.go and not made.waited) for made in use.becomes)


def _is_late(crossing: Crossing) -> bool:
    return crossing.kind == "defer" or crossing.leaves


def _in_callee(graph: Graph, site: TypedSite, use: Use) -> Iterator[Crossing]:
    """The borders in a function of the target that a context is handed to, and in those that it hands it on to."""
    queue, seen = [(use.target, use.arg)], set[tuple[str, int]]()
    while queue:
        at = queue.pop()
        if at in seen:
            continue
        seen.add(at)
        target, index = at
        node = graph.dispatch.get(target)
        if node is not None:
            queue += [(body, index) for body in node.targets]
        graph.effort.spend(2)
        for forward in graph.handed_on(target, index):
            graph.effort.spend()
            yield from _borders_of(graph, site, target, forward)
            if forward.kind == "arg" and graph.owns(forward.target):
                queue.append((forward.target, forward.arg))


def _in_returned(graph: Graph, site: TypedSite, use: Use) -> Iterator[Crossing]:
    """The borders of a literal that holds the context, and is what a function gives that the context is handed to."""
    literals_of = (graph.funcs.get(forward.within) for forward in graph.handed_on(use.target, use.arg))
    if any(func is not None and func.use is not None and func.use.kind == "return" for func in literals_of):
        late = called_when(graph, use.becomes, use.function)
        for kind in ("go", "kept", "defer"):
            if kind in late:
                yield Crossing(kind, use.function, site.place)


def _borders_of(graph: Graph, site: TypedSite, function: str, forward: Forward) -> Iterator[Crossing]:
    """The borders that a function's use of its context is behind; what it defers is done before it returns."""
    if forward.kind not in WORK:
        return
    if forward.go and not forward.waited:
        yield goroutine(graph, function, site.place, graph.funcs.get(forward.target), waited=False)
    if forward.within and forward.within != function:
        yield from (one for one in literals(graph, forward.within, function, forward.at) if one.leaves)
    if forward.kind == "sent":
        yield goroutine(graph, function, site.place, None, waited=False)
    if forward.kind == "field" and forward.lasts:
        yield Crossing("kept", function, site.place)
