"""Programs, run and measured: wall time, and memory as the system accounts for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import InputError

_SAMPLE = 0.05  # seconds between two looks at the memory of all processes together
_PATIENCE = 10.0  # seconds in which a program that is asked to end may do so
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Usage:
    """What a program took: seconds of wall time, bytes, its exit code, and the end of what it said of errors.

    `peak` is the largest process among the program and those it started, as `/usr/bin/time -v` says. `together` is the
    most that all of them held at the same time, sampled; pages that they share are counted for each. It is 0 where the
    system has no /proc.
    """

    seconds: float
    peak: int
    together: int
    code: int
    said: str


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    sample: bool = False,
) -> Usage:
    """Run a program to its end and account for it; `sample` also looks at the memory of all its processes together.

    It runs in a process group of its own, which is ended with us: nothing it started goes on after an interruption.
    Raises `InputError` where it cannot be started.
    """
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        try:
            process = subprocess.Popen(
                [str(word) for word in command],
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        except OSError as error:
            raise InputError(f"{command[0]}: cannot be run ({error.strerror})") from error
        watch = _Watch(process.pid, sample)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            _end(process)
            raise
        finally:
            together = watch.stop()
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - 4000))
        said = errors.read().decode(errors="replace").strip()
    return Usage(seconds, usage.ru_maxrss * _MAXRSS_UNIT, together, process.returncode, said)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program and its group. It is asked first: only itself can end what it has put into groups of their own."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_PATIENCE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class _Watch:
    """Looks at the memory of a session's processes every now and then, in a thread."""

    def __init__(self, session: int, wanted: bool) -> None:
        self._session = session
        self._most = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        if wanted:
            self._thread.start()

    def stop(self) -> int:
        """The most that was seen, in bytes."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        return self._most

    def _look(self) -> None:
        while not self._over.wait(_SAMPLE):
            self._most = max(self._most, resident(self._session))


def resident(session: int) -> int:
    """The bytes of memory that all processes of a session hold now; 0 where there is no /proc."""
    pages = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # After the name in brackets, which can hold anything: state, parent, group, session.
            after = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            if int(after[3]) == session:
                pages += int((folder / "statm").read_text().split()[1])
        except (OSError, IndexError, ValueError):
            continue  # it has ended since
    return pages * os.sysconf("SC_PAGE_SIZE")
