"""A lock between processes, that ends with the process that holds it, however that ends."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audit_lib.errors import OutputError
from audit_lib.read.gotool import cache_root
from audit_lib.untrusted.writing import PRIVATE_FILE, private_folder

try:
    import fcntl
except ImportError:  # Windows: without the lock, two runs on one target at once are not told from each other
    fcntl = None  # type: ignore[assignment]


# Those after the first two are not on Windows.
_OPEN = os.O_RDWR | os.O_CREAT | sum(getattr(os, flag, 0) for flag in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK"))


@contextmanager
def locked(file: Path) -> Iterator[bool]:
    """Whether the lock was free; it is held for as long as the block lasts. The file is made, private, and stays.

    Raises `OutputError` where it cannot be made: a link or a pipe under its name is not opened.
    """
    try:
        private_folder(file.parent, top=cache_root())
        handle = os.open(file, _OPEN, PRIVATE_FILE)
    except OSError as error:
        raise OutputError(f"{file}: {error.strerror}; name a folder that can be written in XDG_CACHE_HOME") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OutputError(f"{file}: not a regular file; remove it, or name another folder in XDG_CACHE_HOME")
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
