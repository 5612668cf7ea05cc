"""Notebooks in batch: run, exported to pages that open offline, with a dashboard, and resumable."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import nbformat

from audit_lib import config as configuration
from audit_lib.errors import AuditError, GateError, TargetError, ToolchainError, UsageError
from audit_lib.model import decode_audit
from audit_lib.progress import Progress, silent
from audit_lib.read import gotool
from audit_lib.runs import kernel, manifest
from audit_lib.runs.kernel import Executed, Scalar
from audit_lib.runs.manifest import Manifest, NotebookRun, Step
from audit_lib.show import dashboard, notebook
from audit_lib.show.staging import staged

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
AUDIT = "01_audit"
EXPORTS = ("audit.json", "findings.csv", "findings.jsonl", "findings.parquet", "findings.xlsx")


@dataclass(frozen=True)
class RunResult:
    """What a run left in `out`. `resumed` says that all of it was there already, from the same inputs."""

    out: Path
    notebook: Path
    page: Path
    dashboard: Path
    manifest: Path
    files: tuple[Path, ...]
    resumed: bool


def run_audit(
    target: Path,
    out: Path,
    *,
    config: Path | None = None,
    phases: tuple[str, ...] = (),
    progress: Progress = silent,
) -> RunResult:
    """Audit a target through `notebooks/01_audit.ipynb`, and leave in `out` all that it gives.

    That is the executed notebook, its page (HTML) and twin (JSON), `dashboard.html` and `dashboard.json`, the audit's
    own files (`findings.xlsx` and the rest), and `manifest.json`. What is there already from the same inputs is not
    done again. `phases` are those that the notebook shows; the audit is whole.

    Raises `TargetError`, `ConfigError` or `UsageError` before anything runs; the same, or `GateError`, when a cell
    fails or the kernel dies: then `out` holds the notebook as far as it came and a page that says so.
    """
    source = find(AUDIT)
    if not target.is_dir():
        raise TargetError(f"{target}: no such folder; name the folder of a Go module")
    known = (*configuration.load(target, config).phases, configuration.REST)
    if unknown := sorted(set(phases) - set(known)):
        raise UsageError(f"phase {', '.join(unknown)} is not known; there are {', '.join(known)}")
    parameters: dict[str, Scalar] = {
        "target": str(target.resolve()),
        "phases": ",".join(phases),
        "config": str(config.resolve()) if config else "",
        "output": str(out.resolve()),
    }
    plan = _plan(source, target, out, config, parameters)
    return _Run(source, target, out, plan, progress).result()


def find(name: str) -> Path:
    """The notebook of that name. They ship with the repository, not with the installed package."""
    path = NOTEBOOKS / f"{name}.ipynb"
    if not path.is_file():
        raise UsageError(f"{path}: no such notebook; notebooks come with the repository: run from a clone of it")
    return path


def _plan(
    source: Path, target: Path, out: Path, config: Path | None, parameters: Mapping[str, Scalar]
) -> manifest.Manifest:
    try:
        go = gotool.find_go().version
    except ToolchainError:
        go = "none"
    inputs = {
        "notebook": manifest.file_hash(source),
        "target": manifest.target_hash(target, without=out),
        "config": manifest.file_hash(config) if config else "",
        "library": manifest.library_hash(),
    }
    return Manifest(manifest.SCHEMA, inputs, dict(parameters), manifest.versions(go))


class _Run:
    """One notebook's way through its steps: execute, page, dashboard. Each is recorded once it is done."""

    def __init__(self, source: Path, target: Path, out: Path, plan: Manifest, progress: Progress) -> None:
        self._source, self._target, self._out, self._progress = source, target, out, progress
        self._name = source.stem
        before = manifest.read(out)
        self._stale = before.files() if before else ()
        self._manifest = before if before and before.same_work(plan) else plan
        self._fresh = False

    def result(self) -> RunResult:
        """Do what is left to do."""
        self._step("execute", self._execute)
        self._step("page", self._page)
        self._step("dashboard", self._dashboard)
        run = self._manifest.run_of(self._name)
        self._record(msgspec.structs.replace(run, outcome="done"))
        out = self._out
        return RunResult(
            out=out,
            notebook=out / f"{self._name}.ipynb",
            page=out / f"{self._name}.html",
            dashboard=out / dashboard.HTML_NAME,
            manifest=out / manifest.NAME,
            files=tuple(out / file for file in sorted(self._manifest.files())),
            resumed=not self._fresh,
        )

    def _step(self, name: str, work: Callable[[], tuple[Path, ...]]) -> None:
        """Do a step, unless it is done; a step that is done anew makes those after it be done anew too."""
        run = self._manifest.run_of(self._name)
        if not self._fresh and manifest.finished(run, name, self._out):
            return
        self._fresh = True
        begun = time.perf_counter()
        files = work()
        seconds = round(time.perf_counter() - begun, 3)
        step = Step(name, "done", seconds, manifest.outputs(self._out, files))
        earlier = tuple(s for s in run.steps if s.name != name)[: len(_BEFORE[name])]
        self._record(NotebookRun(self._name, "started", (*earlier, step)))

    def _execute(self) -> tuple[Path, ...]:
        begun = time.perf_counter()
        with staged(self._out) as stage:
            copy = stage / f"{self._name}.ipynb"
            executed = kernel.execute(self._source, copy, self._manifest.parameters, self._progress)
            if executed.error:
                self._write_page(stage, executed)
        if executed.error:
            self._failed(executed.error, time.perf_counter() - begun)
        return self._there(f"{self._name}.ipynb", *EXPORTS)

    def _page(self) -> tuple[Path, ...]:
        self._progress("page", 0, 1)
        ran = nbformat.read(self._out / f"{self._name}.ipynb", as_version=4)  # type: ignore[no-untyped-call]
        with staged(self._out) as stage:
            self._write_page(stage, Executed(ran, None))
        return self._there(f"{self._name}.html", f"{self._name}.json")

    def _dashboard(self) -> tuple[Path, ...]:
        self._progress("dashboard", 0, 1)
        audit = decode_audit((self._out / "audit.json").read_bytes())
        files = dashboard.write_dashboard(audit, self._out, sources=self._target)
        self._progress("dashboard", 1, 1)
        return files

    def _write_page(self, stage: Path, executed: Executed) -> None:
        failure = str(executed.error) if executed.error else ""
        page = notebook.html(executed.notebook, self._name, failure=failure)
        twin = notebook.twin(executed.notebook, self._name, failure=failure)
        (stage / f"{self._name}.html").write_text(page, encoding="utf-8")
        (stage / f"{self._name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(twin), indent=1) + b"\n")

    def _failed(self, error: AuditError, seconds: float) -> None:
        """Record a failure, take away what an earlier run left (it is not of these inputs), and raise."""
        files = self._there(*(f"{self._name}.{kind}" for kind in ("ipynb", "html", "json")))
        step = Step("execute", "failed", round(seconds, 3), manifest.outputs(self._out, files), str(error))
        self._record(NotebookRun(self._name, "failed", (step,)))
        raise type(error)(f"{error}; see {self._out / self._name}.html")

    def _there(self, *names: str) -> tuple[Path, ...]:
        files = tuple(self._out / name for name in names)
        missing = [file.name for file in files if not file.is_file()]
        if missing:
            raise GateError(f"{self._name}: the run did not leave {', '.join(missing)} in {self._out}")
        return files

    def _record(self, run: NotebookRun) -> None:
        self._manifest = self._manifest.with_run(run)
        for file in set(self._stale) - set(self._manifest.files()):
            if Path(file).name == file:  # what a manifest says, but never outside its folder
                (self._out / file).unlink(missing_ok=True)
        self._stale = ()
        manifest.write(self._manifest, self._out)


_BEFORE = {"execute": (), "page": ("execute",), "dashboard": ("execute", "page")}
