"""The program, run as people run it, and targets to run it on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = [sys.executable, "-P", "-m", "audit_lib"]
LIMIT = 240
HANDLER = """\
package shop

import (
	"context"
	"net/http"
)

func handle(w http.ResponseWriter, r *http.Request) { load() }

func load() { wait(context.TODO()) }

func wait(ctx context.Context) { <-ctx.Done() }
"""


@dataclass(frozen=True)
class Result:
    """What the program printed, and its exit code."""

    code: int
    out: str
    err: str


def ctxaudit(*arguments: object, environment: Mapping[str, str] | None = None, cwd: Path | None = None) -> Result:
    """Run the program in a process of its own; it must end, and without a traceback."""
    command = [*PROGRAM, *map(str, arguments)]
    env = os.environ | dict(environment or {})
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd=cwd, timeout=LIMIT)
    assert "Traceback" not in done.stderr
    return Result(done.returncode, done.stdout, done.stderr)


def shop(folder: Path, **files: str) -> Path:
    """A module with one root, in a function that a request handler calls, and more files."""
    texts = {"go.mod": "module example.org/shop\n\ngo 1.21\n", "shop.go": HANDLER, **files}
    for name, text in texts.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return folder


def scanned(target: Path, *options: object, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The audit of a scan that must succeed, leave the target as it was, and tell of what it did not read."""
    out = target.parent / "out"
    before = contents(target)
    result = ctxaudit("scan", target, "--out", out, *options, environment=environment)
    assert result.code == 0, result.err
    assert contents(target) == before
    audit: dict[str, Any] = json.loads((out / "audit.json").read_bytes())
    return audit


def contents(folder: Path) -> dict[str, bytes | str]:
    """All that is below a folder: bytes of files, texts of links."""
    return {
        path.relative_to(folder).as_posix(): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def verdicts(audit: dict[str, Any]) -> list[str]:
    """The verdict of each finding."""
    return [finding["verdict"] for finding in audit["findings"]]


def degradations(audit: dict[str, Any]) -> str:
    """What was not read, a line each."""
    return "\n".join(f"{problem['where']}: {problem['reason']}" for problem in audit["degradations"])


def refused(result: Result, code: int) -> str:
    """The one line of a run that was refused and printed no result."""
    assert (result.code, result.out) == (code, "")
    assert result.err.startswith("ctxaudit: ")
    assert result.err.count("\n") == 1
    return result.err


def leaves_note(place: Path, note: Path, then: str = "exit 1") -> Path:
    """A shell program that leaves a note that it ran."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/sh\necho $0 >> {note}\n{then}\n")
    place.chmod(0o755)
    return place
