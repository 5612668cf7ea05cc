"""Notebooks in batch: run, exported to pages that open offline, with a dashboard, and resumable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from audit_lib import config as configuration
from audit_lib.change.repository import refuse_dirty
from audit_lib.errors import TargetError, ToolchainError, UsageError
from audit_lib.fixed import Level
from audit_lib.model import decode_audit
from audit_lib.progress import Progress, silent
from audit_lib.read import gotool
from audit_lib.runs import manifest, policy
from audit_lib.runs.kernel import Scalar
from audit_lib.runs.manifest import Manifest
from audit_lib.runs.work import Job, Run, RunResult
from audit_lib.show import changes, dashboard, fix_dashboard, fix_export
from audit_lib.untrusted.output import refuse_links

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
AUDIT, FIX = "01_audit", "02_fix"
EXPORTS = ("audit.json", "findings.csv", "findings.jsonl", "findings.parquet", "findings.xlsx")


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
    check(target, config, phases)
    parameters: dict[str, Scalar] = {
        "target": str(target.resolve()),
        "phases": ",".join(phases),
        "config": str(config.resolve()) if config else "",
        "output": str(out.resolve()),
    }

    def drawn(folder: Path) -> tuple[Path, ...]:
        audit = decode_audit((folder / "audit.json").read_bytes())
        return dashboard.write_dashboard(audit, folder, sources=target)

    plan = _plan(source, target, out, config, parameters)
    return Run(Job(source, EXPORTS, drawn), target, out, plan, progress).result()


@dataclass(frozen=True)
class FixOptions:
    """What is decided of a fix: the phases whose sites are fixed (all where none is named), and how.

    `decisions` are of a policy (see `policy.decided`); `max_time` is in seconds, for all of the proof; `write` writes
    the result to the target once every gate has held, with `force` over what git could not bring back.
    """

    config: Path | None = None
    phases: tuple[str, ...] = ()
    decisions: str = ""
    level: Level = "test"
    document: bool = False
    write: bool = False
    force: bool = False
    max_time: float | None = None

    def check(self, target: Path) -> None:
        """Raise `TargetError`, `ConfigError` or `UsageError` for what could not be run."""
        check(target, self.config, self.phases)
        policy.check(self.decisions)
        if self.level not in get_args(Level):
            raise UsageError(f"{self.level!r} is no verification; there are {', '.join(get_args(Level))}")


DEFAULTS = FixOptions()


def run_fix(
    target: Path, out: Path, options: FixOptions = DEFAULTS, *, state: str = "", progress: Progress = silent
) -> RunResult:
    """Fix a target through `notebooks/02_fix.ipynb`, and leave in `out` all that it gives; see `run_audit`.

    A second run on what the first has written to the target does nothing again. `state` is the target's hash at the
    beginning, for who knows that it has gone on since.

    Raises as `run_audit` does; a gate that does not hold is a `GateError`, and leaves the target as it was.
    """
    plan = fix_plan(target, out, options, state)

    def drawn(folder: Path) -> tuple[Path, ...]:
        audit = decode_audit((folder / "audit.json").read_bytes())
        patch = (folder / changes.PATCH).read_bytes()
        groups = fix_export.read_groups(folder / fix_export.GROUPS)
        return fix_dashboard.write(audit, groups, patch, folder, written=options.write)

    def ready() -> None:
        if options.write and not options.force:
            refuse_dirty(target, ())

    job = Job(find(FIX), fix_export.FILES, drawn, more="fix-*.patch", writes=options.write, ready=ready)
    return Run(job, target, out, plan, progress).result()


def fix_plan(target: Path, out: Path, options: FixOptions, state: str = "") -> Manifest:
    """What `run_fix` would do, before anything of it is done. Raises as it does before anything runs."""
    source = find(FIX)
    options.check(target)
    parameters: dict[str, Scalar] = {
        "target": str(target.resolve()),
        "phase": ",".join(options.phases),
        "policy": options.decisions,
        "apply": options.write,
        "document": options.document,
        "verify": options.level,
        "force": options.force,
        "max_time": options.max_time or 0.0,
        "config": str(options.config.resolve()) if options.config else "",
        "output": str(out.resolve()),
    }
    return _plan(source, target, out, options.config, parameters, state)


def find(name: str) -> Path:
    """The notebook of that name. They ship with the repository, not with the installed package."""
    path = NOTEBOOKS / f"{name}.ipynb"
    if not path.is_file():
        raise UsageError(f"{path}: no such notebook; notebooks come with the repository: run from a clone of it")
    return path


def check(target: Path, config: Path | None, phases: tuple[str, ...]) -> tuple[str, ...]:
    """The phases of a target. Raises `TargetError` where there is none, `UsageError` for a phase that is not one."""
    if not target.is_dir():
        raise TargetError(f"{target}: no such folder; name the folder of a Go module")
    known = tuple(dict.fromkeys((*configuration.load(target, config).phases, configuration.REST)))
    if unknown := sorted(set(phases) - set(known)):
        raise UsageError(f"phase {', '.join(unknown)} is not known; there are {', '.join(known)}")
    return known


def _plan(
    source: Path, target: Path, out: Path, config: Path | None, parameters: Mapping[str, Scalar], state: str = ""
) -> Manifest:
    refuse_links(out, target)
    try:
        go = gotool.find_go(not_in=(target,)).version
    except ToolchainError:
        go = "none"
    inputs = {
        "notebook": manifest.file_hash(source),
        "target": state or manifest.target_hash(target, without=out),
        "config": manifest.file_hash(config) if config else "",
        "library": manifest.library_hash(),
    }
    return Manifest(manifest.SCHEMA, inputs, dict(parameters), manifest.versions(go))
