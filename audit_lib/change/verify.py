"""The proof that a rewritten copy is as good as the target was: formatted, compiled, vetted and tested, step by step.

Only packages that changed or depend on one that did are looked at, their tests included. What fails is looked for in
the target as it was too, and only what is new counts. A step with new failures is the last one: what comes after it
would only say the same again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from audit_lib.change.baseline import Baseline
from audit_lib.change.budget import BUILD_SHARE, ELSEWHERE_SHARE, SHARE, Budget, OutOfTimeError
from audit_lib.change.concern import Concern
from audit_lib.change.failures import Failure, Report, new_failures, relevant
from audit_lib.change.formatting import unformatted
from audit_lib.change.pace import TooSlowError, is_paced, paced
from audit_lib.change.packages import Commands, Package, compile_what_is_needed, compiled, concerned
from audit_lib.change.planned import Component
from audit_lib.change.restoring import putting_back
from audit_lib.change.rewrite import Rewritten
from audit_lib.change.scratch import Scratch
from audit_lib.change.testing import patience, run_tests
from audit_lib.change.vetting import vetted
from audit_lib.config import GoOptions
from audit_lib.model import Verification
from audit_lib.progress import LIMIT, Progress, silent
from audit_lib.read.gotool import GoTool

Level = Literal["build", "test", "race"]
Failures = tuple[Failure, ...]
_SHOWN = 5


@dataclass(frozen=True)
class Outcome:
    """The steps that were taken, and what fails that did not fail before.

    `unbuilt` are the changed Go files that are not built here, since they are for another system or build tag, or in no
    package that the go command finds: nothing but their format was verified. `packages` are those that the change
    concerns, `proved` (import paths) those of them that passed all steps, `unproved` those that were not run to their
    end for time. `needed` is how many seconds such a step would have taken, as far as that is known, and `cold` tells
    that it was not even to the end of what is needed of other modules.
    """

    steps: tuple[Verification, ...]
    failures: Failures
    unbuilt: tuple[str, ...] = ()
    packages: tuple[Package, ...] = ()
    proved: frozenset[str] = frozenset()
    unproved: tuple[str, ...] = ()
    hung: tuple[str, ...] = ()
    tests: Report = Report()  # noqa: RUF009 -- frozen
    needed: float = 0.0
    cold: bool = False

    @property
    def ok(self) -> bool:
        """Whether nothing fails that did not fail before."""
        return not self.failures

    @property
    def seconds(self) -> dict[str, float]:
        """What each step took."""
        return {step.step: step.seconds for step in self.steps}

    def part(self, after: Collection[str], packages: Collection[str]) -> Outcome:
        """What this says of some of the files that change, and of packages that passed: nothing else was changed."""
        kept = [one for one in self.packages if one.path in packages]
        tests = relevant(self.tests, packages)
        details = {
            "gofmt": _count(len(after), "file"),
            "test": _passes(tests, len(kept)),
        }
        steps = tuple(
            Verification(one.step, True, one.seconds, details.get(one.step, _count(len(kept), "package")))
            for one in self.steps
        )
        return Outcome(
            steps=steps if after else (),
            failures=(),
            unbuilt=tuple(file for file in self.unbuilt if file in after),
            packages=tuple(kept),
            proved=frozenset(packages),
            tests=tests,
        )


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
        budget: Budget | None = None,
    ) -> None:
        self.budget = budget or Budget()
        self.commands = Commands(go, scratch.root, options, self.budget, runs=level != "build")
        self.baseline = Baseline(scratch, self.commands)
        self._scratch = scratch
        self._level = level
        self._timeout = timeout
        self._progress = progress
        self._put_back: set[str] = set()

    def verify(self, rewritten: Rewritten, components: Sequence[Component] = ()) -> Outcome:
        """Take the steps on the copy, which must hold `rewritten.after`. Raises `ToolchainError` without a Go.

        Packages that most of the `components` edit are tested first. What there was no time for is `unproved`.
        """
        if not rewritten.after:
            return Outcome((), ())
        state = _State(rewritten, components)
        failures: Failures = ()
        steps = self._steps()
        for name, step in steps:
            self._progress(f"verifying: {name}{self.budget.told()}", 0, 0)
            start = time.monotonic()
            try:
                failures, detail = step(state)
            except OutOfTimeError as error:
                state.unproved = state.unsettled(name)
                state.needed = error.needed if isinstance(error, TooSlowError) else 0.0
                detail = "not run to its end: out of time"
            seconds = round(time.monotonic() - start, 3)
            if name == "test" and not state.unproved:
                self._tell_limit(seconds)
            state.steps.append(Verification(name, not failures, seconds, _told(failures) if failures else detail))
            self._progress(f"verifying: {name}{self.budget.told()}", 1, 1)
            if failures or state.unproved:
                break
        return state.outcome(failures, done=name == steps[-1][0])

    def _tell_limit(self, tests: float) -> None:
        """Set the limit by what the tests have taken, and tell it where that changes it."""
        before = self.budget.seconds
        self.budget.tested(tests)
        if self.budget.seconds != before:
            self._progress(f"{LIMIT}{self.budget.seconds:.0f} s", 1, 1)

    def _steps(self) -> Sequence[tuple[str, Callable[[_State], tuple[Failures, str]]]]:
        steps = [("gofmt", self._gofmt), ("compile", self._compile), ("vet", self._vet), ("test", self._test)]
        return steps[:3] if self._level == "build" else steps

    def _gofmt(self, state: _State) -> tuple[Failures, str]:
        files = unformatted(self.commands.go, state.rewritten.before, state.rewritten.after)
        failures = (Failure("gofmt", _folder(file), file, f"{file}: not formatted", (file,)) for file in files)
        return tuple(failures), _count(len(state.rewritten.after), "file")

    def _compile(self, state: _State) -> tuple[Failures, str]:
        state.packages, listing = concerned(self.commands, state.rewritten.after)
        state.listed = True
        new: Failures = ()
        if listing.failures:
            with self._scratch.showing(state.rewritten.before):
                new = new_failures(listing, concerned(self.commands, state.rewritten.after)[1])
        self._compile_what_is_needed(state)
        with self.budget.within(self.budget.left * state.build_share):
            report, failures = self._compared("compile", state.packages, state, self._compiled)
        state.sound = [package for package in state.packages if package.path not in report.died]
        detail = _detail(len(state.packages), len(report.died), "did not compile before either")
        unbuilt = ", ".join(state.unbuilt())
        return (*new, *failures), detail + (f"; not built here: {unbuilt}" if unbuilt else "")

    def _compile_what_is_needed(self, state: _State) -> None:
        """First what other modules give, where that may take long: how long the rest takes is told by its beginning."""
        if is_paced(state.packages, self.budget):
            state.cold = True
            with self.budget.within(self.budget.left * ELSEWHERE_SHARE):
                compile_what_is_needed(self.commands, state.packages)
            state.cold = False

    def _vet(self, state: _State) -> tuple[Failures, str]:
        with self.budget.within(self.budget.left * state.build_share):
            report, failures = self._compared("vet", state.sound, state, self._vetted)
        warned = {failure.package for failure in report.failures}
        return failures, _detail(len(state.sound), len(warned), "had findings before too")

    def _test(self, state: _State) -> tuple[Failures, str]:
        name = self._test_name
        sound = {package.path for package in state.sound}
        packages = [one for one in Concern(state.packages).by_directness(state.components) if one.path in sound]
        with self.budget.within(self.budget.left * SHARE):
            report, failures = self._compared(name, packages, state, self._tested)
        unsteady: Failures = ()
        state.tests, state.unproved = report, list(report.unfinished)
        if failures:
            # A test that fails now and then says nothing about the change: it must fail twice.
            blamed = {failure.package for failure in failures}
            suspicious = [package for package in state.sound if package.path in blamed]
            second, confirmed = self._compared(name, suspicious, state, self._tested_again)
            if second.unfinished:
                raise OutOfTimeError
            again = {failure.key for failure in confirmed}
            unsteady = tuple(failure for failure in failures if failure.key not in again)
            failures = tuple(failure for failure in failures if failure.key in again)
        detail = _passes(report, len(state.sound) - len(report.unfinished))
        old = len(report.failures) - len(unsteady)
        detail += f"; {_count(old, 'failure')} as before" if old else ""
        named = ", ".join(f"{failure.package} {failure.name}".strip() for failure in unsteady)
        detail += f"; failed once, and passed when run again: {named}" if named else ""
        return failures, detail + self._told_of_writing()

    def _told_of_writing(self) -> str:
        """Which sources tests have written to: what they were run on may differ from what is written."""
        files = sorted(self._put_back)
        more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
        return f"; the tests write to {', '.join(files[:_SHOWN])}{more}, which was put back" if files else ""

    def _compared(
        self, name: str, packages: Sequence[Package], state: _State, run: Callable[[Sequence[Package]], Report]
    ) -> tuple[Report, Failures]:
        """What a step says of packages, and what of it is new. The baseline is taken of those only where it matters."""
        # The first packages tell how long compiling takes, and not vetting: that reads other modules' code with them.
        after = paced(run, packages, self.budget) if name == "compile" else run(packages)
        failing = {failure.package for failure in after.failures}
        if name not in ("compile", "vet"):  # what is built from what does not compile has nothing to compare
            failing |= set(after.died)
        suspicious = [package for package in packages if package.path in failing]
        state.hung += after.hung
        state.doubtful[name] = state.doubtful.get(name, set()) | failing | set(after.unfinished)
        before = self.baseline.of(name, suspicious, state.rewritten.before, run)
        return after, new_failures(after, before)

    @property
    def _test_name(self) -> str:
        return "race" if self._level == "race" else "test"

    def _compiled(self, packages: Sequence[Package]) -> Report:
        return compiled(self.commands, packages)

    def _vetted(self, packages: Sequence[Package]) -> Report:
        return vetted(self.commands, packages)

    def _tested(self, packages: Sequence[Package], timeout: float | None = None) -> Report:
        with putting_back(self._scratch) as changed:
            race = self._level == "race"
            report = run_tests(self.commands, packages, race=race, timeout=timeout or self._timeout)
        self._put_back.update(changed)
        return report

    def _tested_again(self, packages: Sequence[Package]) -> Report:
        """The same once more; what hangs takes all of its time once, and no more."""
        known = self.baseline.seconds(self._test_name)
        return self._tested(packages, patience(self._timeout, known, packages))


class _State:
    """What is known of one rewrite as the steps go on: the packages that it concerns, and those that compile."""

    def __init__(self, rewritten: Rewritten, components: Sequence[Component]) -> None:
        self.rewritten = rewritten
        self.components = components
        self.build_share = BUILD_SHARE if len(components) > 1 else 1.0
        self.listed = False
        self.packages: list[Package] = []
        self.sound: list[Package] = []
        self.steps: list[Verification] = []
        self.tests = Report()
        self.unproved: list[str] = []
        self.needed = 0.0
        self.cold = False
        self.doubtful: dict[str, set[str]] = {}
        self.hung: tuple[str, ...] = ()

    def outcome(self, failures: Failures, *, done: bool) -> Outcome:
        """What the steps have come to; with `done` they were all begun, and what has not failed in the last passed."""
        missing = {*self.unproved, *(failure.package for failure in failures)}
        return Outcome(
            steps=tuple(self.steps),
            failures=tuple(self.with_suspects(failure) for failure in failures),
            unbuilt=tuple(self.unbuilt()),
            packages=tuple(self.packages),
            proved=frozenset(one.path for one in self.packages if one.path not in missing) if done else frozenset(),
            unproved=tuple(self.unproved),
            hung=self.hung,
            tests=self.tests,
            needed=self.needed,
            cold=self.cold,
        )

    def unsettled(self, step: str) -> list[str]:
        """The packages of which a step that was ended for time has not said that they pass; never none."""
        doubtful = self.doubtful.get("race", self.doubtful.get("test")) if step == "test" else None
        found = [one.path for one in self.packages if doubtful is None or one.path in doubtful]
        return found or ["the target"]  # its packages are not even listed

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


def _passes(tests: Report, packages: int) -> str:
    passed = len(tests.passed)
    return f"{_count(passed, 'test')} {'passes' if passed == 1 else 'pass'} in {_count(packages, 'package')}"


def costs(outcome: Outcome) -> tuple[float, float]:
    """About how many seconds it takes to verify again what stays of a change that failed, and to try a part of it.

    Of tests only those of packages that fail are run again: Go keeps the others' results.
    """
    taken = outcome.seconds
    failing = {failure.package for failure in outcome.failures}
    tests = sum(seconds for package, seconds in outcome.tests.seconds.items() if package in failing)
    built = sum(seconds for step, seconds in taken.items() if step != "test")
    last = taken.get(outcome.failures[-1].step, 0.0)
    return built + min(tests, taken.get("test", 0.0)), min(tests, last) if "test" in taken else last


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
