"""What a target's go.mod and go.work files name outside of it by relative paths, kept reachable from a copy."""

from __future__ import annotations

import os
from pathlib import Path

from audit_lib.config import GoOptions
from audit_lib.read.modules import named_outside, workspace_above


def references(target: Path, options: GoOptions = GoOptions()) -> list[Path]:  # noqa: B008 -- frozen
    """Files and folders outside of a target that building it needs: replaced modules, and the workspace that it is in.

    Sorted, absolute, no links. What is named by an absolute path is found from a copy too, and left out.
    Raises `ToolchainError` where a file names folders and there is no Go to parse it with.
    """
    relative = (one for one in named_outside(target, options) if not Path(one.text).is_absolute())
    found = {one.place for one in relative if one.place is not None}
    workspace = workspace_above(target)
    if workspace is not None:
        found.add(workspace)
        found.add(workspace.with_name("go.work.sum"))
    return sorted(path for path in found if path.exists() and not path.is_relative_to(target))


def mirror(target: Path, outside: list[Path], holder: Path) -> Path:
    """Make an empty folder for the copy of a target below `holder`, with links to `outside` where paths expect them.

    Returns that folder.
    """
    anchor = Path(os.path.commonpath([target.parent, *(path.parent for path in outside)]))
    root = holder / target.relative_to(anchor)
    root.mkdir(parents=True)
    for path in outside:
        _link(path, holder / path.relative_to(anchor), target)
    return root


def _link(path: Path, place: Path, target: Path) -> None:
    if path == target or (place.exists() and not target.is_relative_to(path)):
        return
    if target.is_relative_to(path):
        # A module around the target: its own files, with the copy where the target would be.
        place.mkdir(parents=True, exist_ok=True)
        for child in sorted(path.iterdir()):
            _link(child, place / child.name, target)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(path)
