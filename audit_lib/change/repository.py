"""What git knows of a target: whether a change to it could be taken back. Nothing in the repository is touched."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection
from pathlib import Path

from audit_lib.errors import UsageError

_SHOWN = 3


def refuse_dirty(target: Path, files: Collection[str]) -> None:
    """Raise `UsageError` where git could not bring back what a write to these files (relative) overwrites.

    That is a target with changes to tracked files that are not committed, or with files to write that are not tracked.
    A target that holds no tracked file, for instance since it is no repository, is fine, and so is one without git.
    """
    tracked = set(_git(target, "ls-files", "-z"))
    if not tracked:
        return
    # The index is as it was after `status` too: no lock is taken, and so no times of files are refreshed.
    changed = [entry[3:] for entry in _git(target, "status", "--porcelain", "-z", "--untracked-files=no", "--", ".")]
    at_risk = [file for file in changed if file] or sorted(
        file for file in files if file not in tracked and (target / file).exists()
    )
    if at_risk:
        shown = ", ".join(at_risk[:_SHOWN]) + (f" and {len(at_risk) - _SHOWN} more" if len(at_risk) > _SHOWN else "")
        raise UsageError(f"{target}: not committed: {shown}; commit or stash first, or write all the same with --force")


def below_top(target: Path) -> bool:
    """Whether the target is a folder below the top of its repository: patches for it are written in another way."""
    return any(line.strip() for line in _git(target, "rev-parse", "--show-prefix"))


def _git(target: Path, *command: str) -> list[str]:
    """What a git command prints, split at NUL; nothing where there is no git or no repository."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env |= {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(["git", "-C", str(target), *command], env=env, capture_output=True, check=False)
    except FileNotFoundError:
        return []
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode != 0 and "not a git repository" not in said:
        reason = said.splitlines()[0].removeprefix("fatal: ") if said else f"exit code {done.returncode}"
        raise UsageError(f"{target}: git cannot tell what is committed ({reason}); mend that, or use --force")
    return [os.fsdecode(part) for part in done.stdout.split(b"\0") if part]
