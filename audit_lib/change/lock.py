"""A lock between processes, that ends with the process that holds it, however that ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audit_lib.errors import OutputError

try:
    import fcntl
except ImportError:  # Windows: without the lock, two runs on one target at once are not told from each other
    fcntl = None  # type: ignore[assignment]


@contextmanager
def locked(file: Path) -> Iterator[bool]:
    """Whether the lock was free; it is held for as long as the block lasts. The file is made and stays.

    Raises `OutputError` where it cannot be made.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise OutputError(f"{file}: {error.strerror}; name a folder that can be written in XDG_CACHE_HOME") from error
    try:
        yield _taken(handle)
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
