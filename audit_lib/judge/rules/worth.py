"""Worth: a context that nothing listens to, and whose values nothing reads, changes nothing for anybody."""

from __future__ import annotations

from audit_lib.judge.case import Case, Decision
from audit_lib.judge.category import category_of

REQUEST = "net/http.Request"
"""What has methods that make another one with the context that they are given: `r.WithContext(ctx)`."""

WAITING = ("Accept", "Await", "Next", "Open", "Read", "Receive", "Recv", "Wait")
"""How methods begin that wait for what comes from their own object, and fail when that has ended."""


def decide(case: Case) -> Decision | None:
    """Keep a root for which a context is there or above, but given to nothing that it would change anything for."""
    if case.trail.supply is None or case.site.kind != "root":
        return None
    callee = case.targets[0].rpartition("/")[2] if case.targets else ""
    if case.changes_nothing:
        return _nothing(case, f"{callee} does nothing with its context, and works in memory")
    if _ends_anyway(case):
        return _nothing(case, f"{callee} ends with what {case.trail.supply.source.expr} is the context of")
    return None


def _ends_anyway(case: Case) -> bool:
    """Whether a context is to wait for what its own object gives: `conn.AcceptStream(conn.Context())`.

    A method of another module's type ends with its own object; of the target's own it is not said that it does.
    """
    source = case.trail.supply.source if case.trail.supply is not None else None
    if source is None or case.trail.ways or source.role != "method" or source.type == REQUEST:
        return False
    given = [target.rpartition(".") for target in case.targets]
    theirs = all(owner == source.type and not case.graph.owns(owner) for owner, _, _ in given)
    return bool(given) and theirs and all(name.startswith(WAITING) for _, _, name in given)


def _nothing(case: Case, why: str) -> Decision:
    return Decision(category_of(case), "keep", f"nothing would change: {why}", "nothing", "worth")
