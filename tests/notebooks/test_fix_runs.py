"""Runs of the notebook of fixes: the target stays or is written, phases go one on the other, and all resumes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import nbformat
import openpyxl
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from audit_lib.errors import ConfigError, GateError, TargetError, UsageError
from audit_lib.model import decode_audit
from audit_lib.runs import kernel, manifest, papermill, phased
from audit_lib.runs.papermill import FixOptions, run_fix
from tests import saved_audits
from tests.notebooks import tiny

pytestmark = pytest.mark.slow

REAL = papermill.find(papermill.FIX)
# Stands in for the notebook: what it writes to the target tells which phase it was.
SAVED = f"""from pathlib import Path
from audit_lib.fixed import Fixed
from audit_lib.model import decode_audit
from audit_lib.show import fix_export
audit = decode_audit(Path({str(saved_audits.SAVED / "fixed.json")!r}).read_bytes())
def write():
    file = Path(target) / "api" / "server.go"
    file.write_text(file.read_text() + f"// {{phase}}\\n")
fix_export.write(Fixed(audit, (), b"", (), {{}}, {{}}), Path(output), write if apply else None)"""
PHASES = ("api", "storage", "core")

Put = Callable[..., None]


@pytest.fixture(autouse=True)
def same_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever works on the library while its tests run makes other work of theirs."""
    monkeypatch.setattr(manifest, "library_hash", lambda: "library")


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Puts code in the place of the notebook's, behind its parameters."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    monkeypatch.setattr(papermill, "NOTEBOOKS", folder)
    real = nbformat.read(REAL, as_version=4)  # type: ignore[no-untyped-call]
    first = next(cell for cell in real.cells if "parameters" in cell.metadata.get("tags", []))

    def write(*code: str) -> None:
        rest = [new_code_cell(source) for source in code]  # type: ignore[no-untyped-call]
        notebook = new_notebook(cells=[first, *rest], metadata=real.metadata)  # type: ignore[no-untyped-call]
        nbformat.write(notebook, folder / "02_fix.ipynb")  # type: ignore[no-untyped-call]

    return write


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tiny.program(tmp_path / "tiny")


def states(runs: tuple[phased.PhaseRun, ...]) -> list[tuple[str, bool]]:
    return [(run.name, run.result.resumed) for run in runs]


def last_lines(folder: Path) -> list[str]:
    return [line for line in (folder / "api" / "server.go").read_text().splitlines() if line.startswith("//")]


def test_the_notebook_proves_a_fix_and_leaves_the_target_as_it_was(target: Path, tmp_path: Path) -> None:
    before = manifest.target_hash(target)
    result = run_fix(target, tmp_path / "out", FixOptions(document=True))
    assert manifest.target_hash(target) == before
    names = {path.name for path in result.out.iterdir()}
    assert {path.name for path in result.files} == names - {"manifest.json"}
    assert {"fix-1-api.patch", "fix-2-storage.patch", "fix.xlsx", "summary.md", "dashboard.html"} <= names
    audit = decode_audit((result.out / "audit.json").read_bytes())
    assert (audit.totals.fixed, audit.totals.refused, audit.totals.kept) == (2, 0, 1)
    assert "document" in {change.fix_kind for change in audit.changes}
    twin = json.loads((result.out / "02_fix.json").read_text())
    assert len([figure for section in twin["sections"] for figure in section["figures"]]) == 3
    told = {section["heading"]: section for section in twin["sections"]}
    assert "1 test pass" in told["Gate: the tests pass"]["text"][-1]
    assert told["Gate: kept roots have their reasons"]["tables"][0]["rows"][0]["in the code"] == 1
    assert told["Before and after, side by side"]["excerpts"]
    sheets = openpyxl.load_workbook(result.out / "fix.xlsx")
    assert sheets.sheetnames == ["Outcomes", "Changes", "Refusals", "Components", "Kept", "Verification"]
    assert sheets["Outcomes"].max_row - 1 == audit.totals.sites


def test_each_phase_is_proved_on_top_of_the_one_before_and_the_target_stays(target: Path, tmp_path: Path) -> None:
    before = manifest.target_hash(target)
    runs = phased.run_phases(target, tmp_path / "out", FixOptions(phases=("api", "storage")))
    assert states(runs) == [("api", False), ("storage", False)]
    assert manifest.target_hash(target) == before
    copy = tmp_path / "out" / phased.COPY / target.name
    assert "store.Get(r.Context()" in (copy / "api" / "server.go").read_text()
    assert "Touch(ctx context.Context" in (copy / "storage" / "store.go").read_text()
    assert [len(decode_audit((run.out / "audit.json").read_bytes()).changes) for run in runs] == [1, 1]
    assert states(phased.run_phases(target, tmp_path / "out", FixOptions(phases=("api", "storage")))) == [
        ("api", True),
        ("storage", True),
    ]


def test_without_write_a_second_run_does_nothing(put: Put, target: Path, tmp_path: Path) -> None:
    put(SAVED)
    assert not run_fix(target, tmp_path / "out").resumed
    assert run_fix(target, tmp_path / "out").resumed
    assert last_lines(target) == []


