"""Trying parts of a plan in a scratch copy, on the packages where the whole of it fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from audit_lib.change.edits import Edits
from audit_lib.change.failures import Failure, Report, new_failures
from audit_lib.change.formatting import unformatted
from audit_lib.change.packages import Commands, Package, compiled, concerned
from audit_lib.change.rewrite import Rewritten, undo
from audit_lib.change.scratch import Scratch
from audit_lib.change.testing import run_tests
from audit_lib.change.verify import Level
from audit_lib.change.vetting import vetted


class Trials:
    """Says of some edits whether they fail as `failures` do: the same step on the same packages, and nothing else.

    `whole` is the rewrite that failed, `rewrite` carries some of its edits out in the copy, which must be as it was
    made. `rewritten` is the last one that was tried.
    """

    def __init__(
        self,
        scratch: Scratch,
        commands: Commands,
        failures: tuple[Failure, ...],
        whole: Rewritten,
        *,
        level: Level,
        timeout: float,
        rewrite: Callable[[Mapping[str, Edits]], Rewritten],
    ) -> None:
        self._scratch, self._commands, self._rewrite = scratch, commands, rewrite
        self.rewritten = whole
        self._step = failures[0].step
        self._keys = {failure.key for failure in failures}
        self._race, self._timeout = level == "race", timeout
        with scratch.showing(whole.after):
            packages, listing = concerned(commands, whole.after)
        names = {failure.package for failure in failures}
        # A module that cannot be listed has no packages to look at: then all of them are looked at.
        self._packages = [one for one in packages if one.path in names] if not listing.failures else packages
        self._before: Report | None = None

    def failures(self, edits: Mapping[str, Edits]) -> tuple[Failure, ...]:
        """What fails with these edits and not without them; the copy is as it was made afterwards."""
        if not edits:
            return ()
        if self._before is None and self._step != "gofmt":
            self._before = self._run()
        self.rewritten = self._rewrite(edits)
        try:
            return self._new(self.rewritten)
        finally:
            undo(self._scratch, self.rewritten)

    def _new(self, rewritten: Rewritten) -> tuple[Failure, ...]:
        if self._before is None:
            files = unformatted(self._commands.go, rewritten.before, rewritten.after)
            found = (Failure("gofmt", "", file, f"{file}: not formatted", (file,)) for file in files)
            return tuple(failure for failure in found if failure.name in {name for _, _, name in self._keys})
        after = self._run()
        new = new_failures(after, self._before)
        if self._step != "test":
            return new
        # Another test may fail now and then; one whose binary ends early takes others with it.
        return tuple(one for one in new if one.key in self._keys or one.package in after.died)

    def _run(self) -> Report:
        packages: list[Package] = self._packages
        if self._step == "test":
            return run_tests(self._commands, packages, race=self._race, timeout=self._timeout)
        return (vetted if self._step == "vet" else compiled)(self._commands, packages)
