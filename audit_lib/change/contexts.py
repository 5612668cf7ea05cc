"""Which context can be written at a place: what is in scope, what threading brings, or a root that moves there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

from audit_lib.change.guards import can_guard, guarded
from audit_lib.change.holders import is_kept
from audit_lib.change.imports import of_context
from audit_lib.change.naming import is_fresh, name_of_unnamed, parameter_name, roots_of
from audit_lib.change.problem import Problem
from audit_lib.judge.crossings import outlives
from audit_lib.judge.graph import TESTING
from audit_lib.judge.lifetime import COMMANDS, is_main
from audit_lib.judge.reach import preference
from audit_lib.judge.rules.tests import CLEANUP
from audit_lib.model import Edit
from audit_lib.read.facts import Func, Origin, Place

GivenKind = Literal["scope", "parameter", "moved", "test"]


@dataclass(frozen=True)
class Given:
    """A context as it is written at a place.

    `opens` is the function that must take it as a parameter; `source` what is in scope; `kind` `moved` is a root
    that is written in place of the ones below.
    """

    text: str
    kind: GivenKind
    opens: str = ""
    source: Origin | None = None
    guard: Edit | None = None

    @property
    def names(self) -> Origin | None:
        """The parameter that must be given a name for this, or None."""
        return self.source if self.source is not None and self.source.name == "_" else None


class Contexts:
    """The contexts at places, for one set of roots that are replaced: by file and offset.

    `guards` are the declarations, by file and offset, whose contexts have shown to be nil.
    `avoid` collects the functions in which the usual name has come to mean something else: with them, the plan is made
    again.
    """

    def __init__(
        self,
        problem: Problem,
        replaced: frozenset[tuple[str, int]],
        avoid: frozenset[str],
        guards: frozenset[tuple[str, int]] = frozenset(),
    ) -> None:
        self._problem = problem
        self._guards = guards
        self._replaced = replaced
        self._avoid = avoid
        self.clashes: set[str] = set()
        self._names: dict[str, str] = {}

    def name_in(self, top: Func) -> str:
        """What a function's new parameter is called."""
        name = self._names.get(top.id)
        if name is None:
            avoid = top.id in self._avoid
            name = self._names[top.id] = parameter_name(self._problem, top, self._replaced, avoid=avoid)
        return name

    def in_scope(
        self, function: str, place: Place, *, but: int = -1, to_hand_on: bool = False, to_detach: bool = False
    ) -> Given | None:
        """The best context that is there without any threading; `but` is the offset of a root that is replaced.

        `to_hand_on` leaves out what would be kept in a literal for longer than it lives, and a command that is
        ignored. One that has been ended there is used only `to_detach`, where there is no other.
        """
        best: tuple[tuple[int, ...], Origin] | None = None
        chain = self._problem.graph.chain(function)
        for source in self._problem.graph.sources_at(function, place.start):
            ended = source.has_ended(place.start)
            if (ended and not to_detach) or not self._is_usable(source, function, place.start, but):
                continue
            if to_hand_on and source.name == "_" and source.gives in COMMANDS:
                continue
            lifetime = self._problem.lifetimes.of_source(source)
            if lifetime is None and not source.param:
                continue  # nobody can end it
            if to_hand_on and lifetime in ("request", "command") and self._outlasts(function, source.owner):
                continue
            key = preference(self._problem.lifetimes.rank(source, lifetime, function), source, chain, ended=ended)
            if best is None or key < best[0]:
                best = (key, source)
        if best is None:
            return None
        derived = self._derived(function, place.start)
        if derived is not None and derived.start > best[1].start:
            return Given(derived.name, "scope", source=derived)
        return self._guarded(best[1])

    def _guarded(self, source: Origin) -> Given:
        source = self._called(source)
        if (source.file, source.declared) not in self._guards or not can_guard(source):
            return Given(source.expr, "scope", source=source)
        text, guard = guarded(self._problem, source)
        return Given(text, "scope", source=source, guard=guard)

    def _called(self, source: Origin) -> Origin:
        """A source as it is written: one without a name by the name that it gets."""
        func = self._problem.graph.funcs.get(source.owner)
        if source.name != "_" or func is None:
            return source
        usual, dot, rest = source.expr.partition(".")
        name = name_of_unnamed(self._problem, func, usual) if dot else self.name_in(func)
        return msgspec.structs.replace(source, expr=f"{name}{dot}{rest}")

    def kept(self, function: str, place: Place) -> Given | None:
        """A context there that is made from a root which stays: the work around it has a life of its own."""
        for source in self._problem.graph.sources_at(function, place.start):
            made = source.role == "context" and source.name != "_" and not is_fresh(source, self._replaced)
            if made and self._lasts(source, function, place.start):
                return Given(source.name, "scope", source=source)
        return None

    def by_parameter(self, function: str, place: Place, opens: str) -> Given:
        """The new parameter of a function around a place, or what is derived from it there."""
        opened = self._problem.graph.funcs[opens]
        name = self.name_in(opened)
        derived = self._derived(function, place.start)
        visible = self._visible(function, place.start, name)
        if visible is not None and visible.declared < opened.place.start:
            visible = None  # the parameter hides it
        if visible is not None and (derived is None or visible.name != derived.name):
            self.clashes.add(opens)
        if derived is not None:
            return Given(derived.name, "parameter", opens=opens, source=derived)
        return Given(name, "parameter", opens=opens)

    def moved(self, function: str, place: Place) -> Given:
        """What is written where no context comes from above: one that is there, a test's own, or a new root."""
        tested = self._test_context(function, place.start)
        if tested is not None:
            return tested
        root = of_context(self._problem.text_of(place), "Background", place.start)
        return Given(f"{root}()", "moved")

    def _test_context(self, function: str, offset: int) -> Given | None:
        problem = self._problem
        chain = problem.graph.chain(function)
        if not chain or not problem.has_test_context(chain[0].package):
            return None
        if any(func.use is not None and (func.use.target in CLEANUP or func.use.go) for func in chain):
            return None
        for source in problem.graph.sources_at(function, offset):
            if source.gives in TESTING and source.name != "_":
                return Given(source.expr, "test", source=source)
        return None

    def _is_usable(self, source: Origin, function: str, offset: int, but: int) -> bool:
        if source.gives in TESTING:
            return False
        if source.role == "stored":
            return self._problem.config.policy.stored == "fix"
        if source.role == "context" and not source.param:
            made_here = but in roots_of(source) or is_fresh(source, self._replaced)
            return not made_here and self._holds(source, function, offset)
        return self._holds(source, function, offset)

    def _holds(self, source: Origin, function: str, offset: int) -> bool:
        """Whether a local context has a value at a place, and does not end before what is done there."""
        if source.role != "context":
            return True
        if source.param:
            ends = source.ends and source.assigned < offset
            return not (ends and outlives(self._problem.graph, function, source.owner, offset))
        if source.assigned == 0 or source.assigned > offset:
            return False
        ends = source.ends and not self._is_owned(source)
        return not (ends and outlives(self._problem.graph, function, source.owner, offset))

    def _is_owned(self, source: Origin) -> bool:
        """Whether somebody keeps what ends a local context: it does not end with the function that makes it."""
        return any((source.file, root) in self._problem.owned for root in roots_of(source))

    def _outlasts(self, function: str, owner: str) -> bool:
        """Whether a literal that something keeps lies between a place and the function that declares a context."""
        for func in self._problem.graph.chain(function):
            if func.id == owner:
                return False
            if func.parent and func.use is not None and func.use.kind != "var" and is_kept(self._problem, func):
                return True
        return False

    def _lasts(self, source: Origin, function: str, offset: int) -> bool:
        """Whether a context has a value at a place, and is not one with which `main` limits a single step."""
        timed = source.ends and not source.lives
        step = timed and not self._problem.is_test(source.file) and is_main(self._top(function))
        return self._holds(source, function, offset) and not step and not source.has_ended(offset)

    def _derived(self, function: str, offset: int) -> Origin | None:
        """The innermost local called `ctx` that is made from roots which are replaced."""
        for source in self._problem.graph.sources_at(function, offset):
            local = source.role == "context" and not source.param and offset not in roots_of(source)
            if (
                local
                and is_fresh(source, self._replaced)
                and source.name == "ctx"
                and not source.has_ended(offset)
                and self._holds(source, function, offset)
            ):
                return source
        return None

    def _visible(self, function: str, offset: int, name: str) -> Origin | None:
        return next((s for s in self._problem.graph.sources_at(function, offset) if s.name == name), None)

    def _top(self, function: str) -> Func:
        return self._problem.graph.chain(function)[-1]
