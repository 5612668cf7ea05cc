"""What can go wrong with a fix, through the real command line: one line, and the target as before or as after."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.test_bad_input import Result, contents, ctxaudit, refused, without_limit

GO_MOD = "module example.org/shop\n\ngo 1.24\n"
HANDLER = """\
package shop

import "net/http"

func handle(w http.ResponseWriter, r *http.Request) { load() }
"""
LOAD = """\
package shop

import "context"

func load() { wait(context.TODO()) }

func wait(ctx context.Context) {
	select {
	case <-ctx.Done():
	default:
	}
}
"""
LOADED = LOAD.replace("func load() { wait(context.TODO()) }", "func load(ctx context.Context) { wait(ctx) }")
HANDLED = HANDLER.replace("load()", "load(r.Context())")
BEFORE = {"go.mod": GO_MOD, "handler.go": HANDLER, "load.go": LOAD}
AFTER = {"go.mod": GO_MOD, "handler.go": HANDLED, "load.go": LOADED}

KILLED = """
from audit_lib.change import journal
moved = []
def move(target, entry, real=journal._move):
    if len(moved) == 1:
        os._exit(137)
    moved.append(entry)
    real(target, entry)
journal._move = move
"""
ENDED_VERIFYING = """
from audit_lib.change.verify import Verifier
Verifier.verify = lambda self, *rest: os.kill(os.getpid(), number)
"""
ENDED_WRITING = """
from audit_lib.change import journal
moved = []
def move(target, entry, real=journal._move):
    real(target, entry)
    if not moved:
        moved.append(entry)
        os.kill(os.getpid(), number)
journal._move = move
"""
FULL = """
from audit_lib.change import journal
staged = []
def stage(target, entry, data, real=journal._stage):
    real(target, entry, data)
    staged.append(entry)
    if len(staged) == 2:
        raise OSError(28, "No space left on device", str(target / entry.file))
journal._stage = stage
"""
EDITED = """
from pathlib import Path
from audit_lib.change.verify import Verifier
def verify(self, *rest, real=Verifier.verify):
    Path(sys.argv[2], "load.go").write_text("package shop\\n\\nfunc load() {}\\n")
    return real(self, *rest)
Verifier.verify = verify
"""
NEVER_RIGHT = """
from audit_lib import fixing
from audit_lib.change.reconcile import Rescan
from audit_lib.model import Verification
def rescanned(before, after, plan, rewritten, seconds, *rest):
    return Rescan((Verification("rescan", False, seconds, "1 root too many"),), plan)
