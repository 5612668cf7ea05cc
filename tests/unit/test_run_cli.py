"""The command `run`: which notebook, with which options, and what is no combination."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import audit_lib.runs
from audit_lib import cli
from audit_lib.runs.papermill import FixOptions
from audit_lib.runs.work import RunResult


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, Path, Any]]:
    """What was run: stands in for the notebooks."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "target").mkdir()
    monkeypatch.chdir(tmp_path / "target")
    found: list[tuple[str, Path, Any]] = []

    def result(out: Path) -> RunResult:
        return RunResult(out, out / "n.ipynb", out / "n.html", out / "d.html", out / "manifest.json", (), False)

    def audit(target: Path, out: Path, *, progress: object, **options: Any) -> RunResult:
        found.append(("audit", out, options))
        return result(out)

    def fix(target: Path, out: Path, options: FixOptions, *, progress: object) -> RunResult:
        found.append(("fix", out, options))
        return result(out)

    def phases(target: Path, out: Path, options: FixOptions, *, progress: object) -> tuple[SimpleNamespace, ...]:
        found.append(("phases", out, options))
        return tuple(SimpleNamespace(result=result(out / name), left_out=()) for name in ("1-api", "2-core"))

    papermill = SimpleNamespace(run_audit=audit, run_fix=fix, FixOptions=FixOptions)
    for name, module in (("papermill", papermill), ("phased", SimpleNamespace(run_phases=phases))):
        monkeypatch.setitem(sys.modules, f"audit_lib.runs.{name}", module)
        monkeypatch.setattr(audit_lib.runs, name, module, raising=False)
    return found


def test_each_notebook_has_a_folder_of_its_own(calls: list[tuple[str, Path, Any]]) -> None:
    assert cli.execute(["run", "audit", "--quiet"]) == 0
    assert cli.execute(["run", "fix", "--quiet"]) == 0
    assert [(name, out.as_posix()) for name, out, _ in calls] == [("audit", "out/audit"), ("fix", "out/fix")]
    assert calls[1][2] == FixOptions()


def test_options_of_a_fix_are_handed_on(calls: list[tuple[str, Path, Any]], tmp_path: Path) -> None:
    options = "--phase api --phase core --policy exported:variant --verify build --document --write --force"
    options += " --max-time 60"
    assert cli.execute(["run", "fix", "--out", "o", "--config", "c.toml", *options.split()]) == 0
    expected = FixOptions(Path("c.toml"), ("api", "core"), "exported:variant", "build", True, True, True, 60)
    assert calls == [("fix", Path("o"), expected)]


def test_each_phase_tells_of_each_folder(
    calls: list[tuple[str, Path, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.execute(["run", "fix", "--each-phase", "--out", "o"]) == 0
    said = capsys.readouterr().out
    assert said == "o/1-api: done\n  manifest.json\no/2-core: done\n  manifest.json\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("audit --write", "--write is for the notebook fix"),
        ("audit --max-time 9", "--max-time is for the notebook fix"),
        ("audit --each-phase", "--each-phase is for the notebook fix"),
        ("fix --each-phase --write", "--each-phase works in a copy of DIR"),
        ("fix --verify twice", "twice"),
        ("fix --stage api", "--stage"),
        ("lab", "lab"),
    ],
)
def test_what_makes_no_sense_is_refused(
    calls: list[tuple[str, Path, Any]], options: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.execute(["run", *options.split()]) == 2
    assert words in capsys.readouterr().err
    assert calls == []
