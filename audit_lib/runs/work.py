"""A notebook's run through its steps, with a manifest beside what each of them leaves, so that it resumes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import nbformat

from audit_lib.errors import AuditError, GateError
from audit_lib.progress import Progress
from audit_lib.runs import kernel, manifest
from audit_lib.runs.kernel import Executed
from audit_lib.runs.manifest import Manifest, NotebookRun, Step
from audit_lib.show import dashboard, notebook
from audit_lib.show.staging import staged


@dataclass(frozen=True)
class Job:
    """What is run, and what it must leave: files of these names, and those that match the pattern `more`.

    `dashboard` makes the dashboard in the folder of the results, from what is there. `writes`: the notebook changes
    its target. `ready` is called before it is run, and not for what is there already: it raises what stands in the way.
    """

    notebook: Path
    exports: tuple[str, ...]
    dashboard: Callable[[Path], tuple[Path, ...]]
    more: str = ""
    writes: bool = False
    ready: Callable[[], None] | None = None


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


class Run:
    """One notebook's way through its steps: execute, page, dashboard. Each is recorded once it is done."""

    def __init__(self, job: Job, target: Path, out: Path, plan: Manifest, progress: Progress) -> None:
        self._job, self._target, self._out, self._progress = job, target, out, progress
        self._name = job.notebook.stem
        before = manifest.read(out)
        plan = self._on_the_way(plan, before)
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

    def _on_the_way(self, plan: Manifest, before: Manifest | None) -> Manifest:
        """The plan, or, where the run that `before` tells of has itself made the target what it is, that run's."""
        if not self._job.writes or before is None or not before.left or before.left != plan.inputs["target"]:
            return plan
        if manifest.finished(before.run_of(self._name), "execute", self._out) is None:
            return plan
        inputs = {**plan.inputs, "target": before.inputs["target"]}
        return msgspec.structs.replace(plan, inputs=inputs, left=before.left)

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
        if self._job.ready is not None:
            self._job.ready()
        begun = time.perf_counter()
        with staged(self._out) as stage:
            copy = stage / f"{self._name}.ipynb"
            executed = kernel.execute(self._job.notebook, copy, self._manifest.parameters, self._progress)
            if executed.error:
                self._write_page(stage, executed)
        if executed.error:
            self._failed(executed.error, time.perf_counter() - begun)
        if self._job.writes:
            left = manifest.target_hash(self._target, without=self._out)
            self._manifest = msgspec.structs.replace(self._manifest, left=left)
        return (*self._there(f"{self._name}.ipynb", *self._job.exports), *self._more())

    def _page(self) -> tuple[Path, ...]:
        self._progress("page", 0, 1)
        ran = nbformat.read(self._out / f"{self._name}.ipynb", as_version=4)  # type: ignore[no-untyped-call]
        with staged(self._out) as stage:
            self._write_page(stage, Executed(ran, None))
        return self._there(f"{self._name}.html", f"{self._name}.json")

    def _dashboard(self) -> tuple[Path, ...]:
        self._progress("dashboard", 0, 1)
        files = self._job.dashboard(self._out)
        self._progress("dashboard", 1, 1)
        return files

    def _more(self) -> tuple[Path, ...]:
        pattern = self._job.more
        return tuple(sorted(self._out.glob(pattern))) if pattern else ()

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
