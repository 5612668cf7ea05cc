"""What becomes possible once contexts are handed on: found in the result, and said in terms of the files as they were.

A function that gets a context for one site has one for others too: a log line that reads values, a root that had no
context above it. A second audit of the result finds them; the edits that it asks for are carried back to the files
before any edit, so that all of it is one plan.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from audit_lib.change.difference import hunks, lines_of
from audit_lib.change.edits import Edits, fitted, span_of, splice
from audit_lib.change.planned import Component, Plan, Planner
from audit_lib.change.problem import where
from audit_lib.model import Change, Edit, Finding, Refusal

ONCE_THREADED = "once its callers hand their context on, "
"""How the reason of a finding begins that only the result shows."""

TOGETHER = "it changes together with what was refused: "
"""How the reason of a refusal begins whose component holds a finding that was refused."""


@dataclass(frozen=True)
class Later:
    """A planner whose plans hold what only the result of the first plan made possible, besides what another plans."""

    planner: Planner
    components: tuple[Component, ...]

    def __call__(self, *, guarded: frozenset[str], refused: Mapping[str, str]) -> Plan:
        """The other's plan, with these components behind, those left out that hold a refused finding: whole."""
        plan = self.planner(guarded=guarded, refused=refused)
        done = {name for component in plan.components for name in component.fingerprints}
        more = tuple(one for one in self.components if one.fingerprints.isdisjoint(refused.keys() | done))
        names = {name for component in more for name in component.fingerprints}
        kept = [one for one in plan.refusals if one.fingerprint not in names]
        told = {*done, *names, *refused, *(one.fingerprint for one in kept)}
        for component in self.components:
            reason = next((refused[name] for name in sorted(component.fingerprints) if name in refused), "")
            for change in component.changes if reason else ():
                if change.fingerprint not in told:
                    kept.append(Refusal(change.fingerprint, f"{TOGETHER}{reason}", where(change.edits[0].span)))
        return Plan((*plan.components, *more), tuple(kept))


class Origins:
    """Where the bytes of an edited file come from."""

    def __init__(self, file: str, before: bytes, edits: Edits, after: bytes) -> None:
        self._file, self._before = file, before
        self._edits = fitted(before, edits)
        self._starts: list[int] = []
        self._shifts: list[int] = []
        self._ends: list[int] = []
        self._written: list[tuple[int, int, Edit]] = []
        self._follow()
        self._blocks = _blocks(splice(before, self._edits), after)

    def back(self, offset: int) -> int | None:
        """Where the byte at an offset of the edited file was; None for one that was written."""
        place = self._spliced(offset)
        if place is None:
            return None
        number = bisect_right(self._starts, place) - 1
        return place - self._shifts[number] if number >= 0 and place < self._ends[number] else None

    def writer(self, offset: int) -> Edit | None:
        """The edit whose text the byte at an offset of the edited file is from; None where that is not known."""
        place = self._spliced(offset)
        if place is None:
            return None
        return next((edit for start, end, edit in self._written if start <= place < end), None)

    def edit(self, edit: Edit) -> Edit | None:
        """An edit of the edited file as one of the file before; None where it touches what was written."""
        start, end = edit.span.start, edit.span.end
        if start == end:
            before = self.back(start - 1) if start else None
            old = self.back(start)
            first = old if old is not None else before + 1 if before is not None else None
            last = first
        else:
            first, last = self.back(start), self.back(end - 1)
            last = last + 1 if last is not None else None
        if first is None or last is None or last < first:
            return None
        # What is written at one place by two edits would have no order.
        if any(one.span.start <= last and first <= one.span.end for one in self._edits):
            return None
        return Edit(span_of(self._before, self._file, first, last), edit.text)

    def _follow(self) -> None:
        """The stretches of the spliced file that were there before: start, end, and how far they have moved."""
        done, at = 0, 0
        for one in (*self._edits, None):
            stop = one.span.start if one is not None else len(self._before)
            if stop > done:
                self._starts.append(at)
                self._shifts.append(at - done)
                self._ends.append(at + stop - done)
            at += stop - done
            if one is not None:
                start, at = at, at + len(one.text.encode("utf-8", "surrogateescape"))
                self._written.append((start, at, one))
                done = one.span.end

    def _spliced(self, offset: int) -> int | None:
        """The place in the file as the edits leave it, before imports and format are mended."""
        for start, end, place, old in self._blocks:
            if start <= offset < end:
                return place + offset - start if old is None else old.get(offset)
        return None


