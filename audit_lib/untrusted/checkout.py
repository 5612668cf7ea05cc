"""Which repository a folder is in, and which commit is checked out there, read without git.

A `.git` file, a link or a folder above may name the git directory of somebody else. One is believed only where it names
the working tree in turn, from a place that only git writes to.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from audit_lib.untrusted.files import TEXT_LIMIT, is_path, read_bytes

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class CannotTellError(Exception):
    """Git cannot tell; `str(error)` is the reason, as a clause."""


@dataclass(frozen=True)
class Repository:
    """A working tree: its top, its git directory, and the one that has the objects (another for linked worktrees)."""

    top: Path
    folder: Path
    common: Path


def find(folder: Path) -> Repository | None:
    """The repository that a folder is in: the nearest folder above it, itself included, that has a `.git`.

    A folder that is laid out like a bare repository is none. Raises `CannotTellError` for a `.git` that is a link, or
    that names a git directory which does not name it in turn.
    """
    real = Path(os.path.realpath(folder))
    for top in (real, *real.parents):
        dot = top / ".git"
        if dot.is_symlink():
            raise CannotTellError(f"{dot} is a link")
        if dot.is_dir():
            if (dot / "HEAD").exists() and (dot / "objects").exists():
                return Repository(top, dot, dot)
        elif dot.exists():
            return _linked(top)
    return None


def commit(folder: Path) -> str:
    """The commit that is checked out in the repository of a folder; empty where there is none or it cannot be told."""
    try:
        found = find(folder)
        return commit_of(found) if found is not None else ""
    except CannotTellError:
        return ""


def commit_of(found: Repository) -> str:
    """The commit by HEAD: written there, or in the file of the branch that it names, or among the packed ones.

    Empty where there is none yet. Raises `CannotTellError`.
    """
    head = text_of(found.folder, "HEAD").strip()
    for _ in range(5):  # as git: a branch may name another
        if not head.startswith("ref: "):
            return head if _COMMIT.fullmatch(head) else ""
        name = head.removeprefix("ref: ").strip()
        if not name.startswith("refs/") or ".." in name:
            return ""
        head = next((text for place in (found.folder, found.common) if (text := _ref(place, name))), "")
        head = head or _packed(found.common, name)
    return ""


def text_of(folder: Path, name: str) -> str:
    """A file of a git directory that git writes for people too. Raises `CannotTellError`."""
    try:
        return read_bytes(folder, name, TEXT_LIMIT).decode("utf-8", "surrogateescape")
    except OSError as error:
        raise CannotTellError(f"{folder / name}: {error.strerror}") from error


def _linked(top: Path) -> Repository:
    """The repository of a linked worktree or a submodule, whose `.git` is a file that names its git directory."""
    doubt = CannotTellError(f"{top / '.git'} names a git directory that is not its own")
    text = text_of(top, ".git")
    if not text.startswith("gitdir: "):
        raise CannotTellError(f"{top / '.git'} names no git directory")
    folder = _place(top, text.removeprefix("gitdir: "))
    if folder is None or not folder.is_dir():
        raise doubt
    if (folder / "commondir").is_file():
        # A worktree: its git directory names it in turn, and lies in the one that it shares, where only git puts it.
        back, common = (_place(folder, text_of(folder, name)) for name in ("gitdir", "commondir"))
        if back != Path(os.path.realpath(top / ".git")) or common is None or folder.parent != common / "worktrees":
            raise doubt
        return Repository(top, folder, common)
    # A submodule: its git directory names it in turn, and lies in that of the repository around it.
    around = next((above for above in top.parents if (above / ".git").is_dir()), None)
    if around is None or not folder.is_relative_to(around / ".git" / "modules") or top not in _trees(folder):
        raise doubt
    return Repository(top, folder, folder)


def _place(folder: Path, text: str) -> Path | None:
    """The place that a file of git's names, relative to a folder; none for what is no path of the system's."""
    name = text.strip()
    place = os.path.realpath(folder / name) if is_path(name) else ""
    return Path(place) if os.path.lexists(place) else None


def _trees(folder: Path) -> list[Path | None]:
    """The working trees that the configuration of a submodule names: one, as git writes it."""
    lines: list[str] = []
    for name in ("config", "config.worktree"):
        if (folder / name).exists():
            lines += text_of(folder, name).splitlines()
    said = [line.partition("=") for line in lines]
    return [_place(folder, value.strip().strip('"')) for key, _, value in said if key.strip().lower() == "worktree"]


def _ref(folder: Path, name: str) -> str:
    try:
        return read_bytes(folder, name, TEXT_LIMIT).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _packed(folder: Path, name: str) -> str:
    try:
        lines = read_bytes(folder, "packed-refs").decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise CannotTellError(f"{folder / 'packed-refs'}: {error.strerror}") from error
    return next((line.partition(" ")[0] for line in lines if line.partition(" ")[2] == name), "")
