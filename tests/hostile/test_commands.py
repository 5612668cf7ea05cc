"""A target whose folder, files, configuration, rules, directives and errors are hostile, through the commands."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from tests.hostile.test_markdown import OTHER, READER, Elements

FOLDER = "shop\x1b]0;owned\x07`<img src=x>`\n=1+1;$(touch x)"
FILE = "a`<b>|\x1b[2J'$(x)\u202eog.go"
SOURCE = """\
package shop

import (
	"context"
	"net/http"
)

func handleИмя(w http.ResponseWriter, r *http.Request) { load\uff21() }

func load\uff21() { wait(context.TODO()) }

func serve() {
	//ctxaudit:keep \x1b[31m<img src=x onerror=alert(1)> =1+1 @octocat fixes #1 \u202e
	wait(context.Background())
}

func wait(ctx context.Context) { <-ctx.Done() }
"""
CONFIG = """\
[phases]
"=1+1 \\u001b[31m<b>|`x` @me" = ["**"]
"""


def ctxaudit(*arguments: object, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "audit_lib", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, timeout=500, env=os.environ | (environment or {}))


def safe(said: bytes, allowed: str = "\n") -> bool:
    return all(char.isprintable() or char in allowed for char in said.decode("utf-8"))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / FOLDER
    folder.mkdir()
    (folder / "go.mod").write_text("module example.org/shop\n\ngo 1.21\n")
    (folder / "shop.go").write_text(SOURCE.replace("\u202e ", " "))
    (folder / "ctxaudit.toml").write_text(CONFIG)
    return folder


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("ctxaudit.toml", '"\\u001b]0;x\\u0007\\u202e\\nctxaudit: all is well" = 1\n'),
        ("ctxaudit.toml", 'exclude = "\\u001b[2J"\n'),
        ("ctxaudit.toml", "\x1b[31m broken \x9b\n"),
        ("ctxaudit.toml", 'rules = ["\\u001b[2J\\u202e"]\n'),
        ("rule.yml", 'id: "\\e[31m\\u202e"\nlanguage: go\nrule: {pattern: "\\e]0;x\\a"}\n"\\e[2J": 1\n'),
        ("rule.yml", "id: [\x1b[31m, }\n"),
        ("rule.yml", 'id: "a\\nctxaudit: all is well"\nlanguage: "\\e[5m"\nrule: {kind: "\\e[2J"}\n'),
    ],
)
def test_an_error_of_a_hostile_configuration_is_one_safe_line(shop: Path, file: str, text: str) -> None:
    if file == "rule.yml":
        (shop / "ctxaudit.toml").write_text('rules = ["rule.yml"]\n')
    (shop / file).write_text(text)
    done = ctxaudit("scan", shop, "--syntax-only")
    assert done.returncode in (2, 3)
    assert done.stderr.count(b"\n") == 1
    assert safe(done.stderr)


def test_a_file_with_a_hostile_name_is_read_and_shown_safely(shop: Path, tmp_path: Path) -> None:
    (shop / "shop.go").rename(shop / FILE)
    done = ctxaudit("scan", shop, "--syntax-only", "--all", "--out", tmp_path / "out", "--format", "csv,xlsx,parquet")
    assert done.returncode == 0, done.stderr
    assert safe(done.stdout) and safe(done.stderr)
    assert b"\\x1b[2J" in done.stdout
    rows = list(csv.reader(io.StringIO((tmp_path / "out" / "findings.csv").read_text("utf-8-sig"))))
    assert len(rows) == 3
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    openpyxl.load_workbook(tmp_path / "out" / "findings.xlsx")
    lines = (tmp_path / "out" / "findings.jsonl").read_bytes().decode().splitlines()
    assert {json.loads(line)["file"] for line in lines} == {FILE}


@pytest.mark.slow
def test_a_hostile_target_is_scanned_explained_and_fixed_safely(shop: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    scan = ctxaudit("scan", shop, "--all")
    explain = ctxaudit("explain", f"{shop}/shop.go:10", "--target", shop)
    fix = ctxaudit("fix", shop, "--verify", "build", "--document", "--diff", "--out", out)
    for done in (scan, explain, fix):
        assert done.returncode == 0, done.stderr
        assert safe(done.stdout, "\n\t") and safe(done.stderr)
    for render in (READER.render, OTHER):
        page = Elements(str(render((out / "summary.md").read_text("utf-8"))))
        assert {tag for tag, _ in page.elements}.isdisjoint({"img", "a", "b", "script"})
        assert "#1" not in "".join(page.words)
        assert "@octocat" not in "".join(page.words)
    assert (shop / "shop.go").read_text() == SOURCE.replace("\u202e ", " ")


def test_what_is_installed_is_told_safely(tmp_path: Path) -> None:
    done = ctxaudit("doctor", environment={"XDG_CACHE_HOME": str(tmp_path / "c\x1b[2J\nall is well")})
    assert safe(done.stdout) and safe(done.stderr)
    assert b"\nall is well" not in done.stdout