def _blocks(spliced: bytes, after: bytes) -> list[tuple[int, int, int, dict[int, int] | None]]:
    """Stretches of `after`: where each stands in `spliced`, for changed ones byte by byte: formatting moves blanks."""
    old_lines, new_lines = lines_of(spliced), lines_of(after)
    old_starts, new_starts = _starts(old_lines), _starts(new_lines)
    blocks: list[tuple[int, int, int, dict[int, int] | None]] = []
    line, new_line = 0, 0
    for hunk in hunks(old_lines, new_lines):
        blocks.append((new_starts[new_line], new_starts[hunk.new_start], old_starts[line], None))
        start, end = new_starts[hunk.new_start], new_starts[hunk.new_end]
        old = _inked(spliced, old_starts[hunk.start], old_starts[hunk.end])
        new = _inked(after, start, end)
        same = [spliced[at] for at in old] == [after[at] for at in new]
        blocks.append((start, end, 0, dict(zip(new, old, strict=True)) if same else {}))
        line, new_line = hunk.end, hunk.new_end
    return [*blocks, (new_starts[new_line], len(after), old_starts[line], None)]


def _inked(data: bytes, start: int, end: int) -> list[int]:
    return [at for at in range(start, end) if data[at] not in b" \t\r\n"]


def _starts(lines: list[bytes]) -> list[int]:
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    return starts


@dataclass(frozen=True)
class Found:
    """Components of the result in terms of the files before, and the findings as they are to be told of now."""

    components: tuple[Component, ...]
    findings: dict[str, Finding]


def origins_of(
    before: Mapping[str, bytes | None], edits: Mapping[str, Edits], after: Mapping[str, bytes]
) -> dict[str, Origins]:
    """Where the bytes come from of each file that changes."""
    return {file: Origins(file, before[file] or b"", edits.get(file, ()), data) for file, data in after.items()}


def twins(
    findings: Mapping[tuple[str, int], Finding], later: Mapping[str, Finding], origins: Mapping[str, Origins]
) -> dict[str, Finding]:
    """The finding that was there before (`findings`, by file and start) for each of the result, by its fingerprint."""
    found = {}
    for name, finding in later.items():
        span = finding.site.span
        start = origins[span.file].back(span.start) if span.file in origins else span.start
        twin = findings.get((span.file, start)) if start is not None else None
        if twin is not None and twin.site.callee == finding.site.callee:
            found[name] = twin
    return found


def carried_back(
    plan: Plan,
    later: Mapping[str, Finding],
    before: Mapping[str, Finding],
    origins: Mapping[str, Origins],
    earlier: Sequence[Component],
) -> Found:
    """The components of a plan for the result as such of the files before; those that touch what was written go.

    `later` and `before` are the findings of the result and their twins, by the result's fingerprints; `earlier` are the
    components whose result it is.
    """
    components, findings = [], {}
    for component in plan.components:
        moved = [_change(change, before, origins) for change in component.changes]
        changes = tuple(change for change in moved if change is not None)
        if len(changes) == len(moved):
            needs = frozenset(
                name for one in earlier if not set(one.files).isdisjoint(component.files) for name in one.fingerprints
            )
            components.append(Component(component.title, changes, component.moved, component.notes, needs=needs))
            for change in component.changes:
                twin = before[change.fingerprint]
                findings[twin.fingerprint] = _told(twin, later[change.fingerprint])
    return Found(tuple(components), findings)


def _change(change: Change, before: Mapping[str, Finding], origins: Mapping[str, Origins]) -> Change | None:
    edits = [origins[one.span.file].edit(one) if one.span.file in origins else one for one in change.edits]
    kept = tuple(edit for edit in edits if edit is not None)
    if len(kept) < len(edits) or change.fingerprint not in before:
        return None
    return Change(before[change.fingerprint].fingerprint, change.fix_kind, change.files, kept)


def _told(twin: Finding, later: Finding) -> Finding:
    """The finding as it was, with what is now known of it; no path, whose lines would be those of the result."""
    if twin.verdict in ("fix", "detach"):
        return twin
    return msgspec.structs.replace(
        twin,
        category=later.category,
        verdict=later.verdict,
        priority=later.priority,
        reason=ONCE_THREADED + later.reason,
        recommendation=later.recommendation,
        rule=later.rule,
    )
