"""Which functions can be given a context by threading: the nearest source above each, and what that would change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache

from audit_lib.judge.accessors import is_accessor
from audit_lib.judge.graph import ESCAPES, GROUPS, LATER, TESTING, Edge, Graph
from audit_lib.judge.lifetime import COMMANDS, DETACHED, Lifetimes, is_init, is_main
from audit_lib.judge.objects import works_on
from audit_lib.judge.radius import Radii
from audit_lib.judge.ways import Step, Steps, Supply, Way
from audit_lib.model import Radius
from audit_lib.read.facts import Call, Func, Origin

ROLES = {"context": 0, "method": 1, "field": 2, "global": 3, "stored": 4}
"""In which order ways to get a context are preferred: what cannot be nil first."""

SHARED = frozenset(
    {
        "sync.Once.Do",
        "sync.OnceFunc",
        "sync.OnceValue",
        "sync.OnceValues",
        "golang.org/x/sync/singleflight.Group.Do",
        "golang.org/x/sync/singleflight.Group.DoChan",
        "sync.Map.LoadOrStore",
    }
)
"""Functions that run a callback once for all callers."""

WALKS = frozenset({"path/filepath.Walk", "path/filepath.WalkDir", "io/fs.WalkDir", "sync.Map.Range"})
"""Functions of the standard library that run a callback for each of what they find, and then return."""

ON_THE_SPOT = SHARED | LATER | GROUPS | WALKS
"""Functions to which a literal can be given instead of a function's name, with the context that is there."""


def runs_there(graph: Graph, target: str) -> bool:
    """Whether a function of another module runs what it is given as a part of its call, or starts it then."""
    return target in ON_THE_SPOT or graph.foreign.runs_there(target)


BORDER = 40
"""How many calls a way may be longer that stays within the life of its source."""


def is_cut_off(source: Origin, function: str) -> bool:
    """Whether a context was cut off from the end of another for who runs later: a literal, and not its own function."""
    return DETACHED in source.origins and source.owner == function


def preference(rank: int, source: Origin, chain: Sequence[Func], *, ended: bool) -> tuple[int, ...]:
    """What tells sources in scope of a function apart, the less the better; `rank` is that of the source's lifetime.

    `chain` is the function with those around it. One that has been ended comes last, one that was cut off from
    another's end behind those of its rank; of the others the nearest goes first: what a handler is given, before what
    the function around it was.
    """
    role = ROLES[source.role]
    away = next((depth for depth, func in enumerate(chain) if func.id == source.owner), len(chain))
    function = chain[0].id if chain else ""
    return (ended, rank, is_cut_off(source, function), role >= ROLES["field"], away, role, -source.start)


