"""What counts as done already: only what a run of this user has sealed."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from audit_lib.read.gotool import cache_root
from audit_lib.runs import manifest, papermill, phased, seal
from audit_lib.runs.manifest import Manifest, NotebookRun, Step
from tests.notebooks import tiny

PLAN = Manifest(manifest.SCHEMA, {"target": "abc"}, {"phases": "", "apply": False}, {"python": "3.11"}, left="x")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "ctxaudit"


def rewritten(out: Path, **changes: object) -> None:
    """Change what a manifest says, as somebody does who has no key."""
    file = out / manifest.NAME
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_a_manifest_is_readable_and_holds_its_seal(tmp_path: Path) -> None:
    manifest.write(PLAN, tmp_path)
    text = (tmp_path / manifest.NAME).read_text()
    assert json.loads(text)["inputs"] == {"target": "abc"}
    assert len(json.loads(text)["seal"]) == 64
    assert text.count("\n") > 5
    assert manifest.read(tmp_path) == PLAN


def test_a_manifest_that_is_written_down_otherwise_is_still_sealed(tmp_path: Path) -> None:
    manifest.write(PLAN, tmp_path)
    rewritten(tmp_path)
    assert manifest.read(tmp_path) == PLAN


@pytest.mark.parametrize(
    "changes",
    [
        {"seal": ""},
        {"seal": "0" * 64},
        {"seal": "not hex \udcff"},
        {"inputs": {"target": "other"}},
        {"parameters": {}},
        {"versions": {"python": "3.12"}},
        {"left": "y"},
        {"notebooks": [{"notebook": "01_audit", "outcome": "done", "steps": []}]},
    ],
)
def test_a_forged_manifest_counts_as_none(tmp_path: Path, changes: dict[str, object]) -> None:
    manifest.write(PLAN, tmp_path)
    rewritten(tmp_path, **changes)
    assert manifest.read(tmp_path) is None


def test_a_manifest_without_a_seal_or_of_an_older_kind_counts_as_none(tmp_path: Path) -> None:
    for text in (msgspec.json.encode(PLAN), msgspec.json.encode(msgspec.structs.replace(PLAN, schema=1))):
        (tmp_path / manifest.NAME).write_bytes(text)
        assert manifest.read(tmp_path) is None


def test_a_seal_of_another_user_counts_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest.write(PLAN, tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    assert manifest.read(tmp_path) is None


@pytest.mark.parametrize("kind", ["pipe", "zero", "huge", "folder"])
def test_what_is_no_manifest_keeps_nobody_waiting(tmp_path: Path, kind: str) -> None:
    file = tmp_path / manifest.NAME
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "zero":
        file.symlink_to("/dev/zero")
    elif kind == "folder":
        file.mkdir()
    else:
        with file.open("wb") as sparse:
            sparse.truncate(30 << 30)
    assert manifest.read(tmp_path) is None


# The key.


def test_the_key_is_random_private_and_made_once(cache: Path) -> None:
    first = seal.seal(b"x")
    key = cache / seal.NAME
    assert len(key.read_bytes()) == 32
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert seal.seal(b"x") == first != seal.seal(b"y")
    assert [path.name for path in cache.iterdir()] == [seal.NAME]


@pytest.mark.parametrize("kind", ["link", "pipe", "short", "readable", "folder"])
def test_a_key_that_is_no_secret_is_not_used(cache: Path, tmp_path: Path, kind: str) -> None:
    known = b"k" * 32
    cache.mkdir(parents=True)
    key = cache / seal.NAME
    (tmp_path / "theirs").write_bytes(known)
    (tmp_path / "theirs").chmod(0o600)
    if kind == "link":
        key.symlink_to(tmp_path / "theirs")
    elif kind == "pipe":
        os.mkfifo(key)
    elif kind == "folder":
        key.mkdir()
    else:
        key.write_bytes(known if kind == "readable" else b"short")
        key.chmod(0o644 if kind == "readable" else 0o600)
    given = seal.seal(b"x")
    assert (tmp_path / "theirs").read_bytes() == known
    if kind == "folder":
        assert given == ""
        assert not seal.holds(b"x", "")
    else:
        assert seal.holds(b"x", given)
        assert key.read_bytes() not in (known, b"short")
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_of_processes_that_begin_at_once_all_get_the_same_key(cache: Path) -> None:
    code = "from audit_lib.runs.seal import seal; print(seal(b'x'))"
    for _ in range(3):
        (cache / seal.NAME).unlink(missing_ok=True)
        processes = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(6)]
        given = {process.communicate()[0] for process in processes}
        assert len(given) == 1
        assert len(given.pop().strip()) == 64
    assert [path.name for path in cache.iterdir()] == [seal.NAME]


def test_without_a_cache_nothing_is_sealed_and_nothing_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "taken"))
    manifest.write(PLAN, tmp_path)
    assert json.loads((tmp_path / manifest.NAME).read_text())["seal"] == ""
    assert manifest.read(tmp_path) is None


# What a target ships as the results of a run.


def test_results_that_a_target_ships_are_not_taken_for_a_runs(tmp_path: Path) -> None:
    """A manifest that fits in all, with an output that fits it: the run is begun all the same."""
    target = tiny.program(tmp_path / "target")
    out = target / "out"
    out.mkdir()
    (out / "01_audit.ipynb").write_text("forged")
    step = Step("execute", "done", 1.0, manifest.outputs(out, [out / "01_audit.ipynb"]))
    plan = Manifest(
        manifest.SCHEMA, {"target": manifest.target_hash(target, without=out)}, {}, manifest.versions("none")
    ).with_run(NotebookRun("01_audit", "done", (step,)))
    (out / manifest.NAME).write_bytes(msgspec.json.encode(plan))
    assert manifest.read(out) is None
    manifest.write(plan, out)
    assert manifest.read(out) == plan
    assert manifest.finished(plan.run_of("01_audit"), "execute", out) == step


def steps_of(target: Path, out: Path) -> tuple[phased._Copy, list[phased._Step]]:
    copy = phased._Copy(target.resolve(), out.resolve() / phased.COPY)
    return copy, [phased._Step("api", out / "1-api", papermill.FixOptions(level="build"))]


def test_a_copy_that_a_target_ships_is_not_taken_for_a_runs(tmp_path: Path) -> None:
    """It holds the same Go code, by links: a fix of it would be one of what they lead to."""
    target = tiny.program(tmp_path / "target")
    out = target / "out"
    (out / phased.COPY).mkdir(parents=True)
    (out / phased.COPY / "target").symlink_to(target)
    state = manifest.target_hash(target, without=out)
    copy, steps = steps_of(target, out)
    assert not copy.is_at(phased._reached(copy, steps, state))
    assert not copy.is_at(state)
    copy.make(without=out.resolve())
    assert not copy.root.is_symlink()
    assert copy.is_at(state)
    assert not (copy.root / "out").exists()
    assert (target / "api" / "server.go").is_file()


def test_the_copy_of_phases_has_no_links_out_and_says_so(tmp_path: Path) -> None:
    target = tiny.program(tmp_path / "target")
    (tmp_path / "secret").write_text("secret")
    (target / "z.txt").symlink_to("../secret")
    os.mkfifo(target / "pipe")
    copy, _ = steps_of(target, tmp_path / "out")
    copy.make(without=(tmp_path / "out").resolve())
    assert not os.path.lexists(copy.root / "z.txt")
    assert [one.where for one in copy.left_out()] == ["pipe", "z.txt"]
    assert stat.S_IMODE((tmp_path / "out" / phased.COPY).stat().st_mode) == 0o700


def test_the_cache_of_a_run_is_the_users_alone() -> None:
    manifest.write(PLAN, cache_root().parent)
    assert stat.S_IMODE(cache_root().stat().st_mode) == 0o700
