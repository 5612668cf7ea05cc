"""What a target's go.mod and go.work files name outside of it by relative paths, kept reachable from a copy."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

_REPLACED = re.compile(r"=>\s*[\"`]?(\.\.?(?:/[^\s\"`]*)?)[\"`]?\s*(?://.*)?$", re.MULTILINE)
_USES = re.compile(r"^\s*use\s*(?:\(([^)]*)\)|(\S+))", re.MULTILINE)
_SKIPPED = frozenset({".git", "node_modules", "testdata", "vendor"})


def references(target: Path) -> list[Path]:
    """Files and folders outside of a target that building it needs: replaced modules, and the workspace that it is in.

    Sorted, absolute, no links. What is named by an absolute path is found from a copy too, and left out.
    """
    found: set[Path] = set()
    for folder in _folders(target):
        for name in ("go.mod", "go.work"):
            found.update(_named(folder / name))
    workspace = _workspace_above(target)
    if workspace is not None:
        found.add(workspace)
        found.add(workspace.with_name("go.work.sum"))
        found.update(_named(workspace))
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


def _folders(target: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(target):
        folders[:] = [name for name in folders if name not in _SKIPPED]
        if "go.mod" in files or "go.work" in files:
            yield Path(folder)


def _workspace_above(target: Path) -> Path | None:
    asked = os.environ.get("GOWORK", "")
    if asked:
        return None  # `off`, or an absolute path that is right from anywhere
    files = (folder / "go.work" for folder in (target, *target.parents))
    return next((file for file in files if file.is_file()), None)


def _named(file: Path) -> Iterator[Path]:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    names = [match[1] for match in _REPLACED.finditer(text)]
    if file.name == "go.work":
        uses = (match[1] or match[2] for match in _USES.finditer(re.sub(r"//.*", "", text)))
        names += [name.strip('"`') for use in uses for name in use.split()]
    for name in names:
        if not Path(name).is_absolute():
            yield (file.parent / name).resolve()
