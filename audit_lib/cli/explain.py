"""`ctxaudit explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audit_lib.cli.before import recover
from audit_lib.cli.options import AuditTime, ConfigFile, Mod, ModFile, Outside, Quiet, Tags, split
from audit_lib.cli.output import emit, progress
from audit_lib.errors import UsageError
from audit_lib.progress import MAX_TIME


def explain(
    place: Annotated[str, typer.Argument(metavar="FILE:LINE", help="A line that has a site.")],
    target: Annotated[
        Path | None, typer.Option("--target", metavar="DIR", help="What to audit; by default what FILE belongs to.")
    ] = None,
    config: ConfigFile = None,
    tags: Tags = "",
    mod: Mod = None,
    modfile: ModFile = "",
    outside: Outside = None,
    max_time: AuditTime = MAX_TIME,
    quiet: Quiet = False,
) -> None:
    """Show how a context reaches the sites of a line.

    Prints the path from the source, function by function, and the rule that decided.
    """
    from audit_lib import api, places
    from audit_lib.show import terminal

    file, line = places.parse(place, target)
    base = target or places.target_of(file)
    recover(base)
    name = places.relative(file, base)
    with progress(quiet) as report:
        audit = api.audit(
            base,
            config=config,
            tags=split(tags),
            mod=mod or "",
            modfile=modfile,
            outside=tuple(outside or ()),
            max_time=max_time,
            progress=report,
        )
    findings = api.explain(audit, name, line)
    if not findings:
        raise UsageError(f"{file}:{line}: no site on this line; {places.nearest(audit, name, line)}")
    emit("\n".join(map(terminal.explain_text, findings)))
