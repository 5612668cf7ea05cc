"""How long what a context stands for lives: request < command < worker < process, and test."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable

from audit_lib.judge.graph import TESTING, Edge, Graph
from audit_lib.model import Lifetime
from audit_lib.read.facts import Call, Func, Origin

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

STAYING = frozenset({"forever", "waits"})
"""Flags of functions that stay until they are told to stop, or what they wait for is done."""

DETACHED = "detached:"
"""What stands beside the origins of a context that has their values and not their end."""

_RANK: dict[Lifetime | None, int] = {"request": 0, "command": 0, "worker": 0, "process": 1, None: 2, "test": 3}

_TELLING: tuple[Lifetime, ...] = ("request", "worker", "command", "process", "test")
"""Which lifetime a parameter has that is called with several: a worker is started by a command or the process."""


class Lifetimes:
    """Lifetimes of contexts in one graph; parameters take theirs from how the function is called."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._params: dict[str, Lifetime | None] = {}
        self._ambient: dict[str, Lifetime | None] = {}
        self._called = self._find_called()
        self._dependents = self._find_dependents()
        self._settle((*graph.funcs, *graph.dispatch))
        self._settle(self._called_elsewhere())

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

    def rank(self, source: Origin, lifetime: Lifetime | None, function: str) -> int:
        """How well a source, and its lifetime, stand for the work of a function: 0 is best.

        What a command makes for itself, as one that ends by a signal, is its context before the one that it was given.
        """
        if lifetime == "process" and source.role == "context" and self.ambient(function) == "command":
            return 0
        return _RANK[lifetime]

    def _of_local(self, source: Origin) -> Lifetime | None:
        return self._of_origins(source.origins, source.owner, source.ends)

    def _of_origins(self, origins: Iterable[str], function: str, ends: bool) -> Lifetime | None:
        return _telling(self._of_origin(origin, function, ends) for origin in origins)

    def _of_origin(self, origin: str, function: str, ends: bool) -> Lifetime | None:
        kind, _, rest = origin.partition(":")
        if kind == "param":
            return self.of_param(_owner(origin))
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

    def of_call(self, call: Call) -> Lifetime | None:
        """The lifetime of the context that a call hands over; None where it hands over none, or none that ends."""
        if DETACHED in call.context:
            return None
        return self._of_origins(call.context, call.caller, ends=True)

    def has_deadline(self, source: Origin) -> bool:
        """Whether a context is for one piece of work: it ends after a time, or a caller hands over one that does."""
        if source.role != "context":
            return False
        if not source.param:
            return source.ends and not source.lives
        queue, seen = deque([source.owner]), set[str]()
        while queue:
            function = queue.popleft()
            if function in seen:
                continue
            seen.add(function)
            for edge in filter(_counts, self._graph.callers(function)):
                if edge.call.timed:
                    return True
                queue += [_owner(origin) for origin in edge.call.context if origin.startswith("param:")]
        return False

    def go_on(self, function: str) -> bool:
        """Whether the context parameter of a worker is known to go on when it has returned: that of who stays.

        Told by all its callers, up to those that stay until it ends, or make it without a time.
        """
        queue, seen = [function], set[str]()
        while queue:
            current = queue.pop()
            func = self._graph.funcs.get(self._graph.top(current))
            if current in seen or (func is not None and STAYING & set(func.flags)):
                continue
            seen.add(current)
            edges = [edge for edge in self._graph.callers(current) if edge.kind != "closure" and not edge.call.test]
            calls = [edge.call for edge in edges]
            if not calls or func is None or func.closed_by or self._graph.is_for_others(func):
                return False
            if any(call.timed or self.of_call(call) in (None, "request") for call in calls):
                return False
            queue += [_owner(origin) for call in calls for origin in call.context if origin.startswith("param:")]
        return True

    def _settle(self, nodes: Iterable[str]) -> None:
        """Look at functions, and again at those that depend on one that has changed, until nothing changes.

        A lifetime only ever becomes more telling, so this ends, and in the same state whatever the order.
        """
        waiting = deque(nodes)
        queued = set(waiting)
        while waiting:
            node = waiting.popleft()
            queued.discard(node)
            self._graph.effort.spend(2 + 2 * len(self._graph.direct(node)))
            changed = self._learn(self._params, node, self._param_of(node))
            changed |= self._learn(self._ambient, node, self._ambient_of(node))
            if changed:
                news = [name for name in (node, *self._dependents[node]) if name not in queued]
                waiting.extend(news)
                queued.update(news)

    def _called_elsewhere(self) -> list[str]:
        """The functions of which others have the context that they are called with, while the target itself has none.

        They learn it when all that the target says is known. What is given back has changed.
        """
        changed = []
        for func in self._graph.funcs.values():
            takes = any(param.role == "context" for param in func.params) and not func.test
            known = self._params.get(func.id) is not None
            if takes and not known and (func.closed_by or self._graph.is_for_others(func)):
                self._params[func.id] = self._uncalled(func.id)
                changed.append(func.id)
        return [name for node in changed for name in (node, *self._dependents[node])]

    def _find_dependents(self) -> dict[str, list[str]]:
        """Which nodes look at which: at callers, at what holds them, at those whose parameter they are called with."""
        dependents: dict[str, list[str]] = defaultdict(list)
        for node in (*self._graph.funcs, *self._graph.dispatch):
            self._graph.effort.spend(1 + len(self._graph.direct(node)))
            looks_at = set(self._graph.held_by(node))
            for edge in self._graph.direct(node):
                if not edge.call.test:
                    looks_at.update((edge.call.caller, self._graph.top(edge.call.caller)))
                    looks_at.update(_owner(origin) for origin in edge.call.context if origin.startswith("param:"))
            for name in sorted(looks_at):
                dependents[name].append(node)
        return dependents

    def _find_called(self) -> frozenset[str]:
        """The nodes that a call outside tests reaches, by itself or through what holds them."""
        called: set[str] = set()
        queue = [
            node
            for node in (*self._graph.funcs, *self._graph.dispatch)
            if any(_counts(edge) for edge in self._graph.direct(node))
        ]
        while queue:
            node = queue.pop()
            if node not in called:
                called.add(node)
                holder = self._graph.dispatch.get(node)
                queue += holder.targets if holder else ()
        return frozenset(called)

    @staticmethod
    def _learn(table: dict[str, Lifetime | None], function: str, value: Lifetime | None) -> bool:
        known = table.get(function)
        if value is None or value == known or _telling((value, known)) == known:
            return False
        table[function] = value
        return True

    def _ambient_of(self, node: str) -> Lifetime | None:
        func = self._graph.funcs.get(node)
        found: list[Lifetime | None] = ["process"] if func is not None and is_main(func) else []
        for source in self._graph.sources_of(node):
            if source.param and source.role in ("context", "method"):
                found.append(self.of_source(source))
        for edge in self._graph.direct(node):
            if not edge.call.test:
                found.append("worker" if edge.call.go else self.ambient(edge.call.caller))
        found += [self.ambient(holder) for holder in self._graph.held_by(node)]
        return _telling(found)

    def _param_of(self, node: str) -> Lifetime | None:
        func = self._graph.funcs.get(node)
        if func is not None and not _may_take(func):
            return None
        found: list[Lifetime | None] = [self._params.get(holder) for holder in self._graph.held_by(node)]
        for edge in self._graph.direct(node):
            if _counts(edge):
                lifetime = self._of_origins(edge.call.context, edge.call.caller, ends=True)
                found.append("worker" if lifetime in ("command", "process") and edge.call.go else lifetime)
        if func is not None and node not in self._called:
            found.append(self._uncalled(node))
        lifetime = _telling(found)
        return "worker" if lifetime in ("command", "process") and self._is_worker(node) else lifetime

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


def _counts(edge: Edge) -> bool:
    """Whether a way into a function says which context it gets: a call outside tests, and no literal's place."""
    call = edge.call
    return not call.test and edge.kind != "closure" and (call.kind != "value" or bool(call.context))


def _owner(origin: str) -> str:
    """The function whose parameter an origin is: `param:path.handle#0`."""
    return origin.partition(":")[2].partition("#")[0]


def _may_take(func: Func) -> bool:
    """Whether a function may have a context parameter; without parameters in the facts it is not known."""
    return not func.params or any(param.role == "context" for param in func.params)


def _telling(lifetimes: Iterable[Lifetime | None]) -> Lifetime | None:
    found = set(lifetimes)
    return next((lifetime for lifetime in _TELLING if lifetime in found), None)


def is_main(func: Func) -> bool:
    """Whether a function is a program's `main`."""
    return func.name == "main" and not func.receiver and not func.parent


def is_init(func: Func) -> bool:
    """Whether a function runs before `main`: an `init`, or the initialisers of package-level variables."""
    return "package_level" in func.flags or (func.name == "init" and not func.receiver)
