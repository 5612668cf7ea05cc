"""What `ctxaudit doctor` finds, and what it says works without the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit_lib import cli, doctor
from audit_lib.read import gotool


def found(name: str) -> doctor.Check:
    """The check of this name, made now."""
    (check,) = [check for check in doctor.examine() if check.name == name]
    return check


def test_a_whole_environment_can_scan(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[:2]] == ["Python", "ast-grep-py"]
    assert "scan works" in lines[-1] or lines[-1] == "everything is there"


def test_without_go_scan_still_works_and_says_how(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(gotool.OVERRIDE, "/nowhere/go")
    assert cli.execute(["doctor"]) == 0
    text = capsys.readouterr().out
    assert "missing  Go" in text
    assert "CTXAUDIT_GO=/nowhere/go is no program that can be run" in text
    assert text.endswith("ctxaudit scan works from syntax alone: every site is for review\n")


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").write_text("a file in the folder's place")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    check = found("cache")
    assert not check.ok
    assert "Not a directory" in check.found


def test_looking_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert found("cache").ok
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_is_missing_says_what_does_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    check = found("Chromium")
    assert not check.ok
    assert "the browser tests do not run" in doctor.text((check,))


def test_a_package_that_everything_needs_is_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    missing = doctor._package("no-such-package", "nothing works", needed=True)
    assert not doctor.can_scan((missing,))
    assert doctor.text((missing,)).endswith("ctxaudit scan cannot work here")
