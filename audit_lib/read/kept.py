"""Whether the go.mod, go.sum, go.work and go.work.sum of a target are, byte for byte, what they were."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from audit_lib.read.gofiles import SKIPPED
from audit_lib.untrusted.files import TEXT_LIMIT, read_bytes, walk

_ENDS = (".mod", ".sum")
_NAMES = ("go.work", "go.work.sum")


def states(target: Path) -> dict[str, str]:
    """What each of these files holds, as a digest, by its name relative to the target; a link is not followed."""
    found = {}
    for folder in walk(target, lambda name: name not in SKIPPED and not name.startswith((".", "_"))):
        for name in folder.files:
            if name.endswith(_ENDS) or name in _NAMES:
                found[folder.inside(name)] = _state(target, folder.inside(name))
    return found


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The files that differ, were made or are gone, sorted."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def _state(target: Path, name: str) -> str:
    try:
        return hashlib.sha256(read_bytes(target, name, TEXT_LIMIT)).hexdigest()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
