"""Ways down from contexts to functions, and the order in which they are found: the shortest to each function.

A call of what holds functions, an interface's method or a variable, is one step to all of them. It is queued once, and
not once for each of them, so that the work grows with the facts and not with calls times functions.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from audit_lib.judge.graph import Edge, Graph
from audit_lib.model import Lifetime
from audit_lib.read.facts import Origin


@dataclass(frozen=True)
class Supply:
    """A context that can be written at a place: the source and how long it lives."""

    source: Origin
    lifetime: Lifetime


@dataclass(frozen=True)
class Way:
    """The next step from `callee` towards the nearest source: the edge, and the source at its call, if there is one."""

    callee: str
    edge: Edge
    supply: Supply | None


@dataclass(frozen=True)
class Step:
    """A step down: the call, the source there if there is one, what the way costs so far, and when it was queued.

    Of steps that cost the same, those queued in an earlier turn go first.
    """

    cost: int
    turn: int
    edge: Edge
    supply: Supply | None = None


_Rank = tuple[int, int, int, int]
"""Cost, turn, the function's place among all functions, and how many nodes lie between it and the call."""

_FIRST = -1  # before any function's place


class Steps:
    """Steps that wait to be taken, the cheapest first; `is_closed` says which functions no step through a node opens.

    Steps that cost the same are taken in the order of their turns, and of the functions to which they lead.
    """

    def __init__(self, graph: Graph, is_closed: Callable[[str], bool]) -> None:
        self._graph = graph
        self._is_closed = is_closed
        self._heap: list[tuple[_Rank, int, str, Step, Iterator[tuple[int, int, str]]]] = []
        self._places = {name: place for place, name in enumerate(graph.funcs)}
        self._count = 0
        self._opened: set[str] = set()
        self._passed: set[str] = set()

    def add(self, node: str, step: Step) -> None:
        """Queue a step to a function, or to all that a node may stand for."""
        self._push((step.cost, step.turn, self._places.get(node, _FIRST), 0), node, step, iter(()))

    def take(self) -> Iterator[tuple[str, Step]]:
        """The functions that are reached, each with its step. Steps that are added meanwhile come in their turn."""
        while self._heap:
            (_, _, place, _), _, node, step, others = heapq.heappop(self._heap)
            self._graph.effort.spend()
            if place == _FIRST:
                if node not in self._opened:  # who has opened it before came no later to any of its functions
                    self._opened.add(node)
                    self._push_next(step, iter(sorted(self._functions_of(node))))
            else:
                yield node, step
                self._push_next(step, others)

    def _push_next(self, step: Step, functions: Iterator[tuple[int, int, str]]) -> None:
        following = next(functions, None)
        if following is not None:
            place, between, function = following
            self._push((step.cost, step.turn, place, between), function, step, functions)

    def _push(self, rank: _Rank, node: str, step: Step, others: Iterator[tuple[int, int, str]]) -> None:
        self._count += 1
        heapq.heappush(self._heap, (rank, self._count, node, step, others))

    def _functions_of(self, node: str) -> Iterator[tuple[int, int, str]]:
        """The functions that a node may stand for, itself or through others, but those that a step has gone to."""
        level, between = [node], 0
        while level:
            below = []
            for holder in level:
                targets = self._graph.dispatch[holder].targets
                self._graph.effort.spend(1 + len(targets))
                for target in targets:
                    if target in self._places:
                        if not self._is_closed(target):
                            yield self._places[target], between, target
                    elif target in self._graph.dispatch and not (target in self._opened or target in self._passed):
                        self._passed.add(target)
                        below.append(target)
            level, between = below, between + 1
