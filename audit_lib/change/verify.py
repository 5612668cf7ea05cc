"""The proof that a rewritten copy is as good as the target was: formatted, compiled, vetted and tested, step by step.

Only packages that changed or depend on one that did are looked at, their tests included. What fails is looked for in
the target as it was too, and only what is new counts. A step with new failures is the last one: what comes after it
would only say the same again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from audit_lib.change.baseline import Baseline
from audit_lib.change.failures import Failure, Report, new_failures
from audit_lib.change.formatting import unformatted
from audit_lib.change.packages import Commands, Package, compiled, concerned
from audit_lib.change.rewrite import Rewritten
from audit_lib.change.scratch import Scratch
from audit_lib.change.testing import run_tests
from audit_lib.change.vetting import vetted
from audit_lib.config import GoOptions
from audit_lib.model import Verification
from audit_lib.progress import Progress, silent
from audit_lib.read.gotool import GoTool

Level = Literal["build", "test", "race"]
Failures = tuple[Failure, ...]
_SHOWN = 5


@dataclass(frozen=True)
class Outcome:
    """The steps that were taken, and what fails that did not fail before.

    `unbuilt` are the changed Go files that are not built here, since they are for another system or build tag, or in no
    package that the go command finds: nothing but their format was verified.
    """

    steps: tuple[Verification, ...]
    failures: Failures
    unbuilt: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing fails that did not fail before."""
        return not self.failures


class Verifier:
    """Verifies what is in a scratch copy, as often as is asked for; what was found of the target as it was is kept.

    `timeout` is what the tests of a package may take, in seconds. The copy must be as it was made, or hold what the
    rewrite holds that is to be verified.
    """

    def __init__(
        self,
        scratch: Scratch,
        go: GoTool,
        options: GoOptions = GoOptions(),  # noqa: B008 -- frozen
        *,
        level: Level = "test",
        timeout: float = 300,
        progress: Progress = silent,
    ) -> None:
        self._commands = Commands(go, scratch.root, options)
        self._baseline = Baseline(scratch, self._commands)
        self._scratch = scratch
        self._level = level
        self._timeout = timeout
        self._progress = progress

    def verify(self, rewritten: Rewritten) -> Outcome:
        """Take the steps on the copy, which must hold `rewritten.after`. Raises `ToolchainError` without a Go."""
        steps: list[Verification] = []
        failures: Failures = ()
        if not rewritten.after:
            return Outcome((), ())
        state = _State(rewritten)
        for name, step in self._steps():
            self._progress(f"verifying: {name}", 0, 0)
            start = time.monotonic()
            failures, detail = step(state)
            seconds = round(time.monotonic() - start, 3)
            steps.append(Verification(name, not failures, seconds, _told(failures) if failures else detail))
            self._progress(f"verifying: {name}", 1, 1)
            if failures:
                break
        named = tuple(state.with_suspects(failure) for failure in failures)
        return Outcome(tuple(steps), named, tuple(state.unbuilt()))

    def _steps(self) -> Sequence[tuple[str, Callable[[_State], tuple[Failures, str]]]]:
        steps = [("gofmt", self._gofmt), ("compile", self._compile), ("vet", self._vet), ("test", self._test)]
        return steps[:3] if self._level == "build" else steps

    def _gofmt(self, state: _State) -> tuple[Failures, str]:
        files = unformatted(self._commands.go, state.rewritten.before, state.rewritten.after)
        failures = (Failure("gofmt", _folder(file), file, f"{file}: not formatted", (file,)) for file in files)
        return tuple(failures), _count(len(state.rewritten.after), "file")

    def _compile(self, state: _State) -> tuple[Failures, str]:
        state.packages, listing = concerned(self._commands, state.rewritten.after)
        state.listed = True
        new: Failures = ()
        if listing.failures:
            with self._scratch.showing(state.rewritten.before):
                new = new_failures(listing, concerned(self._commands, state.rewritten.after)[1])
        report, failures = self._compared("compile", state.packages, state, self._compiled)
        state.sound = [package for package in state.packages if package.path not in report.died]
        detail = _detail(len(state.packages), len(report.died), "did not compile before either")
        unbuilt = ", ".join(state.unbuilt())
        return (*new, *failures), detail + (f"; not built here: {unbuilt}" if unbuilt else "")

    def _vet(self, state: _State) -> tuple[Failures, str]:
        report, failures = self._compared("vet", state.sound, state, self._vetted)
        warned = {failure.package for failure in report.failures}
        return failures, _detail(len(state.sound), len(warned), "had findings before too")

    def _test(self, state: _State) -> tuple[Failures, str]:
        name = "race" if self._level == "race" else "test"
        report, failures = self._compared(name, state.sound, state, self._tested)
        unsteady: Failures = ()
        if failures:
            # A test that fails now and then says nothing about the change: it must fail twice.
            blamed = {failure.package for failure in failures}
            suspicious = [package for package in state.sound if package.path in blamed]
            again = {failure.key for failure in self._compared(name, suspicious, state, self._tested)[1]}
            unsteady = tuple(failure for failure in failures if failure.key not in again)
            failures = tuple(failure for failure in failures if failure.key in again)
        passes = f"{_count(len(report.passed), 'test')} {'passes' if len(report.passed) == 1 else 'pass'}"
        detail = f"{passes} in {_count(len(state.sound), 'package')}"
        old = len(report.failures) - len(unsteady)
        detail += f"; {_count(old, 'failure')} as before" if old else ""
        named = ", ".join(f"{failure.package} {failure.name}".strip() for failure in unsteady)
        return failures, detail + (f"; failed once, and passed when run again: {named}" if named else "")

    def _compared(
        self, name: str, packages: Sequence[Package], state: _State, run: Callable[[Sequence[Package]], Report]
    ) -> tuple[Report, Failures]:
        """What a step says of packages, and what of it is new. The baseline is taken of those only where it matters."""
        after = run(packages)
        failing = {failure.package for failure in after.failures} | set(after.died)
        suspicious = [package for package in packages if package.path in failing]
        before = self._baseline.of(name, suspicious, state.rewritten.before, run)
        return after, new_failures(after, before)

    def _compiled(self, packages: Sequence[Package]) -> Report:
        return compiled(self._commands, packages)

    def _vetted(self, packages: Sequence[Package]) -> Report:
        return vetted(self._commands, packages)

    def _tested(self, packages: Sequence[Package]) -> Report:
        return run_tests(self._commands, packages, race=self._level == "race", timeout=self._timeout)


