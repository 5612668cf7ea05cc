"""What a step of the proof found, in a form that two states of a target can be compared by: without positions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Literal

import msgspec

from audit_lib.model import Record

Step = Literal["gofmt", "compile", "vet", "test"]
_LINES, _LINE_LENGTH = 8, 2000
_POSITION = re.compile(r"(?<![\w./@+-])([\w./@+-]+\.go):\d+(?::\d+)?")
_LINE = re.compile(r"\bline \d+")


class Failure(Record, frozen=True):
    """One thing that fails: in which package (import path, without its test variant), and what it is known by.

    `name` is a test's name, or the text of a message without its positions. `message` are the tool's first lines.
    `files` are the target's files that it names, `suspects` the changed files that the package is built from, its own
    first.
    """

    step: Step
    package: str
    name: str
    message: str
    files: tuple[str, ...] = ()
    suspects: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same failure in another state of the target."""
        return (self.step, self.package, self.name)


class Report(Record, frozen=True):
    """What one step says of some packages: what fails, which tests pass, and whose test binary ended too early.

    Tests are `package test`. `seconds` is what the tests of a package took, `hung` are the packages of which some took
    all of the time that they had, `unfinished` those that were not run to their end for time.
    """

    failures: tuple[Failure, ...] = ()
    passed: tuple[str, ...] = ()
    died: tuple[str, ...] = ()
    seconds: dict[str, float] = msgspec.field(default_factory=dict)
    hung: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()


def new_failures(after: Report, before: Report) -> tuple[Failure, ...]:
    """The failures that were not there before, and the tests that passed before and no longer run.

    As many as before of one kind are old ones. Where a test binary ended too early before, nothing is known of the
    tests that it did not come to: only what had passed counts.
    """
    known = Counter(failure.key for failure in before.failures)
    passed = set(before.passed)
    found = []
    for failure in after.failures:
        ran = f"{failure.package} {failure.name}" in passed
        if known[failure.key]:
            known[failure.key] -= 1
        elif ran or failure.step != "test" or failure.package not in before.died:
            found.append(failure)
    blamed = {failure.package for failure in found}
    return (*found, *(_lost(package, after, passed) for package in _lossy(after, passed) if package not in blamed))


def _lossy(after: Report, passed: set[str]) -> list[str]:
    gone = {test.split(" ")[0] for test in passed - set(after.passed)}
    return [package for package in after.died if package in gone]


def _lost(package: str, after: Report, passed: set[str]) -> Failure:
    tests = sorted(test.split(" ", 1)[1] for test in passed - set(after.passed) if test.split(" ")[0] == package)
    cause = next((failure for failure in after.failures if failure.package == package), None)
    more = f" and {len(tests) - 1} more tests that passed" if len(tests) > 1 else ", which passed,"
    message = f"{tests[0]}{more} no longer run: the test binary ends before"
    if cause is not None:
        message += f", in {cause.name or 'its start'}: {cause.message}"
    return Failure("test", package, tests[0], message, cause.files if cause else ())


def without_positions(text: str) -> str:
    """A message that stays the same when lines are added above what it names."""
    return _LINE.sub("line N", _POSITION.sub(lambda match: match[1].rpartition("/")[2], text))


def gist(lines: Iterable[str]) -> str:
    """The first lines of what a tool says, without empty ones, and each as far as anybody reads it."""
    shown = [_cut(line.rstrip()) for line in lines if line.strip()]
    return "\n".join(shown[:_LINES]) + (f"\n… {len(shown) - _LINES} more lines" if len(shown) > _LINES else "")


def _cut(line: str) -> str:
    return f"{line[:_LINE_LENGTH]} …" if len(line) > _LINE_LENGTH else line


def files_in(text: str, root: Path, folder: str) -> tuple[str, ...]:
    """The target's files that a message names, in its order: by absolute path, or relative to `folder` or the root."""
    found: dict[str, None] = {}
    for match in _POSITION.finditer(text):
        name = match[1].removeprefix(f"{root}/").removeprefix("./")
        for file in (f"{folder}/{name}" if folder not in ("", ".") else name, name):
            if not name.startswith("/") and (root / file).is_file():
                found[file] = None
                break
    return tuple(found)


def relevant(report: Report, packages: Collection[str]) -> Report:
    """What a report says of these packages."""
    wanted = set(packages)
    return Report(
        tuple(failure for failure in report.failures if failure.package in wanted),
        tuple(test for test in report.passed if test.split(" ")[0] in wanted),
        tuple(package for package in report.died if package in wanted),
        {package: seconds for package, seconds in report.seconds.items() if package in wanted},
        tuple(package for package in report.hung if package in wanted),
        tuple(package for package in report.unfinished if package in wanted),
    )


def joined(reports: Iterable[Report]) -> Report:
    """Several reports as one, in their order."""
    parts = list(reports)
    return Report(
        tuple(failure for part in parts for failure in part.failures),
        tuple(test for part in parts for test in part.passed),
        tuple(package for part in parts for package in part.died),
        {package: seconds for part in parts for package, seconds in part.seconds.items()},
        tuple(package for part in parts for package in part.hung),
        tuple(package for part in parts for package in part.unfinished),
    )
