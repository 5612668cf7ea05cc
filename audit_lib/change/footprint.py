"""What a program has left in a folder besides what was asked of it, and putting it back as it was."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from audit_lib.errors import OutputError
from audit_lib.untrusted import files


@dataclass(frozen=True)
class Entry:
    """What is at a name: its type and mode, and what changes with its content (of a folder, nothing more)."""

    mode: int
    content: tuple[int, ...] = ()
    link: str = ""


def entries(root: Path, scope: str) -> dict[str, Entry]:
    """All that is in a folder of `root`, by names relative to `root`; links are not followed."""
    found: dict[str, Entry] = {}
    left = [scope]
    while left:
        folder = left.pop()
        try:
            with os.scandir(root / folder) as listed:
                for one in listed:
                    name = f"{folder}/{one.name}" if folder else one.name
                    found[name] = _entry(one)
                    if one.is_dir(follow_symlinks=False):
                        left.append(name)
        except OSError:
            found[f"{folder}/"] = Entry(0)  # it cannot be listed: neither before nor after
    return found


def changed(before: Mapping[str, Entry], after: Mapping[str, Entry], expected: str) -> tuple[str, ...]:
    """The names that have appeared, changed or gone, in order, besides an expected file, which stays one or goes."""
    names = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    if expected not in after or stat.S_ISREG(after[expected].mode):
        names.discard(expected)
    return tuple(sorted(names))


def restore(
    root: Path, target: Path, names: Collection[str], before: Mapping[str, Entry], known: Mapping[str, bytes | None]
) -> None:
    """Put names in a copy of `target` back as they were `before`: `known` files hold these bytes, others the target's.

    Raises `OutputError` where that cannot be done: the copy is not to be believed then.
    """
    real = Path(os.path.realpath(root))
    for name in sorted(names):  # a folder before what is in it: a link may stand in its place, and lead elsewhere
        place, kind = real / name, before.get(name)
        stays = kind is not None and stat.S_ISDIR(kind.mode) and place.is_dir() and not place.is_symlink()
        if os.path.realpath(place.parent) == str(place.parent) and os.path.lexists(place) and not stays:
            _remove(place)
    for name in sorted(names):
        kind = before.get(name)
        if kind is None:
            continue
        try:
            _put_back(real / name, kind, target, name, known)
        except OSError as error:
            raise OutputError(f"{name}: {error.strerror}; a generator has changed it: use --no-generate") from error


def _put_back(place: Path, kind: Entry, target: Path, name: str, known: Mapping[str, bytes | None]) -> None:
    if stat.S_ISLNK(kind.mode):
        place.symlink_to(kind.link)
        return
    if stat.S_ISDIR(kind.mode):
        place.mkdir(exist_ok=True)
    elif (data := known.get(name)) is not None:
        place.write_bytes(data)
    else:
        data = files.read_bytes(target, name)
        if (len(data), (target / name).stat().st_mtime_ns) != kind.content[:2]:
            raise OSError(errno.ESTALE, "no longer what was copied", name)
        place.write_bytes(data)
    place.chmod(stat.S_IMODE(kind.mode))
    if kind.content:
        os.utime(place, ns=(kind.content[1], kind.content[1]))


def _remove(place: Path) -> None:
    try:
        if place.is_dir() and not place.is_symlink():
            place.chmod(0o700)
            shutil.rmtree(place)
        else:
            place.unlink()
    except OSError as error:
        raise OutputError(f"{place}: {error.strerror}; a generator has left it: use --no-generate") from error


def _entry(one: os.DirEntry[str]) -> Entry:
    info = one.stat(follow_symlinks=False)
    if stat.S_ISLNK(info.st_mode):
        return Entry(info.st_mode, link=str(Path(one.path).readlink()))
    if stat.S_ISREG(info.st_mode):
        # The time of change cannot be set by a program, as others can.
        return Entry(info.st_mode, (info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino))
    return Entry(info.st_mode)