fixing.rescanned = rescanned
"""


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the module's own, so that the helper is built once; Go's stays where it is."""
    folder = tmp_path_factory.getbasetemp() / "fix-cache"
    monkeypatch.setenv("GOCACHE", os.environ.get("GOCACHE", str(Path("~/.cache/go-build").expanduser())))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder / "ctxaudit"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A module with one root, in a function that a request handler calls; no repository."""
    return write(tmp_path / "shop", BEFORE)


def write(folder: Path, files: dict[str, str]) -> Path:
    for file, text in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text)
    return folder


def sources(folder: Path) -> dict[str, str]:
    return {file: data.decode() for file, data in contents(folder).items() if not file.startswith((".git/", "out/"))}


def committed(folder: Path) -> Path:
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "first")
    return folder


def git(folder: Path, *command: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    return subprocess.run(["git", *identity, *command], cwd=folder, check=True, capture_output=True, text=True).stdout


def fix(target: Path, *options: object, code: str = "", environment: dict[str, str] | None = None) -> Result:
    """Run `fix` with a build for proof; `code` is run in the process before it starts."""
    program = f"import os, sys\n{code}\nfrom audit_lib.cli import main\nmain()"
    arguments = ["fix", target, "--verify", "build", *options]
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | (environment or {}))
    assert "Traceback" not in done.stderr
    return Result(done.returncode, done.stdout, without_limit(done.stderr))


def fixed(target: Path, *options: object, code: str = "") -> str:
    """What a fix prints that must succeed."""
    result = fix(target, *options, code=code)
    assert (result.code, result.err) == (0, "")
    return result.out


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


# What is done when nothing is wrong.


def test_without_a_lost_context_nothing_happens(tmp_path: Path) -> None:
    clean = write(tmp_path / "clean", AFTER)
    assert "nothing to change" in fixed(clean, "--write", "--out", tmp_path / "out")
    assert sources(clean) == AFTER
    assert (tmp_path / "out" / "fix.patch").read_bytes() == b""
    assert (tmp_path / "out" / "changes.jsonl").read_bytes() == b""


@pytest.mark.parametrize(("options", "told"), [((), "ctxaudit: time for all of it: 600 s\n"), (("--quiet",), "")])
def test_the_time_for_all_of_it_is_told_where_nobody_sees_progress(
    shop: Path, options: tuple[str, ...], told: str
) -> None:
    command = [sys.executable, "-m", "audit_lib", "fix", str(shop), "--verify", "build", "--max-time", "600", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == told


def test_without_write_the_target_stays_as_it_is(shop: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = fixed(shop, "--out", out)
    assert sources(shop) == BEFORE
    assert "1 of 1 site changed · 2 files" in said
    assert sorted(contents(out)) == [
        "audit.json",
        "changes.jsonl",
        "findings.jsonl",
        "fix-1-core.patch",
        "fix.patch",
        "refusals.jsonl",
        "summary.md",
    ]
    ((change,), (finding,)) = lines(out / "changes.jsonl"), lines(out / "findings.jsonl")
    assert sorted(change) == ["edits", "files", "fingerprint", "fix_kind"]
    assert change["fingerprint"] == finding["fingerprint"]
    assert lines(out / "refusals.jsonl") == []
    audit = json.loads((out / "audit.json").read_bytes())
    assert (audit["totals"]["sites"], audit["totals"]["fixed"], audit["totals"]["refused"]) == (1, 1, 0)
    assert [step["step"] for step in audit["verification"]] == ["gofmt", "compile", "vet", "rescan"]


def test_the_patches_give_what_write_gives(shop: Path, tmp_path: Path) -> None:
    committed(shop)
    fixed(shop, "--out", tmp_path / "out")
    for patch in (tmp_path / "out" / "fix.patch", tmp_path / "out" / "fix-1-core.patch"):
        git(shop, "apply", str(patch))
        assert sources(shop) == AFTER
        git(shop, "checkout", "--quiet", ".")
    said = fixed(shop, "--write")
    assert sources(shop) == AFTER
    assert "written: 2 files" in said


def test_a_second_fix_changes_nothing(shop: Path) -> None:
    fixed(shop, "--write")
    assert "nothing to change" in fixed(shop, "--write")
    assert sources(shop) == AFTER


def test_what_a_fix_makes_possible_is_done_at_once(shop: Path, tmp_path: Path) -> None:
    """The log line has nothing to gain as it is, and a context with values once `load` has one."""
    log = LOAD.replace('import "context"', 'import (\n\t"context"\n\t"log/slog"\n)')
    write(shop, {"load.go": log.replace("wait(context.TODO())", '\n\tslog.Info("load")\n\twait(context.TODO())\n')})
    write(shop, {"ctxaudit.toml": '[policy]\nlogging = "fix"\n'})
    fixed(shop, "--write", "--out", tmp_path / "out")
    assert 'slog.InfoContext(ctx, "load")' in sources(shop)["load.go"]
    assert [finding["verdict"] for finding in lines(tmp_path / "out" / "findings.jsonl")] == ["fix", "fix"]
    assert "nothing to change" in fixed(shop, "--write")


def test_the_same_target_gives_the_same_bytes(shop: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    fixed(shop, "--out", one)
    fixed(shop, "--out", two)
    timed = {"audit.json", "summary.md"}
    assert {name: data for name, data in contents(one).items() if name not in timed} == {
        name: data for name, data in contents(two).items() if name not in timed
    }


def test_the_diff_is_printed_without_colours_where_there_is_no_terminal(shop: Path) -> None:
    said = fixed(shop, "--diff", "--quiet")
    assert "-func load() { wait(context.TODO()) }\n+func load(ctx context.Context) { wait(ctx) }\n" in said
    assert "\x1b" not in said


def test_windows_line_ends_and_a_byte_order_mark_are_kept(shop: Path) -> None:
    (shop / "load.go").write_bytes(b"\xef\xbb\xbf" + LOAD.replace("\n", "\r\n").encode())
    fixed(shop, "--write")
    assert (shop / "load.go").read_bytes() == b"\xef\xbb\xbf" + LOADED.replace("\n", "\r\n").encode()


def test_what_was_not_asked_for_is_left_alone_and_said(shop: Path, tmp_path: Path) -> None:
    fixed(shop, "--phase", "storage", "--write", "--out", tmp_path / "out")
    assert sources(shop) == BEFORE
    ((refusal,), (finding,)) = lines(tmp_path / "out" / "refusals.jsonl"), lines(tmp_path / "out" / "findings.jsonl")
    assert refusal == {
        "fingerprint": finding["fingerprint"],
        "reason": "not asked for: --phase storage",
        "where": "load.go:5",
    }
    fixed(shop, "--only", f"x,{finding['fingerprint']}"[2:], "--category", "request", "--write")
    assert sources(shop) == AFTER


def test_a_patch_of_an_earlier_run_does_not_stay(shop: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fixed(shop, "--out", out)
    (out / "mine.patch").write_text("mine")
    fixed(shop, "--out", out, "--phase", "api")
    assert sorted(path.name for path in out.glob("*.patch")) == ["fix.patch", "mine.patch"]


# What fails, and is rolled back: no failure of the command.


def test_what_a_test_is_against_is_refused_with_its_words(shop: Path, tmp_path: Path) -> None:
    test = """\
