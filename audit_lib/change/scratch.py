"""A copy of a target to rewrite, build and test in: nothing that happens in it reaches the target.

It holds what the go command and the tests need; version control and node_modules stay behind. The copy of a target
lies at the same place each time, since Go's build cache counts a folder's path as part of what it compiles.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audit_lib.change.lock import locked
from audit_lib.change.outside import mirror, references
from audit_lib.errors import OutputError, TargetError
from audit_lib.read.gotool import cache_root

SKIPPED = frozenset({".git", ".hg", ".svn", "node_modules"})
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Scratch:
    """A copy: its folder, and a digest of all that was copied (names and contents).

    `whole` tells whether that is all that its packages are built from, but for what go.sum names by its digest.
    """

    root: Path
    digest: str
    whole: bool = True

    def read(self, file: str) -> bytes | None:
        """The bytes of a file (relative, `/`-separated), `None` where there is none."""
        try:
            return (self.root / file).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, files: Mapping[str, bytes | None]) -> None:
        """Give files these bytes; `None` removes one. Raises `OutputError` for a link out of the copy, or no space."""
        for file, data in files.items():
            place = real_place(self.root, file)
            try:
                mode = place.stat().st_mode if place.exists() else None
                place.unlink(missing_ok=True)
                if data is not None:
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(data)
                    place.chmod(stat.S_IMODE(mode) if mode is not None else 0o644)
            except OSError as error:
                raise OutputError(
                    f"{place}: {error.strerror}; the scratch copy needs room in XDG_CACHE_HOME"
                ) from error

    @contextmanager
    def showing(self, files: Mapping[str, bytes | None]) -> Iterator[None]:
        """Within the block these files have these bytes; after it they have again what they had."""
        kept = {file: self.read(file) for file in files}
        self.write(files)
        try:
            yield
        finally:
            self.write(kept)


@contextmanager
def scratch_copy(target: Path) -> Iterator[Scratch]:
    """A fresh copy of a target for as long as the block lasts. Two at a time get a place each.

    Raises `TargetError` for a target that cannot be read, `OutputError` where there is no room for the copy.
    """
    target = target.resolve()
    if not target.is_dir():
        raise TargetError(f"{target}: no such folder; name the folder of a Go module or repository")
    places = cache_root() / "scratch"
    name = hashlib.sha256(str(target).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    with _slot(places, name) as holder:
        try:
            outside = references(target)
            root = mirror(target, outside, holder)
            root = Path(os.path.realpath(root))
            yield Scratch(root, _copy(target, root), whole=not outside)
        finally:
            _clear(holder)


def real_place(root: Path, file: str) -> Path:
    """Where a file of a target really is, links followed. Raises `OutputError` where that is not in the target."""
    place = Path(os.path.realpath(root / file))
    if not place.is_relative_to(os.path.realpath(root)):
        raise OutputError(f"{file}: a link leads out of the target, to {place}; nothing is written through it")
    return place


@contextmanager
def _slot(places: Path, name: str) -> Iterator[Path]:
    """The first place for copies of a target that nobody uses; what a killed process left in it goes."""
    for number in range(100):
        holder = places / f"{name}-{number}"
        with locked(holder.with_suffix(".lock")) as free:
            if not free:
                continue
            _clear(holder)
            try:
                holder.mkdir(parents=True)
            except OSError as error:
                raise OutputError(f"{holder}: {error.strerror}; name another folder in XDG_CACHE_HOME") from error
            yield holder
            return
    raise OutputError(f"{places}: 100 copies of the target are in use; wait for the other runs to end")


def _clear(holder: Path) -> None:
    # Tests leave folders that cannot be written, as the module cache's are.
    if holder.exists():
        for folder, folders, _ in os.walk(holder):
            for name in folders:
                path = Path(folder, name)
                if not path.is_symlink():
                    path.chmod(0o700)
        shutil.rmtree(holder, ignore_errors=True)


def _copy(target: Path, root: Path) -> str:
    digest = hashlib.sha256()
    try:
        for entry in _entries(target):
            place = root / Path(entry.path).relative_to(target)
            name = place.relative_to(root).as_posix()
            digest.update(f"{name}\0{_copied(entry, place, target)}\0".encode("utf-8", "surrogateescape"))
    except OSError as error:
        if error.filename is not None and Path(error.filename).is_relative_to(target):
            raise TargetError(f"{error.filename}: {error.strerror}; the target cannot be copied") from error
        raise OutputError(f"{root}: {error.strerror}; the scratch copy needs room in XDG_CACHE_HOME") from error
    return digest.hexdigest()


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """What is below a folder, each folder before what is in it, in the order of names."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name not in SKIPPED:
            yield entry
            if entry.is_dir(follow_symlinks=False):
                yield from _entries(Path(entry.path))


def _copied(entry: os.DirEntry[str], place: Path, target: Path) -> str:
    """Copy one entry, and say what it holds. Sockets and pipes stay behind."""
    if entry.is_symlink():
        link = _link_text(Path(entry.path), target)
        place.symlink_to(link)
        return f"link {link}"
    if entry.is_dir(follow_symlinks=False):
        place.mkdir(exist_ok=True)
        return "folder"
    if entry.is_file(follow_symlinks=False):
        return _copied_file(Path(entry.path), place)
    return "special"


def _copied_file(path: Path, place: Path) -> str:
    digest = hashlib.sha256()
    try:
        source = path.open("rb")
    except PermissionError:
        return "unreadable"  # to the go command too: what needs it fails before a change and after
    with source, place.open("wb") as copy:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            copy.write(chunk)
    info = path.stat()
    place.chmod(stat.S_IMODE(info.st_mode))
    # Go caches a test by the times of the files that it opens.
    os.utime(place, ns=(info.st_atime_ns, info.st_mtime_ns))
    return digest.hexdigest()


def _link_text(path: Path, target: Path) -> str:
    """Where the copy of a link leads: what is in the target is looked for in the copy, all else where it is."""
    text = path.readlink()
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(target):
        return str(real)
    steps = Path(os.path.normpath(path.parent / text))
    inside = not text.is_absolute() and steps.is_relative_to(target)
    return str(text) if inside else os.path.relpath(real, path.parent)
