"""What is looked at before the work: whether its results could be written, and what a killed command left."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from audit_lib.cli.output import PROGRAM
from audit_lib.errors import OutputError, UsageError


def check_output(out: Path | None, formats: Sequence[str]) -> None:
    """Refuse before the work what could not be written after it."""
    if formats not in ((), ("jsonl",)):
        from audit_lib.show.export import FORMATS

        unknown = [name for name in formats if name not in FORMATS]
        if unknown:
            raise UsageError(f"--format {','.join(unknown)} is not known; choose from {', '.join(FORMATS)}")
        if out is None:
            raise UsageError("--format writes files; say where with --out OUT")
    if out is not None and out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is not a folder; name another with --out")


def recover(target: Path) -> None:
    """Bring back a target whose last write was interrupted, and say so."""
    from audit_lib.change import journal

    said = journal.recover(target)
    if said is not None:
        print(f"{PROGRAM}: {said}", file=sys.stderr)


def check_committed(target: Path) -> None:
    """Refuse before the work what `--write` would refuse after it."""
    if target.is_dir():
        from audit_lib.change.repository import refuse_dirty

        refuse_dirty(target, ())
