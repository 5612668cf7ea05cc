"""A copy of a target to rewrite, build and test in: nothing that happens in it reaches the target.

It holds what the go command and the tests need; version control and node_modules stay behind. The copy of a target
lies at the same place each time, since Go's build cache counts a folder's path as part of what it compiles.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from audit_lib.change.copying import SKIPPED, Copied, copy_tree
from audit_lib.change.entries import LEADS_OUT
from audit_lib.change.lock import locked
from audit_lib.change.outside import mirror, references
from audit_lib.errors import OutputError, TargetError
from audit_lib.model import Degradation
from audit_lib.read.gotool import cache_root
from audit_lib.untrusted.files import RefusedError, read_bytes
from audit_lib.untrusted.removing import remove_tree
from audit_lib.untrusted.writing import PRIVATE_FOLDER, held, private_folder, real_file

_FOLDER_MODE, _FILE_MODE = 0o755, 0o644  # in a folder that only the user can enter
_PAST = 1_000_000_000 * 1_000_000_000
"""Nanoseconds: long ago (2001). Go does not cache tests that look at files which have just changed."""


@dataclass(frozen=True)
class Scratch:
    """A copy: its folder, and a digest of all that was copied (names and contents).

    `whole` tells whether that is all that its packages are built from, but for what go.sum names by its digest.
    `left_out` is what stayed behind, and why; `outside` are the links among that, which lead out of the target.

    `target` is what it is a copy of, None for a folder by itself.

    Tests that run in a copy can leave links to anywhere there: nothing is read or written through one that leads out.
    """

    root: Path
    digest: str
    whole: bool = True
    outside: frozenset[str] = frozenset()
    left_out: tuple[Degradation, ...] = ()
    target: Path | None = None
    _written: dict[str, bytes | None] = field(default_factory=dict, compare=False, repr=False)
    """What files were given last."""
    _times: dict[str, tuple[str, int]] = field(default_factory=dict, compare=False, repr=False)
    """What files were when they were first written to, and their times then."""

    def read(self, file: str) -> bytes | None:
        """The bytes of a file (relative, `/`-separated), `None` where there is none.

        Raises `RefusedError` for a link out of the copy, and for what is no regular file.
        """
        try:
            return read_bytes(self.root, file)
        except FileNotFoundError:
            return None

    def holds(self, file: str) -> bytes | None:
        """The bytes that a file has unless somebody else has changed it. Raises `OSError` where they cannot be told."""
        if file in self._written or self.target is None:
            return self._written.get(file)
        return read_bytes(self.target, file)

    def bars(self, file: str) -> bool:
        """Whether a link leads out with a file: it has none of its own in the copy, and is not written."""
        around = [file, *(str(folder) for folder in PurePosixPath(file).parents)]
        if not self.outside.isdisjoint(around):
            return True
        try:
            real_file(self.root, file)
        except RefusedError:
            return True
        return False

    def write(self, files: Mapping[str, bytes | None]) -> None:
        """Give files these bytes; `None` removes one. Raises `OutputError` for a link out of the copy, or no space.

        The same bytes have the same time each time: Go caches a test by the times of the files that it looks at.
        """
        for file, data in files.items():
            if self.bars(file):
                raise OutputError(f"{file}: {LEADS_OUT}")
            try:
                if not self._holds(file, data):
                    self._write(file, data)
                self._written[file] = data
            except OSError as error:
                where = error.filename or self.root / file
                raise OutputError(
                    f"{where}: {error.strerror}; the scratch copy needs room in XDG_CACHE_HOME"
                ) from error

    def _holds(self, file: str, data: bytes | None) -> bool:
        """Whether a file has these bytes already: what a test has put in its place has none, whatever it is."""
        try:
            return self.read(file) == data
        except RefusedError:
            return False

    def _write(self, file: str, data: bytes | None) -> None:
        folder, name = real_file(self.root, file)
        with held(self.root, folder, make=_FOLDER_MODE) as place:
            info, around = place.info(name), place.info(".")
            if info is not None:
                if file not in self._times and stat.S_ISREG(info.st_mode):
                    self._times[file] = (_digest(place.read(name) or b""), info.st_mtime_ns)
                place.remove(name)
            if data is not None:
                place.write(name, data, stat.S_IMODE(info.st_mode) if info is not None else _FILE_MODE)
                place.set_time(name, self._time_of(file, data))
            if around is not None:
                place.set_time(".", around.st_mtime_ns)

    def _time_of(self, file: str, data: bytes) -> int:
        """The time of a file with these bytes: as it was copied, or one in the past that its bytes choose."""
        first = self._times.get(file)
        name = _digest(data)
        if first is not None and first[0] == name:
            return first[1]
        return _PAST + int(name[:7], 16) * 1_000_000_000

    @contextmanager
    def showing(self, files: Mapping[str, bytes | None]) -> Iterator[None]:
        """Within the block these files have these bytes; after it they have again what they had."""
        kept = {file: self.read(file) for file in files}
        self.write(files)
        try:
            yield
        finally:
            self.write(kept)


def _digest(data: bytes) -> str:
    """What some bytes are known by."""
    return hashlib.sha256(data).hexdigest()


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
            copied = _copied(target, root)
            yield Scratch(root, copied.digest, not outside, copied.outside, copied.left_out, target)
        finally:
            remove_tree(holder)


@contextmanager
def _slot(places: Path, name: str) -> Iterator[Path]:
    """The first place for copies of a target that nobody uses; what a killed process left in it goes.

    Nobody else can enter it, whoever may enter the target.
    """
    for number in range(100):
        holder = places / f"{name}-{number}"
        with locked(holder.with_suffix(".lock")) as free:
            if not free:
                continue
            remove_tree(holder)
            try:
                private_folder(holder.parent, top=cache_root())
                holder.mkdir(PRIVATE_FOLDER)
            except OSError as error:
                raise OutputError(f"{holder}: {error.strerror}; name another folder in XDG_CACHE_HOME") from error
            yield holder
            return
    raise OutputError(f"{places}: 100 copies of the target are in use; wait for the other runs to end")


def _copied(target: Path, root: Path) -> Copied:
    try:
        return copy_tree(target, root, lambda name: name.rpartition("/")[2] in SKIPPED)
    except OSError as error:
        raise OutputError(f"{root}: {error.strerror}; the scratch copy needs room in XDG_CACHE_HOME") from error
