"""Edits carried out: on bytes, then in a scratch copy, and at last on the target, all or none.

with scratch_copy(target) as scratch:
    rewritten = rewrite(scratch, go, edits)     # formatted, and written to the copy
    ...                                         # verify it there
    write_back(target, rewritten, force=False)  # the only step that changes the target
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from audit_lib.change.edits import Edits, apply_all
from audit_lib.change.entries import LEADS_OUT, digest
from audit_lib.change.formatting import format_edited
from audit_lib.change.imports import repaired
from audit_lib.change.journal import write_all
from audit_lib.change.repository import refuse_dirty
from audit_lib.change.scratch import Scratch
from audit_lib.errors import TargetError
from audit_lib.read.gotool import GoTool


@dataclass(frozen=True)
class Rewritten:
    """The files that change, by name and sorted: as they were (`None`: new), and as they are to be.

    `joined` are those that fit each other alone: mocks that were made again, and what was adapted to them.
    """

    before: dict[str, bytes | None]
    after: dict[str, bytes]
    joined: frozenset[str] = frozenset()


def rewrite(
    scratch: Scratch, go: GoTool | None, edits: Mapping[str, Edits], scanned: Mapping[str, str] | None = None
) -> Rewritten:
    """The files with their edits, formatted where there is a Go, and written to the scratch copy.

    The copy must be as it was made: what an earlier rewrite put there is edited again, not replaced (`undo` it first).
    `scanned` holds digests of files (see `digest`) as they were when the edits were planned: another content raises
    `TargetError`. Raises `EditError` for edits that a file cannot take, `OutputError` for a link out of the target.
    """
    before = {file: scratch.read(file) for file in sorted(edits)}
    for file, data in before.items():
        if scanned is not None and file in scanned and digest(data) != scanned[file]:
            raise TargetError(f"{file}: changed since it was read; nothing was written, run the command again")
    result = edited(before, edits, go)
    scratch.write(result.after)
    return result


def edited(before: Mapping[str, bytes | None], edits: Mapping[str, Edits], go: GoTool | None) -> Rewritten:
    """Files with their edits, their imports mended, and formatted where there is a Go; nothing is written.

    Those that stay as they are are left out.
    """
    present = {file: data for file in edits if (data := before.get(file)) is not None}
    after = {
        file: repaired(present.get(file), data) if file.endswith(".go") else data
        for file, data in apply_all(present, edits).items()
    }
    if go is not None:
        after = format_edited(go, before, after)
    changed = {file: data for file, data in after.items() if data != before.get(file)}
    return Rewritten({file: before.get(file) for file in changed}, changed)


def undo(scratch: Scratch, rewritten: Rewritten) -> None:
    """Give a scratch copy back the files as they were."""
    scratch.write(rewritten.before)


def write_back(target: Path, rewritten: Rewritten, *, force: bool) -> None:
    """Write the result to the target, all or nothing.

    Raises `UsageError` where git could not undo it and `force` is not given, `TargetError` for files that have changed
    since they were copied, `OutputError` for what cannot be written: in each case the target is as it was.
    """
    if not force:
        refuse_dirty(target, rewritten.after)
    write_all(target, rewritten.before, rewritten.after)


def blocked(scratch: Scratch, files: Iterable[str]) -> dict[str, str]:
    """The files (relative) that must not be written since a link leads out of the target, each with the reason."""
    return {file: LEADS_OUT for file in sorted(set(files)) if scratch.bars(file)}
