"""What lies between a context and the place that loses it: goroutines, deferred calls, shared or memoised work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from audit_lib.judge.graph import ESCAPES, Graph
from audit_lib.judge.lifetime import Lifetimes
from audit_lib.judge.reach import GROUPS, LATER, SHARED, Supply, Way
from audit_lib.read.facts import Call, Func, Origin, Place, TypedSite, Use

CrossingKind = Literal["go", "defer", "shared", "lazy", "after"]

AFTER = frozenset({"after_done", "after_signal", "after_stop"})
"""How sites stand that come behind an end."""


@dataclass(frozen=True)
class Crossing:
    """A border between a source and a site: its kind, where it is, and how a goroutine behind it lives.

    `waited`: its starter, or who gets its channel, waits for it. `endless`: it goes on until somebody stops it.
    `hijacked`: its starter has taken a connection over, which lives longer than the request.
    """

    kind: CrossingKind
    function: str
    place: Place
    waited: bool = False
    endless: bool = False
    hijacked: bool = False


@dataclass(frozen=True)
class Trail:
    """The functions and borders from a source down to a site; `supply` is the source, or None where there is none."""

    supply: Supply | None
    ways: tuple[Way, ...]
    crossings: tuple[Crossing, ...]

    def first(self, kind: CrossingKind) -> Crossing | None:
        """The border of a kind that is nearest to the site."""
        return next((crossing for crossing in self.crossings if crossing.kind == kind), None)

    @property
    def unwaited(self) -> Crossing | None:
        """The goroutine nearest to the site that nobody waits for."""
        return next((c for c in self.crossings if c.kind == "go" and not c.waited), None)


def trail_in_scope(graph: Graph, lifetimes: Lifetimes, site: TypedSite, supply: Supply) -> Trail:
    """The trail of a source that is in scope at the site."""
    source = supply.source
    found = (*_own(graph, site), *_literals(graph, site.function, source.owner), *started(graph, lifetimes, source))
    if supply.source.has_ended(site.place.start):
        found = (*found, Crossing("after", site.function, site.place))
    return Trail(supply, (), found)


def trail_by_threading(graph: Graph, lifetimes: Lifetimes, site: TypedSite, ways: tuple[Way, ...]) -> Trail:
    """The trail of a source that is some calls above the site."""
    found = [*_own(graph, site), *_literals(graph, site.function, "")]
    supply = None
    for way in ways:
        call = way.edge.call
        supply = way.supply
        callee = graph.funcs.get(way.callee)
        if callee is not None and "lazy" in callee.flags:
            found.append(Crossing("lazy", callee.id, callee.place))
        if call.lazy:
            found.append(Crossing("lazy", call.caller, call.place))
        if call.kind == "closure":
            continue
        if call.go:
            found.append(_goroutine(graph, call.caller, call.place, callee))
        if call.defer:
            found.append(Crossing("defer", call.caller, call.place))
        found += _ended(graph, way)
        if call.kind == "value" and way.edge.through is None:
            found += _callback(graph, way, callee)
        found += _literals(graph, call.caller, supply.source.owner if supply else "")
    found += started(graph, lifetimes, supply.source) if supply else ()
    return Trail(supply, ways, tuple(found))


def started(graph: Graph, lifetimes: Lifetimes, source: Origin) -> Iterator[Crossing]:
    """The borders that a parameter is behind whose function is started in a goroutine with a request's context."""
    if not source.param or source.role != "context":
        return
    for edge in graph.callers(source.owner):
        call = edge.call
        if call.go and not call.test and lifetimes.of_call(call) == "request":
            yield _goroutine(graph, call.caller, call.place, graph.funcs.get(source.owner))


def _ended(graph: Graph, way: Way) -> Iterator[Crossing]:
    """The border that a function is behind which is also called when the context there has ended."""
    for edge in graph.callers(way.callee):
        if edge.call.after and not edge.call.test:
            yield Crossing("after", edge.call.caller, edge.call.place)
            return


