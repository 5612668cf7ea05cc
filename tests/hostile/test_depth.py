"""Folders in folders, more than any program nests them, and more files than a walk takes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit_lib.config import Config
from audit_lib.read import gofiles
from audit_lib.untrusted import files
from tests.hostile.targets import SHOP, ctxaudit, named, scanned, shop, sites

DEEP = 1_100


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A shop with 1,100 folders in each other, and a Go file and a module in the last one, by longer paths than any."""
    target = shop(tmp_path)
    handles = [os.open(target, os.O_RDONLY)]
    for _ in range(DEEP):
        os.mkdir("nested", dir_fd=handles[-1])
        handle = os.open("nested", os.O_RDONLY, dir_fd=handles[-1])
        os.close(handles.pop())
        handles.append(handle)
    for name, text in (("a.go", SHOP), ("go.mod", "module example.org/deep\n")):
        with os.fdopen(os.open(name, os.O_WRONLY | os.O_CREAT, dir_fd=handles[-1]), "w") as file:
            file.write(text)
    yield target
    # Who clears the folders of tests goes down one call for each.
    for name in ("a.go", "go.mod"):
        os.unlink(name, dir_fd=handles[-1])
    for _ in range(DEEP):
        above = os.open("..", os.O_RDONLY, dir_fd=handles[-1])
        os.close(handles.pop())
        os.rmdir("nested", dir_fd=above)
        handles.append(above)
    os.close(handles.pop())


def test_folders_that_are_too_deep_are_named_and_the_rest_is_judged(deep: Path) -> None:
    audit, _ = scanned(deep)
    assert sites(audit) == [("shop.go", "fix")]
    assert any("more than 128 folders deep" in reason for reason in named(audit).values())


def test_explain_ends_on_a_deep_target(deep: Path) -> None:
    assert ctxaudit("explain", deep / "shop.go:10").code == 0


def test_more_go_files_than_are_scanned_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gofiles, "GO_FILE_LIMIT", 3)
    for number in range(5):
        (tmp_path / f"f{number}").mkdir()
        (tmp_path / f"f{number}" / "a.go").write_text("package a\n")
    found, degradations = gofiles.find_go_files(tmp_path, Config())
    assert found == ["f0/a.go", "f1/a.go", "f2/a.go"]
    assert [one.reason for one in degradations] == ["more than 3 Go files: what is behind them is not scanned"]


def test_more_entries_than_a_walk_takes_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ENTRY_LIMIT", 4)
    for number in range(5):
        (tmp_path / f"f{number}").mkdir()
    problems: list[str] = []
    walked = [one.name for one in files.walk(tmp_path, lambda name: True, lambda name, error: problems.append(name))]
    assert walked == [""]
    assert problems == ["f0", "f1", "f2", "f3", "f4"]


def test_links_to_folders_above_end(tmp_path: Path) -> None:
    target = shop(tmp_path)
    for number in range(20):
        (target / f"self{number}").symlink_to(".")
        (target / f"up{number}").symlink_to("../shop")
    audit, _ = scanned(target)
    assert sites(audit) == [("shop.go", "fix")]
    assert named(audit) == {}
