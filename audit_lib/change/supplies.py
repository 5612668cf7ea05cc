"""Which functions a context can be brought to by threading, and what stands in the way of the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable

from audit_lib.change.holders import is_kept, is_run_there
from audit_lib.change.obstacle import Obstacle
from audit_lib.change.problem import Problem
from audit_lib.change.signatures import Group, Groups
from audit_lib.read.facts import Call, Func, Origin


class Supplies:
    """Which groups a context can be brought to: one of their calls has it in scope, or its caller's group has it."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self.groups = Groups(problem)
        self._supplied: dict[str, bool] = {}

    def reaches(self, function: str) -> bool:
        """Whether a context can be brought to a declared function, over groups that are open."""
        if function not in self._problem.graph.funcs:
            return False
        group = self.groups.of(function)
        if group.key not in self._supplied:
            self._explore(group)
        return self._supplied[group.key]

    def opener(self, function: str) -> str:
        """What takes a context for the work in a function: a literal that something holds, or what it is declared in.

        Empty where no context can be brought there. A literal that is kept for later is no place for the context of who
        makes it; one that only the function around it calls uses what that has.
        """
        lender = ""
        for func in self._problem.graph.chain(function):
            if not func.parent or is_kept(self._problem, func):
                if any(param.role == "context" for param in func.params):
                    return lender  # it has one, which is no use there
                if self.reaches(func.id):
                    if not self._borrows(func):
                        return func.id
                    lender = lender or func.id
                if func.use is not None and func.use.kind != "var" and is_kept(self._problem, func):
                    return lender
        return lender

    def _borrows(self, literal: Func) -> bool:
        """Whether a literal is but a name in the function around it, and sees all contexts that its calls see."""
        graph = self._problem.graph
        holders = graph.held_by(literal.id)
        if literal.use is None or literal.use.kind != "var" or not holders:
            return False
        if any(not node.startswith("local:") or graph.held_by(node) or graph.given_to(node) for node in holders):
            return False
        calls = [call for node in holders for call in graph.calls_of(node)]
        return all(self._is_called_around(literal, call) for call in calls)

    def _is_called_around(self, literal: Func, call: Call) -> bool:
        supply = self._problem.reach.supply_at(call.caller, call.place.start, to_hand_on=True)
        seen = self._problem.graph.sources_at(literal.parent, literal.place.start)
        if call.test or call.go or call.defer or (supply is not None and supply.source not in seen):
            return False
        for func in self._problem.graph.chain(call.caller):
            if func.id in (literal.id, literal.parent):
                return True
            if func.use is None or func.use.kind in ("go", "defer") or func.use.go or is_kept(self._problem, func):
                return False
        return False

    def opened_inside(self, function: str, source: Origin | None, opened: Collection[str]) -> str:
        """The literal around a place that takes a context anyway, inside of what declares a carrier; or empty.

        `opened` are the groups that take one. Who is handed a context uses it, and not what another one was read from.
        """
        if source is None or source.role not in ("method", "field"):
            return ""
        for func in self._problem.graph.chain(function):
            if not func.parent or func.id == source.owner:
                return ""
            if is_kept(self._problem, func) and self.groups.of(func.id).key in opened:
                return func.id
        return ""

    def is_open(self, function: str) -> bool:
        """Whether nothing stands in the way of a declared function's own group."""
        return function in self._problem.graph.funcs and self.groups.of(function).closed is None

    def obstacle(self, function: str) -> Obstacle | None:
        """What stands between a function and the contexts above it: the first closed group, the nearest first.

        Of a literal that something holds it is what holds it, whoever makes it.
        """
        graph = self._problem.graph
        held = (func.id for func in graph.chain(function) if self._is_held(func))
        seen: set[str] = set()
        queue = deque([next(held, graph.top(function))])
        while queue:
            group = self.groups.of(queue.popleft())
            if group.key in seen:
                continue
            seen.add(group.key)
            if group.closed is not None:
                return group.closed
            queue += [function for call in self._calls(group) for function in self._callers(call)]
        return None

    def _is_held(self, func: Func) -> bool:
        """Whether something other than a variable holds a literal for later."""
        return func.use is not None and func.use.kind != "var" and is_kept(self._problem, func)

    def _explore(self, start: Group) -> None:
        """Find all groups above one, and bring down what is in scope at their calls."""
        below: dict[str, list[str]] = {}
        supplied: deque[str] = deque()
        seen = {start.key}
        queue = deque([start])
        while queue:
            group = queue.popleft()
            if group.closed is not None:
                continue
            for call in self._calls(group):
                if self._has_context(call):
                    supplied.append(group.key)
                    continue
                for function in self._callers(call):
                    above = self.groups.of(function)
                    if above.key != group.key:
                        below.setdefault(above.key, []).append(group.key)
                    if self._supplied.get(above.key):
                        supplied.append(group.key)
                    elif above.key not in seen and above.key not in self._supplied:
                        seen.add(above.key)
                        queue.append(above)
        reached: set[str] = set()
        while supplied:
            key = supplied.popleft()
            if key not in reached:
                reached.add(key)
                supplied += below.get(key, ())
        for key in seen:
            self._supplied[key] = key in reached

    def _calls(self, group: Group) -> Iterable[Call]:
        for node in group.nodes:
            for call in self._problem.graph.calls_of(node):
                named = call.use is not None and not is_run_there(self._problem, call)
                if not call.test and call.kind != "closure" and not named:
                    yield call

    def _has_context(self, call: Call) -> bool:
        return self._problem.reach.supply_at(call.caller, call.place.start, to_hand_on=True) is not None

    def _callers(self, call: Call) -> list[str]:
        """The functions around a call that could take a context for it, as `opener` has it."""
        found = []
        for func in self._problem.graph.chain(call.caller):
            if not func.parent or is_kept(self._problem, func):
                found.append(func.id)
            if self._is_held(func):
                break
        return found
