"""Reading what is in a target: regular files of bounded size, by ways that stay inside it.

Each name is followed folder by folder, with handles, so a link that leads out of the target is refused also when it is
put there in the middle. Every refusal is an `OSError`, with a `strerror` for people and the file's name in the target.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

FILE_LIMIT = 32 << 20
"""Bytes of a source file that are read: the largest generated Go files of public modules have ten million."""

TEXT_LIMIT = 4 << 20
"""Bytes of a file that people write: configuration, rules, go.mod, go.work."""

DEPTH_LIMIT = 128
"""Folders inside folders that are looked into."""

ENTRY_LIMIT = 5_000_000
"""Files and folders of one walk."""

_LINKS = 40
_PATH_LIMIT = 4096
_NO_TEXT = re.compile(r"[\udc80-\udcff]|\\(?=x[0-9a-f]{2})")
_ESCAPED = re.compile(r"\\x(?!00)([0-9a-f]{2})")
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_FILE = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_BY_HANDLE = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")  # not on Windows


class RefusedError(OSError):
    """What is there is not read: it leads out of the target, is no regular file, or is too large."""


@dataclass(frozen=True)
class Folder:
    """A folder of a target: its name relative to the target (`/`-separated, empty for the target), and what is in it.

    `links` are symbolic links, whatever they lead to; `others` are pipes, sockets and devices. All in order of names.
    """

    name: str
    files: tuple[str, ...]
    links: tuple[str, ...]
    others: tuple[str, ...]

    def inside(self, name: str) -> str:
        """The name, relative to the target, of something in this folder."""
        return f"{self.name}/{name}" if self.name else name


def recorded(name: str) -> str:
    """A file's name as records, results and JSON hold it: each byte of it that is no UTF-8 as `\\xNN`.

    So that `on_disk` can tell it back, a backslash stands as `\\x5c` where it begins what looks like that.
    """
    return _NO_TEXT.sub(lambda found: f"\\x{ord(found[0]) & 0xFF:02x}", name)


def on_disk(name: str) -> str:
    """The name that `recorded` was made from."""
    return _ESCAPED.sub(lambda found: os.fsdecode(bytes.fromhex(found[1])), name) if "\\x" in name else name


def is_path(text: str) -> bool:
    """Whether a text of a target can be a path at all: systems take no NUL in one, and none that is so long."""
    return "\0" not in text and len(text) < _PATH_LIMIT


def read_bytes(root: Path, file: str, limit: int = FILE_LIMIT) -> bytes:
    """The bytes of a file of a target (relative, `/`-separated). Links inside the target are followed.

    Raises `FileNotFoundError` and its kind as `open` does, `RefusedError` for what is not to be read.
    """
    handle = open_file(root, file)
    with os.fdopen(handle, "rb") as source:
        if os.fstat(handle).st_size > limit:
            raise _too_large(file, limit)
        data = source.read(limit + 1)  # it may grow meanwhile
    if len(data) > limit:
        raise _too_large(file, limit)
    return data


def open_file(root: Path, file: str) -> int:
    """A handle to read a regular file of a target with; the caller closes it. Raises as `read_bytes` does."""
    _check(file)
    if not _BY_HANDLE:
        handle = os.open(_resolved_inside(root, file), _FILE)
    else:
        folder, name = _followed(root, file)
        try:
            handle = _open_in(folder, name, file)
        finally:
            os.close(folder)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _special(file)
    return handle


def real_name(root: Path, file: str) -> str:
    """Where a name of a target leads, relative to it: links are followed but for the last part where none is there.

    Raises `RefusedError` where that is not in the target, `OSError` where its folder is missing.
    """
    _check(file)
    real = Path(os.path.realpath(root))
    place = Path(os.path.realpath(root / file))
    if not place.is_relative_to(real):
        raise _outside(file)
    return place.relative_to(real).as_posix()


def leads_out(root: Path, file: str) -> bool:
    """Whether a name of a target leads out of it. What is missing, or a circle of links, does not."""
    return not Path(os.path.realpath(root / file)).is_relative_to(os.path.realpath(root))


def link_on_the_way(path: Path, target: Path) -> Path | None:
    """The first link inside a target that a path goes over, or is; links elsewhere are the user's own, and followed."""
    root = Path(os.path.realpath(target))
    start = path if path.is_absolute() else Path.cwd() / path
    here, left, links = Path(start.anchor), list(start.parts[1:]), 0
    while left and links <= _LINKS:
        part = left.pop(0)
        place = here / part
        try:
            text = place.readlink() if part != ".." else None
        except OSError:  # no link, or nothing there
            text = None
        if text is None:
            here = here.parent if part == ".." else place
            continue
        if place.is_relative_to(root):
            return place
        links += 1
        here = Path(text.anchor) if text.is_absolute() else here
        left = [*(text.parts[1:] if text.is_absolute() else text.parts), *left]
    return None


