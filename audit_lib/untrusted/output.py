"""Where results may be written: not where a link of the target leads."""

from __future__ import annotations

from pathlib import Path

from audit_lib.errors import OutputError
from audit_lib.untrusted.files import link_on_the_way


def refuse_links(out: Path, target: Path) -> None:
    """Raise `OutputError` where the way to a folder of results goes over a link in the target, which may have made it.

    A link outside of the target is the user's own.
    """
    link = link_on_the_way(out, target)
    if link is not None:
        raise OutputError(
            f"{out}: {link.name} is a link in the target, and no results are written where it leads; "
            "remove it or name another folder with --out"
        )
