"""The Go files of a target, as the go tool would find them, and what could not be read."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from audit_lib.config import Config
from audit_lib.errors import TargetError
from audit_lib.model import Degradation
from audit_lib.untrusted.files import RefusedError, on_disk, read_bytes, recorded, walk

SKIPPED = frozenset({"vendor", "testdata", "node_modules"})
"""Folders in which nothing of a target is looked for."""

GO_FILE_LIMIT = 500_000
"""Go files of a target that are scanned."""

_HIDDEN = (".", "_")


def find_go_files(target: Path, config: Config) -> tuple[list[str], list[Degradation]]:
    """The files of a target (relative, as records name them, sorted) and what stood in the way.

    Left out is what the go tool leaves out, and what the configuration excludes. Raises `TargetError` where there is
    no folder or no Go code in it.
    """
    if not target.exists():
        raise TargetError(f"{target}: no such folder; name the folder of a Go module or repository")
    if not target.is_dir():
        raise TargetError(f"{target}: not a folder; name the folder that the file is in")
    files: list[str] = []
    degradations: list[Degradation] = []

    def unreadable(folder: str, error: OSError) -> None:
        reason = f"the folder cannot be read ({error.strerror}): nothing in it is scanned"
        degradations.append(Degradation(recorded(folder) or ".", reason))

    for folder in walk(target, is_looked_into, unreadable):
        for name in (*folder.files, *folder.links, *folder.others):
            if name.endswith(".go") and not name.startswith(_HIDDEN):
                files.append(recorded(folder.inside(name)))
        if len(files) > GO_FILE_LIMIT:
            reason = f"more than {GO_FILE_LIMIT} Go files: what is behind them is not scanned"
            degradations.append(Degradation(recorded(folder.name) or ".", reason))
            break
    files = [file for file in files[:GO_FILE_LIMIT] if not config.excludes(file)]
    if not files and not degradations:
        raise TargetError(f"{target}: no Go code in it; name the folder of a Go module or repository")
    return sorted(files), degradations


def is_looked_into(name: str) -> bool:
    """Whether Go files are looked for in a folder of that name, as the go command does."""
    return name not in SKIPPED and not name.startswith(_HIDDEN)


def by_package(files: list[str]) -> dict[str, list[str]]:
    """Files by their folder: `.` for the target itself."""
    ordered = sorted(files, key=lambda file: (package_of(file), file))
    return {package: list(group) for package, group in groupby(ordered, key=package_of)}


def package_of(file: str) -> str:
    """The folder of a file, relative to the target."""
    return file.rpartition("/")[0] or "."


def read_go_file(target: Path, file: str) -> bytes | Degradation:
    """The bytes of a file, or why it is not scanned. A link is only followed to a file inside the target."""
    try:
        return read_bytes(target, on_disk(file))
    except RefusedError as error:
        return Degradation(file, f"{error.strerror}: not scanned")
    except OSError as error:
        return Degradation(file, f"cannot be read ({error.strerror}): not scanned")
