"""How long what a context stands for lives: request < command < worker < process, and test."""

from __future__ import annotations

from collections.abc import Iterable

from audit_lib.judge.graph import TESTING, Graph
from audit_lib.model import Lifetime
from audit_lib.read.facts import Func, Origin

COMMANDS = frozenset(
    {
        "github.com/spf13/cobra.Command",
        "github.com/urfave/cli.Context",
        "github.com/urfave/cli/v2.Context",
        "github.com/urfave/cli/v3.Command",
    }
)
"""Types whose context is a command's. All other types that carry one stand for a request."""

WORKER_NAMES = frozenset({"Run", "Start", "Serve", "Reconcile", "Loop", "Watch", "Process", "ProcessJob", "Work"})
"""Methods by which frameworks hand a worker its context."""

_TELLING: tuple[Lifetime, ...] = ("request", "worker", "command", "process", "test")
"""Which lifetime a parameter has that is called with several: a worker is started by a command or the process."""


class Lifetimes:
    """Lifetimes of contexts in one graph; parameters take theirs from how the function is called."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._params: dict[str, Lifetime | None] = {}
        self._ambient: dict[str, Lifetime | None] = {}
        self._settle()

    def of_source(self, source: Origin) -> Lifetime | None:
        """The lifetime of a source, or None for one that nobody can end and that stands for nothing."""
        if source.gives in TESTING:
            return "test"
        if source.role == "context" and source.param:
            return self.of_param(source.owner)
        if source.role == "context":
            return self._of_local(source)
        if source.role == "stored":
            return "worker"
        if source.role == "global":
            return "process"
        return "command" if source.gives in COMMANDS else "request"

    def _of_local(self, source: Origin) -> Lifetime | None:
        return self._of_origins(source.origins, source.owner, source.ends)

    def _of_origins(self, origins: Iterable[str], function: str, ends: bool) -> Lifetime | None:
        return _telling(self._of_origin(origin, function, ends) for origin in origins)

    def _of_origin(self, origin: str, function: str, ends: bool) -> Lifetime | None:
        kind, _, rest = origin.partition(":")
        if kind == "param":
            return self.of_param(rest.partition("#")[0])
        if kind == "method":
            return "test" if rest in TESTING else "command" if rest in COMMANDS else "request"
        if kind == "root":
            return self._of_root(function, ends)
        if kind == "field":
            return "worker"
        if kind in ("call", "global"):
            return "process"
        return "request" if kind == "other" else None

    def _of_root(self, function: str, ends: bool) -> Lifetime | None:
        """A root that can end starts a lifetime in `main`; elsewhere it stands for what its function works for."""
        top = self._graph.funcs.get(self._graph.top(function))
        if not ends or top is None:
            return None
        return "process" if is_main(top) else self.ambient(top.id)

    def ambient(self, function: str) -> Lifetime | None:
        """What a function works for: the most telling lifetime among its parameters and, up the calls, its callers'.

        Behind a `go` statement it is a worker.
        """
        return self._ambient.get(function)

    def of_param(self, function: str) -> Lifetime | None:
        """The lifetime with which a function's context parameter is called outside tests."""
        return self._params.get(function) if function in self._graph.funcs else self._param_of(function)

    def _settle(self) -> None:
        """Go over all functions until nothing changes: functions that call each other take what either gets.

        A lifetime only ever becomes more telling, so this ends; it takes as many rounds as the longest way down.
        """
        changed = True
        while changed:
            changed = False
            for function, func in self._graph.funcs.items():
                for table, value in ((self._params, self._param_of(function)), (self._ambient, self._ambient_of(func))):
                    if value is not None and value != table.get(function):
                        table[function] = _telling((value, table.get(function)))
                        changed = changed or table[function] == value

    def _ambient_of(self, func: Func) -> Lifetime | None:
        found: list[Lifetime | None] = ["process"] if is_main(func) else []
        for source in self._graph.sources_of(func.id):
            if source.param and source.role in ("context", "method"):
                found.append(self.of_source(source))
        for edge in self._graph.callers(func.id):
            if not edge.call.test:
                found.append("worker" if edge.call.go else self.ambient(edge.call.caller))
        return _telling(found)

    def _param_of(self, function: str) -> Lifetime | None:
        found: list[Lifetime | None] = []
        called = False
        for edge in self._graph.callers(function):
            if edge.call.test or edge.kind == "closure" or (edge.call.kind == "value" and not edge.call.context):
                continue
            called = True
            lifetime = self._of_origins(edge.call.context, edge.call.caller, ends=True)
            found.append("worker" if lifetime in ("command", "process") and edge.call.go else lifetime)
        if not called:
            found.append(self._uncalled(function))
        lifetime = _telling(found)
        return "worker" if lifetime in ("command", "process") and self._is_worker(function) else lifetime

    def _is_worker(self, function: str) -> bool:
        """Whether a function goes on until its context ends: by its loop, or by its name, as frameworks have it."""
        func = self._graph.funcs.get(function)
        return func is not None and ("forever" in func.flags or func.name.rpartition(".")[2] in WORKER_NAMES)

    def _uncalled(self, function: str) -> Lifetime:
        """Who calls a function that nobody here calls: a framework, or the users of a library."""
        func = self._graph.funcs.get(function)
        if func is None:
            return "request"
        return "worker" if self._is_worker(function) else "request"


def _telling(lifetimes: Iterable[Lifetime | None]) -> Lifetime | None:
    found = set(lifetimes)
    return next((lifetime for lifetime in _TELLING if lifetime in found), None)


def is_main(func: Func) -> bool:
    """Whether a function is a program's `main`."""
    return func.name == "main" and not func.receiver and not func.parent


def is_init(func: Func) -> bool:
    """Whether a function runs before `main`: an `init`, or the initialisers of package-level variables."""
    return "package_level" in func.flags or (func.name == "init" and not func.receiver)
