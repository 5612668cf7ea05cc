"""An audit narrowed to some of its phases."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from audit_lib.config import REST
from audit_lib.errors import UsageError
from audit_lib.model import Audit, totals_of


def narrowed(audit: Audit, phases: Collection[str]) -> Audit:
    """An audit (before any change) with the findings of these phases alone, and their totals; no phases: all of it.

    Raises `UsageError` for a phase that the audit's configuration does not have.
    """
    if not phases:
        return audit
    configured = audit.config.get("phases")
    known = [*configured, REST] if isinstance(configured, dict) else [REST]
    for phase in phases:
        if phase not in known:
            raise UsageError(f"there is no phase {phase!r}; the phases are {', '.join(known)}")
    findings = tuple(finding for finding in audit.findings if finding.phase in phases)
    read = audit.totals
    totals = totals_of(findings, files=read.files, lines=read.lines, packages=read.packages)
    return msgspec.structs.replace(audit, findings=findings, totals=totals)