class _State:
    """What is known of one rewrite as the steps go on: the packages that it concerns, and those that compile."""

    def __init__(self, rewritten: Rewritten) -> None:
        self.rewritten = rewritten
        self.listed = False
        self.packages: list[Package] = []
        self.sound: list[Package] = []

    def unbuilt(self) -> list[str]:
        """The changed Go files that no package is built from; none as long as the packages are not known."""
        built = {file for package in self.packages for file in package.files}
        go_files = [file for file in self.rewritten.after if file.endswith(".go")]
        return [file for file in go_files if self.listed and file not in built]

    def with_suspects(self, failure: Failure) -> Failure:
        """The failure, with the changed files that its package is built from, its own first."""
        package = next((one for one in self.packages if one.path == failure.package), None)
        if package is None:
            return failure
        needed = {one.folder for one in self.packages if one.path in package.needs}
        files = self.rewritten.after
        near = [file for file in files if _folder(file) == package.folder]
        far = [file for file in files if _folder(file) in needed - {package.folder}]
        return msgspec.structs.replace(failure, suspects=(*near, *far))


def _folder(file: str) -> str:
    return file.rpartition("/")[0] or "."


def _told(failures: Failures) -> str:
    shown = [f"{one.package}{f' {one.name}' if one.step == 'test' else ''}: {one.message}" for one in failures]
    more = [f"… and {len(shown) - _SHOWN} more"] if len(shown) > _SHOWN else []
    return "\n".join(shown[:_SHOWN] + more)


def _detail(packages: int, old: int, what: str) -> str:
    return _count(packages, "package") + (f"; {old} of them {what}" if old else "")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
