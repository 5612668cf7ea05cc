"""The Go files of a target, as the go tool would find them, and what could not be read."""

from __future__ import annotations

import os
import stat
from itertools import groupby
from pathlib import Path

from audit_lib.config import Config
from audit_lib.errors import TargetError
from audit_lib.model import Degradation

SKIPPED = frozenset({"vendor", "testdata", "node_modules"})
"""Folders in which nothing of a target is looked for."""

_HIDDEN = (".", "_")


def find_go_files(target: Path, config: Config) -> tuple[list[str], list[Degradation]]:
    """The files of a target (relative, `/`-separated, sorted) and what stood in the way.

    Left out is what the go tool leaves out, and what the configuration excludes. Raises `TargetError` where there is
    no folder or no Go code in it.
    """
    if not target.exists():
        raise TargetError(f"{target}: no such folder; name the folder of a Go module or repository")
    if not target.is_dir():
        raise TargetError(f"{target}: not a folder; name the folder that the file is in")
    files: list[str] = []
    degradations: list[Degradation] = []

    def unreadable(error: OSError) -> None:
        where = Path(error.filename).relative_to(target).as_posix()
        degradations.append(
            Degradation(where, f"the folder cannot be read ({error.strerror}): nothing in it is scanned")
        )

    for folder, folders, names in os.walk(target, onerror=unreadable):
        folders[:] = [name for name in folders if name not in SKIPPED and not name.startswith(_HIDDEN)]
        below = Path(folder).relative_to(target)
        for name in names:
            if name.endswith(".go") and not name.startswith(_HIDDEN):
                files.append((below / name).as_posix())
    files = [file for file in files if not config.excludes(file)]
    if not files and not degradations:
        raise TargetError(f"{target}: no Go code in it; name the folder of a Go module or repository")
    return sorted(files), degradations


def by_package(files: list[str]) -> dict[str, list[str]]:
    """Files by their folder: `.` for the target itself."""
    ordered = sorted(files, key=lambda file: (package_of(file), file))
    return {package: list(group) for package, group in groupby(ordered, key=package_of)}


def package_of(file: str) -> str:
    """The folder of a file, relative to the target."""
    return file.rpartition("/")[0] or "."


def read_go_file(target: Path, file: str) -> bytes | Degradation:
    """The bytes of a file, or why it is not scanned. A link is only followed to a file inside the target."""
    path = target / file
    try:
        if path.is_symlink() and not path.resolve(strict=True).is_relative_to(target.resolve()):
            return Degradation(file, "a link that leads out of the target: not scanned")
        if not stat.S_ISREG(path.stat().st_mode):
            return Degradation(file, "not a regular file: not scanned")
        return path.read_bytes()
    except OSError as error:
        return Degradation(file, f"cannot be read ({error.strerror}): not scanned")
