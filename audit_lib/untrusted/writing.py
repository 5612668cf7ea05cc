"""Writing where a target, or what ran in a copy of one, may have put links: by handles of folders, through no link.

A folder is opened part by part from a root, and no part may be a link, also not one that is put there in the middle.
Files are made fresh, private until their owner and mode are set, and take the place of old ones by a rename: what an
old file shares with the outside (a hard link) is never opened to be written.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from audit_lib.untrusted.files import FILE_LIMIT, RefusedError, real_name

Owner = tuple[int, int]
PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
PLAIN = 0o777
"""The bits of a mode that are carried over: not those that give whoever runs a file its owner's rights."""

_HANDLES = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")  # not on Windows
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_READ = (
    os.O_RDONLY | _NOFOLLOW | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
)
_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True)
class Held:
    """A folder that is held open: what is done in it is done there, wherever links lead meanwhile.

    Names are those of things in it, without `/`. Errors carry the path in full.
    """

    path: Path
    handle: int | None  # none where the system has no handles of folders

    def close(self) -> None:
        """Let go of the folder."""
        if self.handle is not None:
            os.close(self.handle)

    def entries(self) -> list[os.DirEntry[str]]:
        """What is in the folder, in the order of names."""
        with self._named("."), os.scandir(self.path if self.handle is None else self.handle) as found:
            return sorted(found, key=lambda entry: entry.name)

    def info(self, name: str) -> os.stat_result | None:
        """What is known of something in the folder, a link itself and not what it leads to; `None`: it is not there."""
        with self._named(name):
            try:
                return os.stat(self._at(name), dir_fd=self.handle, follow_symlinks=False)
            except FileNotFoundError:
                return None

    def link(self, name: str) -> str:
        """The text of a link."""
        with self._named(name):
            return os.readlink(self._at(name), dir_fd=self.handle)

    def make_link(self, name: str, text: str) -> None:
        """Make a link that is not there yet."""
        with self._named(name):
            os.symlink(text, self._at(name), dir_fd=self.handle)

    def folder(self, name: str, *, make: int | None = None) -> Held:
        """A folder in this one, held open; `make` is the mode that it is made with where it is missing."""
        with self._named(name):
            if make is not None:
                with suppress(FileExistsError):
                    os.mkdir(self._at(name), make, dir_fd=self.handle)
            if self.handle is None:
                if not stat.S_ISDIR(os.lstat(self._at(name)).st_mode):
                    raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
                return Held(self.path / name, None)
            return Held(self.path / name, os.open(name, _FOLDER | _NOFOLLOW, dir_fd=self.handle))

    def open(self, name: str) -> int:
        """A handle to read a regular file with. Raises `RefusedError` for a link and all else that is none."""
        with self._named(name):
            at = self._at(name)
            if not stat.S_ISREG(os.stat(at, dir_fd=self.handle, follow_symlinks=False).st_mode):
                raise RefusedError(errno.EINVAL, "not a regular file")  # before it is opened: devices act on that
            handle = os.open(at, _READ, dir_fd=self.handle)
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                os.close(handle)
                raise RefusedError(errno.EINVAL, "not a regular file")
            return handle

    def read(self, name: str, limit: int = FILE_LIMIT) -> bytes | None:
        """The bytes of a regular file, `None` where nothing is. Raises `RefusedError` for all else and past `limit`."""
        if self.info(name) is None:
            return None
        with self._named(name), os.fdopen(self.open(name), "rb") as file:
            data = file.read(limit + 1)
            if len(data) > limit:
                raise RefusedError(errno.EFBIG, f"larger than {limit >> 20} MiB")
            return data

    def create(self, name: str, mode: int = PRIVATE_FILE, owner: Owner | None = None) -> int:
        """A handle to write a file with that is not there yet; its owner (where that is allowed) and mode are set."""
        with self._named(name):
            handle = os.open(self._at(name), _MAKE, PRIVATE_FILE, dir_fd=self.handle)
            try:
                if self.handle is not None:
                    if owner is not None and owner != (os.geteuid(), os.getegid()):
                        with suppress(PermissionError):
                            os.fchown(handle, *owner)
                    os.fchmod(handle, mode & PLAIN)
            except OSError:
                os.close(handle)
                raise
            return handle

    def write(
        self,
        name: str,
        data: bytes,
        mode: int = PRIVATE_FILE,
        owner: Owner | None = None,
        *,
        sync: bool = False,
    ) -> None:
        """Make a file that is not there yet; with `sync` its bytes are on disk then."""
        handle = self.create(name, mode, owner)
        with self._named(name), os.fdopen(handle, "wb") as file:
            file.write(data)
            if sync:
                file.flush()
                os.fsync(handle)

    def set_time(self, name: str, time_ns: int) -> None:
        """Set when something was changed, in nanoseconds; `.` is the folder."""
        with self._named(name):
            os.utime(self._at(name), ns=(time_ns, time_ns), dir_fd=self.handle, follow_symlinks=self.handle is None)

    def move(self, name: str, to: str, folder: Held | None = None) -> None:
        """Give something another name, in this folder or another; what has that name goes, a link itself."""
        there = folder or self
        with there._named(to):
            os.replace(self._at(name), there._at(to), src_dir_fd=self.handle, dst_dir_fd=there.handle)

    def give_name(self, name: str, other: str) -> None:
        """Give a file another name as well, one that nothing has: `FileExistsError` otherwise."""
        with self._named(other):
            os.link(
                self._at(name),
                self._at(other),
                src_dir_fd=self.handle,
                dst_dir_fd=self.handle,
                follow_symlinks=self.handle is None,
            )

    def remove(self, name: str) -> None:
        """Remove what is no folder, a link itself. Raises `FileNotFoundError` where nothing is."""
        with self._named(name):
            os.unlink(self._at(name), dir_fd=self.handle)

    def remove_folder(self, name: str) -> None:
        """Remove an empty folder."""
        with self._named(name):
            os.rmdir(self._at(name), dir_fd=self.handle)

    def writable(self, name: str = ".") -> bool:
        """Whether somebody may write it by its mode, and the process may. Root may, whatever the mode says: so both."""
        info = self.info(name)
        allowed = os.access(self._at(name), os.W_OK, dir_fd=self.handle)
        return info is not None and bool(info.st_mode & _WRITABLE) and allowed

    def sync(self) -> None:
        """See to it that renames in the folder are on disk."""
        if self.handle is not None:
            with self._named("."):
                os.fsync(self.handle)

    def _at(self, name: str) -> str:
        return name if self.handle is not None else str(self.path / name)

    @contextmanager
    def _named(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            kind = RefusedError if isinstance(error, RefusedError) else OSError
            raise kind(error.errno, error.strerror, str(self.path / name)) from error


@contextmanager
def held(root: Path, folder: str = "", *, make: int | None = None) -> Iterator[Held]:
    """A folder below a root (relative, `/`-separated), held open as long as the block lasts. The root may be a link.

    `make` is the mode that folders get which are missing. Raises `OSError` where there is none, and `RefusedError` for
    a way that goes over a link or upwards: names of `real_file` do not.
    """
    now = _root(root)
    try:
        for part in folder.split("/"):
            if part in ("", "."):
                continue
            if part == "..":
                raise RefusedError(errno.EXDEV, "leads out of the folder that it is named in", folder)
            below = _below(now, part, make)
            now.close()
            now = below
        yield now
    finally:
        now.close()


def real_file(root: Path, file: str) -> tuple[str, str]:
    """The folder and the name that a file really has in a root, for `held`: links that stay inside are followed.

    Raises `RefusedError` for a file that is not in the root.
    """
    folder, _, name = real_name(root, file).rpartition("/")
    return folder, name


def unguessable(name: str) -> str:
    """A name for what is to take the place of a file: hidden, and known to nobody before."""
    return f".{name[:200]}.ctxaudit-{secrets.token_hex(8)}"


def private_folder(folder: Path, top: Path | None = None) -> None:
    """Make a folder of the user's own, with those above it that are missing: nobody else can enter them.

    `top` and what is below it are closed to others also where they are there already. Raises `OSError`.
    """
    for part in [*reversed(folder.parents), folder]:
        if not part.exists():
            with suppress(FileExistsError):
                part.mkdir(PRIVATE_FOLDER)
        if _HANDLES and top is not None and part.is_relative_to(top):
            _close_to_others(part)


def _root(root: Path) -> Held:
    if not _HANDLES:
        if not root.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(root))
        return Held(root, None)
    return Held(root, os.open(root, _FOLDER))


def _below(folder: Held, name: str, make: int | None) -> Held:
    try:
        return folder.folder(name, make=make)
    except NotADirectoryError as error:
        info = folder.info(name)
        if info is not None and stat.S_ISLNK(info.st_mode):
            raise RefusedError(errno.ELOOP, "a link is where a folder was", error.filename) from error
        raise


def _close_to_others(folder: Path) -> None:
    handle = os.open(folder, _FOLDER)
    try:
        info = os.fstat(handle)
        if info.st_uid == os.geteuid() and info.st_mode & 0o077:
            os.fchmod(handle, PRIVATE_FOLDER)
    finally:
        os.close(handle)