def _callback(graph: Graph, way: Way, callee: Func | None) -> Iterator[Crossing]:
    """The border that a function is behind which is given by its name to what runs it."""
    given = set(graph.given_to(way.callee))
    call = way.edge.call
    if given & SHARED:
        yield Crossing("shared", call.caller, call.place)
    if given & (LATER | GROUPS) or any(graph.starts(target) for target in given):
        yield _goroutine(graph, call.caller, call.place, callee)


def trail_without_source(graph: Graph, site: TypedSite) -> Trail:
    """The borders around a site for which there is no source."""
    return Trail(None, (), (*_own(graph, site), *_literals(graph, site.function, "")))


def _own(graph: Graph, site: TypedSite) -> Iterator[Crossing]:
    """The borders in the site's own statement and function."""
    if "go" in site.flags or any(use.go for use in site.uses if use.kind == "arg"):
        target = next((graph.funcs.get(use.target) for use in site.uses if use.go), None)
        yield _goroutine(graph, site.function, site.place, target)
    if AFTER & set(site.flags):
        yield Crossing("after", site.function, site.place)
    if "defer" in site.flags or ((uses := _real(site.uses)) and all(use.defer for use in uses)):
        yield Crossing("defer", site.function, site.place)
    func = graph.funcs.get(site.function)
    if func is not None and ("lazy" in func.flags or "lazy" in site.flags):
        yield Crossing("lazy", func.id, func.place)


def _real(uses: tuple[Use, ...]) -> list[Use]:
    return [use for use in uses if use.kind == "arg"]


def _literals(graph: Graph, function: str, owner: str) -> Iterator[Crossing]:
    """The borders that the literals between a function and the owner of a source are."""
    for func in graph.chain(function):
        if func.id == owner or not func.parent or func.use is None:
            return
        use = func.use
        if use.kind in ("go", "sent") or use.go or use.target in LATER | GROUPS or _is_started(graph, use):
            yield _goroutine(graph, func.parent, func.place, func)
        elif use.kind == "defer" or use.defer:
            yield Crossing("defer", func.parent, func.place)
        elif use.target in SHARED:
            yield Crossing("shared", func.parent, func.place)
        parent = graph.funcs.get(func.parent)
        if parent is not None and "lazy" in parent.flags and parent.id != owner:
            yield Crossing("lazy", parent.id, parent.place)


def _is_started(graph: Graph, use: Use) -> bool:
    """Whether a callback goes to a function of the module that starts it in a goroutine."""
    return use.kind == "arg" and graph.starts(use.target)


def _goroutine(graph: Graph, starter: str, place: Place, body: Func | None) -> Crossing:
    waited = any("waits" in func.flags for func in graph.chain(starter)[:1])
    endless = body is not None and "forever" in body.flags
    signals = body is not None and "signals" in body.flags
    hijacked = any("hijacks" in func.flags for func in graph.chain(starter))
    return Crossing("go", starter, place, waited=waited or signals, endless=endless, hijacked=hijacked)


def crossings_at(graph: Graph, call: Call, owner: str) -> tuple[Crossing, ...]:
    """The borders between a context that `owner` declares and what a call of it runs."""
    found = []
    if call.go:
        found.append(_goroutine(graph, call.caller, call.place, graph.funcs.get(call.callee)))
    if call.defer:
        found.append(Crossing("defer", call.caller, call.place))
    if call.after:
        found.append(Crossing("after", call.caller, call.place))
    return (*found, *_literals(graph, call.caller, owner))


def outlives(graph: Graph, function: str, owner: str) -> bool:
    """Whether a literal may run when the function around it, which declares a context, has returned and ended it."""
    for func in graph.chain(function):
        if func.id == owner or not func.parent or func.use is None:
            return False
        if func.use.kind in ESCAPES:
            return True
        border = next(_literals(graph, func.id, func.parent), None)
        if border is not None and border.kind == "go" and not border.waited:
            return True
    return False
