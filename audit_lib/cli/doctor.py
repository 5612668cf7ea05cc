"""`ctxaudit doctor`."""

from __future__ import annotations

import typer

from audit_lib.cli.output import emit
from audit_lib.errors import TargetError


def doctor() -> None:
    """Say what is installed, and what works without the rest."""
    from audit_lib import doctor as checks

    found = checks.examine()
    emit(checks.text(found))
    raise typer.Exit(0 if checks.can_scan(found) else TargetError.exit_code)
