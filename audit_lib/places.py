"""`FILE:LINE` as people and editors write it, and as records name it."""

from __future__ import annotations

from pathlib import Path

from audit_lib.errors import TargetError, UsageError
from audit_lib.model import Audit
from audit_lib.untrusted.files import on_disk, recorded

ROOT_MARKERS = ("ctxaudit.toml", "go.work", "go.mod", ".git")


def parse(place: str, target: Path | None = None) -> tuple[Path, int]:
    """The file and the line of `FILE:LINE`; a column behind it, as editors write one, is left out.

    FILE can be relative to a named target, as results write it, where there is no such file here.
    """
    name, _, line = place.rpartition(":")
    before, _, number = name.rpartition(":")
    if before and number.isdigit():
        name, line = before, number
    if not name or not line.isdigit():
        raise UsageError(f"{place}: is not FILE:LINE, like store/client.go:42")
    names = dict.fromkeys((name, on_disk(name)))
    for file in (*map(Path, names), *(target / name for name in names if target)):
        if file.is_file():
            return file, int(line)
    raise TargetError(f"{name}: no such file; if it is relative to what was scanned, name that with --target DIR")


def target_of(file: Path) -> Path:
    """The module, workspace or repository that a file belongs to: the nearest folder above that starts one.

    Where the file is a link, that is the one that the link is in, not the one that it leads to.
    """
    for folder in (file.parent.resolve() / file.name).parents:
        if any((folder / marker).exists() for marker in ROOT_MARKERS):
            return folder
    raise TargetError(f"{file}: no go.mod, go.work or .git above it; name the folder to audit with --target")


def relative(file: Path, target: Path) -> str:
    """A file as records name it: relative to the target and `/`-separated."""
    try:
        return recorded(file.resolve().relative_to(target.resolve()).as_posix())
    except ValueError:
        raise UsageError(f"{file}: is not in {target}; name a folder above it with --target") from None


def nearest(audit: Audit, file: str, line: int) -> str:
    """Where the sites of a file are that are nearest to a line, in words; of one that was not read, why."""
    lines = sorted({finding.site.span.line for finding in audit.findings if finding.site.span.file == file})
    before = [number for number in lines if number < line][-1:]
    after = [number for number in lines if number > line][:1]
    if not lines:
        unread = (problem.reason for problem in audit.degradations if problem.where == file)
        return next(unread, "the file has none")
    places = " and ".join(f"{number}" for number in before + after)
    return f"the nearest {'is on line' if len(before + after) == 1 else 'are on lines'} {places}"
