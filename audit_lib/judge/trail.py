"""What lies between a context and the place that loses it: goroutines, deferred calls, shared or memoised work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from audit_lib.judge.crossings import Crossing, CrossingKind, given_away, goes_on, goroutine, literals
from audit_lib.judge.graph import Edge, Graph
from audit_lib.judge.lifetime import WORKER_NAMES, Lifetimes
from audit_lib.judge.reach import Reach
from audit_lib.judge.timing import late_uses, uses_of
from audit_lib.judge.ways import Supply, Way
from audit_lib.read.facts import Func, Origin, TypedSite

COMMON: dict[str, CrossingKind] = {"flight": "shared", "batch": "batch"}
"""Work that is others' too, as facts have it, and the border that it is."""

AFTER = frozenset({"after_done", "after_signal", "after_stop"})
"""How sites stand that come behind an end."""


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
        return next((crossing for crossing in self.crossings if crossing.unwaited), None)


def trail_of(graph: Graph, lifetimes: Lifetimes, reach: Reach, site: TypedSite) -> Trail:
    """The trail of the nearest source: one in scope before one that is some calls up."""
    supply = reach.supply_at(site.function, site.place.start, but=f"root:{site.place.start}")
    if supply is not None:
        return _with_its_work(graph, site, trail_in_scope(graph, lifetimes, site, supply))
    for func in graph.chain(site.function):
        ways = reach.steps_to(func.id)
        if ways and ways[-1].supply is not None:
            return _with_its_work(graph, site, trail_by_threading(graph, lifetimes, site, ways))
    return trail_without_source(graph, site)


def _with_its_work(graph: Graph, site: TypedSite, trail: Trail) -> Trail:
    """A trail whose goroutines are as endless as what the site's context is handed to in them."""
    if trail.unwaited is None or not any(goes_on(graph, use.target) for use in uses_of(site) if use.kind == "arg"):
        return trail
    crossings = (replace(one, endless=True) if one.unwaited else one for one in trail.crossings)
    return replace(trail, crossings=tuple(crossings))


def is_left_above(graph: Graph, lifetimes: Lifetimes, reach: Reach, site: TypedSite, opener: str) -> bool:
    """Whether the border that a site is behind lies above the function that takes a context for it: detached there."""
    own = (*_own(graph, site), *literals(graph, site.function, opener, site.place.start))
    return not any(map(_ends, own)) and any(map(_ends, trail_of(graph, lifetimes, reach, site).crossings))


def _ends(crossing: Crossing) -> bool:
    """Whether a context may have ended behind a border."""
    return crossing.kind in ("defer", "after") or crossing.leaves


def trail_in_scope(graph: Graph, lifetimes: Lifetimes, site: TypedSite, supply: Supply) -> Trail:
    """The trail of a source that is in scope at the site."""
    source = supply.source
    found = (*_own(graph, site), *literals(graph, site.function, source.owner, site.place.start))
    found = (*found, *started(graph, lifetimes, source))
    if supply.source.has_ended(site.place.start):
        found = (*found, Crossing("after", site.function, site.place))
    return Trail(supply, (), found)


def trail_by_threading(graph: Graph, lifetimes: Lifetimes, site: TypedSite, ways: tuple[Way, ...]) -> Trail:
    """The trail of a source that is some calls above the site.

    A literal that is called from elsewhere is not behind the borders of the place where it stands.
    """
    offset = site.place.start
    graph.effort.spend(20 * len(ways))
    found = [*_own(graph, site), *literals(graph, site.function, ways[0].callee, offset)]
    for way in ways:
        call = way.edge.call
        callee = graph.funcs.get(way.callee)
        if callee is not None and "lazy" in callee.flags:
            found.append(Crossing("lazy", callee.id, callee.place))
        if call.lazy:
            found.append(Crossing("lazy", call.caller, call.place))
        if call.common:
            found.append(Crossing(COMMON[call.common], call.caller, call.place))
        if call.kind == "closure":
            found += literals(graph, way.callee, call.caller, offset)
        else:
            found += (*_at_call(graph, way, callee), *_ended(graph, way, ways[-1].supply))
            offset = call.place.start
        if way.supply is not None:
            found += literals(graph, call.caller, way.supply.source.owner, offset)
    supply = ways[-1].supply
    found += started(graph, lifetimes, supply.source) if supply else ()
    return Trail(supply, ways, tuple(found))


