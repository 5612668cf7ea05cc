"""How gofacts is run on a target: within a time and a size, without what it may not read, and again where it breaks."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from audit_lib.config import GoOptions
from audit_lib.errors import OutOfTimeError, ToolchainError
from audit_lib.progress import Progress, silent
from audit_lib.read import gotool, kept
from audit_lib.read.facts import Facts, Problem, decode, decode_wide
from audit_lib.read.modules import named_outside
from audit_lib.untrusted import processes

FACTS_LIMIT = 1 << 30
"""How many bytes of facts are read: a repository of a million lines has about a tenth."""

MOST_SKIPPED = 8
"""Past so many packages at which gofacts breaks, it is not run again."""

_REFUSED = 1  # the exit code with which gofacts says why it cannot go on
_SAID, _SAID_LENGTH = 20, 500  # lines that are kept of what it says: a stack can be very long
_NOT_READ = "the module is not read with types; if the folder is to be trusted, name it with --outside DIR"
_CHANGED = "changed while the packages were read: what is said of its module may not hold"


def read(target: Path, options: GoOptions, progress: Progress = silent, *, seconds: float | None = None) -> Facts:
    """The facts of the packages below a folder.

    Raises `ToolchainError` when they cannot be had at all, or not within so many seconds. `progress` is called from
    another thread, with the number of packages that are read.
    """
    lines, problems = _printed(target, options, progress, seconds)
    return _with(decode(lines), problems)


def read_wide(
    target: Path, options: GoOptions, progress: Progress = silent, *, seconds: float | None = None
) -> tuple[Facts, Facts]:
    """The facts that `read` gives, and all facts: who changes a signature must know every caller. Raises as it does."""
    lines, problems = _printed(target, options, progress, seconds, "-wide")
    near, whole = decode_wide(lines)
    return _with(near, problems), _with(whole, problems)


def _with(facts: Facts, problems: Sequence[Problem]) -> Facts:
    return replace(facts, problems=(*problems, *facts.problems)) if problems else facts


def _printed(
    target: Path, options: GoOptions, progress: Progress, seconds: float | None, *more: str
) -> tuple[list[bytes], list[Problem]]:
    """The lines that gofacts prints, and what it was not let read."""
    progress("types", 0, 0)
    go = gotool.find_go(not_in=(target,))
    barred = [one for one in named_outside(target, options, go) if one.reason]
    problems = [Problem(one.where, f"{one.reason}: {_NOT_READ}") for one in barred]
    env = gotool.environment(go)
    if barred:
        env["GOWORK"] = "off"  # a workspace would bring in what its modules name
    before = kept.states(target)
    with tempfile.TemporaryDirectory(prefix="ctxaudit-mod-") as private:
        command = [*_command(go, target, options), "-private", private, *more]
        for folder in sorted({one.folder for one in barred}):
            command += ["-without", folder]
        printed = _tried(command, env, target, seconds, progress)
    problems += [Problem(name, _CHANGED) for name in kept.changed(before, kept.states(target))]
    return printed, problems


def _command(go: gotool.GoTool, target: Path, options: GoOptions) -> list[str]:
    cache = gotool.cache_root() / "facts"
    command = [str(gotool.build_helper(go)), "-watch", "-dir", str(target), "-cache", str(cache)]
    for flag, value in (
        ("-tags", ",".join(options.tags)),
        ("-mod", options.mod),
        ("-modfile", options.modfile),
        ("-compile", options.compile),
    ):
        if value:
            command += [flag, value]
    return command


def _tried(
    command: Sequence[str], env: Mapping[str, str], target: Path, seconds: float | None, progress: Progress
) -> list[bytes]:
    """What gofacts prints. Packages at which it breaks are left out, and it is run again."""
    deadline = None if seconds is None else time.monotonic() + seconds
    skipped: list[str] = []
    while True:
        leave_out = [word for path in skipped for word in ("-skip", path)]
        ran = _run([*command, *leave_out], env, deadline, progress)
        if ran.cut == "time":
            raise OutOfTimeError(f"not read within {seconds:.0f} s")
        if ran.cut == "output":
            raise ToolchainError(f"{target}: the facts of its packages are longer than {FACTS_LIMIT >> 20} MB")
        if ran.returncode == 0:
            return ran.lines
        if ran.returncode == _REFUSED or not ran.reading or len(skipped) >= MOST_SKIPPED:
            message = "; ".join(ran.said).removeprefix("gofacts: ") or f"exit code {ran.returncode}"
            raise ToolchainError(f"{target}: the packages cannot be loaded ({message})")
        skipped += ran.reading


@dataclass(frozen=True)
class _Ran:
    """How gofacts ended: `cut` is `time` or `output` where it was ended; `reading` are the packages it was at."""

    returncode: int
    lines: list[bytes]
    said: list[str]
    reading: list[str]
    cut: str


def _run(command: list[str], env: Mapping[str, str], deadline: float | None, progress: Progress) -> _Ran:
    said: list[str] = []
    reading: list[str] = []
    cut: list[str] = []
    try:
        # Standard input is held open: where it ends, since we were killed, gofacts ends what it has started.
        with (
            processes.started(command, env=env, stdin=subprocess.PIPE) as process,
            ThreadPoolExecutor(max_workers=1) as pool,
        ):
            assert process.stdout is not None and process.stderr is not None

            def end() -> None:
                cut.append("time")
                processes.end_group(process)

            left = None if deadline is None else max(deadline - time.monotonic(), 0.0)
            timer = None if left is None else threading.Timer(left, end)
            if timer is not None:
                timer.start()
            try:
                listening = pool.submit(_listen, process.stderr, said, reading, progress)
                printed = process.stdout.read(FACTS_LIMIT + 1)
                if len(printed) > FACTS_LIMIT:
                    cut.append("output")
                    processes.end_group(process)
                listening.result()
                process.wait()
            finally:
                if timer is not None:
                    timer.cancel()
    except OSError as error:
        raise ToolchainError(f"{command[0]}: {error.strerror}; remove it, and it is built again") from error
    return _Ran(process.returncode, printed.splitlines(), said, reading, cut[0] if cut else "")


def _listen(errors: IO[bytes], said: list[str], reading: list[str], progress: Progress) -> None:
    """Tell progress, and which packages are being read, from what gofacts has to say."""
    for line in errors:
        word, *rest = line.decode(errors="replace").split() or [""]
        if word == "progress" and len(rest) == 2:
            progress("types", int(rest[0]), int(rest[1]))
        elif word == "reading" and len(rest) == 1:
            reading.append(rest[0])
        elif word == "read" and len(rest) == 1:
            if rest[0] in reading:
                reading.remove(rest[0])
        elif len(said) < _SAID and word:
            said.append(" ".join((word, *rest))[:_SAID_LENGTH])
