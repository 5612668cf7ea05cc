"""Child processes that work on a target: in a group of their own, which ends with the block, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

OUTPUT_LIMIT = 256 << 20
"""Bytes of each output that are kept; a child that prints more is ended."""

_CHUNK = 1 << 16
_PATIENCE = 5.0


@dataclass(frozen=True)
class Done:
    """A command that has ended: its exit code (negative: by a signal), what it printed, and why it was cut short.

    `cut` is empty, `time` (it did not end within its seconds) or `output` (it printed more than is kept).
    """

    returncode: int
    stdout: bytes
    stderr: bytes
    cut: str = ""


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
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=dict(env),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        end_group(process)
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process of `started` and what it has started; nothing where they have ended."""
    with suppress(ProcessLookupError, PermissionError):
        if os.name == "nt":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


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
