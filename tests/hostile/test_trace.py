"""What a scan of a hostile repository executes, reads and writes, as the kernel saw it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from audit_lib.read import gotool
from tests.hostile.tracing import Trace, below, traced

pytestmark = pytest.mark.slow

SOURCE = """\
package shop

import (
	"context"
	"net/http"

	_ "example.org/shop/linked"
)

//go:generate sh -c "touch ../generated"

func handle(w http.ResponseWriter, r *http.Request) { load() }

func load() { wait(context.TODO()) }

func wait(ctx context.Context) { <-ctx.Done() }
"""


@pytest.fixture
def around(tmp_path: Path) -> Path:
    """A folder with a home, secrets, and a hostile repository `shop` that wants them."""
    for folder in ("home/.ssh", "tmp", "cache", "secrets", "shop"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "home" / ".ssh" / "id").write_text("a key")
    (tmp_path / "home" / ".config").mkdir()
    (tmp_path / "secrets" / "token.go").write_text("ghp_token\n")
    (tmp_path / "secrets" / "go.mod").write_text("module example.org/secrets\n")
    (tmp_path / "secrets" / "rule.yml").write_text("id: ghp_token\n")
    shop = tmp_path / "shop"
    (shop / "go.mod").write_text("module example.org/shop\n\ngo 1.21\n")
    (shop / "shop.go").write_text(SOURCE)
    (shop / "token.go").symlink_to("../secrets/token.go")
    (shop / "linked").symlink_to("../secrets")
    (shop / "nested").mkdir()
    (shop / "nested" / "go.mod").symlink_to("../../secrets/go.mod")
    (shop / "nested" / "n.go").write_text("package nested\n")
    (shop / "pipes").mkdir()
    for name in ("p.go", "p_test.go", "go.mod"):
        os.mkfifo(shop / "pipes" / name)
    for program in ("go", "git", "gofmt", "sh", "python", "python3", "mockgen"):
        (shop / program).write_text("#!/bin/sh\ntouch ../ran\n")
        (shop / program).chmod(0o755)
    for name in ("typer", "jupyterlab", "msgspec", "sitecustomize", "yaml"):
        (shop / f"{name}.py").write_text("open('../ran', 'w')\n")
    (shop / ".ctxaudit-0").symlink_to("../secrets/token.go")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], ["add", "shop.go", "go.mod"], ["commit", "-qm", "all"]):
        subprocess.run([*git, *arguments], cwd=shop, check=True, capture_output=True)
    with (shop / ".git" / "config").open("a") as file:
        file.write('[core]\n\tfsmonitor = "touch ../ran"\n[include]\n\tpath = ../../secrets/token.go\n')
    return tmp_path


def environment(around: Path) -> dict[str, str]:
    """A home of its own, the Go folders that are there, and the target's folder on PATH."""
    go = gotool.find_go()
    said = subprocess.run([go.path, "env", "-json", "GOCACHE", "GOMODCACHE"], capture_output=True, check=True).stdout
    folders: dict[str, str] = json.loads(said)
    return (
        dict(os.environ)
        | folders
        | {
            "HOME": str(around / "home"),
            "TMPDIR": str(around / "tmp"),
            "XDG_CACHE_HOME": str(around / "cache"),
            "XDG_CONFIG_HOME": str(around / "home" / ".config"),
            "PATH": os.pathsep.join([".", "", str(around / "shop"), os.environ["PATH"]]),
            "CTXAUDIT_GO": str(go.path),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
    )


def held(trace: Trace, around: Path, env: dict[str, str]) -> None:
    """Nothing of the target's was executed, nothing outside it was read, and nothing but ours was written."""
    assert "Traceback" not in trace.output
    assert "ghp_token" not in trace.output
    assert not (around / "ran").exists()
    assert not (around / "generated").exists()
    go = gotool.find_go()
    ours = (str(go.root), str(around / "cache"), sys.prefix, sys.base_prefix)
    programs = {Path(file).name for file in trace.executed - below(trace.executed, *ours)}
    # Before Go compiles a package of its own that has C in it (net), it asks the C compiler for its version.
    assert programs <= {"git", "go", "gcc"}, programs
    assert not below(trace.executed, around / "shop")
    private = (around / "secrets", around / "home" / ".ssh")
    assert not below(trace.read, *private)
    mine = (around / "cache", around / "tmp", around / "out", env["GOCACHE"], env["GOMODCACHE"], "/dev", "/proc")
    telemetry = around / "home" / ".config" / "go"  # the go command's own counters
    assert trace.written - below(trace.written, *mine, telemetry) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ("scan", "shop", "--out", "out"),
        ("scan", "shop", "--syntax-only", "--out", "out", "--format", "csv,xlsx"),
        ("explain", "shop/shop.go:14"),
        ("fix", "shop", "--verify", "build", "--out", "out"),
        ("doctor",),
    ],
    ids=lambda arguments: " ".join(arguments[:3]),
)
def test_nothing_of_the_targets_runs_and_nothing_outside_is_touched(around: Path, arguments: tuple[str, ...]) -> None:
    env = environment(around)
    trace = traced(arguments, around, env)
    assert trace.code in (0, 3), trace.output
    assert trace.read, "the trace is empty"
    held(trace, around, env)


def test_the_same_holds_with_the_target_as_working_folder(around: Path) -> None:
    env = environment(around)
    (around / "out").mkdir()
    trace = traced(("scan", ".", "--out", "../out"), around / "shop", env)
    assert trace.code == 0, trace.output
    held(trace, around, env)
