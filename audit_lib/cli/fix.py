"""`ctxaudit fix`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from audit_lib.cli.before import check_committed, check_output, recover
from audit_lib.cli.options import (
    Categories,
    ConfigFile,
    Diff,
    Document,
    FixTime,
    Force,
    Generate,
    Mod,
    ModFile,
    Only,
    Outside,
    Patches,
    Phases,
    Quiet,
    Tags,
    Target,
    Timeout,
    Verify,
    Write,
    split,
)
from audit_lib.cli.output import emit, in_color, progress, width
from audit_lib.errors import GateError

if TYPE_CHECKING:
    from audit_lib.fixed import Fixed


def fix(
    target: Target,
    out: Patches = None,
    only: Only = None,
    phase: Phases = None,
    category: Categories = None,
    verify: Verify = "test",
    timeout: Timeout = 300,
    max_time: FixTime = None,
    document: Document = False,
    generate: Generate = True,
    write: Write = False,
    force: Force = False,
    diff: Diff = False,
    config: ConfigFile = None,
    tags: Tags = "",
    mod: Mod = None,
    modfile: ModFile = "",
    outside: Outside = None,
    quiet: Quiet = False,
) -> None:
    """Give lost contexts back to their callers, and prove the result.

    The work is done in a copy: without --write DIR stays as it is. What cannot be changed is refused, with the reason.
    """
    started = time.monotonic()
    check_output(out, (), target)
    recover(target)
    if write and not force:
        check_committed(target)
    from audit_lib import api
    from audit_lib.change.selection import Selection
    from audit_lib.show import changes, fix_text

    names = tuple(name for names in only or () for name in split(names))
    with progress(quiet) as report:
        fixed = api.fix(
            target,
            selection=Selection(names, tuple(phase or ()), tuple(category or ())),
            level=verify,
            timeout=timeout,
            max_time=max_time,
            document=document,
            generate=generate,
            config=config,
            tags=split(tags),
            mod=mod or "",
            modfile=modfile,
            outside=tuple(outside or ()),
            progress=report,
        )
    writing = write and fixed.ok

    def apply() -> None:
        if writing:
            api.apply(target, fixed, force=force)

    if out is not None:
        changes.write(fixed, out, then=apply)
    else:
        apply()
    if diff and fixed.patch:
        emit(fix_text.diff_text(fixed.patch, color=in_color()))
    if not quiet:
        say(fixed, target, out, time.monotonic() - started, written=writing)
    if not fixed.ok:
        raise GateError(failure(fixed, target))


def say(fixed: Fixed, target: Path, out: Path | None, seconds: float, *, written: bool) -> None:
    """Print what a fix has come to."""
    from audit_lib.show import fix_text

    place = str(out or "")
    emit(
        fix_text.fix_text(
            fixed,
            color=in_color(),
            width=width(),
            seconds=seconds,
            target=str(target),
            out=place,
            written=written,
        )
    )


def failure(fixed: Fixed, target: Path) -> str:
    """The first step of the verification that failed, in a line."""
    failed = next(step for step in fixed.audit.verification if not step.ok)
    first = (failed.detail.splitlines() or [""])[0]
    return f"{target}: the verification failed at {failed.step} ({first}); nothing was written"