package shop

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func TestLoadStaysAsItIs(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	handle(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
	if text, _ := os.ReadFile("load.go"); !strings.Contains(string(text), "TODO") {
		t.Error("load must go on")
	}
}
"""
    write(shop, {"load_test.go": test})
    before = sources(shop)
    said = fixed(shop, "--verify", "test", "--write", "--out", tmp_path / "out")
    assert sources(shop) == before
    (refusal,) = lines(tmp_path / "out" / "refusals.jsonl")
    assert refusal["where"] == "load_test.go:17"
    assert "TestLoadStaysAsItIs of example.org/shop fails: load_test.go:17: load must go on" in refusal["reason"]
    assert "0 of 1 site changed" in said


def test_a_package_that_does_not_compile_is_left_alone_and_the_others_are_fixed(shop: Path, tmp_path: Path) -> None:
    broken = {
        "broken/handler.go": HANDLER.replace("package shop", "package broken"),
        "broken/load.go": LOAD.replace("package shop", "package broken") + "\nvar count int = missing()\n",
    }
    write(shop, broken)
    fixed(shop, "--write", "--out", tmp_path / "out")
    assert {file: text for file, text in sources(shop).items() if "broken/" not in file} == AFTER
    audit = json.loads((tmp_path / "out" / "audit.json").read_bytes())
    totals = audit["totals"]
    assert totals["sites"] == totals["fixed"] + totals["kept"] + totals["refused"] + totals["review"] == 2
    assert ctxaudit("fix", shop, "--verify", "build").code == 0


def test_without_time_for_a_proof_nothing_is_written_and_each_site_is_refused(shop: Path, tmp_path: Path) -> None:
    said = fixed(shop, "--write", "--max-time", "1", "--out", tmp_path / "out")
    assert "0 of 1 site changed" in said
    assert sources(shop) == BEFORE
    (refusal,) = lines(tmp_path / "out" / "refusals.jsonl")
    assert refusal["reason"] == "not proved within 1 s"
    totals = json.loads((tmp_path / "out" / "audit.json").read_bytes())["totals"]
    assert (totals["sites"], totals["refused"], totals["fixed"]) == (1, 1, 0)


SELF_CHECK = """
from audit_lib import fixing
from audit_lib.change.reconcile import rescanned as real
def rescanned(before, after, plan, *rest):
    more = [one for one in after if one.site.span.file == "spare.go"]
    return real(before, [one for one in after if one not in more], plan, *rest)
fixing.rescanned = rescanned
"""
"""The last audit does not see a root of `spare.go`, which no change has touched."""


def test_a_root_that_the_last_audit_does_not_explain_is_told_and_the_rest_is_kept(shop: Path, tmp_path: Path) -> None:
    spare = 'package shop\n\nimport "context"\n\nfunc Spare() error { return context.Background().Err() }\n'
    write(shop, {"spare.go": spare})
    said = fixed(shop, "--write", "--out", tmp_path / "out", code=SELF_CHECK)
    assert "- 1 gone without a change = " in said
    assert {file: text for file, text in sources(shop).items() if file != "spare.go"} == AFTER
    audit = json.loads((tmp_path / "out" / "audit.json").read_bytes())
    assert [one for one in audit["degradations"] if one["where"] == "spare.go:5"] == [
        {
            "where": "spare.go:5",
            "reason": "rescan: context.Background in Spare has gone, and no change of it was planned",
        }
    ]


def test_a_proof_that_fails_leaves_the_target_and_is_exit_code_1(shop: Path, tmp_path: Path) -> None:
    result = fix(shop, "--write", "--out", tmp_path / "out", code=NEVER_RIGHT)
    assert result.code == 1
    assert result.err.startswith(f"ctxaudit: {shop}: the verification failed at rescan (1 root too many)")
    assert result.err.count("\n") == 1
    assert "✗ rescan" in result.out
    assert sources(shop) == BEFORE
    assert lines(tmp_path / "out" / "changes.jsonl") == []
    (refusal,) = lines(tmp_path / "out" / "refusals.jsonl")
    assert "the verification failed at rescan" in refusal["reason"]


# Wrong usage.


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--only", "nobody"], "there is no finding 'nobody'"),
        (["--phase", "storrage"], "there is no phase 'storrage'; the phases are api, storage"),
        (["--category", "requests"], "there is no category 'requests'; the categories are request, background"),
        (["--verify", "prove"], "'prove' is not one of 'build', 'test', 'race'"),
        (["--timeout", "0"], "--timeout"),
    ],
)
def test_wrong_usage(shop: Path, options: list[str], words: str) -> None:
    assert words in refused(fix(shop, "--write", *options), 2)
    assert sources(shop) == BEFORE


def test_no_toolchain(shop: Path) -> None:
    message = refused(fix(shop, environment={"CTXAUDIT_GO": "/nowhere/go"}), 3)
    assert "CTXAUDIT_GO=/nowhere/go is no program that can be run" in message


def test_what_cannot_be_read(tmp_path: Path) -> None:
    assert "no such folder" in refused(fix(tmp_path / "missing", "--write"), 3)
    (tmp_path / "empty").mkdir()
    assert "no Go code" in refused(fix(tmp_path / "empty", "--write"), 3)


# What git could not take back.


@pytest.fixture
def dirty(shop: Path) -> Path:
    committed(shop)
    write(shop, {"handler.go": HANDLER + "\n// mine\n"})
    return shop


def test_changes_that_are_not_committed_are_refused_before_the_work(dirty: Path, tmp_path: Path) -> None:
    before = sources(dirty)
    message = refused(fix(dirty, "--write", "--out", tmp_path / "out", code="sys.modules['audit_lib.api'] = None"), 2)
    assert "not committed: handler.go; commit or stash first" in message
    assert sources(dirty) == before
    assert not (tmp_path / "out").exists()


def test_changes_that_are_not_committed_are_no_matter_without_write(dirty: Path) -> None:
    assert "1 of 1 site changed" in fixed(dirty)


def test_force_writes_over_what_is_not_committed(dirty: Path) -> None:
    fixed(dirty, "--write", "--force")
    assert sources(dirty) == AFTER | {"handler.go": HANDLED + "\n// mine\n"}


def test_a_file_that_git_does_not_know_is_refused(shop: Path, tmp_path: Path) -> None:
    (shop / "load.go").rename(tmp_path / "load.go")
    committed(shop)
    (tmp_path / "load.go").rename(shop / "load.go")
    out = tmp_path / "out"
    assert "not committed: load.go" in refused(fix(shop, "--write", "--out", out), 2)
    assert sources(shop) == BEFORE
    assert not out.exists()


def test_results_in_the_target_do_not_stand_in_the_way(shop: Path) -> None:
    committed(shop)
    fixed(shop, "--out", shop / "out", "--write")
    assert sources(shop) == AFTER


# What cannot be written: nothing is.


def test_a_file_that_is_read_only(shop: Path, tmp_path: Path) -> None:
    (shop / "load.go").chmod(0o444)
    message = refused(fix(shop, "--write", "--out", tmp_path / "out"), 3)
    assert "load.go: the file is read-only; nothing was written" in message
    assert sources(shop) == BEFORE
    assert not (tmp_path / "out").exists()


@pytest.fixture
def locked(shop: Path) -> Iterator[Path]:
    shop.chmod(0o555)
    yield shop
    shop.chmod(0o755)


def test_a_folder_that_is_read_only(locked: Path) -> None:
    assert "its folder is read-only; nothing was written" in refused(fix(locked, "--write"), 3)
    assert sources(locked) == BEFORE


def test_a_disk_that_is_full_leaves_the_target_as_it_was(shop: Path, tmp_path: Path) -> None:
    message = refused(fix(shop, "--write", "--out", tmp_path / "out", code=FULL), 3)
    assert "No space left on device; the target is as it was" in message
    assert sources(shop) == BEFORE
    assert not (tmp_path / "out").exists()


def test_results_that_cannot_be_written_leave_the_target_as_it_was(shop: Path) -> None:
    assert "/proc/nowhere" in refused(fix(shop, "--write", "--out", "/proc/nowhere"), 3)
    assert sources(shop) == BEFORE


def test_a_cache_that_cannot_be_written(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in the folder's place")
    message = refused(fix(shop, "--write", environment={"XDG_CACHE_HOME": str(tmp_path / "cache")}), 3)
    assert "XDG_CACHE_HOME" in message
    assert sources(shop) == BEFORE


def test_a_file_that_changes_meanwhile_is_not_overwritten(shop: Path) -> None:
    message = refused(fix(shop, "--write", code=EDITED), 3)
    assert "load.go: changed since it was read; nothing was written, run the command again" in message
    assert sources(shop) == BEFORE | {"load.go": "package shop\n\nfunc load() {}\n"}


def test_a_link_out_of_the_target_is_never_written_through(shop: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.go"
    shutil.move(shop / "load.go", outside)
    (shop / "load.go").symlink_to(outside)
    result = fix(shop, "--write")
    assert result.code == 0
    assert outside.read_text() == LOAD
    assert (shop / "handler.go").read_text() == HANDLER


# Ended in between.


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("moment", ["verify", "move"])
def test_a_signal_leaves_the_target_and_the_results_as_they_were(
    shop: Path, tmp_path: Path, cache: Path, name: str, code: int, moment: str
) -> None:
    ended = ENDED_VERIFYING if moment == "verify" else ENDED_WRITING
    result = fix(shop, "--write", "--out", tmp_path / "out", code=f"import signal\nnumber = signal.{name}\n{ended}")
    assert (result.code, result.out, result.err) == (code, "", "")
    assert sources(shop) == BEFORE
    assert not (tmp_path / "out").exists()
    assert [path for path in (cache / "scratch").iterdir() if path.is_dir()] == []
    assert fixed(shop, "--write")
    assert sources(shop) == AFTER


# Killed in between.


@pytest.mark.parametrize("command", ["scan", "fix", "explain"])
def test_a_write_that_was_killed_is_undone_by_the_next_command(shop: Path, command: str) -> None:
    assert fix(shop, "--write", code=KILLED).code == 137
    assert sources(shop) not in (BEFORE, AFTER)
    arguments = ["load.go:5", "--target", shop] if command == "explain" else [shop]
    result = ctxaudit(command, *arguments)
    assert result.code == 0
    assert result.err == f"ctxaudit: {shop}: an interrupted write was undone, its 2 files are as before\n"
    assert sources(shop) == BEFORE


def test_a_write_that_was_killed_is_undone_before_a_fix_is_written_anew(shop: Path) -> None:
    committed(shop)
    assert fix(shop, "--write", code=KILLED).code == 137
    result = fix(shop, "--write")
    assert (result.code, sources(shop)) == (0, AFTER)
    assert "an interrupted write was undone" in result.err
