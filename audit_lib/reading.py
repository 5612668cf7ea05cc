"""A target read and judged: what an audit is, and what a fix begins and ends with."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec

from audit_lib import __version__
from audit_lib import config as configuration
from audit_lib.config import Config, GoOptions
from audit_lib.errors import ToolchainError, UsageError
from audit_lib.judge.classify import idle_directives, judge_until
from audit_lib.model import Audit, Degradation, Finding, Totals, totals_of
from audit_lib.progress import Progress, silent
from audit_lib.read import gofacts
from audit_lib.read.facts import Facts
from audit_lib.read.scan import scan
from audit_lib.read.syntax import Syntax
from audit_lib.untrusted import checkout
from audit_lib.untrusted.files import open_file, recorded
from audit_lib.untrusted.processes import Leash


@dataclass(frozen=True)
class Reading:
    """What was read of a target: without types, `facts` is missing; `wide` has all facts, for who changes code."""

    syntax: Syntax
    facts: Facts | None
    wide: Facts | None
    degradations: tuple[Degradation, ...]


def read(
    target: Path,
    settings: Config,
    options: GoOptions | None,
    progress: Progress = silent,
    *,
    wide: bool = False,
    max_time: float | None = None,
) -> Reading:
    """Read syntax and types at the same time. Without `options` no types are read.

    Raises `TargetError` for what is no folder with Go code. With `wide` types are a must: `ToolchainError` where they
    cannot be read. What takes longer than `max_time`, in seconds, is not read, and named in `degradations`.
    """
    until = None if max_time is None else time.monotonic() + max_time

    leash = Leash()

    def types(chosen: GoOptions) -> tuple[Facts, Facts | None]:
        with leash.held():
            if wide:
                return gofacts.read_wide(target, chosen, progress, seconds=max_time)
            return gofacts.read(target, chosen, progress, seconds=max_time), None

    # Whatever ends this, SIGTERM too, ends first what the other thread waits for.
    with ThreadPoolExecutor(max_workers=1) as pool, closing(leash):
        facts = None if options is None else pool.submit(types, options)
        syntax = scan(target, settings, progress, deadline=until)
        degradations = list(syntax.degradations)
        found: tuple[Facts | None, Facts | None] = (None, None)
        if facts is not None:
            try:
                found = facts.result()
            except ToolchainError as error:
                if wide:
                    raise
                degradations.append(Degradation("types", f"{error}; every site is for review"))
    if found[0] is not None:
        named = {degradation.where for degradation in syntax.degradations if degradation.where.endswith(".go")}
        degradations += [
            Degradation(problem.where, problem.reason) for problem in found[0].problems if problem.where not in named
        ]
    return Reading(syntax, *found, tuple(degradations))


def judged(target: Path, settings: Config, reading: Reading, *, deadline: float | None = None) -> Audit:
    """The audit of what was read, before any change; sites that are not judged at `deadline` are for review."""
    judgement = judge_until(deadline, reading.syntax, reading.facts, settings)
    findings = judgement.findings
    return Audit(
        tool=f"ctxaudit {__version__}",
        target=_name(target, reading.facts),
        commit=checkout.commit(target),
        config=configuration.as_builtins(settings),
        findings=findings,
        totals=_totals(findings, reading.syntax),
        degradations=(*reading.degradations, *judgement.degradations, *idle_directives(reading.syntax, findings)),
        typed=reading.facts is not None,
    )


def go_options(
    target: Path, options: GoOptions, tags: Sequence[str], mod: str, modfile: str, outside: Sequence[Path] = ()
) -> GoOptions:
    """The configuration's options, with those of the command line in their place where they are given.

    Raises `UsageError` for a `modfile` that is no file of the target.
    """
    changes: dict[str, object] = {}
    if tags:
        changes["tags"] = tuple(tags)
    if mod:
        changes["mod"] = mod
    if modfile or options.modfile:
        changes["modfile"] = _inside(target, modfile or options.modfile)
    if outside:
        changes["outside"] = (*options.outside, *(str(folder.absolute()) for folder in outside))
    changed: configuration.GoOptions = msgspec.structs.replace(options, **changes)
    return changed


def _inside(target: Path, modfile: str) -> str:
    """A modfile's name relative to the target, as the go command gets it for each module."""
    name = os.path.relpath(modfile, target.absolute()) if Path(modfile).is_absolute() else modfile
    try:
        os.close(open_file(target, Path(name).as_posix()))
    except OSError as error:
        raise UsageError(
            f"--modfile {modfile}: {error.strerror}; name a regular file in {target}, relative to it"
        ) from error
    return name


def _name(target: Path, facts: Facts | None) -> str:
    """The main module's path, or the folder's name: never where the checkout lies."""
    if facts is not None:
        for module in facts.modules:
            if module.dir in (".", ""):
                return module.path
    return recorded(target.resolve().name)


def _totals(findings: Sequence[Finding], syntax: Syntax) -> Totals:
    return totals_of(
        findings,
        files=len(syntax.files),
        lines=sum(file.lines for file in syntax.files),
        packages=len({file.package for file in syntax.files}),
    )
