"""Programs and modules that a target ships are not run, however PATH and the working folder are set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from audit_lib.errors import ToolchainError
from audit_lib.read import gotool
from audit_lib.untrusted.processes import find_program, safe_path
from tests.hostile.command import PROGRAM, ctxaudit, leaves_note, shop

PROGRAMS = ("go", "git", "gofmt", "gcc", "gopackagesdriver", "pkg-config")
MODULES = ("typer", "jupyterlab", "click", "msgspec", "audit_lib_extra", "ipykernel_launcher", "ast_grep_py")


def armed(target: Path, note: Path) -> Path:
    """A target with programs in it and in `bin`, that leave a note when they are run."""
    for name in PROGRAMS:
        leaves_note(target / name, note)
        leaves_note(target / "bin" / name, note)
    return target


@pytest.mark.parametrize("front", [".", "", "bin", "./bin", "{target}", "{target}/bin", "{link}", "{around}"])
def test_programs_of_the_target_are_not_run(tmp_path: Path, front: str) -> None:
    target = armed(shop(tmp_path / "shop"), tmp_path / "note")
    (tmp_path / "link").symlink_to(target / "bin")
    names = {"target": target, "link": tmp_path / "link", "around": tmp_path / "shop" / ".." / "shop" / "bin"}
    path = os.pathsep.join([front.format(**names), os.environ["PATH"]])
    result = ctxaudit("scan", ".", environment={"PATH": path}, cwd=target)
    assert (result.code, result.err) == (0, "")
    assert ctxaudit("doctor", environment={"PATH": path}, cwd=target).code == 0
    assert not (tmp_path / "note").exists()


@pytest.mark.slow
def test_a_fix_runs_none_of_them_either(tmp_path: Path) -> None:
    target = armed(shop(tmp_path / "shop"), tmp_path / "note")
    path = os.pathsep.join([".", str(target / "bin"), os.environ["PATH"]])
    assert ctxaudit("fix", target, "--verify", "build", environment={"PATH": path}, cwd=target).code == 0
    assert not (tmp_path / "note").exists()


def test_a_go_that_is_passed_over_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = armed(shop(tmp_path / "shop"), tmp_path / "note")
    monkeypatch.setenv("PATH", str(target / "bin"))
    monkeypatch.delenv(gotool.OVERRIDE, raising=False)
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    with pytest.raises(ToolchainError, match=r"shop/bin/go is in the target .* and is not run"):
        gotool.find_go(not_in=(target,))
    assert not (tmp_path / "note").exists()


def test_paths_that_are_kept_and_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, mine, here = (tmp_path / name for name in ("target", "mine", "here"))
    for folder in (target, mine, here):
        leaves_note(folder / "tool", tmp_path / "note")
    (tmp_path / "link").symlink_to(target)
    (mine / "led").symlink_to(target / "tool")
    monkeypatch.chdir(here)
    path = os.pathsep.join(["", ".", "x/y", str(target), f"{tmp_path}/link", str(here), str(mine), "/no/such"])
    assert safe_path(path, not_in=[target]) == os.pathsep.join([str(mine), "/no/such"])
    assert find_program("tool", path=path, not_in=[target]) == mine / "tool"
    assert find_program("led", path=path, not_in=[target]) is None
    monkeypatch.setenv("HOME", str(here / "home"))  # who stands at home has their own programs below it
    assert find_program("tool", path=str(here)) == here / "tool"


def test_modules_where_the_user_stands_are_not_imported(tmp_path: Path) -> None:
    target = shop(tmp_path / "shop")
    for name in (*MODULES, "sitecustomize", "audit_lib/cli"):
        place = target / f"{name}.py"
        place.parent.mkdir(exist_ok=True)
        if place.parent == target:
            place.write_text(f"open({str(tmp_path / 'note')!r}, 'a').write({name!r})\n")
    (target / "audit_lib").rmdir()
    for paths in ("", os.pathsep, "."):
        environment = os.environ | {"PYTHONPATH": paths}
        environment.pop("PYTHONSAFEPATH", None)
        command = [sys.executable, "-m", "audit_lib", "scan", ".", "--syntax-only", "--quiet"]
        if paths:  # Python itself imports sitecustomize by it, before anything of ours
            (target / "sitecustomize.py").unlink(missing_ok=True)
        done = subprocess.run(command, cwd=target, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "note").exists()


@pytest.mark.slow
def test_the_lab_starts_nothing_of_where_the_user_stands(tmp_path: Path) -> None:
    """A server of ours in the place of JupyterLab's: it says from where it runs, and what it would import."""
    target = shop(tmp_path / "shop")
    note = tmp_path / "note"
    for name in ("jupyterlab", "jupyter_server_config", "jupyter_lab_config", "typer", "sitecustomize"):
        (target / f"{name}.py").write_text(f"open({str(note)!r}, 'a').write({name!r})\n")
    (target / "notebooks").mkdir()
    command = [*PROGRAM, "lab", "notebooks"]
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(tmp_path / "none"), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, cwd=target, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "Serving notebooks from local directory" in line or "is running at" in line or "root" in line:
                break
        here = Path(f"/proc/{process.pid}/cwd").readlink()
    finally:
        process.terminate()
        process.wait(30)
    assert said
    assert here != target
    assert not note.exists()