class Reach:
    """Distances from sources to functions, over calls that can be given another argument."""

    def __init__(self, graph: Graph, lifetimes: Lifetimes, *, stored: bool = False) -> None:
        self._graph = graph
        self._stored = stored  # whether a context that the receiver keeps is a source (policy `stored`)
        self._lifetimes = lifetimes
        self._ways: dict[str, Way] = {}
        self.radius = cache(self._radius)
        self.is_closed = cache(self._is_closed)
        self.supply_at = cache(self._supply_at)
        self._borders: dict[tuple[int, str], int] = {}
        self._radii = Radii(graph, self._moves_to)
        self._spread()

    def _supply_at(self, function: str, offset: int, *, but: str = "", to_hand_on: bool = False) -> Supply | None:
        """The best context that is there at a position: by lifetime, then a parameter or local before what can be nil.

        One that has been ended there comes last, and one that was cut off from another's end behind that.

        `but` is an origin that does not count: the root that is to be replaced. `to_hand_on` leaves out what is not
        worth threading.
        """
        best: tuple[tuple[int, ...], Supply] | None = None
        sources = self._graph.sources_at(function, offset)
        chain = self._graph.chain(function)
        self._graph.effort.spend(10 * len(sources))
        for source in sources:
            if (source.role == "stored" and not self._stored) or source.gives in TESTING:
                continue
            if (but and but in source.origins) or (to_hand_on and not self._is_worth_handing_on(source)):
                continue
            ended = source.has_ended(offset)
            if ended and to_hand_on:
                continue
            lifetime = self._lifetimes.of_source(source)
            if lifetime is None:
                continue
            key = preference(self._lifetimes.rank(source, lifetime, function), source, chain, ended=ended)
            if best is None or key < best[0]:
                best = (key, Supply(source, lifetime))
        return best[1] if best else None

    def _is_closed(self, function: str) -> bool:
        """Whether a function's parameters are not the module's to change."""
        func = self._graph.funcs.get(function)
        if func is None or func.test or is_main(func) or is_init(func) or is_accessor(func):
            return True
        return bool(func.closed_by) or self.is_registered(function)

    def is_registered(self, function: str) -> bool:
        """Whether a function is given to somebody outside the module, who calls it as it is."""
        func = self._graph.funcs.get(function)
        own = {func.use.target} if func is not None and func.use is not None and func.use.kind == "arg" else set()
        given = own | set(self._graph.given_to(function))
        return any(t and not self._graph.owns(t) and not runs_there(self._graph, t) for t in given)

    def goes_on(self, source: Origin) -> bool:
        """Whether a context that a worker was given is known to go on when the worker has returned."""
        return self._lifetimes.go_on(source.owner)

    def way_to(self, function: str) -> Way | None:
        """The next step from a function towards its nearest source, or None where there is none."""
        return self._ways.get(function)

    def steps_to(self, function: str) -> tuple[Way, ...]:
        """All steps from a function up to its nearest source, the nearest step first."""
        steps = []
        seen = set()
        while (way := self._ways.get(function)) is not None and function not in seen:
            seen.add(function)
            steps.append(way)
            if way.supply is not None:
                break
            function = way.edge.call.caller
        return tuple(steps)

    def _spread(self) -> None:
        """Dijkstra from all calls at which a context is there, down to the callees."""
        down: dict[str, list[tuple[str, Edge]]] = defaultdict(list)
        steps = Steps(self._graph, self.is_closed)
        for node in (*self._graph.funcs, *self._graph.dispatch):
            nearest: Step | None = None  # of those with a source: no other of them is ever taken
            for edge in self._openings(node):
                supply = self.supply_at(edge.call.caller, edge.call.place.start, to_hand_on=True)
                if supply is not None:
                    cost = 1 + 100 * (supply.lifetime in ("process", "test")) + self._border(edge, supply.source.owner)
                    if nearest is None or cost < nearest.cost:
                        nearest = Step(cost, 0, edge, supply)
                else:
                    down[edge.call.caller].append((node, edge))
            if nearest is not None:
                steps.add(node, nearest)
        for turn, (function, step) in enumerate(steps.take(), 1):
            if function in self._ways:
                continue
            self._ways[function] = Way(function, step.edge, step.supply)
            self._graph.effort.spend(1 + len(down[function]))
            for node, edge in down[function]:
                if node not in self._ways:
                    steps.add(node, Step(step.cost + 1 + self._border(edge, function), turn, edge))

    def _openings(self, node: str) -> Iterator[Edge]:
        """The calls of a function, or of what holds functions, at which a context can be handed over."""
        edges = self._graph.direct(node)
        self._graph.effort.spend(1 + len(edges))
        holder = self._graph.dispatch.get(node) if node not in self._graph.funcs else None
        if holder is not None and (holder.external or holder.place.file in self._graph.generated):
            return
        for edge in edges:
            if not edge.call.test and (holder is not None or self._opens(node, edge)):
                yield edge

    def _border(self, edge: Edge, owner: str) -> int:
        """What a way is longer over a goroutine, a deferred call, an end, common work, or to what makes what works on.

        Who is called otherwise too is judged by that, and detached where it is handed over.
        """
        call = edge.call
        known = self._borders.get((id(call), owner))  # a call is an edge of each function that it may reach
        if known is None:
            left = self._graph.leaves(call, owner) or works_on(self._graph, call.becomes, call.caller)
            known = self._borders[id(call), owner] = BORDER if left or call.common else 0
        return known

    def _is_worth_handing_on(self, source: Origin) -> bool:
        """Whether a source is worth threading: an ignored command is not, nor a root with a timeout outside `main`."""
        if source.name == "_" and source.gives in COMMANDS:
            return False
        made_here = bool(source.origins) and all(origin.startswith("root:") for origin in source.origins)
        return not made_here or source.lives or source.role == "global" or self._in_main(source)

    def _in_main(self, source: Origin) -> bool:
        func = self._graph.funcs.get(self._graph.top(source.owner))
        return func is not None and is_main(func)

    def _opens(self, function: str, edge: Edge) -> bool:
        """Whether a context can be handed over at a call of a function: a literal has its parent's, others take one."""
        if edge.call.kind == "closure":
            return not self.escapes(function)
        if edge.call.kind == "value":
            # The function is only named there; who calls it is another edge, unless it is run on the spot.
            given = self._graph.given_to(function)
            return any(runs_there(self._graph, target) or self._graph.runs(target) for target in given)
        return not self.is_closed(function)

    def escapes(self, function: str) -> bool:
        """Whether a literal is given away, to run when the function around it has long returned."""
        func = self._graph.funcs.get(function)
        return func is not None and func.use is not None and func.use.kind in ESCAPES

    def _moves_to(self, call: Call) -> bool | None:
        """Whether the caller of a function that opens opens too, or gets a root; None where it has a context."""
        if call.test or self.supply_at(call.caller, call.place.start) is not None:
            return None
        return self.way_to(call.caller) is not None

    def _radius(self, function: str) -> tuple[Radius, int]:
        """What threading a context into a function changes, and how many roots would only move, outside tests."""
        return self._radii.of(function)