def test_what_a_run_has_written_is_done_and_not_written_twice(put: Put, target: Path, tmp_path: Path) -> None:
    put(SAVED)
    options = FixOptions(phases=("api",), write=True)
    assert not run_fix(target, tmp_path / "out", options).resumed
    assert last_lines(target) == ["// api"]
    assert run_fix(target, tmp_path / "out", options).resumed
    (tmp_path / "out" / "dashboard.html").unlink()
    assert run_fix(target, tmp_path / "out", options).dashboard.is_file()
    assert last_lines(target) == ["// api"]
    # A target that people went on with is other work.
    (target / "main.go").write_text("package main\n\nfunc main() {}\n")
    assert not run_fix(target, tmp_path / "out", options).resumed
    assert last_lines(target) == ["// api", "// api"]


def test_what_git_could_not_bring_back_is_refused_before_the_work_and_what_was_written_is_not(
    put: Put, target: Path, tmp_path: Path
) -> None:
    put(SAVED)
    for command in ("init -q", "add -A", "-c user.name=a -c user.email=a@example.org commit -qm all"):
        subprocess.run(["git", "-C", str(target), *command.split()], check=True)
    options = FixOptions(write=True)
    assert not run_fix(target, tmp_path / "out", options).resumed
    assert run_fix(target, tmp_path / "out", options).resumed  # though it is not committed now
    with pytest.raises(UsageError, match=r"not committed: api/server\.go"):
        run_fix(target, tmp_path / "other", options)
    assert not (tmp_path / "other").exists()


def test_a_gate_that_does_not_hold_leaves_the_target_and_an_honest_page(put: Put, target: Path, tmp_path: Path) -> None:
    put(SAVED)
    run_fix(target, tmp_path / "out")
    put("assert False, 'test: TestHandle fails'", SAVED)
    with pytest.raises(GateError, match=r"02_fix: cell 3 failed with AssertionError: test: TestHandle fails; see"):
        run_fix(target, tmp_path / "out", FixOptions(write=True))
    assert last_lines(target) == []
    assert "This run failed" in (tmp_path / "out" / "02_fix.html").read_text()
    assert not (tmp_path / "out" / "dashboard.html").exists()


def test_phases_that_were_ended_go_on_where_they_were(put: Put, target: Path, tmp_path: Path) -> None:
    out, options = tmp_path / "out", FixOptions(phases=PHASES)
    put("assert phase != 'storage', 'no'", SAVED)
    with pytest.raises(GateError, match="no; see"):
        phased.run_phases(target, out, options)
    copy = out / phased.COPY / target.name
    assert last_lines(copy) == ["// api"]
    # Ended once more, by what is not in any input: the first phase is not done again.
    with pytest.raises(GateError, match="no; see"):
        phased.run_phases(target, out, options)
    assert last_lines(copy) == ["// api"]
    put(SAVED)  # another notebook is other work
    runs = phased.run_phases(target, out, options)
    assert states(runs) == [("api", False), ("storage", False), ("core", False)]
    assert last_lines(copy) == ["// api", "// storage", "// core"]
    assert last_lines(target) == []
    assert [run.out.name for run in runs] == ["1-api", "2-storage", "3-core"]


def test_phases_begin_anew_where_the_copy_or_the_target_is_not_what_it_was(
    put: Put, target: Path, tmp_path: Path
) -> None:
    out, options = tmp_path / "out", FixOptions(phases=("api", "core"))
    put(SAVED)
    phased.run_phases(target, out, options)
    copy = out / phased.COPY / target.name
    (copy / "api" / "server.go").write_text("package api\n")
    assert states(phased.run_phases(target, out, options)) == [("api", False), ("core", False)]
    assert last_lines(copy) == ["// api", "// core"]
    (target / "api" / "more.go").write_text("package api\n")
    assert states(phased.run_phases(target, out, options)) == [("api", False), ("core", False)]
    assert last_lines(copy) == ["// api", "// core"]
    assert (copy / "api" / "more.go").is_file()
    assert states(phased.run_phases(target, out, options)) == [("api", True), ("core", True)]


def test_wrong_arguments_are_refused_before_anything_runs(target: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for run in (run_fix, phased.run_phases):
        with pytest.raises(TargetError, match="no such folder"):
            run(tmp_path / "missing", out)
        with pytest.raises(UsageError, match="phase apj is not known; there are api, storage"):
            run(target, out, FixOptions(phases=("apj",)))
        with pytest.raises(UsageError, match="policy 'exported' is none"):
            run(target, out, FixOptions(decisions="exported"))
        with pytest.raises(ConfigError, match="cannot be read"):
            run(target, out, FixOptions(config=tmp_path / "none.toml"))
    assert not out.exists()


def test_a_parameter_that_the_notebook_does_not_have_is_an_error(target: Path) -> None:
    kernel.check_parameters(REAL, {"target": "x", "phase": "api", "policy": "", "apply": False})
    with pytest.raises(UsageError, match="no parameter is named phases; there are: target, phase, policy, apply"):
        kernel.check_parameters(REAL, {"phases": "api"})
    with pytest.raises(UsageError, match="parameter apply is bool, not str"):
        kernel.check_parameters(REAL, {"apply": "yes"})
