"""Borders between a context and work that may go on when it has ended: goroutines, deferred calls, shared work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from audit_lib.judge.graph import ESCAPES, Graph
from audit_lib.judge.objects import called_late
from audit_lib.judge.reach import SHARED
from audit_lib.read.facts import Call, Func, Place, Use

CrossingKind = Literal["go", "kept", "unknown", "defer", "shared", "lazy", "batch", "after"]

NAMED = frozenset({"field", "return", "var"})
"""Uses of literals that are called by a name, or by who gets them."""

_BY_NAME: tuple[CrossingKind, ...] = ("go", "kept", "unknown", "defer")
"""The borders that a literal is behind which is called by a name, by how it is called."""

LASTING = frozenset({"forever", "lasting"})
"""Flags of functions with a loop that ends when somebody stops it, or something fails."""


@dataclass(frozen=True)
class Crossing:
    """A border between a source and a site: its kind, where it is, and how a goroutine behind it lives.

    `waited`: somebody waits for what is done in it up to there. `endless`: it goes on until somebody stops it.
    `hijacked`: its starter has taken a connection over, which lives longer than the request. `target` is what gets the
    function, where it is given away.
    """

    kind: CrossingKind
    function: str
    place: Place
    waited: bool = False
    endless: bool = False
    hijacked: bool = False
    target: str = ""

    @property
    def unwaited(self) -> bool:
        """Whether it is a goroutine that nobody waits for."""
        return self.kind == "go" and not self.waited

    @property
    def leaves(self) -> bool:
        """Whether what is behind it may run when the function has returned that it is in."""
        return self.kind in ("kept", "unknown") or self.unwaited


def literals(graph: Graph, function: str, owner: str, offset: int) -> Iterator[Crossing]:
    """The borders that the literals between a place in a function and the owner of a source are."""
    for func in graph.chain(function):
        if func.id == owner or not func.parent or func.use is None:
            return
        yield from given_away(graph, func.use, func.parent, func.place, func, offset)
        if func.use.kind == "defer" or func.use.defer:
            yield Crossing("defer", func.parent, func.place)
        if func.use.kind in NAMED:
            late = called_late(graph, func)
            yield from (Crossing(kind, func.parent, func.place) for kind in _BY_NAME if kind in late)
        parent = graph.funcs.get(func.parent)
        if parent is not None and "lazy" in parent.flags and parent.id != owner:
            yield Crossing("lazy", parent.id, parent.place)


def given_away(
    graph: Graph, use: Use, function: str, place: Place, body: Func | None, offset: int
) -> Iterator[Crossing]:
    """The border that a function is behind which is given away at a place; `offset` is where the work in it stands."""
    fate = graph.fate_of(use)
    if fate == "shared" or use.target in SHARED:
        yield Crossing("shared", function, place, target=use.target)
    elif fate == "go":
        yield goroutine(graph, function, place, body, waited=use.waited > offset)
    elif fate in ("kept", "unknown") and use.waited <= offset:
        yield Crossing(fate, function, place, target=use.target)


def goroutine(graph: Graph, starter: str, place: Place, body: Func | None, *, waited: bool) -> Crossing:
    """The border that a goroutine is which `starter` starts, and which runs `body`."""
    endless = body is not None and goes_on(graph, body.id)
    hijacked = any("hijacks" in func.flags for func in graph.chain(starter))
    return Crossing("go", starter, place, waited=waited, endless=endless, hijacked=hijacked)


def goes_on(graph: Graph, function: str) -> bool:
    """Whether a function, or one that it hands its context on to, works until somebody stops it or something fails."""
    queue, seen = [function], set[str]()
    while queue:
        current = queue.pop()
        if current in seen:
            continue
        seen.add(current)
        graph.effort.spend(2)
        func = graph.funcs.get(current)
        if func is not None and LASTING & set(func.flags):
            return True
        queue += [to for kind, to in graph.forwards(current) if kind == "arg" and graph.owns(to)]
    return False


def crossings_at(graph: Graph, call: Call, owner: str) -> tuple[Crossing, ...]:
    """The borders between a context that `owner` declares and what a call of it runs."""
    found = []
    if call.go or call.streamed:
        body = graph.funcs.get(call.callee)
        found.append(goroutine(graph, call.caller, call.place, body, waited=call.waited > 0))
    if call.use is not None:
        found += given_away(graph, call.use, call.caller, call.place, graph.funcs.get(call.callee), call.place.start)
    if call.defer:
        found.append(Crossing("defer", call.caller, call.place))
    if call.after:
        found.append(Crossing("after", call.caller, call.place))
    return (*found, *literals(graph, call.caller, owner, call.place.start))


def outlives(graph: Graph, function: str, owner: str, offset: int) -> bool:
    """Whether a literal may run when the function around it, which declares a context, has returned and ended it."""
    for func in graph.chain(function):
        if func.id == owner or not func.parent or func.use is None:
            return False
        if func.use.kind in ESCAPES:
            return True
        border = next(literals(graph, func.id, func.parent, offset), None)
        if border is not None and border.leaves:
            return True
    return False
