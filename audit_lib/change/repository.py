"""What git knows of a target: whether a change to it could be taken back. Nothing in the repository is touched."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from audit_lib.errors import UsageError
from audit_lib.untrusted import checkout, git

_SHOWN = 3


def refuse_dirty(target: Path, files: Collection[str]) -> None:
    """Raise `UsageError` where git could not bring back what a write to these files (relative) overwrites.

    That is a target with changes to tracked files that are not committed, or with files to write that are not tracked.
    A target that holds no tracked file, for instance since it is no repository, is fine, and so is one without git.
    """
    try:
        tracked = git.tracked(target)
    except checkout.CannotTellError as error:
        raise UsageError(f"{target}: git cannot tell what is committed ({error}); mend that, or use --force") from error
    if tracked is None or not tracked.files:
        return
    if tracked.changed:
        raise UsageError(_not_committed(target, tracked.changed))
    unknown = sorted({*tracked.unknown} & {*files})
    if unknown:
        raise UsageError(
            f"{target}: only the repository's own filter can tell whether {_listed(unknown)} is committed, and it is "
            "not run; run `git status` and commit, or write all the same with --force"
        )
    lost = sorted(file for file in files if file not in tracked.files and (target / file).exists())
    if lost:
        raise UsageError(_not_committed(target, lost))


def below_top(target: Path) -> bool:
    """Whether the target is a folder below the top of its repository: patches for it are written in another way.

    Raises `UsageError` where that cannot be told.
    """
    try:
        found = checkout.find(target)
    except checkout.CannotTellError as error:
        raise UsageError(f"{target}: git cannot tell where its repository begins ({error}); mend that") from error
    return found is not None and found.top != Path(os.path.realpath(target))


def _not_committed(target: Path, files: Sequence[str]) -> str:
    return f"{target}: not committed: {_listed(files)}; commit or stash first, or write all the same with --force"


def _listed(files: Sequence[str]) -> str:
    return ", ".join(files[:_SHOWN]) + (f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else "")
