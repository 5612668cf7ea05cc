"""A process that writes is killed at any moment: what is there then, or after the next command, is all old or all new.

`make kills` does the same with more of them.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from benchmarks import kills


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of the test's own; Go's stays where it is."""
    monkeypatch.setenv("GOCACHE", os.environ.get("GOCACHE", str(Path("~/.cache/go-build").expanduser())))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.slow
def test_writing_that_is_killed(tmp_path: Path) -> None:
    ends = kills.kill_writes(tmp_path, 30, random.Random())
    assert ends.total() == 30


@pytest.mark.slow
def test_a_fix_that_is_killed(tmp_path: Path) -> None:
    ends = kills.kill_fixes(tmp_path, 4, random.Random())
    assert ends.total() == 4


def test_a_target_that_is_torn_is_told(tmp_path: Path) -> None:
    before, after = {"a": b"old", "b": b"old"}, {"a": b"new", "b": b"new"}
    kills._put(tmp_path, {"a": b"new", "b": b"old"})
    with pytest.raises(kills.KilledError, match="neither as before nor as after: mixed"):
        kills._end(tmp_path, before, after, lambda: "", "write 1")

    def bring_back() -> str:
        kills._put(tmp_path, before)
        return "undone"

    assert kills._end(tmp_path, before, after, bring_back, "write 1") == "brought back"
    assert kills._end(tmp_path, before, after, lambda: "", "write 2") == "as before"
