"""Bad input, through the real command line: one line or a named degradation, and nothing half written."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

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


def ctxaudit(*arguments: object, environment: dict[str, str] | None = None, **options: Any) -> Result:
    """Run the program in a process of its own."""
    command = [sys.executable, "-m", "audit_lib", *map(str, arguments)]
    env = os.environ | (environment or {})
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, **options)
    assert "Traceback" not in done.stderr
    return Result(done.returncode, done.stdout, without_limit(done.stderr))


def without_limit(said: str) -> str:
    """What was said of what went wrong: a fix tells besides, first, what time it has (test_fix_faults holds that)."""
    return re.sub(r"^ctxaudit: time for all of it: \d+ s\n", "", said, flags=re.MULTILINE)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A module with one root, in a function that a request handler calls."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "go.mod").write_text("module example.org/shop\n\ngo 1.21\n")
    (folder / "shop.go").write_text(HANDLER)
    return folder


def scanned(target: Path, *options: object, environment: dict[str, str] | None = None) -> dict[str, Any]:
    """The audit of a scan that must succeed and leave the target as it was."""
    out = target.parent / "out"
    before = contents(target)
    result = ctxaudit("scan", target, "--out", out, *options, environment=environment)
    assert (result.code, result.err) == (0, "")
    assert contents(target) == before
    audit: dict[str, Any] = json.loads((out / "audit.json").read_bytes())
    for degradation in audit["degradations"]:
        assert degradation["reason"] in result.out or "more" in result.out
    return audit


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def verdicts(audit: dict[str, Any]) -> list[tuple[str, str]]:
    return [(finding["site"]["span"]["file"], finding["verdict"]) for finding in audit["findings"]]


def degradations(audit: dict[str, Any]) -> str:
    return "\n".join(f"{problem['where']}: {problem['reason']}" for problem in audit["degradations"])


def refused(result: Result, code: int) -> str:
    """The one line of a run that was refused and printed no result."""
    assert (result.code, result.out) == (code, "")
    assert result.err.startswith("ctxaudit: ")
    assert result.err.count("\n") == 1
    return result.err


def test_the_shop_is_judged_when_nothing_is_wrong(shop: Path) -> None:
    audit = scanned(shop)
    assert verdicts(audit) == [("shop.go", "fix")]
    assert degradations(audit) == ""


# What cannot be read at all.


def test_a_folder_without_go_code(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("print()\n")
    assert str(tmp_path) in refused(ctxaudit("scan", tmp_path), 3)


def test_a_missing_folder(tmp_path: Path) -> None:
    assert "missing" in refused(ctxaudit("scan", tmp_path / "missing"), 3)


def test_a_file_in_the_place_of_a_folder(shop: Path) -> None:
    assert "shop.go" in refused(ctxaudit("scan", shop / "shop.go"), 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("polcy = 1", "unknown key `polcy`"),
        ("exclude = 1", "Expected `array`, got `int` - at `exclude`"),
        ("[policy", "not valid TOML"),
    ],
)
def test_a_configuration_that_cannot_be_used(shop: Path, text: str, words: str) -> None:
    (shop / "ctxaudit.toml").write_text(text)
    message = refused(ctxaudit("scan", shop, "--out", shop / "out"), 2)
    assert f"{shop / 'ctxaudit.toml'}: {words}" in message
    assert not (shop / "out").exists()


def test_rules_that_are_not_there(shop: Path) -> None:
    (shop / "ctxaudit.toml").write_text('rules = ["ours.yml"]')
    assert "ours.yml" in refused(ctxaudit("scan", shop), 2)


# What is read in part: named, and no site is lost.


def test_no_go_toolchain(shop: Path) -> None:
    audit = scanned(shop, environment={"CTXAUDIT_GO": "/nowhere/go", "PATH": "/nowhere"})
    assert verdicts(audit) == [("shop.go", "review")]
    assert "CTXAUDIT_GO=/nowhere/go is no program that can be run" in degradations(audit)
    assert audit["typed"] is False


def test_a_go_mod_that_asks_for_a_newer_go_downloads_nothing(shop: Path, tmp_path: Path) -> None:
    (shop / "go.mod").write_text("module example.org/shop\n\ngo 1.99\n")
    modules = tmp_path / "modules"
    audit = scanned(shop, environment={"GOMODCACHE": str(modules), "GOTOOLCHAIN": "auto"})
    assert verdicts(audit) == [("shop.go", "review")]
    assert "1.99" in degradations(audit)
    assert not list(modules.rglob("*toolchain*"))


def test_a_go_mod_that_does_not_parse_is_named(shop: Path) -> None:
    (shop / "go.mod").write_text("modul example.org/shop\n")
    audit = scanned(shop)
    assert verdicts(audit) == [("shop.go", "review")]
    assert "go.mod:1: unknown directive: modul" in degradations(audit)


def test_a_vendor_folder_that_does_not_agree_with_go_mod_is_named(shop: Path) -> None:
    (shop / "go.mod").write_text("module example.org/shop\n\ngo 1.21\n\nrequire example.org/absent v1.0.0\n")
    (shop / "vendor").mkdir()
    (shop / "vendor" / "modules.txt").write_text("")
    audit = scanned(shop)
    assert [file for file, _ in verdicts(audit)] == ["shop.go"]
    assert "inconsistent vendoring" in degradations(audit)


def test_a_package_that_does_not_compile_is_named_and_the_others_are_judged(shop: Path) -> None:
    broken = shop / "broken"
    broken.mkdir()
    text = HANDLER.replace("package shop", "package broken")
    (broken / "broken.go").write_text(text + "\nvar count int = missing()\n")
    audit = scanned(shop)
    assert [file for file, _ in verdicts(audit)] == ["broken/broken.go", "shop.go"]
    assert verdicts(audit)[1] == ("shop.go", "fix")
    assert "missing" in degradations(audit)


def test_a_file_that_does_not_parse_is_named_and_the_others_are_judged(shop: Path) -> None:
    (shop / "half.go").write_text("package shop\n\nfunc half( {\n")
    audit = scanned(shop)
    assert [file for file, _ in verdicts(audit)] == ["shop.go"]
    assert "half.go" in degradations(audit)


def test_a_file_that_is_no_text_is_named_and_the_others_are_judged(shop: Path) -> None:
    (shop / "latin.go").write_bytes(b'package shop\n\n// caf\xe9\nvar name = "caf\xe9"\n')
    audit = scanned(shop)
    assert [file for file, _ in verdicts(audit)] == ["shop.go"]
    assert "latin.go" in degradations(audit)


def test_a_file_that_cannot_be_read_is_named(shop: Path) -> None:
    (shop / "gone.go").symlink_to(shop / "nowhere.go")
    result = ctxaudit("scan", shop, "--out", shop.parent / "out")
    audit = json.loads((shop.parent / "out" / "audit.json").read_bytes())
    assert result.code == 0
    assert [file for file, _ in verdicts(audit)] == ["shop.go"]
    assert "gone.go" in degradations(audit)


def test_dependencies_that_cannot_be_downloaded_are_named(shop: Path, tmp_path: Path) -> None:
    (shop / "go.mod").write_text("module example.org/shop\n\ngo 1.21\n\nrequire example.org/absent v1.0.0\n")
    (shop / "uses.go").write_text('package shop\n\nimport "example.org/absent"\n\nvar _ = absent.Name\n')
    offline = {"GOPROXY": "off", "GOMODCACHE": str(tmp_path / "modules"), "GOFLAGS": "-mod=mod"}
    audit = scanned(shop, environment=offline)
    assert [file for file, _ in verdicts(audit)] == ["shop.go"]
    assert "example.org/absent" in degradations(audit)


def test_a_cache_that_cannot_be_written(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in the folder's place")
    gocache = os.environ.get("GOCACHE", str(Path("~/.cache/go-build").expanduser()))
    audit = scanned(shop, environment={"XDG_CACHE_HOME": str(tmp_path / "cache"), "GOCACHE": gocache})
    assert [file for file, _ in verdicts(audit)] == ["shop.go"]
    assert "XDG_CACHE_HOME" in degradations(audit)


# What cannot be written: refused, and what was there stays.


def test_results_that_cannot_be_made(shop: Path) -> None:
    assert "/proc/nowhere" in refused(ctxaudit("scan", shop, "--syntax-only", "--quiet", "--out", "/proc/nowhere"), 3)


def test_a_full_standard_output(shop: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "audit_lib", "scan", str(shop), "--syntax-only"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr.startswith("ctxaudit: standard output: No space left on device")


def test_a_disk_that_is_full_leaves_the_earlier_results_whole(shop: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands in for the full disk: a write fails when part of it is done."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))

    out = tmp_path / "out"
    assert ctxaudit("scan", shop, "--syntax-only", "--quiet", "--out", out).code == 0
    before = contents(out)
    (shop / "more.go").write_text(HANDLER.replace("load", "more").replace("handle", "serve").replace("wait", "rest"))
    result = ctxaudit("scan", shop, "--syntax-only", "--quiet", "--out", out, preexec_fn=limit)
    assert str(out) in refused(result, 3)
    assert contents(out) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "shop"]
