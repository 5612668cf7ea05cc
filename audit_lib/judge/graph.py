"""The call graph over typed facts, read upwards: who calls a function, through what, and which contexts are there."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from audit_lib.judge.accessors import Accessors
from audit_lib.judge.effort import Effort
from audit_lib.judge.foreign import Fate, Foreign
from audit_lib.read.facts import Call, Dispatch, EdgeKind, Facts, Forward, Func, Origin, Use

ESCAPES = frozenset({"field", "return", "sent"})
"""Uses of a literal by which it runs when the function around it may long have returned."""

LATER = frozenset({"time.AfterFunc", "context.AfterFunc", "runtime.SetFinalizer", "runtime.AddCleanup"})
"""Functions that run a callback when the caller is gone."""

GROUPS = frozenset(
    {"golang.org/x/sync/errgroup.Group.Go", "golang.org/x/sync/errgroup.Group.TryGo", "sync.WaitGroup.Go"}
)
"""Functions that run a callback in a goroutine; whether anybody waits for it is seen at the starter."""

Subject = TypeVar("Subject", bound=Hashable)
Result = TypeVar("Result")

_HARDEST: tuple[Fate, ...] = ("go", "kept", "shared", "unknown")
"""Which fate counts of a function that has several."""

_LEAVING = frozenset({"go", "unknown"})
"""By which fates a function may run when the one around it has returned, as soon as it is given away."""

TESTING = frozenset({"testing.T", "testing.B", "testing.F", "testing.TB"})


@dataclass(frozen=True)
class Edge:
    """One way into a function: the call, and the interface method or variable it goes through, if any."""

    call: Call
    through: Dispatch | None = None

    @property
    def kind(self) -> EdgeKind:
        """How the function is reached."""
        return self.through.kind if self.through else self.call.kind


class Graph:
    """Indexes over facts. Everything is computed once and nothing is changed.

    What walks over them counts its steps in `effort`, and raises its `ExhaustedError`.
    """

    def __init__(self, facts: Facts, generated: frozenset[str] = frozenset(), *, deadline: float | None = None) -> None:
        self.facts = facts
        self.effort = Effort(facts.size, deadline)
        self.generated = generated  # files that a generator writes: their signatures are not the module's to change
        self.funcs: dict[str, Func] = {func.id: func for func in facts.funcs}
        self.dispatch: dict[str, Dispatch] = {node.id: node for node in facts.dispatch}
        self._calls: dict[str, list[Call]] = defaultdict(list)
        for call in facts.calls:
            self._calls[call.callee].append(call)
        self._holders: dict[str, list[Dispatch]] = defaultdict(list)
        for node in facts.dispatch:
            for target in node.targets:
                self._holders[target].append(node)
        self._sources: dict[str, list[Origin]] = defaultdict(list)
        for source in facts.sources:
            self._sources[source.owner].append(source)
        self._given: dict[str, list[str]] = defaultdict(list)
        self._forwards: dict[str, list[Forward]] = defaultdict(list)
        self._kept: dict[str, list[str]] = defaultdict(list)
        for forward in facts.forwards:
            if forward.kind == "value":
                self._given[forward.function].append(forward.target)
            elif forward.kind in ("kept", "each"):
                self._kept[forward.function].append(forward.target)
            else:
                self._forwards[forward.function].append(forward)
        self.foreign = Foreign(facts.foreign)
        self._programs = frozenset(p.path for p in facts.packages if p.name == "main")
        self._built = frozenset(p.module for p in facts.packages if p.name == "main")  # modules that have a program
        self._module_of = {p.path: p.module for p in reversed(facts.packages)}
        self._modules = frozenset(module.path for module in facts.modules)
        self._own = tuple(path + behind for path in sorted(self._modules) for behind in ("/", ".", "_test."))
        self._classes: dict[tuple[str, ...], int] = {}
        self._held_by: list[tuple[str, ...]] = []  # what each class of functions is held by
        self.holder_class = cache(self._holder_class)
        self._nodes_above = cache(self._find_nodes_above)
        self._ways_above = cache(self._find_ways_above)
        self.direct = cache(self._direct)
        self.fate = cache(self._fate)
        self.chain = cache(self._chain)
        self._worked_out: dict[tuple[object, Hashable], Any] = {}
        self._accessors = Accessors(facts.calls, self.dispatch, self.top, self.effort)
        # functions that wait for something outside the process with a context of their own, or with none
        self.waiting = frozenset(self.top(site.function) for site in facts.sites if site.io and not site.values)

    def once(self, work: Callable[[Graph, Subject], Result], subject: Subject) -> Result:
        """What a walk over the graph finds for a subject, which many ask for: it is made for the first alone."""
        key = (work, subject)
        if key not in self._worked_out:
            self._worked_out[key] = work(self, subject)
        found: Result = self._worked_out[key]
        return found

    def _chain(self, function: str) -> tuple[Func, ...]:
        """A function and those around it, innermost first."""
        chain = []
        func = self.funcs.get(function)
        while func is not None:
            chain.append(func)
            self.effort.spend()
            func = self.funcs.get(func.parent) if func.parent else None
        return tuple(chain)

    def top(self, function: str) -> str:
        """The declared function around a literal, or the function itself."""
        chain = self.chain(function)
        return chain[-1].id if chain else function

    def callers(self, function: str) -> Iterator[Edge]:
        """Every way into a function, direct ones first; calls through what holds it behind them.

        A function that is given as an argument, and run there, is reached from where it is given: that call has its
        contexts, while the parameter stands for all that others give.
        """
        direct = self.direct(function)
        self.effort.spend(1 + len(direct))
        yield from direct
        for edge in self._ways_above(self.holder_class(function), None):
            self.effort.spend()
            yield edge

    def ways_that(self, function: str, told: Told) -> Iterator[Edge]:
        """The ways into a function of which `told` is true, in the order of `callers`.

        Those through what holds it are asked once for all functions that are held alike.
        """
        direct = self.direct(function)
        self.effort.spend(1 + len(direct))
        yield from (edge for edge in direct if told(self, edge))
        yield from self._ways_above(self.holder_class(function), told)

    def _find_ways_above(self, kind: int, told: Told | None) -> tuple[Edge, ...]:
        """The calls through what holds the functions of a class, all or those of which something is told."""
        found: list[Edge] = []
        for node in self._nodes_above(kind):
            self.effort.spend(1 + len(self.direct(node)))
            found += [edge for edge in self.direct(node) if told is None or told(self, edge)]
        self.effort.keep(len(found))
        return tuple(found)

    def holders_above(self, function: str) -> tuple[str, ...]:
        """What may stand for a function, and for that in turn, the nearest first."""
        return self._nodes_above(self.holder_class(function))

    def _find_nodes_above(self, kind: int) -> tuple[str, ...]:
        found: dict[str, None] = {}
        queue = deque(self._held_by[kind])
        while queue:
            node = queue.popleft()
            self.effort.spend()
            if node not in found:
                found[node] = None
                queue += self.held_by(node)
        return tuple(found)

    def _holder_class(self, function: str) -> int:
        """A number that functions share which the same nodes may stand for."""
        nodes = tuple(holder.id for holder in self._holders[function])
        self.effort.spend(len(nodes))
        kind = self._classes.setdefault(nodes, len(self._classes))
        if kind == len(self._held_by):
            self._held_by.append(nodes)
        return kind

    def _direct(self, node: str) -> tuple[Edge, ...]:
        """The calls that name a function, or what holds functions, itself."""
        holder = self.dispatch.get(node) if node not in self.funcs else None
        if holder is None:
            return tuple(Edge(call) for call in self._calls[node])
        return tuple(Edge(call, holder) for call in self._calls[node] if not self._is_no_way(call, holder))

    def held_by(self, node: str) -> tuple[str, ...]:
        """The interface methods, variables and so on that may stand for a function, or for another of them."""
        return self._held_by[self.holder_class(node)]

    def _is_no_way(self, call: Call, node: Dispatch) -> bool:
        """Whether a call of what holds a function is no way into it.

        Naming an interface's method calls nothing; and where a function runs its own parameter on the spot, it is who
        gives the function that has the contexts.
        """
        if call.kind == "value" and node.kind == "interface":
            return True
        if not node.id.startswith("param:"):
            return False
        owner = node.id.removeprefix("param:").partition("#")[0]
        for func in self.chain(call.caller):
            if func.id == owner:
                return True
            if func.use is None or func.use.kind in ESCAPES:
                return False
        return False

    def is_program(self, package: str) -> bool:
        """Whether a package is a program's own: `main`."""
        return package in self._programs

    def is_library(self, package: str) -> bool:
        """Whether a package belongs to a module that builds no program: its exported functions are for others."""
        return self._module_of.get(package, "") not in self._built

    def is_for_others(self, func: Func) -> bool:
        """Whether a function is for other modules to call: exported by a library, and not internal."""
        return func.exported and self.is_library(func.package) and "internal" not in func.package.split("/")

    def interfaces_of(self, function: str) -> tuple[Dispatch, ...]:
        """The interface methods that a method implements."""
        return tuple(node for node in self._holders[function] if node.kind == "interface")

    def calls_of(self, node: str) -> tuple[Call, ...]:
        """The calls that name a node itself."""
        return tuple(self._calls[node])

    def given_to(self, function: str) -> tuple[str, ...]:
        """The functions, fields and variables that a function is given to as a value."""
        return tuple(self._given[function])

    def owns(self, node: str) -> bool:
        """Whether a node's package is the target's own; local variables and containers of its types are."""
        kind, _, path = node.partition(":")
        if kind == "local":
            return True
        if kind in ("element", "sent"):
            return True  # containers and channels of functions are filled and read by type, wherever they are
        path = path or kind
        return path in self._modules or path.startswith(self._own)

    def runs(self, target: str) -> bool:
        """Whether a function that is given to a target is run by it: the target is a function, and no variable."""
        return target in self.funcs or (target in self.dispatch and self.dispatch[target].kind == "interface")

    def _fate(self, target: str, arg: int) -> Fate:
        """What a function of the module does with a function that it is given: run it there and then, or later.

        `go`: it starts it in a goroutine for which it does not wait, or sends it to one. `kept`: it puts it where
        somebody finds it later. `shared`: it runs it for all who wait for the same. `unknown`: it hands it to others.
        """
        bodies = [target, *(self.dispatch[target].targets if target in self.dispatch else ())]
        found: set[Fate] = set()
        seen: set[str] = set()
        queue = [f"param:{body}#{arg}" for body in bodies]
        while queue:
            node = queue.pop()
            if node in seen:
                continue
            seen.add(node)
            self.effort.spend(1 + len(self._calls.get(node, ())))
            for forwarded in self._kept.get(node, ()):
                found.add("" if forwarded else "kept")
                queue.append(forwarded)
            for holder in self.held_by(node):
                if holder.startswith("sent:"):
                    found.add("go")
                elif holder.startswith("param:") and not self.owns(holder):
                    found.add(self._foreign_fate(holder))
                elif holder.startswith(("param:", "local:")):
                    queue.append(holder)
            for call in self._calls.get(node, ()):
                fate, given_to = self._fate_at(call, node.removeprefix("param:").partition("#")[0])
                found.add(fate)
                queue += given_to
        return next((fate for fate in _HARDEST if fate in found), "")

    def _foreign_fate(self, parameter: str) -> Fate:
        """What a function of another module does with what it is given by a parameter, by its node."""
        target, _, arg = parameter.removeprefix("param:").partition("#")
        return self.foreign.fate(target, int(arg) if arg.isdigit() else 0)

    def _fate_at(self, call: Call, owner: str) -> tuple[Fate, list[str]]:
        """How a function that `owner` was given runs at a call, and which parameters get a literal around that."""
        if call.go and not call.waited:
            return "go", []
        given_to: list[str] = []
        for func in self.chain(call.caller):
            use = func.use
            if func.id == owner or use is None:
                break
            if self.is_started(use):
                if use.waited <= call.place.start:
                    return "go", []
            elif use.kind == "arg" and self.owns(use.target):
                given_to.append(f"param:{use.target}#{use.arg}")
            elif use.kind == "arg" and use.target and use.waited <= call.place.start:
                fate = self.foreign.fate(use.target, use.arg)
                if fate:
                    return fate, []
        return "shared" if call.common == "flight" else "", given_to

    @staticmethod
    def is_started(use: Use) -> bool:
        """Whether a function that is given away, by its use, is started in a goroutine, or sent to one."""
        return use.kind in ("go", "sent") or use.go or use.target in LATER | GROUPS

    def fate_of(self, use: Use) -> Fate:
        """When a function runs that is given away."""
        if self.is_started(use):
            return "go"
        if use.kind != "arg" or not use.target:
            return "kept" if use.lasts else ""
        if not self.owns(use.target):
            return self.foreign.fate(use.target, use.arg)
        fate = self.fate(use.target, use.arg)
        return "" if fate == "kept" and not use.lasts else fate

    def leaves(self, call: Call, owner: str) -> bool:
        """Whether what a call runs may run when the function around it, `owner`, has returned, or its context ended."""
        if (call.go and not call.waited) or call.streamed or call.defer or call.after:
            return True
        if call.use is not None and self.fate_of(call.use) in _LEAVING and not call.use.waited:
            return True
        for func in self.chain(call.callee if call.kind == "closure" else call.caller):
            use = func.use
            if func.id == owner or use is None:
                return False
            if use.kind == "defer" or use.defer or (self.fate_of(use) in _LEAVING and use.waited <= call.place.start):
                return True
        return False

    def forwards(self, function: str) -> Iterator[tuple[str, str]]:
        """What a function does with its context parameters: (kind, target)."""
        for index in range(8):
            for forward in self.handed_on(function, index):
                yield forward.kind, forward.target

    def handed_on(self, function: str, index: int) -> tuple[Forward, ...]:
        """What a function does with the context that is one of its parameters."""
        return tuple(self._forwards.get(f"param:{function}#{index}", ()))

    def ignores(self, target: str) -> bool:
        """Whether it is known that nothing does anything with a context that it is handed to, and hands it on to."""
        seen: set[str] = set()
        queue = [target]
        while queue:
            current = queue.pop()
            if current in seen:
                continue
            seen.add(current)
            self.effort.spend(10)
            if not self.owns(current):
                if not self.foreign.ignores(current):
                    return False
                continue
            node = self.dispatch.get(current)
            if node is not None:
                queue += node.targets
                continue
            for kind, handed_to in self.forwards(current):
                if kind == "makes":
                    continue  # said of what it is handed to besides
                if kind != "arg" or not handed_to:
                    return False
                queue.append(handed_to)
        return True

    def sources_of(self, function: str) -> tuple[Origin, ...]:
        """The contexts that a function itself declares: parameters and locals."""
        return tuple(self._sources.get(function, ()))

    def sources_at(self, function: str, offset: int) -> tuple[Origin, ...]:
        """The contexts that can be written at a position, the innermost declared first.

        Hidden names are left out, what was found not to be there, and what calls the function itself.
        """
        found: dict[str, Origin] = {}
        for func in self.chain(function):
            self.effort.spend(1 + len(self._sources[func.id]))
            for source in self._sources[func.id]:
                if source.start <= offset < source.stop:
                    known = found.get(source.name)
                    if known is None or known.start < source.start or known.name == "_":
                        found[source.name] = source
        chain = self.chain(function)
        for source in self._sources.get(f"package:{chain[0].package}", ()) if chain else ():
            found.setdefault(source.name, source)
        usable = [one for one in found.values() if self._is_readable(one, function, offset)]
        return tuple(sorted(usable, key=lambda source: -source.start))

    def _is_readable(self, source: Origin, function: str, offset: int) -> bool:
        """Whether there is something to read a context from, and reading it does not come back to the same function."""
        if source.role == "shadow" or source.is_absent(offset):
            return False
        return not any(self.top(function) in self._accessors.reached_from(called) for called in source.calls)


Told = Callable[[Graph, Edge], bool]
"""What is told of a way into a function."""
