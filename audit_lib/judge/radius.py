"""What opens together when a context is threaded into a function: functions, the interfaces they implement, calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass

from audit_lib.judge.graph import Edge, Graph
from audit_lib.model import Radius
from audit_lib.read.facts import Call

COUNT_LIMIT = 2000
"""Where the count of a radius stops: what is larger is larger than any policy allows."""

_KEPT = 64  # so many counts are kept with what they opened

Place = tuple[str, int]


@dataclass(frozen=True)
class _Block:
    """The calls through what holds some functions: where they are, and what they open."""

    calls: Set[Place]
    files: Set[str]
    callers: tuple[str, ...]
    moved: int


class Radii:
    """Counts what opens together. `moves_to` says of a caller whether it opens (true), or gets a root (false), or none.

    Functions that open each other open the same: that is counted for the first of them.
    """

    def __init__(self, graph: Graph, moves_to: Callable[[Call], bool | None]) -> None:
        self.graph = graph
        self.moves_to = moves_to
        self.blocks: dict[int, _Block] = {}
        self._counted: dict[str, _Counter] = {}

    def of(self, function: str) -> tuple[Radius, int]:
        """What threading a context into a function changes, and how many roots would only move, outside tests."""
        counter = _Counter(self)
        same = counter.open(function)
        if same is not None:
            return same.result()
        if counter.is_whole:
            self._counted[function] = counter
            if len(self._counted) > _KEPT:
                del self._counted[next(iter(self._counted))]
        return counter.result()

    def same_as(self, function: str, opened: Iterable[str]) -> _Counter | None:
        """The count of one of some functions that a function opens, where that one opens the function too."""
        for other in opened:
            known = self._counted.get(other)
            if known is not None and known.has(function):
                return known
        return None

    def block(self, kind: int, nodes: Iterable[str]) -> _Block:
        """The calls through the nodes above a class of functions."""
        known = self.blocks.get(kind)
        if known is None:
            counter = _Counter(self)
            callers = tuple(counter.take(edge for node in nodes for edge in self.graph.direct(node)))
            known = self.blocks[kind] = counter.as_block(callers)
        return known


class _Counter:
    """Counts what opens with one function."""

    def __init__(self, radii: Radii) -> None:
        self._radii = radii
        self._graph = radii.graph
        self._functions: set[str] = set()
        self._literals: set[str] = set()
        self._interfaces: set[str] = set()
        self._calls: set[Place] = set()
        self._files: set[str] = set()
        self._nodes: set[str] = set()  # functions, and what holds them, whose calls are counted
        self._walked: set[int] = set()  # classes of functions whose calls through what holds them are counted
        self._classes: set[int] = set()  # of functions whose interfaces are counted
        self._moved = 0
        self.is_whole = False

    def open(self, function: str) -> _Counter | None:
        """Open a function and all that opens with it; gives the count of another instead where that is the same."""
        queue = [function]
        while queue and len(self._calls) < COUNT_LIMIT:
            current = queue.pop()
            if current in self._functions:
                continue
            func = self._graph.funcs.get(current)
            if func is None:
                continue
            opened: list[str] = []
            if not func.parent:
                self._functions.add(current)
                self._files.add(func.place.file)
                opened += self._siblings(current)
            else:
                self._literals.add(current)
            opened += self._callers(current)
            same = self._radii.same_as(function, opened)
            if same is not None:
                return same
            queue += opened
        self.is_whole = not queue and len(self._calls) < COUNT_LIMIT
        return None

    def has(self, function: str) -> bool:
        """Whether a function opens with the counted one."""
        return function in self._functions or function in self._literals

    def _siblings(self, function: str) -> list[str]:
        found: list[str] = []
        kind = self._graph.holder_class(function)
        if kind in self._classes:
            return found
        self._classes.add(kind)
        for node in self._graph.interfaces_of(function):
            self._graph.effort.spend()
            if node.id not in self._interfaces and not node.external:
                self._interfaces.add(node.id)
                self._files.add(node.place.file)
                found += node.targets
                self._graph.effort.spend(len(node.targets))
        return found

    def _callers(self, function: str) -> Iterator[str]:
        """The callers that open with a function, of calls that have not been counted yet."""
        kind = self._graph.holder_class(function)
        if function not in self._nodes:
            self._nodes.add(function)
            yield from self.take(self._graph.direct(function))
        if kind in self._walked:
            return
        self._walked.add(kind)
        nodes = self._graph.holders_above(function)
        if not self._nodes.isdisjoint(nodes):
            new = [node for node in nodes if node not in self._nodes]
            self._nodes.update(new)
            yield from self.take(edge for node in new for edge in self._graph.direct(node))
            return
        self._nodes.update(nodes)
        block = self._radii.block(kind, nodes)
        if block.calls.isdisjoint(self._calls):
            self._graph.effort.spend(1 + len(block.callers) // 10)
            self._calls |= block.calls
            self._files |= block.files
            self._moved += block.moved
            yield from block.callers
        else:
            yield from self.take(edge for node in nodes for edge in self._graph.direct(node))

    def take(self, edges: Iterable[Edge]) -> Iterator[str]:
        """Count calls; gives the callers that open with them."""
        for edge in edges:
            call = edge.call
            self._graph.effort.spend()
            place = (call.place.file, call.place.start)
            if place in self._calls:
                continue
            if call.kind != "closure":
                self._calls.add(place)
                self._files.add(call.place.file)
            opens = self._radii.moves_to(call)
            if opens:
                yield call.caller
            elif opens is False and call.kind != "closure":
                self._moved += 1

    def as_block(self, callers: tuple[str, ...]) -> _Block:
        """The counted calls."""
        return _Block(frozenset(self._calls), frozenset(self._files), callers, self._moved)

    def result(self) -> tuple[Radius, int]:
        """The count, and how many roots would only move."""
        radius = Radius(len(self._functions), len(self._interfaces), len(self._calls), len(self._files - {""}))
        return radius, self._moved
