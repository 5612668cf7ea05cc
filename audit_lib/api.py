"""What the command line and the notebooks call."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from audit_lib import __version__, unchanged
from audit_lib import config as configuration
from audit_lib.errors import ToolchainError
from audit_lib.judge.classify import idle_directives, judge
from audit_lib.model import Audit, Degradation, Finding, Totals, totals_of
from audit_lib.progress import Progress, silent
from audit_lib.read import facts as typed
from audit_lib.read.scan import scan
from audit_lib.read.syntax import Syntax


def audit(
    target: Path,
    *,
    config: Path | None = None,
    tags: Sequence[str] = (),
    mod: str = "",
    modfile: str = "",
    syntax_only: bool = False,
    progress: Progress = silent,
) -> Audit:
    """Read and judge all that is below a folder.

    Without types (asked for, or no toolchain) every site is for review, and a degradation says so. Raises
    `TargetError` for what is no folder with Go code, `ConfigError` for a configuration that cannot be used.
    """
    settings = configuration.load(target, config)
    options = _go_options(settings.go, tags, mod, modfile)
    name = unchanged.signature(target, settings, options, syntax_only=syntax_only)
    known = unchanged.recall(name)
    if known is not None:
        return msgspec.structs.replace(known, commit=_commit(target))
    found = _read_and_judge(target, settings, None if syntax_only else options, progress)
    unchanged.remember(name, found)
    return found


def _read_and_judge(
    target: Path, settings: configuration.Config, options: configuration.GoOptions | None, progress: Progress
) -> Audit:
    """Read syntax and types at the same time, and judge. Without `options` no types are read."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        facts = None if options is None else pool.submit(typed.read, target, options, progress)
        syntax = scan(target, settings, progress)
        degradations = list(syntax.degradations)
        read = None
        if facts is not None:
            try:
                read = facts.result()
            except ToolchainError as error:
                degradations.append(Degradation("types", f"{error}; every site is for review"))
    if read is not None:
        degradations += [Degradation(problem.where, problem.reason) for problem in read.problems]
    findings = judge(syntax, read, settings)
    degradations += idle_directives(syntax, findings)
    return Audit(
        tool=f"ctxaudit {__version__}",
        target=_name(target, read),
        commit=_commit(target),
        config=configuration.as_builtins(settings),
        findings=findings,
        totals=_totals(findings, syntax),
        degradations=tuple(degradations),
        typed=read is not None,
    )


def explain(audit: Audit, file: str, line: int) -> tuple[Finding, ...]:
    """The findings on a line of a file (relative to the target)."""
    return tuple(f for f in audit.findings if f.site.span.file == file and f.site.span.line == line)


def _go_options(
    options: configuration.GoOptions, tags: Sequence[str], mod: str, modfile: str
) -> configuration.GoOptions:
    changes: dict[str, object] = {}
    if tags:
        changes["tags"] = tuple(tags)
    if mod:
        changes["mod"] = mod
    if modfile:
        changes["modfile"] = modfile
    changed: configuration.GoOptions = msgspec.structs.replace(options, **changes)
    return changed


def _name(target: Path, facts: typed.Facts | None) -> str:
    """The main module's path, or the folder's name: never where the checkout lies."""
    if facts is not None:
        for module in facts.modules:
            if module.dir in (".", ""):
                return module.path
    return target.resolve().name


def _commit(target: Path) -> str:
    """The commit that is checked out, empty where there is none."""
    try:
        done = subprocess.run(
            ["git", "-C", str(target), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _totals(findings: Sequence[Finding], syntax: Syntax) -> Totals:
    return totals_of(
        findings,
        files=len(syntax.files),
        lines=sum(file.lines for file in syntax.files),
        packages=len({file.package for file in syntax.files}),
    )
