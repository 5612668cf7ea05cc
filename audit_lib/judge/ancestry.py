"""What is told of all that is above a function, up its callers: worked out once for each function, whoever asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Literal

from audit_lib.judge.graph import Edge, Graph
from audit_lib.judge.lifetime import is_init, is_main
from audit_lib.judge.reach import Reach
from audit_lib.model import Category
from audit_lib.read.facts import Func

Look = Callable[[str], tuple[Iterable[str], Iterable[str]]]
"""What a node itself tells, and the nodes above it to which one goes on from there."""

Start = Literal[Category, "command"]
"""What starts work: as a category says it, and the `command` of a command line."""

_TELLING: tuple[Start, ...] = ("background", "request", "command", "init")


class Above:
    """What nodes tell, each with all that is above it."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._known: dict[str, frozenset[str]] = {}

    def of(self, node: str) -> frozenset[str]:
        """All that a node, and what is above it, tells."""
        if node not in self._known:
            self._settle(node)
        return self._known[node]

    def _settle(self, start: str) -> None:
        """Look at all above a node that nobody has asked for yet, and pass what it tells down until nothing is new."""
        found: dict[str, frozenset[str]] = {}
        below: dict[str, list[str]] = defaultdict(list)
        queue = [start]
        while queue:
            node = queue.pop()
            if node in found:
                continue
            told, above = self._look(node)
            found[node] = frozenset(told)
            for other in above:
                if other in self._known:
                    found[node] |= self._known[other]
                else:
                    below[other].append(node)
                    queue.append(other)
        news = [node for node in found if found[node]]
        while news:
            node = news.pop()
            for other in below[node]:
                if not found[node] <= found[other]:
                    found[other] |= found[node]
                    news.append(other)
        self._known.update(found)


class Ancestry:
    """Questions about the callers of functions, and theirs, up to all ends."""

    def __init__(self, graph: Graph, reach: Reach) -> None:
        self._graph = graph
        self._reach = reach
        self._starts = Above(self._look_for_starts)
        self._ends = Above(self._look_for_tests)
        self._users = Above(self._look_for_users)

    def started_by(self, function: str) -> Start:
        """What starts the work that a function is in: the most telling of the functions in which it begins."""
        starts = self._starts.of(function)
        return next((start for start in _TELLING if start in starts), "background")

    def has_no_other_users(self, function: str) -> bool:
        """Whether nobody but tests, or nobody at all, is known to call a declared function."""
        return self._ends.of(function) <= {"test"}

    def is_for_tests(self, function: str) -> bool:
        """Whether every caller of a declared function, up to all ends, is a test, and there is one."""
        return self._ends.of(function) == {"test"}

    def is_used(self, function: str) -> bool:
        """Whether anybody could call a declared function: not only itself, or functions that nobody calls."""
        return bool(self._users.of(function))

    def _look_for_starts(self, node: str) -> tuple[list[str], list[str]]:
        start = self._start_of(node) if self._is_function(node) else None
        if start is not None:
            return [start], []
        told, above = [], list(self._graph.held_by(node))
        for call in (edge.call for edge in self._edges(node) if not edge.call.test):
            if call.go and not call.waited:
                told.append("background")
            else:
                above.append(call.caller)
        return told, above

    def _is_called_back(self, func: Func) -> bool:
        """Whether others call a function as they have got it: a framework, or who keeps it."""
        return bool(func.closed_by) or self._reach.is_registered(func.id) or self._reach.escapes(func.id)

    def _start_of(self, function: str) -> Start | None:
        """What begins in a function, or None where it is only on the way: start-up, a command, a callback, an API."""
        func = self._graph.funcs.get(function)
        if func is None or is_main(func) or is_init(func):
            return "init"
        if any(source.param and source.role in ("context", "method") for source in self._graph.sources_of(function)):
            return "request"
        given = (*self._graph.given_to(function), func.use.target if func.use is not None else "")
        if any(target.rpartition(".")[0].endswith(".Command") for target in (*given, *func.closed_by)):
            return "command"
        if "forever" in func.flags:
            return "background"
        if self._is_called_back(func):
            return "background"
        if not any(self._graph.ways_that(function, _is_outside_tests)):
            return "command" if self._is_command(func) else "request" if func.exported else None
        return None

    def _is_command(self, func: Func) -> bool:
        """Whether a library finds a command of a program by its type: its method `Run`, as kong does."""
        return bool(func.receiver) and func.name.endswith(".Run") and self._graph.is_program(func.package)

    def _look_for_tests(self, node: str) -> tuple[list[str], list[str]]:
        if self._is_function(node):
            func = self._graph.funcs.get(node)
            if func is None or is_main(func) or "package_level" in func.flags or func.closed_by or func.name == "init":
                return ["other"], []
            if not func.parent and all(edge.kind == "closure" for edge in self._graph.callers(node)):
                return ["other"], []
        told, above = [], list(self._graph.held_by(node))
        for edge in self._edges(node):
            if edge.call.test and edge.kind != "closure":
                told.append("test")
            elif edge.kind != "closure":
                above.append(self._graph.top(edge.call.caller))
        return told, above

    def _look_for_users(self, node: str) -> tuple[list[str], list[str]]:
        if self._is_function(node):
            func = self._graph.funcs.get(node)
            if func is None or func.exported or func.test or func.closed_by or is_main(func) or is_init(func):
                return ["used"], []
            if self._graph.given_to(node) or _is_found_by_name(func):
                return ["used"], []
        return [], [*self._graph.held_by(node), *(self._graph.top(edge.call.caller) for edge in self._edges(node))]

    def _is_function(self, node: str) -> bool:
        """Whether a node is no holder of functions; what is called from nowhere known counts as a function."""
        return node in self._graph.funcs or node not in self._graph.dispatch

    def _edges(self, node: str) -> tuple[Edge, ...]:
        edges = self._graph.direct(node)
        self._graph.effort.spend(1 + len(edges) + len(self._graph.held_by(node)))
        return edges


def _is_outside_tests(_: Graph, edge: Edge) -> bool:
    return not edge.call.test


def _is_found_by_name(func: Func) -> bool:
    """Whether templates and reflection can call a method: by its exported name, whatever its type is called."""
    return bool(func.receiver) and func.name.rpartition(".")[2][:1].isupper()
