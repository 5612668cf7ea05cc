"""What builds of a module, as the go command itself says; nothing of the tool that is measured has a part in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def built(folder: Path, go: Path) -> dict[str, str]:
    """The packages of a module, variants for tests too, each with why it does not build; empty where it does."""
    command = [str(go), "list", "-e", "-export", "-test", "-json=ImportPath,Error,DepsErrors", "-mod=mod", "./..."]
    env = os.environ | {"GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, check=False, encoding="utf-8")
    found = {}
    for item in _objects(done.stdout):
        errors = [error for error in (item.get("Error"), *(item.get("DepsErrors") or ())) if error]
        found[item["ImportPath"]] = _gist(errors[0]["Err"], folder) if errors else ""
    return found


def worse(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """What built before and does not build after, with the reason."""
    missing = "is no longer there"
    good = sorted(path for path, error in before.items() if not error)
    return [f"{path}: {after.get(path, missing)}" for path in good if after.get(path, missing)]


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects of what `go list` prints, each of which begins a line."""
    decoder = json.JSONDecoder()
    for start in re.finditer(r"^\{", text, re.MULTILINE):
        yield decoder.raw_decode(text, start.start())[0]


def _gist(text: str, folder: Path) -> str:
    lines = [part.strip() for part in text.replace(f"{folder}/", "").splitlines() if not part.startswith("#")]
    return next((part for part in lines if part), "no word why")
