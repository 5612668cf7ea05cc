"""`ctxaudit scan`."""

from __future__ import annotations

import time

from audit_lib.cli.before import check_output, recover
from audit_lib.cli.options import (
    AuditTime,
    ConfigFile,
    Every,
    Formats,
    Mod,
    ModFile,
    Outside,
    Phases,
    Quiet,
    Results,
    SyntaxOnly,
    Tags,
    Target,
    split,
)
from audit_lib.cli.output import emit, in_color, progress, width
from audit_lib.progress import MAX_TIME


def scan(
    target: Target,
    out: Results = None,
    formats: Formats = "jsonl",
    config: ConfigFile = None,
    phase: Phases = None,
    tags: Tags = "",
    mod: Mod = None,
    modfile: ModFile = "",
    outside: Outside = None,
    syntax_only: SyntaxOnly = False,
    max_time: AuditTime = MAX_TIME,
    every: Every = False,
    quiet: Quiet = False,
) -> None:
    """Find every context root and bare call, and judge each."""
    started = time.monotonic()
    chosen = split(formats)
    check_output(out, chosen, target)
    recover(target)
    from audit_lib import api
    from audit_lib.phases import narrowed

    with progress(quiet) as report:
        audit = api.audit(
            target,
            config=config,
            tags=split(tags),
            mod=mod or "",
            modfile=modfile,
            outside=tuple(outside or ()),
            syntax_only=syntax_only,
            max_time=max_time,
            progress=report,
        )
    audit = narrowed(audit, phase or ())
    if out is not None:
        from audit_lib.show import export

        export.write(audit, out, chosen)
    if not quiet:
        from audit_lib.show import terminal

        seconds = time.monotonic() - started
        emit(terminal.scan_text(audit, color=in_color(), width=width(), all=every, seconds=seconds))
