"""Small targets to which something hostile is added, and the real command line on them, with a limit of time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HANG = 120
"""Seconds after which a command counts as hung: what is hostile here would hold it for ever."""

SECRET = "ghp_0utsideS3cret"
"""What stands in files outside of the target, and must not be seen in what is printed or written."""

SHOP = """\
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
    """What a command printed, and its exit code."""

    code: int
    text: str


def ctxaudit(*arguments: object, cwd: Path | None = None, seconds: float = HANG) -> Result:
    """Run the program in a process of its own; it must end, without a traceback."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "audit_lib",
            *(one if isinstance(one, bytes) else os.fsencode(str(one)) for one in arguments),
        ],
        capture_output=True,
        check=False,
        timeout=seconds,
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    text = (done.stdout + done.stderr).decode("utf-8")
    assert "Traceback" not in text
    return Result(done.returncode, text)


def shop(folder: Path) -> Path:
    """A module with one root to fix, in a folder that is made; beside it lie a secret, and a folder of Go code."""
    target = folder / "shop"
    target.mkdir()
    (target / "go.mod").write_text("module example.org/shop\n\ngo 1.21\n")
    (target / "shop.go").write_text(SHOP)
    outside = folder / "outside"
    outside.mkdir()
    (outside / "secret").write_text(f"{SECRET}: value\n")
    (outside / "code.go").write_text(f"package code\n\nfunc {SECRET}() int {{ return 1 }}\n")
    (outside / "go.mod").write_text("module example.org/shop/code\n\ngo 1.21\n")
    return target


def scanned(target: Path, *options: object) -> tuple[dict[str, Any], str]:
    """The audit of a scan that must succeed, and all that was printed and written, in which there is no secret."""
    out = target.parent / "out"
    result = ctxaudit("scan", target, "--out", out, *options)
    assert result.code == 0, result.text
    text = result.text + written(out)
    assert SECRET not in text
    audit: dict[str, Any] = json.loads((out / "audit.json").read_bytes())
    return audit, text


def written(out: Path) -> str:
    """All files of a folder, which must be UTF-8."""
    files = sorted(path for path in out.rglob("*") if path.is_file())
    return "".join(path.read_bytes().decode("utf-8") for path in files if path.suffix not in (".parquet", ".xlsx"))


def named(audit: dict[str, Any]) -> dict[str, str]:
    """The reasons of the degradations, by where."""
    return {problem["where"]: problem["reason"] for problem in audit["degradations"]}


def sites(audit: dict[str, Any]) -> list[tuple[str, str]]:
    """The file and verdict of each finding."""
    return [(finding["site"]["span"]["file"], finding["verdict"]) for finding in audit["findings"]]
