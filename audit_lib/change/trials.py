"""Trying parts of a plan in a scratch copy, on the packages where the whole of it fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence

from audit_lib.change.baseline import Baseline
from audit_lib.change.budget import Budget, OutOfTimeError
from audit_lib.change.edits import Edits
from audit_lib.change.failures import Failure, Report, joined, new_failures
from audit_lib.change.formatting import unformatted
from audit_lib.change.packages import Commands, Package, compiled
from audit_lib.change.restoring import putting_back
from audit_lib.change.rewrite import Rewritten, undo
from audit_lib.change.scratch import Scratch
from audit_lib.change.testing import patience, run_tests
from audit_lib.change.verify import Level
from audit_lib.change.vetting import vetted
from audit_lib.progress import Progress, silent

SEARCHING = "looking for what fails"


class Trials:
    """Says of some edits whether they fail as `failures` do: the same step on the same packages, and nothing else.

    `packages` are those that the whole of it concerns. `rewrite` carries some of its edits out in the copy, which must
    be as it was made. `rewritten` is the last one that was tried, at first the whole. Where a trial would leave less
    than `again` seconds of the budget it is not made, and `OutOfTimeError` raised.
    """

    def __init__(
        self,
        scratch: Scratch,
        commands: Commands,
        baseline: Baseline,
        failures: tuple[Failure, ...],
        packages: Sequence[Package],
        whole: Rewritten,
        *,
        level: Level,
        timeout: float,
        rewrite: Callable[[Mapping[str, Edits]], Rewritten],
        progress: Progress = silent,
        hung: Collection[str] = (),
        again: float = 0,
    ) -> None:
        self._progress = progress
        self._scratch, self._commands, self._rewrite = scratch, commands, rewrite
        self._baseline, self._hung, self._again = baseline, set(hung), again
        self.rewritten = whole
        self.longest = 0.0
        self.made = 0
        self._step = failures[0].step
        self._keys = {failure.key for failure in failures}
        self._race, self._timeout = level == "race", timeout
        names = {failure.package for failure in failures}
        # A module that cannot be listed has no packages to look at: then all of them are looked at.
        self._packages = [one for one in packages if one.path in names] or list(packages)

    @property
    def budget(self) -> Budget:
        """The time that trials have."""
        return self._commands.budget

    def failures(
        self, edits: Mapping[str, Edits], packages: Collection[str] | None = None, *, candidates: int = 0
    ) -> tuple[Failure, ...]:
        """What fails with these edits and not without them; the copy is as it was made afterwards.

        Only in these packages, where they are given. `candidates` is how many components or changes are tried: people
        are told.
        """
        if not edits:
            return ()
        if self.budget.left < self._again + self.longest:
            raise OutOfTimeError
        many = f"{candidates} candidate{'s' * (candidates != 1)}"
        self._progress(f"{SEARCHING}: {self._step} · {many}{self.budget.told()}", self.made, 0)
        start = time.monotonic()
        self.rewritten = self._rewrite(edits)
        try:
            with self.budget.within(self.budget.left - self._again):
                return self._new(self.rewritten, packages)
        finally:
            undo(self._scratch, self.rewritten)
            self.longest = max(self.longest, time.monotonic() - start)
            self.made += 1

    def _new(self, rewritten: Rewritten, only: Collection[str] | None) -> tuple[Failure, ...]:
        if self._step == "gofmt":
            files = unformatted(self._commands.go, rewritten.before, rewritten.after)
            found = (Failure("gofmt", "", file, f"{file}: not formatted", (file,)) for file in files)
            return tuple(failure for failure in found if failure.name in {name for _, _, name in self._keys})
        packages = [one for one in self._packages if only is None or one.path in only]
        before = self._baseline.of(self._name, packages, rewritten.before, self._run)
        after = self._run(packages)
        if after.unfinished:
            raise OutOfTimeError
        new = new_failures(after, before)
        if self._step != "test":
            return new
        # Another test may fail now and then; one whose binary ends early takes others with it.
        return tuple(one for one in new if one.key in self._keys or one.package in after.died)

    @property
    def _name(self) -> str:
        return "race" if self._race and self._step == "test" else self._step

    def _run(self, packages: Sequence[Package]) -> Report:
        if self._step != "test":
            return (vetted if self._step == "vet" else compiled)(self._commands, packages)
        known = self._baseline.seconds(self._name)
        parts = []
        for hung in (False, True):
            group = [one for one in packages if (one.path in self._hung) == hung]
            timeout = patience(self._timeout, known, group) if hung else self._timeout
            if group:
                with putting_back(self._scratch):
                    parts.append(run_tests(self._commands, group, race=self._race, timeout=timeout))
        return joined(parts)
