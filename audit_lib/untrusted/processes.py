"""Child processes that work on a target: in a group of their own, which ends with the block, however that ends.

Programs are looked for where the user has put them, never in the target or relative to where the user stands.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import IO

OUTPUT_LIMIT = 256 << 20
"""Bytes of each output that are kept; a child that prints more is ended."""

_CHUNK = 1 << 16
_PATIENCE = 5.0
_ROUNDS = 100


@dataclass(frozen=True)
class Done:
    """A command that has ended: its exit code (negative: by a signal), what it printed, and why it was cut short.

    `cut` is empty, `time` (it did not end within its seconds) or `output` (it printed more than is kept).
    """

    returncode: int
    stdout: bytes
    stderr: bytes
    cut: str = ""


class Leash:
    """Ends from one thread what another has started, and lets that start nothing more.

    The thread that starts processes does so within `with leash.held():`; any other calls `close`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._over = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within the block, what this thread starts is on the leash."""
        before = _leash.set(self)
        try:
            yield
        finally:
            _leash.reset(before)

    def close(self) -> None:
        """End what runs; what would be started from now on is an `OSError`."""
        with self._lock:
            self._over = True
            for process in self._processes:
                end_group(process)

    def take(self, process: subprocess.Popen[bytes]) -> None:
        """Put a process on the leash. Raises `OSError` where that has ended."""
        with self._lock:
            if self._over:
                raise OSError(errno.ECANCELED, os.strerror(errno.ECANCELED))
            self._processes.add(process)

    def leave(self, process: subprocess.Popen[bytes]) -> None:
        """Take a process that has ended off the leash."""
        with self._lock:
            self._processes.discard(process)


_leash: ContextVar[Leash | None] = ContextVar("leash", default=None)  # of this thread


def find_program(name: str, *, path: str | None = None, not_in: Iterable[Path] = ()) -> Path | None:
    """Where a program is on PATH (`path` in its place), in the folders that `safe_path` leaves of it.

    A program that is itself a link into one of `not_in` is passed over too.
    """
    barred = _barred(not_in)
    for folder in safe_path(path, not_in=not_in).split(os.pathsep):
        found = shutil.which(name, path=folder) if folder else None
        if found is not None and not _within(Path(os.path.realpath(found)), barred):
            return Path(found)
    return None


def safe_path(path: str | None = None, *, not_in: Iterable[Path] = ()) -> str:
    """PATH without what a target could put programs into: relative folders, those in `not_in` (the target), and those
    in the working folder, unless the user's home lies in it."""
    barred = _barred(not_in)
    given = os.environ.get("PATH", os.defpath) if path is None else path
    folders = (folder for folder in given.split(os.pathsep) if Path(folder).is_absolute())
    return os.pathsep.join(folder for folder in folders if not _within(Path(os.path.realpath(folder)), barred))


def _barred(folders: Iterable[Path]) -> list[Path]:
    barred = [Path(os.path.realpath(folder)) for folder in folders]
    with suppress(OSError):  # the working folder may be gone
        here = Path(os.path.realpath(os.curdir))
        if not Path(os.path.realpath(os.path.expanduser("~"))).is_relative_to(here):  # noqa: PTH111 -- never raises
            barred.append(here)
    return barred


def _within(place: Path, folders: Iterable[Path]) -> bool:
    return any(place.is_relative_to(folder) for folder in folders)


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    stdin: bytes = b"",
    seconds: float | None = None,
    limit: int = OUTPUT_LIMIT,
) -> Done:
    """Run a command to its end, or until it has taken so many seconds or printed more than `limit` bytes.

    What it has started ends with it. Raises `OSError` where it cannot be started.
    """
    with started(command, env=env, cwd=cwd, stdin=subprocess.PIPE) as process:
        assert process.stdin and process.stdout and process.stderr
        readers = [_Reader(process, stream, limit) for stream in (process.stdout, process.stderr)]
        writer = threading.Thread(target=_feed, args=(process.stdin, stdin), daemon=True)
        writer.start()
        cut = ""
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            cut = "time"
        end_group(process)
        outputs = [reader.text() for reader in readers]
        writer.join()
        if not cut and any(reader.full for reader in readers):
            cut = "output"
        return Done(process.wait(), outputs[0], outputs[1], cut)


@contextmanager
def started(
    command: Sequence[str], *, env: Mapping[str, str], cwd: Path | None = None, stdin: int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[bytes]]:
    """A process with pipes for its outputs, for as long as the block lasts: after it, it and its children are gone."""
    leash = _leash.get()
    born: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(env),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        born.append(process)

    try:
        # In a thread: a signal's handler runs in the main one, and could lose a process that is half started there.
        with ThreadPoolExecutor(max_workers=1) as pool:
            pool.submit(start).result()
        if leash is not None:
            leash.take(born[0])
        yield born[0]
    finally:
        for process in born:
            if leash is not None:
                leash.leave(process)
            _ended(process)


def _ended(process: subprocess.Popen[bytes]) -> None:
    end_group(process)
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.close()


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process of `started` and what it has started; nothing where they have ended.

    On Linux that holds for children in groups of their own too, as long as they are in the process's session.
    """
    if os.name == "nt":
        process.kill()
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.returncode == 0:
        return  # who ends well has waited for its children
    for _ in range(_ROUNDS):
        members = _session(process.pid)
        if not members:
            return
        for member in members:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(member, signal.SIGKILL)


def _session(leader: int) -> list[int]:
    """The processes of a session that run, its leader left out; none where the system does not list them."""
    found = []
    with suppress(OSError), os.scandir("/proc") as entries:
        for name in (entry.name for entry in entries if entry.name.isdecimal()):
            with suppress(OSError, ValueError):
                # After the program's name, which can hold all characters: state, parent, group, session.
                fields = Path("/proc", name, "stat").read_bytes().rpartition(b")")[2].split()
                if int(fields[3]) == leader and fields[0] != b"Z" and int(name) != leader:
                    found.append(int(name))
    return found


class _Reader:
    """Reads one output to its end; the process ends where there is too much of it."""

    def __init__(self, process: subprocess.Popen[bytes], stream: IO[bytes], limit: int) -> None:
        self._process, self._stream, self._limit = process, stream, limit
        self._parts: list[bytes] = []
        self.full = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def text(self) -> bytes:
        self._thread.join(_PATIENCE)  # who has left the group can hold the output open
        return b"".join(self._parts)

    def _read(self) -> None:
        size = 0
        with suppress(OSError, ValueError):
            while part := os.read(self._stream.fileno(), _CHUNK):
                size += len(part)
                if size > self._limit:
                    self.full = True
                    end_group(self._process)
                    return
                self._parts.append(part)


def _feed(stream: IO[bytes], data: bytes) -> None:
    with suppress(OSError):  # it has ended without reading
        stream.write(data)
        stream.close()
