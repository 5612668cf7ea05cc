"""A manifest knows what a run was made from, and what of it is still good."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from audit_lib.errors import OutputError, UsageError
from audit_lib.runs import kernel, manifest, papermill
from audit_lib.runs.manifest import Manifest, NotebookRun, Step
from tests.notebooks import tiny

PLAN = Manifest(manifest.SCHEMA, {"target": "abc"}, {"phases": ""}, {"python": "3.11"})


def test_a_manifest_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    run = NotebookRun("01_audit", "done", (Step("execute", "done", 1.5, detail="well"),))
    assert manifest.write(PLAN.with_run(run), tmp_path) == tmp_path / "manifest.json"
    assert manifest.read(tmp_path) == PLAN.with_run(run)


@pytest.mark.parametrize("text", ["", "{", '{"schema": 1}', '{"other": true}', "[]"])
def test_what_is_no_manifest_counts_as_none(tmp_path: Path, text: str) -> None:
    assert manifest.read(tmp_path) is None
    (tmp_path / "manifest.json").write_text(text)
    assert manifest.read(tmp_path) is None


@pytest.mark.parametrize("changed", ["inputs", "parameters", "versions"])
def test_other_inputs_parameters_or_versions_are_other_work(changed: str) -> None:
    assert PLAN.same_work(PLAN.with_run(NotebookRun("01_audit", "failed")))
    assert not PLAN.same_work(msgspec.structs.replace(PLAN, **{changed: {"target": "other"}}))


def test_a_step_is_finished_while_its_files_are_what_it_left(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("whole")
    step = Step("page", "done", 0.1, manifest.outputs(tmp_path, [file]))
    run = NotebookRun("01_audit", "started", (step,))
    assert manifest.finished(run, "page", tmp_path) == step
    assert manifest.finished(run, "dashboard", tmp_path) is None
    file.write_text("edited")
    assert manifest.finished(run, "page", tmp_path) is None
    file.unlink()
    assert manifest.finished(run, "page", tmp_path) is None


def test_a_failed_step_is_not_finished(tmp_path: Path) -> None:
    run = NotebookRun("01_audit", "failed", (Step("execute", "failed", 0.1),))
    assert manifest.finished(run, "execute", tmp_path) is None


def test_a_targets_hash_follows_its_code_and_not_its_place_or_its_results(tmp_path: Path) -> None:
    here, there = tiny.module(tmp_path / "here"), tiny.module(tmp_path / "far" / "there")
    before = manifest.target_hash(here)
    assert manifest.target_hash(there) == before
    (here / "out").mkdir()
    (here / "out" / "go.mod").write_text("module result")
    assert manifest.target_hash(here, without=here / "out") == before
    assert manifest.target_hash(here) != before
    (there / "api" / "server.go").write_text("package api\n")
    assert manifest.target_hash(there) != before


def test_the_library_and_the_versions_are_part_of_the_inputs() -> None:
    assert len(manifest.library_hash()) == 64
    assert manifest.versions("1.26")["go"] == "1.26"
    assert "plotly" in manifest.versions("none")


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("taken")
    with pytest.raises(OutputError, match="cannot be written"):
        manifest.write(PLAN, tmp_path / "out")


def test_parameters_are_those_of_the_notebooks_cell_and_of_their_types() -> None:
    notebook = papermill.find("01_audit")
    kernel.check_parameters(notebook, {"target": ".", "phases": "", "config": "", "output": "out"})
    with pytest.raises(UsageError, match="no parameter is named taget; there are: target, phases, config, output"):
        kernel.check_parameters(notebook, {"taget": "."})
    with pytest.raises(UsageError, match="parameter target is str, not int"):
        kernel.check_parameters(notebook, {"target": 3})


def test_a_missing_notebook_says_where_they_come_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(papermill, "NOTEBOOKS", tmp_path)
    with pytest.raises(UsageError, match="notebooks come with the repository"):
        papermill.find("01_audit")
