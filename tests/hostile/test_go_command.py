"""What the go command is let do in a target: no version control, no other compilers over its sources, no rewriting."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from audit_lib.config import GoOptions
from audit_lib.read import gotool, kept
from audit_lib.read.gofacts import read
from tests.hostile.command import degradations, leaves_note, scanned, shop

TOKEN = "ghp0123456789"
C = """\
package %s

// #include "%s"
import %s

var N = C.%s
"""


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


@pytest.mark.parametrize("flags", [None, "-buildvcs=true", "-buildvcs=auto"])
def test_stamps_of_version_control_are_not_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str | None
) -> None:
    """`git status` runs what `core.fsmonitor` of the target says; the go command calls it for a main package."""
    target = shop(tmp_path / "shop", **{"cmd/main.go": "package main\n\nfunc main() {}\n"})
    git(target, "init", "-q")
    git(target, "add", ".")
    git(target, "commit", "-qm", "all")
    monitor = leaves_note(tmp_path / "monitor", tmp_path / "note")
    git(target, "config", "core.fsmonitor", str(monitor))
    go = gotool.find_go()
    command = [str(go.path), "list", "-export", "-e", "./..."]
    monkeypatch.setenv("GOENV", "off")
    monkeypatch.setenv("GOFLAGS", flags or "")
    subprocess.run(command, cwd=target, env=os.environ | {"GOTOOLCHAIN": "local"}, check=False, capture_output=True)
    assert (tmp_path / "note").exists(), "this is what must not happen"
    (tmp_path / "note").unlink()
    subprocess.run(command, cwd=target, env=gotool.environment(go), check=True, capture_output=True)
    read(target, GoOptions(compile="always"))
    assert not (tmp_path / "note").exists()


@pytest.mark.slow
def test_other_compilers_do_not_read_what_sources_name(tmp_path: Path) -> None:
    """Files outside, by way of C and of the assembler: what they hold, or whether they are there, is in no result."""
    secret = tmp_path / "secret"
    secret.write_text(f"{TOKEN} is here\n")
    assembly = f'#include "{secret}"\nTEXT ·F(SB),0,$0\n\tRET\n'
    files = {
        "c/c.go": C % ("c", secret, '"C"', "x"),
        "escaped/e.go": C % ("escaped", secret, r'"\x43"', "x"),
        "raw/r.go": C % ("raw", secret, "`C`", "x"),
        "s/s.go": "package s\n\nfunc F()\n",
        "s/s_amd64.s": assembly,
        "s/s_arm64.s": assembly,
        "uses/u.go": 'package uses\n\nimport "example.org/shop/s"\n\nfunc G() { s.F() }\n',
        "flags/f.go": f'package flags\n\n// #cgo pkg-config: evil\n// #cgo CFLAGS: -I{tmp_path}\nimport "C"\n',
    }
    note = tmp_path / "note"
    for name in ("gcc", "cc", "pkg-config"):
        real = shutil.which(name)
        then = f'case "$*" in *{tmp_path.name}*) echo "$@" >> {note};; esac\nexec {real or "false"} "$@"'
        place = tmp_path / "bin" / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(f"#!/bin/sh\n{then}\n")
        place.chmod(0o755)
    target = shop(tmp_path / "shop", **files)
    path = os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]])
    environment = {"PATH": path, "CGO_ENABLED": "1", "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", "")}
    audit = scanned(target, environment=environment)
    assert TOKEN not in str(audit)
    assert "secret" not in degradations(audit)
    assert not note.exists(), note.read_text()


def test_c_and_assembly_of_the_targets_own_are_judged_as_ever(tmp_path: Path) -> None:
    files = {
        "db/db.go": """\
package db

// static int twice(int x) { return 2 * x; }
import "C"

import (
	"context"
	"net/http"
)

type DB struct{ n C.int }

func (d *DB) Query(ctx context.Context, r *http.Request) int { return int(C.twice(d.n)) }

func Load(r *http.Request) { new(DB).Query(context.TODO(), r) }
""",
        "asm/f.go": "package asm\n\nfunc F() int\n",
        "asm/f_amd64.s": '#include "textflag.h"\nTEXT ·F(SB),NOSPLIT,$0-8\n\tMOVQ $1, ret+0(FP)\n\tRET\n',
        "api/api.go": """\
package api

import (
	"net/http"

	"example.org/shop/asm"
	"example.org/shop/db"
)

func Handle(w http.ResponseWriter, r *http.Request) { asm.F(); db.Load(r) }
""",
    }
    target = shop(tmp_path / "shop", **files)
    by_compiling = read(target, GoOptions())
    assert by_compiling == read(target, GoOptions(compile="never"))
    assert by_compiling.problems == ()
    assert {call.callee for call in by_compiling.calls} >= {"example.org/shop/db.Load"}


def test_generate_lines_are_not_run(tmp_path: Path) -> None:
    note = tmp_path / "note"
    target = shop(tmp_path / "shop", **{"gen.go": f"package shop\n\n//go:generate touch {note}\n"})
    scanned(target)
    assert not note.exists()


def test_a_file_that_changes_meanwhile_is_named(tmp_path: Path) -> None:
    target = shop(tmp_path / "shop", **{"go.sum": "", "sub/go.work": "go 1.21\n", "vendor/x/go.mod": "module x\n"})
    before = kept.states(target)
    assert set(before) == {"go.mod", "go.sum", "sub/go.work"}
    assert kept.changed(before, kept.states(target)) == []
    (target / "go.mod").write_text("module example.org/other\n")
    (target / "go.sum").unlink()
    (target / "go.work.sum").write_text("")
    assert kept.changed(before, kept.states(target)) == ["go.mod", "go.sum", "go.work.sum"]
