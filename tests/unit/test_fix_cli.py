"""The command `fix`: options in, one call of the library, text out, and an exit code."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import audit_lib
from audit_lib import cli
from audit_lib.change import journal
from audit_lib.change.selection import Selection
from audit_lib.errors import OutputError, UsageError
from audit_lib.fixed import Fixed
from audit_lib.model import Verification
from tests.unit.fixes import STEPS, a_fix


class Library:
    """Stands in for `audit_lib.api`: keeps what it was called with, and gives what it was told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[Path, dict[str, Any]]] = []
        self.applied: list[tuple[Path, bool]] = []
        self.gives = a_fix()
        self.raises: Exception | None = None

    def fix(self, target: Path, **options: Any) -> Fixed:
        self.calls.append((target, options))
        return self.gives

    def apply(self, target: Path, fixed: Fixed, *, force: bool) -> None:
        assert fixed is self.gives
        if self.raises:
            raise self.raises
        self.applied.append((target, force))


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Library:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    fake = Library()
    module = SimpleNamespace(fix=fake.fix, apply=fake.apply)
    monkeypatch.setitem(sys.modules, "audit_lib.api", module)
    monkeypatch.setattr(audit_lib, "api", module, raising=False)
    return fake


def test_it_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["fix", "--help"]) == 0
    assert "Usage: ctxaudit fix" in capsys.readouterr().out


def test_without_options_nothing_is_written(library: Library, tmp_path: Path) -> None:
    assert cli.execute(["fix", str(tmp_path), "--quiet"]) == 0
    ((target, given),) = library.calls
    del given["progress"]
    assert target == tmp_path
    assert given == {
        "selection": Selection(),
        "level": "test",
        "timeout": 300,
        "max_time": None,
        "document": False,
        "generate": True,
        "config": None,
        "tags": (),
        "mod": "",
        "modfile": "",
        "outside": (),
    }
    assert library.applied == []


def test_options_are_handed_on(library: Library, tmp_path: Path) -> None:
    options = "--only a,b --only c --phase api --phase core --category request --verify race --timeout 9"
    options += " --max-time 600 --document --no-generate --write --force"
    options += " --config c.toml --tags x,y --mod vendor --modfile m.mod --outside lib --outside ../far --quiet"
    assert cli.execute(["fix", str(tmp_path), *options.split()]) == 0
    ((_, given),) = library.calls
    del given["progress"]
    assert given == {
        "selection": Selection(("a", "b", "c"), ("api", "core"), ("request",)),
        "level": "race",
        "timeout": 9,
        "max_time": 600,
        "document": True,
        "generate": False,
        "config": Path("c.toml"),
        "tags": ("x", "y"),
        "mod": "vendor",
        "modfile": "m.mod",
        "outside": (Path("lib"), Path("../far")),
    }
    assert library.applied == [(tmp_path, True)]


def test_text_and_diff_go_to_standard_output(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.execute(["fix", str(tmp_path), "--diff"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("diff --git a/api/api.go b/api/api.go\n")
    assert "2 of 3 sites changed" in said
    assert "\x1b" not in said


def test_a_proof_that_failed_is_exit_code_1_and_nothing_is_written(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = Verification("test", False, 1, "example.org/shop TestX: got\nwant")
    library.gives = a_fix(steps=(*STEPS, failed), ok=False)
    assert cli.execute(["fix", str(tmp_path), "--write", "--out", str(tmp_path / "out")]) == 1
    assert library.applied == []
    said = capsys.readouterr()
    expected = f"{tmp_path}: the verification failed at test (example.org/shop TestX: got); nothing was written"
    assert said.err == f"ctxaudit: {expected}\n"
    assert (tmp_path / "out" / "summary.md").exists()


@pytest.mark.parametrize(("error", "code"), [(UsageError("dirty"), 2), (OutputError("read-only"), 3)])
def test_a_target_that_cannot_be_written_leaves_no_results(
    library: Library, tmp_path: Path, error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    library.raises = error
    assert cli.execute(["fix", str(tmp_path), "--write", "--out", str(tmp_path / "out")]) == code
    assert capsys.readouterr().err == f"ctxaudit: {error}\n"
    assert not (tmp_path / "out").exists()


def test_what_was_brought_back_is_said_before_the_work(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(journal, "recover", lambda target: f"{target}: an interrupted write was undone")
    assert cli.execute(["fix", str(tmp_path), "--quiet"]) == 0
    assert capsys.readouterr().err == f"ctxaudit: {tmp_path}: an interrupted write was undone\n"
