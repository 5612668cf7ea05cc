"""Plans made and carried out in memory: no copy, no build, nothing written.

What only a fix from end to end does is left out: what the verification rolls back or guards, and what a second look at
the result finds.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from audit_lib import config as configuration
from audit_lib.change.edits import OverlapError
from audit_lib.change.patch import patch
from audit_lib.change.plan import planner
from audit_lib.change.planned import Component, Plan, Planner, edits_of
from audit_lib.change.rewrite import Rewritten
from audit_lib.change.rewrite import edited as rewritten_files
from audit_lib.errors import AuditError
from audit_lib.model import Audit
from audit_lib.read import gotool
from audit_lib.reading import Reading, judged, read
from benchmarks.errors import InputError


@dataclass(frozen=True)
class Planned:
    """A plan, the files that it changes, and what it took to make it and to carry it out."""

    plan: Plan
    files: Rewritten
    plan_seconds: float
    rewrite_seconds: float

    @property
    def patch(self) -> bytes:
        """The result as a diff."""
        return patch(self.files.before, self.files.after)

    @property
    def lines(self) -> int:
        """The lines that are added or taken away."""
        lines = self.patch.split(b"\n")
        return sum(line[:1] in (b"+", b"-") and line[:4] not in (b"+++ ", b"--- ") for line in lines)


class Target:
    """A folder, read and judged once, to be planned for as often as is asked."""

    def __init__(self, folder: Path) -> None:
        """Raises `InputError` for what cannot be read."""
        self.folder = folder
        started = time.monotonic()
        try:
            self._settings = configuration.load(folder, None)
            self._go = gotool.find_go()
            self._reading: Reading = read(folder, self._settings, self._settings.go, wide=True)
            self.audit: Audit = judged(folder, self._settings, self._reading)
        except AuditError as error:
            raise InputError(f"{folder.name}: {error}") from error
        self.read_seconds = time.monotonic() - started

    def plan(self, only: Iterable[str] = ()) -> Planned:
        """The plan for findings by fingerprint, for all where none is named, and its result."""
        reading, named = self._reading, frozenset(only)
        findings = [one for one in self.audit.findings if not named or one.fingerprint in named]
        assert reading.wide is not None, "reading all facts raises where there are none"
        started = time.monotonic()
        make = planner(self.folder, self._settings, reading.syntax, reading.wide, findings)
        plan = agreed(make)
        planned = time.monotonic()
        edits = edits_of(plan.components)
        before = {file: _content(self.folder / file) for file in edits}
        files = rewritten_files(before, edits, self._go)
        return Planned(plan, files, planned - started, time.monotonic() - planned)


def agreed(make: Planner) -> Plan:
    """A plan whose components can be carried out together: one that overlaps with those before it is refused."""
    refused: dict[str, str] = {}
    while True:
        plan = make(guarded=frozenset(), refused=refused)
        clash = _clash(plan.components)
        if clash is None or clash[0].fingerprints <= refused.keys():
            return plan
        refused |= dict.fromkeys(clash[0].fingerprints, clash[1])


def _clash(components: tuple[Component, ...]) -> tuple[Component, str] | None:
    try:
        edits_of(components)
    except OverlapError:
        for size in range(1, len(components) + 1):
            try:
                edits_of(components[:size])
            except OverlapError as error:
                return components[size - 1], str(error)
    return None


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
