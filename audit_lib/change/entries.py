"""The files of a target that a write replaces: what is looked at before, and what is there meanwhile and after.

A target is reached by handles of its folders. A link that is put into it while it is written, or between a kill and the
recovery, is not followed; it counts as what somebody has changed.
"""

from __future__ import annotations

import errno
import hashlib
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from audit_lib.errors import OutputError, TargetError
from audit_lib.model import Record
from audit_lib.untrusted.files import RefusedError
from audit_lib.untrusted.writing import PLAIN, Held, held, real_file, unguessable

Files = Mapping[str, bytes | None]
LEADS_OUT = "a link leads out of the target; nothing is written through it"
_OTHER = "something else"  # no digest: what is there is no regular file, or the way to it goes over a link


class Entry(Record, frozen=True):
    """A file that is replaced: where it really is, its new content's name until it moves, digests, and mode.

    A digest is empty where there is no file.
    """

    file: str
    staged: str
    before: str
    after: str
    mode: int

    @property
    def plain(self) -> bool:
        """Whether its names are such as a write makes them: nothing upwards, and the new one beside the old."""
        return _is_plain(self.file) and _is_plain(self.staged) and "/" not in self.staged


class Journal(Record, frozen=True):
    """What is being done to a target. The copy of the entry with number `n` is the file `n` beside the journal."""

    target: str
    entries: tuple[Entry, ...]


def entries_of(target: Path, before: Files, wanted: Files) -> dict[str, Entry]:
    """An entry for each file (relative) that gets new bytes, by its name in `wanted`, once all were looked at.

    Raises `TargetError` for a file that is not as it was `before`, `OutputError` for one that cannot be written.
    """
    found: dict[str, Entry] = {}
    for file in sorted(wanted):
        try:
            entry = _entry(target, file, before.get(file), wanted[file])
        except OSError as error:
            raise OutputError(f"{file}: {error.strerror}; nothing was written") from error
        twin = next((one for one in found.values() if one.file == entry.file), entry)
        if twin.after != entry.after:
            raise OutputError(f"{file}: is another name of {entry.file}, and both change; nothing was written")
        found[file] = twin
    return found


def _entry(target: Path, file: str, before: bytes | None, after: bytes | None) -> Entry:
    problem = f"{file}: %s; nothing was written, make it writable and run the command again"
    try:
        folder, name = real_file(target, file)
    except RefusedError as error:
        raise OutputError(f"{file}: {LEADS_OUT}") from error
    try:
        with held(target, folder) as place:
            if digest(place.read(name)) != digest(before):
                raise TargetError(f"{file}: changed since it was read; nothing was written, run the command again")
            # The bits are looked at too, since root may write whatever they say.
            if not place.writable():
                raise OutputError(problem % "its folder is read-only")
            if before is not None and not place.writable(name):
                raise OutputError(problem % "the file is read-only")
            info = place.info(name)
    except FileNotFoundError as error:
        raise OutputError(problem % "its folder is missing") from error
    mode = stat.S_IMODE(info.st_mode) & PLAIN if info else 0o644
    real = f"{folder}/{name}" if folder else name
    return Entry(real, unguessable(name), digest(before), digest(after), mode)


@contextmanager
def around(target: Path, entry: Entry) -> Iterator[tuple[Held, str]]:
    """The folder of an entry's file, held open, and the file's name in it."""
    folder, _, name = entry.file.rpartition("/")
    with held(target, folder) as place:
        yield place, name


def content(target: Path, entry: Entry) -> bytes | None:
    """The bytes of an entry's file as it is now, `None` where there is none. Raises `OSError`, also for links."""
    with around(target, entry) as (place, name):
        return place.read(name)


def state(target: Path, entry: Entry) -> str:
    """The digest of what is there now; that of a link, or behind one, is nothing that was ever written."""
    try:
        return digest(content(target, entry))
    except FileNotFoundError:
        return ""
    except (RefusedError, NotADirectoryError):
        return _OTHER


def changed(target: Path, entry: Entry) -> RefusedError:
    """The error of a file that somebody changes while it is written."""
    return RefusedError(errno.EBUSY, "changed while it was written", str(target / entry.file))


def digest(data: bytes | None) -> str:
    """What a file's content is known by; that of a file that is missing is empty."""
    return "" if data is None else hashlib.sha256(data).hexdigest()


def _is_plain(file: str) -> bool:
    return str(PurePosixPath(file)) == file and not {"/", ".", ".."} & set(PurePosixPath(file).parts)
