"""A tree copied by handles: nothing that is put into it meanwhile leads out, and what leads out of it stays behind."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from audit_lib.errors import TargetError
from audit_lib.model import Degradation
from audit_lib.untrusted.files import DEPTH_LIMIT, RefusedError, leads_out, real_name
from audit_lib.untrusted.writing import Held, held

SKIPPED = frozenset({".git", ".hg", ".svn", "node_modules"})
"""Folders of version control, and of what is no Go code: they stay behind."""

BYTES_LIMIT = 16 << 30
"""What the files of a copy may hold together, in bytes; holes of sparse files do not count."""

FILES_LIMIT = 1_000_000
"""Files, folders and links that a copy may have."""

_CHUNK = 1 << 20
_FOLDER_MODE = 0o755  # inside a folder that only the user can enter
_STAYS = "left out of the copy that a fix is proved in"


@dataclass(frozen=True)
class Copied:
    """What was copied: a digest of names and contents; links that lead out (relative, sorted), and all that was left.

    Without holes a file's digest is that of its bytes, whatever the file system.
    """

    digest: str
    outside: frozenset[str]
    left_out: tuple[Degradation, ...]


def copy_tree(source: Path, copy: Path, skips: Callable[[str], bool]) -> Copied:
    """Copy what is in a folder into another, which is there and empty; `skips` says of names (relative) what stays.

    Links out of `source`, pipes, sockets, devices, and what lies too deep stay behind, and are named. Raises
    `TargetError` where the source cannot be read or is more than a copy may hold, `OSError` for the copy.
    """
    work = _Work(Path(os.path.realpath(source)), skips)
    with ExitStack() as stack:
        theirs = stack.enter_context(held(copy))
        with _reading(source):
            ours = stack.enter_context(held(source))
        work.copy(ours, theirs)
    for name in work.links:  # a link that was put in the way of another meanwhile, and led that one on
        if leads_out(copy, name):
            (copy / name).unlink()
            work.leave_link(name)
    left = tuple(sorted(work.left, key=lambda one: (one.where, one.reason)))
    return Copied(work.digest.hexdigest(), frozenset(work.outside), left)


@dataclass
class _Frame:
    name: str
    ours: Held
    theirs: Held
    entries: Iterator[os.DirEntry[str]]

    def inside(self, name: str) -> str:
        return f"{self.name}/{name}" if self.name else name


@dataclass
class _Work:
    """A copy on its way: what it has come to so far."""

    source: Path
    skips: Callable[[str], bool]
    links: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    left: list[Degradation] = field(default_factory=list)
    files: int = 0
    size: int = 0

    def __post_init__(self) -> None:
        self.digest = hashlib.sha256()

    def copy(self, ours: Held, theirs: Held) -> None:
        """Copy what is in a folder, each folder before what is in it, in the order of names."""
        frames = [_Frame("", ours, theirs, self._entries(ours))]
        try:
            while frames:
                frame = frames[-1]
                entry = next(frame.entries, None)
                if entry is None:
                    self._close(frames)
                    continue
                name = frame.inside(entry.name)
                if self.skips(name):
                    continue
                self._count(files=1)
                if entry.is_dir(follow_symlinks=False):
                    self._note(name, "folder")
                    if len(frames) > DEPTH_LIMIT:
                        self._leave(name, f"more than {DEPTH_LIMIT} folders deep")
                    else:
                        frames.append(self._opened(frame, entry.name))
                else:
                    self._note(name, self._copied(frame, entry))
        finally:
            while frames:
                self._close(frames)

    def leave_link(self, name: str) -> None:
        """A link stays behind."""
        self.outside.append(name)
        self._leave(name, "a link that leads out of the target")

    def _leave(self, name: str, why: str) -> None:
        where = os.fsencode(name).decode("utf-8", "backslashreplace")
        self.left.append(Degradation(where, f"{why}: {_STAYS}"))

    def _close(self, frames: list[_Frame]) -> None:
        frame = frames.pop()
        if frames:  # the first ones are the caller's
            frame.ours.close()
            frame.theirs.close()

    def _opened(self, frame: _Frame, name: str) -> _Frame:
        with _reading(frame.ours.path / name):
            ours = frame.ours.folder(name)
        try:
            theirs = frame.theirs.folder(name, make=_FOLDER_MODE)
            return _Frame(frame.inside(name), ours, theirs, self._entries(ours))
        except (OSError, TargetError):
            ours.close()
            raise

    def _entries(self, folder: Held) -> Iterator[os.DirEntry[str]]:
        with _reading(folder.path):
            return iter(folder.entries())

    def _note(self, name: str, what: str) -> None:
        self.digest.update(f"{name}\0{what}\0".encode("utf-8", "surrogateescape"))

    def _count(self, *, files: int = 0, size: int = 0) -> None:
        self.files += files
        self.size += size
        if self.files > FILES_LIMIT or self.size > BYTES_LIMIT:
            over = f"{FILES_LIMIT:,} files" if self.files > FILES_LIMIT else f"{BYTES_LIMIT >> 30} GiB"
            raise TargetError(f"{self.source}: more than {over} to copy; name a folder in it that holds less")

    def _copied(self, frame: _Frame, entry: os.DirEntry[str]) -> str:
        """Copy what is no folder, and say what it holds."""
        name = frame.inside(entry.name)
        if entry.is_symlink():
            return self._copied_link(frame, entry.name)
        if not entry.is_file(follow_symlinks=False):
            self._leave(name, "a pipe, a socket or a device")
            return "special"
        with _reading(frame.ours.path / entry.name):
            try:
                handle = frame.ours.open(entry.name)
            except PermissionError:
                return "unreadable"  # to the go command too: what needs it fails before a change and after
        try:
            return self._copied_file(handle, frame, entry.name)
        finally:
            os.close(handle)

    def _copied_link(self, frame: _Frame, name: str) -> str:
        """Copy a link that stays inside: what it leads to is looked for in the copy."""
        file = frame.inside(name)
        with _reading(frame.ours.path / name):
            text = frame.ours.link(name)
        try:
            real = real_name(self.source, file)
        except RefusedError:
            self.leave_link(file)
            return "link out"
        around = self.source / frame.name
        steps = Path(os.path.normpath(around / text))
        if os.path.isabs(text) or not steps.is_relative_to(self.source):  # noqa: PTH117
            text = os.path.relpath(self.source / real, os.path.realpath(around))
        frame.theirs.make_link(name, text)
        self.links.append(file)
        return f"link {text}"

    def _copied_file(self, handle: int, frame: _Frame, name: str) -> str:
        info = os.fstat(handle)
        digest = hashlib.sha256()
        copy = frame.theirs.create(name, stat.S_IMODE(info.st_mode))
        try:
            for start, end in _data(handle, info):
                if end - start != info.st_size:
                    digest.update(f"{start} {info.st_size}\0".encode())
                os.lseek(handle, start, os.SEEK_SET)
                os.lseek(copy, start, os.SEEK_SET)
                self._copied_data(handle, copy, end - start, digest.update)
            if info.st_size > os.fstat(copy).st_size:
                os.ftruncate(copy, info.st_size)
            os.utime(copy, ns=(info.st_atime_ns, info.st_mtime_ns))  # Go caches a test by the times of what it opens
        finally:
            os.close(copy)
        return digest.hexdigest()

    def _copied_data(self, handle: int, copy: int, size: int, seen: Callable[[bytes], None]) -> None:
        while size > 0:
            with _reading(self.source):
                chunk = os.read(handle, min(size, _CHUNK))
            if not chunk:
                return  # it got shorter meanwhile
            self._count(size=len(chunk))
            seen(chunk)
            size -= len(chunk)
            while chunk:
                chunk = chunk[os.write(copy, chunk) :]


def _data(handle: int, info: os.stat_result) -> Iterator[tuple[int, int]]:
    """Where a file has bytes, and no holes: start and end of each stretch."""
    if not hasattr(os, "SEEK_DATA") or info.st_blocks * 512 >= info.st_size:
        yield 0, info.st_size
        return
    at = 0
    with suppress(OSError):  # no data behind a place is an error
        while at < info.st_size:
            start = os.lseek(handle, at, os.SEEK_DATA)
            at = min(os.lseek(handle, start, os.SEEK_HOLE), info.st_size)
            yield start, at


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = error.strerror or os.strerror(error.errno or errno.EIO)
        raise TargetError(f"{error.filename or path}: {what}; the target cannot be copied") from error
