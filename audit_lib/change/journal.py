"""Several files of a target replaced all or none, also when the process is killed in between.

Order of things, each on disk before the next: copies of the files as they are, and a journal that names them, in the
user's cache; the new files, beside the old ones under names that nobody can guess; then each new one moves over the old
one, and the journal goes. Whoever finds a journal puts the copies back (`recover`), unless every file had moved.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import msgspec

from audit_lib.change.entries import Entry, Files, Journal, around, changed, content, digest, entries_of, state
from audit_lib.change.lock import locked
from audit_lib.errors import OutputError, Terminated, UsageError
from audit_lib.read.gotool import cache_root
from audit_lib.untrusted.files import RefusedError
from audit_lib.untrusted.removing import remove_tree
from audit_lib.untrusted.writing import Owner, held, private_folder

_NAME = "journal.json"
_FOREIGN = "but for what somebody changed since"


def write_all(target: Path, before: Files, after: Files) -> None:
    """Give files of a target (relative, `/`-separated) new bytes, all or none; `None` is no file.

    Modes are kept, but for setuid, setgid and sticky bits. `before` is what they held when they were read. Raises
    `TargetError` for a file that has changed since, `OutputError` for one that cannot be written (read-only, a link out
    of the target, no regular file, no space), `UsageError` while another process writes: in each case the target is as
    it was.
    """
    target = target.resolve()
    with locked(_folder(target).with_suffix(".lock")) as free:
        _refuse_unless(free, target)
        _recover(target)
        wanted = {file: data for file, data in after.items() if data != before.get(file)}
        entries = entries_of(target, before, wanted)
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
        undone = _recover(target)
        return f"{target}: {undone}" if undone else None


def _refuse_unless(free: bool, target: Path) -> None:
    if not free:
        raise UsageError(f"{target}: another run writes to it just now; wait for that to end")


def _folder(target: Path) -> Path:
    name = hashlib.sha256(str(target).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return cache_root() / "writes" / name


def _replace(target: Path, journal: Journal, contents: Files) -> None:
    folder = _folder(target)
    try:
        _begin(target, journal, folder)
        for entry in journal.entries:
            _stage(target, entry, contents[entry.file])
        for entry in journal.entries:
            _move(target, entry)
        _settle(target, journal)
        _end(folder)
    except (KeyboardInterrupt, Terminated):
        _recover(target, finished=False)
        raise
    except OSError as error:
        where = error.filename or target
        try:
            undone = _recover(target, finished=False) or ""
        except OutputError as again:
            raise OutputError(f"{where}: {error.strerror}; {again}") from error
        kept = undone if _FOREIGN in undone else "the target is as it was"
        raise OutputError(f"{where}: {error.strerror}; {kept}") from error


def _begin(target: Path, journal: Journal, folder: Path) -> None:
    remove_tree(folder)
    private_folder(folder, top=cache_root())
    with held(folder) as place:
        for number, entry in enumerate(journal.entries):
            data = content(target, entry)
            if digest(data) != entry.before:
                raise changed(target, entry)
            if data is not None:
                place.write(str(number), data, sync=True)
        place.write(f"{_NAME}.new", msgspec.json.encode(journal), sync=True)
        place.sync()
        place.move(f"{_NAME}.new", _NAME)
        place.sync()
    with held(folder.parent) as above:
        above.sync()


def _end(folder: Path) -> None:
    with held(folder) as place:
        place.remove(_NAME)
        with suppress(OSError):  # it is done, and the target right: a journal that comes back finds nothing to do
            place.sync()
    remove_tree(folder)


def _stage(target: Path, entry: Entry, data: bytes | None) -> None:
    if data is None:
        return
    with around(target, entry) as (place, name):
        info = place.info(name)
        owner: Owner | None = (info.st_uid, info.st_gid) if info is not None else None
        place.write(entry.staged, data, entry.mode, owner, sync=True)


def _move(target: Path, entry: Entry) -> None:
    with around(target, entry) as (place, name):
        if digest(place.read(name)) != entry.before:
            raise changed(target, entry)
        if entry.after:
            place.move(entry.staged, name)
        else:
            place.remove(name)


def _settle(target: Path, journal: Journal) -> None:
    """See to it that all is on disk, and that what was written is what is there now."""
    for entry in journal.entries:
        with around(target, entry) as (place, name):
            place.sync()
            if digest(place.read(name)) != entry.after:
                raise changed(target, entry)


def _recover(target: Path, *, finished: bool = True) -> str | None:
    """`recover`, by who has the lock; `finished` tells whether files that have all moved may stay."""
    folder = _folder(target)
    journal = _journal(folder)
    if journal is None:
        remove_tree(folder)  # killed before it began, or after it ended
        return None
    try:
        return _rolled_back(target, journal, folder, finished)
    except OSError as error:
        raise OutputError(
            f"{error.filename or target}: {error.strerror}; a write was interrupted, free the target: the next command "
            f"puts its files back from {folder}"
        ) from error


def _journal(folder: Path) -> Journal | None:
    """The journal in a folder, where there is one. Raises `OutputError` for what no write has left."""
    try:
        with held(folder) as place:
            data = place.read(_NAME)
        journal = msgspec.json.decode(data, type=Journal) if data is not None else None
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise _unreadable(folder, str(error)) from error
    for entry in journal.entries if journal else ():
        if not entry.plain:
            raise _unreadable(folder, "it names what is not in the target")
    return journal


def _unreadable(folder: Path, why: str) -> OutputError:
    return OutputError(f"{folder / _NAME}: cannot be read ({why}); its folder holds the files as before")


def _rolled_back(target: Path, journal: Journal, folder: Path, finished: bool) -> str:
    now = [state(target, entry) for entry in journal.entries]
    if finished and now == [entry.after for entry in journal.entries]:
        _end(folder)
        return f"an interrupted write had put all of its {len(now)} files in place; they stay"
    foreign = []
    for number, (entry, found) in enumerate(zip(journal.entries, now, strict=True)):
        reached = _without_staged(target, entry)
        if found == entry.after and reached:
            _put_back(target, entry, folder, number)
        elif found != entry.before:
            foreign.append((entry.file, number))
    said = f"an interrupted write was undone, its {len(now)} files are as before"
    if foreign:
        kept = _kept(folder)
        names = ", ".join(f"{file} (before: {kept / str(number)})" for file, number in foreign)
        return f"{said}, {_FOREIGN}: {names}"
    _end(folder)
    return said


def _without_staged(target: Path, entry: Entry) -> bool:
    """Take away what had been written beside a file; whether the file's folder is still what it was."""
    try:
        with around(target, entry) as (place, _):
            with suppress(FileNotFoundError, IsADirectoryError, PermissionError):
                place.remove(entry.staged)
            return True
    except (RefusedError, FileNotFoundError, NotADirectoryError):
        return False


def _put_back(target: Path, entry: Entry, folder: Path, number: int) -> None:
    with held(folder) as copies:
        data = copies.read(str(number)) if entry.before else None
    if entry.before:
        _stage(target, entry, data)
    with around(target, entry) as (place, name):
        if entry.before:
            place.move(entry.staged, name)
        else:
            place.remove(name)
        place.sync()


def _kept(folder: Path) -> Path:
    """Where the copies of an interrupted write stay for people to look at."""
    number = 1
    while (place := folder.with_name(f"{folder.name}-kept-{number}")).exists():
        number += 1
    folder.rename(place)
    return place