def _at_call(graph: Graph, way: Way, callee: Func | None) -> Iterator[Crossing]:
    """The borders that a call is."""
    call = way.edge.call
    if call.go:
        yield goroutine(graph, call.caller, call.place, callee, waited=call.waited > 0)
    if call.streamed:
        yield goroutine(graph, call.caller, call.place, callee, waited=False)
    if call.defer:
        yield Crossing("defer", call.caller, call.place)
    if call.kind == "value" and way.edge.through is None and call.use is not None:
        yield from given_away(graph, call.use, call.caller, call.place, callee, call.place.start)


def _ended(graph: Graph, way: Way, supply: Supply | None) -> Iterator[Crossing]:
    """The border that a call behind an end is; what a worker or a process runs then has no context any other time."""
    shared = supply is not None and supply.lifetime in ("worker", "process")
    behind = graph.ways_that(way.callee, _is_behind) if shared else filter(partial(_is_behind, graph), (way.edge,))
    for edge in behind:
        yield Crossing("after", edge.call.caller, edge.call.place)
        return


def _is_behind(_: Graph, edge: Edge) -> bool:
    """Whether a call comes behind an end, outside tests."""
    return edge.call.after and not edge.call.test


def started(graph: Graph, lifetimes: Lifetimes, source: Origin) -> Iterator[Crossing]:
    """The borders that a parameter is behind whose function is started in a goroutine with a request's context.

    A loop is handed the context of its own life, and so is what a worker's `Start(ctx)` starts.
    """
    if not source.param or source.role != "context":
        return
    for edge in graph.ways_that(source.owner, _is_started):
        call = edge.call
        starter = graph.funcs.get(graph.top(call.caller))
        worker = starter is not None and starter.name.rpartition(".")[2] in WORKER_NAMES
        if not worker and lifetimes.of_call(call) == "request":
            body = graph.funcs.get(source.owner)
            crossing = goroutine(graph, call.caller, call.place, body, waited=call.waited > 0)
            if not crossing.endless:
                yield crossing


def _is_started(_: Graph, edge: Edge) -> bool:
    """Whether a call is a `go` statement, outside tests."""
    return edge.call.go and not edge.call.test


def trail_without_source(graph: Graph, site: TypedSite) -> Trail:
    """The borders around a site for which there is no source."""
    return Trail(None, (), (*_own(graph, site), *literals(graph, site.function, "", site.place.start)))


def _own(graph: Graph, site: TypedSite) -> Iterator[Crossing]:
    """The borders in the site's own statement and function, and those that all uses of its context are behind."""
    late, uses = late_uses(graph, site), uses_of(site)
    started = next((use for use in uses if use.kind == "arg" and use.go), None)
    if "go" in site.flags or (started is not None and all(use.go for use in uses)):
        body = graph.funcs.get(started.target) if started is not None else None
        waited = started.waited if started is not None else site.waited
        yield goroutine(graph, site.function, site.place, body, waited=waited > 0)
    if AFTER & set(site.flags):
        yield Crossing("after", site.function, site.place)
    if "defer" in site.flags:
        yield Crossing("defer", site.function, site.place)
    if len(late) == len(uses):
        yield from (one.crossing for one in late)
    for common in COMMON.keys() & set(site.flags):
        yield Crossing(COMMON[common], site.function, site.place)
    func = graph.funcs.get(site.function)
    if func is not None and ("lazy" in func.flags or "lazy" in site.flags):
        yield Crossing("lazy", func.id, func.place)
