"""Progress as people see it while something takes long."""

from __future__ import annotations

import time

import pytest

from audit_lib import progress
from audit_lib.progress import bars


def test_a_long_step_is_told_of_while_it_goes_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "TICK", 0.05)
    with bars() as report:
        report("looking for what fails: test · 12 candidates · 340 s left", 0, 0)
        time.sleep(0.5)
        report("looking for what fails: test · 6 candidates · 300 s left", 1, 0)
        time.sleep(0.5)
        said = capsys.readouterr().err
        report("looking for what fails: test", 1, 1)
        capsys.readouterr()
        time.sleep(0.3)
        assert "looking" not in capsys.readouterr().err
    assert "12 candidates · 340 s left · 00:" in said
    assert "6 candidates · 300 s left · 00:" in said


def test_what_is_done_at_once_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with bars() as report:
        for done in range(5):
            report("scan", done + 1, 5)
    assert "scan" not in capsys.readouterr().err
