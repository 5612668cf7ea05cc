"""Worth: a context that nothing listens to, and whose values nothing reads, changes nothing for anybody."""

from __future__ import annotations

from audit_lib.judge.case import Case, Decision
from audit_lib.judge.category import category_of


def decide(case: Case) -> Decision | None:
    """Keep a root for which a context is there or above, but given to nothing that it would change anything for."""
    if case.trail.supply is None or case.site.kind != "root" or not case.changes_nothing:
        return None
    callee = case.targets[0].rpartition("/")[2]
    return Decision(
        category_of(case),
        "keep",
        f"nothing would change: {callee} does nothing with its context, and works in memory",
        "nothing",
        "worth",
    )