def walk(
    root: Path, enters: Callable[[str], bool], problem: Callable[[str, OSError], None] = lambda name, error: None
) -> Iterator[Folder]:
    """The folders of a target, each before those in it, in the order of names; links are never followed.

    `enters` says of a folder's own name whether it is looked into. `problem` is called with the relative name of a
    folder that cannot be listed, lies more than `DEPTH_LIMIT` folders deep, or behind `ENTRY_LIMIT` files and folders.
    """
    left, seen = [("", 0)], 0
    while left:
        name, depth = left.pop()
        if depth > DEPTH_LIMIT:
            problem(name, RefusedError(errno.ENAMETOOLONG, f"more than {DEPTH_LIMIT} folders deep", name))
            continue
        if seen > ENTRY_LIMIT:
            problem(name, RefusedError(errno.EFBIG, f"behind more than {ENTRY_LIMIT} files", name))
            continue
        try:
            with os.scandir(root / name) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            problem(name, error)
            continue
        seen += len(entries)
        kinds: dict[str, list[str]] = {"files": [], "links": [], "others": [], "folders": []}
        for entry in entries:
            kinds[_kind(entry)].append(entry.name)
        folder = Folder(name, tuple(kinds["files"]), tuple(kinds["links"]), tuple(kinds["others"]))
        yield folder
        left += [(folder.inside(below), depth + 1) for below in reversed(kinds["folders"]) if enters(below)]


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return "links"
    if entry.is_dir(follow_symlinks=False):
        return "folders"
    return "files" if entry.is_file(follow_symlinks=False) else "others"


def _followed(root: Path, file: str) -> tuple[int, str]:
    """A handle of the folder that holds a file, and the file's name in it, once all links on the way are followed."""
    base = os.path.realpath(root)
    folders = [os.open(base, _FOLDER)]
    try:
        parts, links = _parts(file), 0
        while parts:
            part = parts.pop(0)
            if part == "..":
                if len(folders) == 1:
                    raise _outside(file)
                os.close(folders.pop())
            elif (text := _link_of(folders[-1], part)) is not None:
                links += 1
                if links > _LINKS:
                    raise RefusedError(errno.ELOOP, "a circle of links", file)
                if text.startswith("/"):
                    text = _below(base, text, file)
                    while len(folders) > 1:
                        os.close(folders.pop())
                parts = _parts(text) + parts
            elif not parts:
                return folders.pop(), part
            else:
                folders.append(os.open(part, _FOLDER, dir_fd=folders[-1]))
        raise RefusedError(errno.EISDIR, "is a folder", file)
    except OSError as error:
        if isinstance(error, RefusedError):
            raise
        raise OSError(error.errno, error.strerror, file) from error  # the name that people know
    finally:
        for handle in folders:
            os.close(handle)


def _parts(text: str) -> list[str]:
    return [part for part in text.split("/") if part not in ("", ".")]


def _link_of(folder: int, name: str) -> str | None:
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.EINVAL:  # no link
            return None
        raise


def _below(base: str, text: str, file: str) -> str:
    """An absolute link's text, relative to the target. It may go by links of its own above the target."""
    place = Path(os.path.realpath(Path(text).parent), Path(text).name)
    if not place.is_relative_to(base):
        raise _outside(file)
    return place.relative_to(base).as_posix()


def _open_in(folder: int, name: str, file: str) -> int:
    try:
        if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise _special(file)  # before it is opened: a device may do something then
        return os.open(name, _FILE, dir_fd=folder)
    except OSError as error:
        if isinstance(error, RefusedError):
            raise
        raise OSError(error.errno, error.strerror, file) from error


def _resolved_inside(root: Path, file: str) -> Path:
    place = root / real_name(root, file)
    if place.exists() and not place.is_file():
        raise _special(file)
    return place


def _check(file: str) -> None:
    if "\0" in file:
        raise RefusedError(errno.EINVAL, "no name of a file", file)


def _outside(file: str) -> RefusedError:
    return RefusedError(errno.EXDEV, "a link that leads out of the target", file)


def _special(file: str) -> RefusedError:
    return RefusedError(errno.EINVAL, "not a regular file", file)


def _too_large(file: str, limit: int) -> RefusedError:
    return RefusedError(errno.EFBIG, f"larger than {limit >> 20} MiB", file)
