"""What functions that give a context call in turn: one of these must not read its context by calling them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from audit_lib.judge.effort import Effort
from audit_lib.read.facts import Call, Dispatch, Func

_FOLLOWED = ("static", "interface")


def is_accessor(func: Func) -> bool:
    """Whether a function is a method by whose form others read a context: `Context() context.Context`."""
    given = func.results == ("context.Context",) and not func.params
    return given and bool(func.receiver) and func.name.rpartition(".")[2] == "Context"


class Accessors:
    """The functions that are called, up to all ends, where a context is read through a function of the target."""

    def __init__(
        self, calls: Iterable[Call], dispatch: Mapping[str, Dispatch], top: Callable[[str], str], effort: Effort
    ) -> None:
        self._calls, self._dispatch, self._top, self._effort = calls, dispatch, top, effort
        self.reached_from = cache(self._reached_from)
        self._callees = cache(self._find_callees)

    def _reached_from(self, function: str) -> frozenset[str]:
        found: set[str] = set()
        queue = [function]
        while queue:
            node = queue.pop()
            if node in found:
                continue
            found.add(node)
            callees = self._callees().get(node, ())
            self._effort.spend(1 + len(callees))
            queue += callees
            if node in self._dispatch:
                queue += self._dispatch[node].targets
        return frozenset(found)

    def _find_callees(self) -> Mapping[str, list[str]]:
        callees: dict[str, list[str]] = defaultdict(list)
        for call in self._calls:
            self._effort.spend()
            if call.kind in _FOLLOWED:
                callees[self._top(call.caller)].append(call.callee)
        return callees
