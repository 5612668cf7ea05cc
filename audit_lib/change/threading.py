"""Threading: which signature groups open so that a context comes down to where it is lost, and every edit of that."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from audit_lib.change.calls import Handed, handed_over, outlasts, starts_a_life
from audit_lib.change.contexts import Contexts, Given
from audit_lib.change.document import kept_above
from audit_lib.change.holders import is_kept, is_left_alone, is_run_there, parameters_of
from audit_lib.change.obstacle import Obstacle
from audit_lib.change.problem import Problem, where
from audit_lib.change.signatures import Group, parameter_edits
from audit_lib.change.supplies import Supplies
from audit_lib.change.variants import has_names, renamed, variant_edits
from audit_lib.change.wrapping import wrapped
from audit_lib.model import Edit
from audit_lib.read.facts import Call


@dataclass(frozen=True)
class Opening:
    """A group that takes a context: its edits, the groups that open with it, and the roots that move to its callers."""

    group: Group
    edits: tuple[Edit, ...]
    needs: tuple[str, ...]
    calls: int
    given: tuple[Given, ...]
    moved_to: tuple[str, ...] = ()
    detached: tuple[str, ...] = ()
    obstacle: Obstacle | None = None

    @property
    def moved(self) -> int:
        """How many roots are written at callers, outside tests."""
        return len(self.moved_to)


@dataclass(frozen=True)
class Opened:
    """What takes a context in a plan: groups, by key, and the interfaces of which a method does.

    Where a root would move into another method of such an interface, that one takes a context too. `followed` are the
    functions among them that optional findings are in.
    """

    groups: frozenset[str] = frozenset()
    interfaces: frozenset[str] = frozenset()
    followed: frozenset[str] = frozenset()


class Threading:
    """Openings, each made once, for one choice of names.

    `opened` is what the plan before has opened.
    """

    def __init__(self, problem: Problem, contexts: Contexts, supplies: Supplies, opened: Opened) -> None:
        self._opened = opened
        self._problem = problem
        self._contexts = contexts
        self._supplies = supplies
        self._openings: dict[str, Opening] = {}

    def needed(self, functions: Iterable[str]) -> tuple[Opening, ...]:
        """The openings of these functions' groups, and all that open with them, each once, in a fixed order."""
        found: dict[str, Opening] = {}
        queue = deque(functions)
        while queue:
            group = self._supplies.groups.of(queue.popleft())
            if group.key not in found:
                opening = found[group.key] = self._open(group)
                queue += opening.needs
        return tuple(found[key] for key in sorted(found))

    def _open(self, group: Group) -> Opening:
        opening = self._openings.get(group.key)
        if opening is None:
            opening = self._openings[group.key] = self._made(group)
        return opening

    def _made(self, group: Group) -> Opening:
        problem = self._problem
        names = {member: self._contexts.name_in(problem.graph.funcs[member]) for member in group.functions}
        if group.variant and not has_names(problem, group.key):
            reason = "its parameters have no names to hand them on by to a form with a context"
            return Opening(group, (), (), 0, (), obstacle=Obstacle(reason, where(problem.graph.funcs[group.key].place)))
        makes = variant_edits(problem, group.key, names[group.key]) if group.variant else None
        edits = list(makes if makes is not None else parameter_edits(problem, group, names))
        needs: list[str] = []
        given: list[Given] = []
        detached: list[str] = []
        at_function = problem.graph.funcs[group.key].place
        moved = [where(at_function)] if group.variant else []
        seen: set[tuple[str, int, int]] = set()
        calls = [call for node in group.nodes for call in problem.graph.calls_of(node)]
        for call in calls:
            at = (call.place.file, call.place.start, call.place.end)
            if at in seen or call.kind == "closure" or is_left_alone(call):
                continue
            seen.add(at)
            context = self.context_of(call, group)
            if group.variant and (call.test or context.kind == "moved"):
                continue  # it calls the function that stays
            named = call.kind == "value" and call.use is not None
            if named and not self._is_wrapped(call, group):
                continue  # who holds the function changes with it
            behind = group.behind and call.callee in group.holders
            handed = wrapped(problem, call, context) if named else handed_over(problem, call, context, behind=behind)
            if handed.obstacle is not None:
                return Opening(group, (), (), 0, (), obstacle=handed.obstacle)
            edits += (*handed.edits, *(renamed(problem, call) if group.variant else ()))
            given.append(context)
            if context.opens:
                needs.append(context.opens)
            if handed.detached:
                detached.append(where(call.place))
            if context.kind == "moved" and not call.test:
                moved.append(where(call.place))
                edits += self._reasons(call, context, handed)
        return Opening(group, tuple(edits), tuple(needs), len(seen), tuple(given), tuple(moved), tuple(detached))

    def _reasons(self, call: Call, context: Given, handed: Handed) -> Iterator[Edit]:
        """Why a root is written at a call, above its line, where reasons are asked for and nothing else is written."""
        if not self._problem.document:
            return
        text = self._problem.text_of(call.place)
        for root in (edit for edit in handed.edits if context.text in edit.text):
            note = kept_above(text, root.span.start)
            if note is not None and all(edit.span.start != note.span.start for edit in handed.edits):
                yield note

    def _opener(self, call: Call, group: Group) -> str:
        """What takes a context for a call; nothing new opens for a test's sake."""
        if call.test:
            return self._opened_anyway(call, group)
        return self._supplies.opener(call.caller) or self._sibling(call)

    def _sibling(self, call: Call) -> str:
        """The method around a call, where an interface that it implements has opened already; else empty."""
        top = self._problem.graph.top(call.caller)
        if not self._opened.interfaces or not self._supplies.is_open(top):
            return ""
        return top if not self._opened.interfaces.isdisjoint(self._supplies.groups.of(top).declared_by) else ""

    def _opened_anyway(self, call: Call, group: Group) -> str:
        """What around a test's call takes a context whatever tests need, as a fake's method does; else empty."""
        for func in self._problem.graph.chain(call.caller):
            if not func.parent or is_kept(self._problem, func):
                own = self._supplies.groups.of(func.id).key
                if own == group.key or own in self._opened.groups:
                    return func.id
                if func.use is None or func.use.kind != "var":
                    break
        return ""

    def _is_wrapped(self, call: Call, group: Group) -> bool:
        """Whether a literal stands for a function that is given away: who gets it runs it, and stays as it is."""
        if call.use is None or not is_run_there(self._problem, call):
            return False
        return parameters_of(self._problem, call.use).isdisjoint(group.holders)

    def context_of(self, call: Call, group: Group) -> Given:
        """The context that a call hands over: one in scope, the caller's new parameter, or a root that moves there.

        Where it must not end with what is called, and cannot be detached from its end, a root is right.
        """
        context = self._found(call, group)
        chain = self._problem.graph.chain(call.caller)
        if not chain or self._problem.can_detach(chain[0].package) or not outlasts(self._problem, call, context):
            return context
        return self._contexts.moved(call.caller, call.place)

    def _found(self, call: Call, group: Group) -> Given:
        found = self._contexts.in_scope(call.caller, call.place, to_hand_on=True)
        found = found or self._contexts.kept(call.caller, call.place)
        inside = self._supplies.opened_inside(call.caller, found.source if found else None, self._opened.groups)
        if inside:
            return self._contexts.by_parameter(call.caller, call.place, inside)
        if found is not None:
            return found
        opener = self._opener(call, group)
        if opener and not starts_a_life(self._problem, call, opener):
            return self._contexts.by_parameter(call.caller, call.place, opener)
        return self._contexts.moved(call.caller, call.place)
