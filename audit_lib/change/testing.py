"""What the tests of packages say, test by test, as `go test -json` reports them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from audit_lib.change.budget import OutOfTimeError
from audit_lib.change.failures import Failure, Report, files_in, gist
from audit_lib.change.packages import Commands, Package, by_module, objects

_NOISE = re.compile(r"^\s*(=== |--- (PASS|SKIP|FAIL)|FAIL\b|PASS$|ok |exit status|coverage:)")
_FRAME = re.compile(r"^\t[^/\s]\S*\.go:\d+ ")
_TIMEOUT = "panic: test timed out after "
_DEADLY = re.compile(r"^(panic: |fatal error: |SIG[A-Z]+: )", re.MULTILINE)

_NO_END, _NO_WORD = "go test does not say how its tests ended", "failed without a word"

PATIENCE, LEAST_PATIENCE = 5.0, 10.0
"""How many times of what it took before the change a test may take that has hung, and seconds besides."""


@dataclass
class _Seen:
    """The events of one package so far: the tests' outcomes, and what they and the package printed."""

    outcomes: dict[str, str] = field(default_factory=dict)
    printed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    failed: bool = False
    build: str = ""
    ended: bool = False
    seconds: float = 0.0
    tests: float = 0.0


def run_tests(commands: Commands, packages: Sequence[Package], *, race: bool = False, timeout: float = 300) -> Report:
    """Run the tests of packages. `timeout` is in seconds, for each package. Packages come in the order that is given.

    Where the time of `commands` is over, those that have not come to an end are `unfinished`; else they have failed.
    A test that was running when its binary ended, by a panic, a timeout or an exit, has failed too; where none was,
    the failure is the package's own and has no name.
    """
    flags = ["-json", "-vet=off", f"-timeout={timeout:g}s"] + ["-race"] * race
    seen: dict[str, _Seen] = defaultdict(_Seen)
    builds: dict[str, list[str]] = defaultdict(list)
    folders = {package.path: package.folder for package in packages}
    cut = False
    for module, group in by_module(packages):
        try:
            output = commands.run(module, ["test", *flags], [package.path for package in group]).stdout
        except OutOfTimeError as error:
            output, cut = error.output.rpartition("\n")[0], True
        _take(objects(output), seen, builds)
    silent = [package.path for package in packages if not seen[package.path].ended]
    unfinished = silent if cut else []
    for path in unfinished:
        seen.pop(path, None)
    for path in () if cut else silent:
        # Whatever has ended the go command, or garbled what it said: nobody has seen these tests pass.
        seen[path].failed = True
    parts = [_report(commands, path, folders.get(path, "."), one, builds) for path, one in sorted(seen.items())]
    return Report(
        tuple(failure for failures, _, _ in parts for failure in failures),
        tuple(test for _, passed, _ in parts for test in passed),
        tuple(path for (_, _, died), path in zip(parts, sorted(seen), strict=True) if died),
        {path: round(max(one.seconds, one.tests), 3) for path, one in sorted(seen.items())},
        tuple(path for path, one in sorted(seen.items()) if one.failed and _has_hung(one)),
        tuple(sorted(unfinished)),
    )


def patience(timeout: float, known: Mapping[str, float], packages: Iterable[Package]) -> float:
    """What the tests of packages may take that have hung once, by what they took before the change: a few times that.

    The whole `timeout` where that is not known.
    """
    taken = [known.get(package.path) for package in packages]
    longest = max((seconds for seconds in taken if seconds is not None), default=timeout)
    return timeout if None in taken else min(timeout, LEAST_PATIENCE + PATIENCE * longest)


def _has_hung(seen: _Seen) -> bool:
    return any(line.startswith(_TIMEOUT) for printed in seen.printed.values() for line in printed)


class _Event(msgspec.Struct, rename="pascal", frozen=True):
    """A line of `go test -json`."""

    action: str
    package: str = ""
    test: str = ""
    output: str = ""
    import_path: str = ""
    elapsed: float = 0.0
    failed_build: str = ""


def _take(lines: Iterable[dict[str, Any]], seen: dict[str, _Seen], builds: dict[str, list[str]]) -> None:
    for line in lines:
        try:
            event = msgspec.convert(line, _Event)
        except msgspec.ValidationError:
            continue  # a test can print among the lines of the go command
        action, path, test = event.action, event.package, event.test
        if action == "build-output":
            builds[event.import_path].append(event.output)
        elif action == "output":
            seen[path].printed[test].append(event.output)
        elif test and action in ("run", "pass", "fail", "skip"):
            seen[path].outcomes[test] = action
            # What is in Go's test cache takes no time now: what its tests took is still said.
            seen[path].tests += event.elapsed if "/" not in test else 0.0
        elif action in ("pass", "fail", "skip") and not test:
            seen[path].ended, seen[path].seconds = True, event.elapsed
            if action == "fail":
                seen[path].failed = True
                seen[path].build = event.failed_build


def _report(
    commands: Commands, path: str, folder: str, seen: _Seen, builds: dict[str, list[str]]
) -> tuple[list[Failure], list[str], bool]:
    """The failures of a package, its tests that passed, and whether its test binary ended before it should."""
    passed = [f"{path} {test}" for test, outcome in sorted(seen.outcomes.items()) if outcome == "pass"]
    if not seen.failed:
        return [], passed, False
    if seen.build:
        return [_failure(commands, path, folder, "", builds[seen.build])], passed, True
    # A binary that comes to its end prints a line of its own.
    died = "FAIL\n" not in seen.printed[""]
    failed = {test for test, outcome in seen.outcomes.items() if outcome == "fail"}
    deadly = any(_DEADLY.search("".join(seen.printed[test])) for test in failed)
    if died and not deadly:
        failed |= {test for test, outcome in seen.outcomes.items() if outcome == "run"}
    # A test fails with each of its subtests: the innermost says what went wrong.
    leaves = sorted(test for test in failed if not any(other.startswith(f"{test}/") for other in failed))
    names = leaves or [""]
    silence = _NO_WORD if seen.ended else _NO_END
    return [_failure(commands, path, folder, name, seen.printed[name], silence) for name in names], passed, died


def _failure(
    commands: Commands, path: str, folder: str, name: str, printed: Sequence[str], silence: str = _NO_WORD
) -> Failure:
    """A test's failure. `silence` is what is told where nothing was printed."""
    text = "".join(printed).replace(f"{commands.root}/", "")
    lines = [line for line in text.splitlines() if not _NOISE.match(line)]
    files = files_in("\n".join(lines), commands.root, folder)
    return Failure("test", path, name, gist(_said(lines)) or silence, files)


def _said(lines: list[str]) -> list[str]:
    """The lines that say why: of a crash its own, and of the stack the target's, whose paths are relative."""
    deadly = next((number for number, line in enumerate(lines) if _DEADLY.match(line)), None)
    if deadly is None:
        return lines
    stack = next((number for number in range(deadly, len(lines)) if lines[number].startswith("goroutine ")), len(lines))
    return lines[deadly:stack] + [line for line in lines[stack:] if _FRAME.match(line)]
