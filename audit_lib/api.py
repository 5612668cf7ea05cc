"""What the command line and the notebooks call."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from audit_lib import config as configuration
from audit_lib import reading, unchanged
from audit_lib.change.selection import Selection
from audit_lib.errors import GateError
from audit_lib.fixed import Fixed, Level
from audit_lib.model import Audit, Finding
from audit_lib.progress import MAX_TIME, Progress, silent
from audit_lib.untrusted import checkout

EVERYTHING = Selection()


def audit(
    target: Path,
    *,
    config: Path | None = None,
    tags: Sequence[str] = (),
    mod: str = "",
    modfile: str = "",
    outside: Sequence[Path] = (),
    syntax_only: bool = False,
    max_time: float = MAX_TIME,
    progress: Progress = silent,
) -> Audit:
    """Read and judge all that is below a folder.

    Without types (asked for, no toolchain, or not within `max_time`, in seconds) every site is for review, and a
    degradation says so; so are sites that are not judged by then. `outside` are the folders that the target's go.mod
    and go.work files may name besides its own. Raises
    `TargetError` for what is no folder with Go code, `ConfigError` for a configuration that cannot be used.
    """
    settings = configuration.load(target, config)
    options = reading.go_options(target, settings.go, tags, mod, modfile, outside)
    name = unchanged.signature(target, settings, options, syntax_only=syntax_only)
    known = unchanged.recall(name)
    if known is not None:
        return msgspec.structs.replace(known, commit=checkout.commit(target))
    deadline = time.monotonic() + max_time
    read = reading.read(target, settings, None if syntax_only else options, progress, max_time=max_time)
    found = reading.judged(target, settings, read, deadline=deadline)
    unchanged.remember(name, found)
    return found


def fix(
    target: Path,
    *,
    selection: Selection = EVERYTHING,
    level: Level = "test",
    timeout: float = 300,
    max_time: float | None = None,
    document: bool = False,
    generate: bool = True,
    config: Path | None = None,
    tags: Sequence[str] = (),
    mod: str = "",
    modfile: str = "",
    outside: Sequence[Path] = (),
    progress: Progress = silent,
) -> Fixed:
    """Read, judge, plan, and prove the result in a copy; the target is not touched (see `apply`).

    `timeout` is what the tests of a package may take, in seconds, `max_time` what all of it may: by default a multiple
    of what the first scan and the tests take (see `budget.allowed`). What is not proved by then is refused.
    `document` writes reasons beside roots that are kept; `generate` makes mocks again with generators that are at hand.
    What fails the verification is rolled back and refused; `ok` of the result tells whether the rest passed.
    Raises as `audit` does, and `ToolchainError` without a Go, `UsageError` for a selection of what there is not.
    """
    from audit_lib import fixing  # what a scan need not wait for

    settings = configuration.load(target, config)
    options = reading.go_options(target, settings.go, tags, mod, modfile, outside)
    return fixing.fix(
        target,
        settings,
        options,
        selection,
        level=level,
        timeout=timeout,
        max_time=max_time,
        document=document,
        generate=generate,
        progress=progress,
    )


def apply(target: Path, done: Fixed, *, force: bool = False) -> None:
    """Write a fix to its target, all or nothing.

    Raises `GateError` for one whose verification failed, `UsageError` where git could not take it back and `force` is
    not given, `TargetError` for files that have changed since they were read, `OutputError` for what cannot be written:
    in each case the target is as it was.
    """
    if not done.ok:
        raise GateError(f"{target}: the verification failed; nothing was written")
    from audit_lib.change.rewrite import Rewritten, write_back

    write_back(target, Rewritten(done.before, done.after), force=force)


def explain(audit: Audit, file: str, line: int) -> tuple[Finding, ...]:
    """The findings on a line of a file (relative to the target), and what is said of uses of variables there."""
    every = (one for finding in audit.findings for one in (finding, *finding.uses))
    return tuple(f for f in every if f.site.span.file == file and f.site.span.line == line)
