"""The helper breaks, grows or floods on a package: that package is named, the others are read, and the scan ends."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from audit_lib import api, cli
from audit_lib.change import problem
from audit_lib.config import GoOptions
from audit_lib.errors import ExhaustedError, ToolchainError
from audit_lib.judge.graph import Graph
from audit_lib.model import Audit
from audit_lib.read import gofacts, gotool
from tests.hostile.command import HANDLER, shop

BAD = "example.org/shop/bad"
OVERFLOW = "runtime: goroutine stack exceeds 1000000000-byte limit\nfatal error: stack overflow\n" + 3_000 * "frame\n"
MEMORY = f"gofacts: it needs more than 6000 MB of memory while it reads {BAD}\n"


def _target(folder: Path) -> Path:
    return shop(folder, **{"bad/bad.go": HANDLER.replace("package shop", "package bad")})


def _break(folder: Path, monkeypatch: pytest.MonkeyPatch, *, says: str, code: int, skipped: str = BAD) -> Path:
    """Put a helper in the place of the real one: it breaks at a package unless that is skipped. Gives its log."""
    real = gotool.build_helper(gotool.find_go())
    log = folder / "log"
    helper = folder / "helper"
    helper.write_text(
        f"#!{sys.executable}\n"
        "import os, sys\n"
        f"with open({str(log)!r}, 'a') as log: log.write(' '.join(sys.argv[1:]) + '\\n')\n"
        f"if {skipped!r} in sys.argv: os.execv({str(real)!r}, [{str(real)!r}, *sys.argv[1:]])\n"
        "print('[\"module\",{}', flush=True)\n"  # half a line
        f"sys.stderr.write('reading {BAD}\\n' + {says!r}); sys.stderr.flush(); os._exit({code})\n"
    )
    helper.chmod(0o755)
    monkeypatch.setattr(gotool, "build_helper", lambda *_: helper)
    return log


def _verdicts(audit: Audit) -> dict[str, str]:
    return {finding.site.span.file: finding.verdict for finding in audit.findings}


@pytest.mark.slow
@pytest.mark.parametrize(("says", "code"), [(OVERFLOW, 2), (MEMORY, 4), ("", 139)], ids=["stack", "memory", "signal"])
def test_a_package_at_which_the_helper_breaks_is_left_out_and_named(
    says: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = _target(tmp_path / "target")
    log = _break(tmp_path, monkeypatch, says=says, code=code)
    audit = api.audit(target)
    assert _verdicts(audit) == {"shop.go": "fix", "bad/bad.go": "review"}
    assert any("the helper fails when it reads it" in degradation.reason for degradation in audit.degradations)
    runs = log.read_text().splitlines()
    assert [f"-skip {BAD}" in run for run in runs] == [False, True]


@pytest.mark.slow
def test_a_helper_that_breaks_whatever_is_left_out_leaves_every_site_for_review(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = _target(tmp_path / "target")
    log = _break(tmp_path, monkeypatch, says=OVERFLOW, code=2, skipped="nothing")
    audit = api.audit(target)
    assert set(_verdicts(audit).values()) == {"review"}
    (reason,) = [degradation.reason for degradation in audit.degradations if degradation.where == "types"]
    assert "stack overflow" in reason
    assert len(reason) < 15_000
    assert len(log.read_text().splitlines()) <= gofacts.MOST_SKIPPED + 1


def test_more_output_than_is_read_ends_the_helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = tmp_path / "helper"
    helper.write_text(f"#!{sys.executable}\nimport sys\nwhile True: sys.stdout.write('x' * 65536)\n")
    helper.chmod(0o755)
    monkeypatch.setattr(gotool, "build_helper", lambda *_: helper)
    monkeypatch.setattr(gofacts, "FACTS_LIMIT", 1 << 22)
    with pytest.raises(ToolchainError, match="the facts of its packages are longer than 4 MB"):
        gofacts.read(_target(tmp_path / "target"), GoOptions())


@pytest.mark.slow
def test_a_fix_that_is_too_much_to_work_out_says_so_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = _target(tmp_path / "target")
    before = {path: path.read_bytes() for path in target.rglob("*") if path.is_file()}

    class Endless(Graph):
        def held_by(self, node: str) -> tuple[str, ...]:
            self.effort.spend(1 << 62)  # as where following the calls does not end
            return super().held_by(node)

    monkeypatch.setattr(problem, "Graph", Endless)
    code = cli.execute(["fix", str(target), "--write", "--verify", "build", "--quiet"])
    assert code == ExhaustedError.exit_code
    said = capsys.readouterr().err
    assert "judging it takes more than" in said
    assert said.count("\n") == 1
    assert {path: path.read_bytes() for path in target.rglob("*") if path.is_file()} == before
