"""Components: fixes that share a signature group or an edit, weighed and carried out as a whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from audit_lib.change.contexts import Given
from audit_lib.change.edits import OverlapError, by_file
from audit_lib.change.guards import can_guard
from audit_lib.change.obstacle import Obstacle
from audit_lib.change.planned import Component
from audit_lib.change.problem import Problem, where
from audit_lib.change.threading import Opening
from audit_lib.model import Change, Edit, Finding


@dataclass(frozen=True)
class Fix:
    """What one finding needs: its own edits, the context that they write, and the groups that open for it."""

    finding: Finding
    edits: tuple[Edit, ...]
    given: Given
    openings: tuple[Opening, ...]


def components_of(problem: Problem, fixes: Sequence[Fix]) -> tuple[tuple[Component, ...], dict[str, Obstacle]]:
    """The components of fixes, in the order of their first sites, and those findings that are not worth theirs."""
    found: list[Component] = []
    blocked: dict[str, Obstacle] = {}
    for members in _joined(fixes):
        obstacle = _weighed(members)
        if obstacle is None:
            found.append(_component(problem, members))
        else:
            blocked.update({fix.finding.fingerprint: obstacle for fix in members})
    return tuple(found), blocked


def _joined(fixes: Sequence[Fix]) -> list[list[Fix]]:
    """Fixes by component: union-find over what they share."""
    parent = list(range(len(fixes)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[object, int] = {}
    for i, fix in enumerate(fixes):
        for key in (*(opening.group.key for opening in fix.openings), *fix.edits):
            parent[root(i)] = root(first.setdefault(key, i))
    groups: dict[int, list[Fix]] = defaultdict(list)
    for i, fix in enumerate(fixes):
        groups[root(i)].append(fix)
    return sorted(groups.values(), key=lambda members: members[0].finding.site.span)


def _openings(members: Iterable[Fix]) -> list[Opening]:
    return list({opening.group.key: opening for fix in members for opening in fix.openings}.values())


def _weighed(members: Sequence[Fix]) -> Obstacle | None:
    """Why a component is not worth its change: it moves more roots than it removes, or its edits cannot be joined."""
    moved = sum(opening.moved for opening in _openings(members))
    span = members[0].finding.site.span
    if moved > len(members):
        reason = f"threading it would move {moved} roots to callers to remove {len(members)}: a person must decide"
        return Obstacle(reason, where(span))
    try:
        by_file(_edits(members))
    except OverlapError as error:
        return Obstacle(f"its edits cannot be joined: {error}", where(span))
    return None


def _edits(members: Iterable[Fix]) -> list[Edit]:
    shared = [edit for opening in _openings(members) for edit in opening.edits]
    return [*shared, *(edit for fix in members for edit in fix.edits)]


def _component(problem: Problem, members: Sequence[Fix]) -> Component:
    openings = _openings(members)
    return Component(
        title=_title(problem, members, openings),
        changes=tuple(_change(fix) for fix in members),
        moved=sum(opening.moved for opening in openings) + len(_guards(members, openings)),
        notes=tuple(_notes(problem, members, openings)),
        guardable=any(_may_be_nil(given) for given in _givens(members, openings)),
    )


def _change(fix: Fix) -> Change:
    edits = tuple(
        edit
        for file in by_file([*fix.edits, *(e for opening in fix.openings for e in opening.edits)]).values()
        for edit in file
    )
    return Change(
        fingerprint=fix.finding.fingerprint,
        fix_kind=_kind(fix),
        files=tuple(sorted({edit.span.file for edit in edits})),
        edits=edits,
    )


def _kind(fix: Fix) -> str:
    if fix.finding.verdict == "detach":
        return "detach"
    if any(opening.group.interfaces for opening in fix.openings):
        return "thread-interface"
    if fix.openings:
        return "thread"
    if fix.given.kind == "test":
        return "test-context"
    return "upgrade" if fix.finding.site.kind == "bare_call" else "in-scope"


def _givens(members: Sequence[Fix], openings: Sequence[Opening]) -> list[Given]:
    return [*(fix.given for fix in members), *(given for opening in openings for given in opening.given)]


def _may_be_nil(given: Given) -> bool:
    return given.source is not None and can_guard(given.source) and given.kind == "scope" and given.guard is None


def nilable_in(members: Iterable[Fix]) -> frozenset[tuple[str, int]]:
    """The declarations, by file and offset, whose contexts these fixes write, and may be nil."""
    members = list(members)
    sources = [given.source for given in _givens(members, _openings(members)) if _may_be_nil(given)]
    return frozenset((source.file, source.declared) for source in sources if source is not None)


def _guards(members: Sequence[Fix], openings: Sequence[Opening]) -> set[str]:
    """The files that are made for guards; each holds a root."""
    return {given.guard.span.file for given in _givens(members, openings) if given.guard is not None}


def _title(problem: Problem, members: Sequence[Fix], openings: Sequence[Opening]) -> str:
    if not openings:
        span = members[0].finding.site.span
        return where(span)
    names = sorted({_name(problem, opening) for opening in openings})
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _name(problem: Problem, opening: Opening) -> str:
    if opening.group.interfaces:
        return problem.graph.dispatch[opening.group.interfaces[0]].name
    return problem.graph.funcs[opening.group.functions[0]].name


def _notes(problem: Problem, members: Sequence[Fix], openings: Sequence[Opening]) -> Iterable[str]:
    for place in sorted({place for opening in openings for place in opening.detached}):
        yield f"{place}: hands over a context without its cancellation, since what it calls may run after the end"
    moved = sorted({place for opening in openings for place in opening.moved_to})
    for place in moved:
        yield f"{place}: the root moved here, since no context is above"
    for file in sorted(_guards(members, openings)):
        yield f"{file}: a context that tests leave out is guarded there; better give the tests one"
    for fix in members:
        if fix.finding.verdict == "detach":
            span = fix.finding.site.span
            yield f"{where(span)}: detached; see whether its time is right"
