"""What is looked at before the work: whether its results could be written, and what a killed command left."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from audit_lib.cli.output import remark
from audit_lib.errors import OutputError, UsageError
from audit_lib.untrusted.output import refuse_links


def check_output(out: Path | None, formats: Sequence[str], target: Path) -> None:
    """Refuse before the work what could not be written after it, or would be written where a target's link leads."""
    if formats not in ((), ("jsonl",)):
        from audit_lib.show.export import FORMATS

        unknown = [name for name in formats if name not in FORMATS]
        if unknown:
            raise UsageError(f"--format {','.join(unknown)} is not known; choose from {', '.join(FORMATS)}")
        if out is None:
            raise UsageError("--format writes files; say where with --out OUT")
    if out is not None and out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is not a folder; name another with --out")
    if out is not None:
        refuse_links(out, target)


def recover(target: Path) -> None:
    """Bring back a target whose last write was interrupted, and say so.

    Raises `UsageError` where the target holds the cache, and so could forge what is believed from there.
    """
    from audit_lib.change import journal
    from audit_lib.read.gotool import cache_root

    if Path(os.path.realpath(cache_root())).is_relative_to(os.path.realpath(target)):
        raise UsageError(
            f"{cache_root()}: the cache lies in the target, which could forge what is kept there; "
            "name a folder outside of it in XDG_CACHE_HOME"
        )
    said = journal.recover(target)
    if said is not None:
        remark(said)


def check_committed(target: Path) -> None:
    """Refuse before the work what `--write` would refuse after it."""
    if target.is_dir():
        from audit_lib.change.repository import refuse_dirty

        refuse_dirty(target, ())
