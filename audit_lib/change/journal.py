"""Several files of a target replaced all or none, also when the process is killed in between.

Order of things, each on disk before the next: copies of the files as they are, and a journal that names them, in the
user's cache; the new files, beside the old ones under names of their own; then each new one moves over the old one, and
the journal goes. Whoever finds a journal puts the copies back (`recover`), unless every file had moved.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from audit_lib.change.lock import locked
from audit_lib.change.scratch import real_place
from audit_lib.errors import OutputError, TargetError, Terminated, UsageError
from audit_lib.model import Record
from audit_lib.read.gotool import cache_root

Files = Mapping[str, bytes | None]
_NAME = "journal.json"
_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class Entry(Record, frozen=True):
    """A file that is replaced: where it really is, its new content's name until it moves, digests, and mode.

    A digest is empty where there is no file.
    """

    file: str
    staged: str
    before: str
    after: str
    mode: int


class Journal(Record, frozen=True):
    """What is being done to a target. The copy of the entry with number `n` is the file `n` beside the journal."""

    target: str
    entries: tuple[Entry, ...]


def write_all(target: Path, before: Files, after: Files) -> None:
    """Give files of a target (relative, `/`-separated) new bytes, all or none; `None` is no file. Modes are kept.

    `before` is what they held when they were read. Raises `TargetError` for a file that has changed since,
    `OutputError` for one that cannot be written (read-only, a link out of the target, no space), `UsageError` while
    another process writes: in each case the target is as it was.
    """
    target = target.resolve()
    with locked(_folder(target).with_suffix(".lock")) as free:
        _refuse_unless(free, target)
        _recover(target)
        wanted = {file: data for file, data in after.items() if data != before.get(file)}
        entries = _entries(target, before, wanted)
        contents = {entry.file: wanted[file] for file, entry in entries.items()}
        journal = Journal(str(target), tuple({entry.file: entry for entry in entries.values()}.values()))
        if journal.entries:
            _replace(target, journal, contents)


def recover(target: Path) -> str | None:
    """Bring a target back to what it was before a write that was interrupted, and say so; `None`: there was none.

    A file that somebody has changed since stays as it is, and the copy of what it was before stays too: the sentence
    names both. Raises `OutputError` when the target cannot be written, `UsageError` while another process writes.
    """
    target = target.resolve()
    if not _folder(target).exists():
        return None
    with locked(_folder(target).with_suffix(".lock")) as free:
        _refuse_unless(free, target)
        return _recover(target)


def _refuse_unless(free: bool, target: Path) -> None:
    if not free:
        raise UsageError(f"{target}: another run writes to it just now; wait for that to end")


def _folder(target: Path) -> Path:
    name = hashlib.sha256(str(target).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return cache_root() / "writes" / name


def _entries(target: Path, before: Files, wanted: Files) -> dict[str, Entry]:
    """An entry for each file, once all of them were looked at: what cannot be written is refused here."""
    entries: dict[str, Entry] = {}
    for number, file in enumerate(sorted(wanted)):
        place = real_place(target, file)
        name = place.relative_to(target).as_posix()
        if _digest(_read(place)) != _digest(before.get(file)):
            raise TargetError(f"{file}: changed since it was read; nothing was written, run the command again")
        mode = _writable_mode(file, place)
        staged = f".{place.name}.ctxaudit-{number}"
        entry = Entry(name, staged, _digest(before.get(file)), _digest(wanted[file]), mode)
        twin = next((one for one in entries.values() if one.file == name), entry)
        if twin.after != entry.after:
            raise OutputError(f"{file}: is another name of {name}, and both change; nothing was written")
        entries[file] = twin
    return entries


def _writable_mode(file: str, place: Path) -> int:
    """The mode of a file that can be replaced. The bits are looked at too, since root may write whatever they say."""
    problem = f"{file}: %s; nothing was written, make it writable and run the command again"
    folder = place.parent
    if not folder.is_dir():
        raise OutputError(problem % "its folder is missing")
    if not folder.stat().st_mode & _WRITABLE or not os.access(folder, os.W_OK):
        raise OutputError(problem % "its folder is read-only")
    if not place.exists():
        return 0o644
    mode = stat.S_IMODE(place.stat().st_mode)
    if not mode & _WRITABLE or not os.access(place, os.W_OK):
        raise OutputError(problem % "the file is read-only")
    return mode


def _replace(target: Path, journal: Journal, contents: Files) -> None:
    folder = _folder(target)
    try:
        _begin(target, journal, folder)
        for entry in journal.entries:
            _stage(target, entry, contents[entry.file])
        for entry in journal.entries:
            _move(target, entry)
        _sync({(target / entry.file).parent for entry in journal.entries})
        _end(folder)
    except (KeyboardInterrupt, Terminated):
        _recover(target, finished=False)
        raise
    except OSError as error:
        where = error.filename or target
        try:
            _recover(target, finished=False)
        except OutputError as again:
            raise OutputError(f"{where}: {error.strerror}; {again}") from error
        raise OutputError(f"{where}: {error.strerror}; the target is as it was") from error


def _begin(target: Path, journal: Journal, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, entry in enumerate(journal.entries):
        data = _read(target / entry.file)
        if data is not None:
            _write(folder / str(number), data)
    _write(folder / f"{_NAME}.new", msgspec.json.encode(journal))
    _sync([folder])
    (folder / f"{_NAME}.new").replace(folder / _NAME)
    _sync([folder, folder.parent])


def _end(folder: Path) -> None:
    (folder / _NAME).unlink()
    with suppress(OSError):  # it is done, and the target right: a journal that comes back finds nothing to do
        _sync([folder])
    shutil.rmtree(folder, ignore_errors=True)


def _stage(target: Path, entry: Entry, data: bytes | None) -> None:
    if data is None:
        return
    place = target / entry.file
    staged = place.with_name(entry.staged)
    _write(staged, data)
    if place.exists():
        info = place.stat()
        with suppress(PermissionError):
            os.chown(staged, info.st_uid, info.st_gid)
    staged.chmod(entry.mode)


def _move(target: Path, entry: Entry) -> None:
    place = target / entry.file
    if entry.after:
        place.with_name(entry.staged).replace(place)
    else:
        place.unlink()


def _recover(target: Path, *, finished: bool = True) -> str | None:
    """`recover`, by who has the lock; `finished` tells whether files that have all moved may stay."""
    folder = _folder(target)
    try:
        journal = msgspec.json.decode((folder / _NAME).read_bytes(), type=Journal)
    except FileNotFoundError:
        shutil.rmtree(folder, ignore_errors=True)  # killed before it began, or after it ended
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise OutputError(
            f"{folder / _NAME}: cannot be read ({error}); its folder holds the files as before"
        ) from error
    try:
        return _rolled_back(target, journal, folder, finished)
    except OSError as error:
        raise OutputError(
            f"{error.filename or target}: {error.strerror}; a write was interrupted, free the target: the next command "
            f"puts its files back from {folder}"
        ) from error


def _rolled_back(target: Path, journal: Journal, folder: Path, finished: bool) -> str:
    now = [_digest(_read(target / entry.file)) for entry in journal.entries]
    pairs = list(zip(journal.entries, now, strict=True))
    if finished and all(digest == entry.after for entry, digest in pairs):
        _end(folder)
        return f"{target}: an interrupted write had put all of its {len(now)} files in place; they stay"
    foreign = []
    for number, (entry, digest) in enumerate(pairs):
        place = target / entry.file
        place.with_name(entry.staged).unlink(missing_ok=True)
        if digest == entry.after:
            _put_back(target, entry, folder / str(number))
        elif digest != entry.before:
            foreign.append((entry.file, number))
    _sync({(target / entry.file).parent for entry in journal.entries})
    said = f"{target}: an interrupted write was undone, its {len(now)} files are as before"
    if foreign:
        kept = _kept(folder)
        names = ", ".join(f"{file} (before: {kept / str(number)})" for file, number in foreign)
        return f"{said}, but for what somebody changed since: {names}"
    _end(folder)
    return said


def _put_back(target: Path, entry: Entry, copy: Path) -> None:
    if entry.before:
        _stage(target, entry, copy.read_bytes())
        (target / entry.file).with_name(entry.staged).replace(target / entry.file)
    else:
        (target / entry.file).unlink()


def _kept(folder: Path) -> Path:
    """Where the copies of an interrupted write stay for people to look at."""
    number = 1
    while (place := folder.with_name(f"{folder.name}-kept-{number}")).exists():
        number += 1
    folder.rename(place)
    return place


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _digest(data: bytes | None) -> str:
    return "" if data is None else hashlib.sha256(data).hexdigest()


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folders: Iterable[Path]) -> None:
    """A rename is on disk when its folder is."""
    if os.name == "nt":
        return  # folders cannot be opened there
    for folder in sorted(set(folders)):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
