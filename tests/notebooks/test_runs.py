"""Runs through papermill, in real kernels: whole, resumed, changed, and failed in each way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import openpyxl
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from audit_lib.errors import AuditError, GateError, TargetError, UsageError
from audit_lib.runs import manifest, papermill
from tests import saved_audits
from tests.notebooks import tiny

pytestmark = pytest.mark.slow

PARAMETERS = """target: str = ""  # folder
phases: str = ""  # phases
config: str = ""  # configuration
output: str = ""  # results"""
SAVED = f"""from pathlib import Path
from audit_lib.model import decode_audit
from audit_lib.show import export, figures, frames
import plotly.io as pio
pio.renderers.default = "plotly_mimetype"
audit = decode_audit(Path({str(saved_audits.SAVED / "shop.json")!r}).read_bytes())
figures.by_verdict(frames.findings(audit)).show()
files = export.write(audit, Path(output), ("csv", "xlsx", "parquet"))"""

Put = Callable[..., None]


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Puts code in the place of the audit notebook's."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    monkeypatch.setattr(papermill, "NOTEBOOKS", folder)

    def write(*code: str) -> None:
        first = new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})  # type: ignore[no-untyped-call]
        rest = [new_code_cell(source) for source in code]  # type: ignore[no-untyped-call]
        head = new_markdown_cell("# The run")  # type: ignore[no-untyped-call]
        spec = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
        notebook = new_notebook(cells=[head, first, *rest], metadata=spec)  # type: ignore[no-untyped-call]
        nbformat.write(notebook, folder / "01_audit.ipynb")  # type: ignore[no-untyped-call]

    return write


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tiny.module(tmp_path / "tiny")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_audit_notebook_leaves_everything_and_reconciles(target: Path, tmp_path: Path) -> None:
    result = papermill.run_audit(target, tmp_path / "out", phases=("api", "storage"))
    assert not result.resumed
    assert {path.name for path in result.files} == names(result.out) - {"manifest.json"}
    assert {"01_audit.html", "01_audit.ipynb", "01_audit.json", "dashboard.html", "findings.xlsx"} <= names(result.out)
    twin = json.loads((result.out / "01_audit.json").read_text())
    assert len([figure for section in twin["sections"] for figure in section["figures"]]) == 7
    assert any("4 sites" in text or "3 sites" in text for section in twin["sections"] for text in section["text"])
    rows = (result.out / "findings.jsonl").read_text().splitlines()
    sheet = openpyxl.load_workbook(result.out / "findings.xlsx")["Findings"]
    assert sheet.max_row - 1 == len(rows) >= 3
    assert not list(papermill.NOTEBOOKS.glob(".*"))


def test_finished_work_is_not_done_again_and_lost_work_is(put: Put, target: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    put(SAVED)
    first = papermill.run_audit(target, out)
    before = {path: path.stat().st_mtime_ns for path in first.files}
    again = papermill.run_audit(target, out)
    assert again.resumed
    assert {path: path.stat().st_mtime_ns for path in again.files} == before
    # As if the run had been ended before the dashboard: only that is made.
    (out / "dashboard.html").unlink()
    rest = papermill.run_audit(target, out)
    assert not rest.resumed
    assert rest.dashboard.is_file()
    assert rest.notebook.stat().st_mtime_ns == before[rest.notebook]
    # A changed target is other work.
    (target / "api" / "server.go").write_text("package api\n")
    papermill.run_audit(target, out)
    assert rest.notebook.stat().st_mtime_ns != before[rest.notebook]


def test_a_failing_cell_is_an_honest_page_and_nothing_stale_is_left(put: Put, target: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    put(SAVED)
    papermill.run_audit(target, out)
    put(SAVED, "assert 1 == 2, 'totals do not reconcile'", "print('never')")
    with pytest.raises(GateError, match=r"01_audit: cell 4 failed with AssertionError: totals .*; see .*html$"):
        papermill.run_audit(target, out)
    page = (out / "01_audit.html").read_text()
    assert "This run failed" in page
    assert "totals do not reconcile" in page
    assert "dashboard.html" not in names(out)
    known = manifest.read(out)
    assert known is not None
    assert (known.notebooks[0].outcome, known.notebooks[0].steps[0].outcome) == ("failed", "failed")
    assert json.loads((out / "01_audit.json").read_text())["failure"].startswith("01_audit: cell 4 failed")


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        ("import os; os._exit(9)", GateError, "the kernel died"),
        ("from audit_lib.errors import TargetError\nraise TargetError('x: no Go code')", TargetError, "x: no Go code"),
    ],
)
def test_a_dead_kernel_and_an_error_of_ours(
    put: Put, target: Path, tmp_path: Path, code: str, error: type[AuditError], words: str
) -> None:
    put(code)
    with pytest.raises(error, match=words):
        papermill.run_audit(target, tmp_path / "out")
    assert words in (tmp_path / "out" / "01_audit.html").read_text()
    assert "findings.jsonl" not in names(tmp_path / "out")


def test_a_kernel_takes_no_module_from_the_target(
    put: Put, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (target / "pandas.py").write_text("raise SystemExit('taken over')")
    monkeypatch.chdir(target)
    put(SAVED)
    assert papermill.run_audit(Path(), tmp_path / "out").dashboard.is_file()


def test_wrong_arguments_are_refused_before_anything_runs(target: Path, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="no such folder"):
        papermill.run_audit(tmp_path / "missing", tmp_path / "out")
    with pytest.raises(UsageError, match="phase apj is not known; there are api, storage, detection, ml_soar, core"):
        papermill.run_audit(target, tmp_path / "out", phases=("apj",))
    assert not (tmp_path / "out").exists()
