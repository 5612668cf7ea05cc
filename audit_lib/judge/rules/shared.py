"""Shared work: one caller's cancellation must not end what others wait for, or what is kept for them."""

from __future__ import annotations

from audit_lib.judge.case import Case, Decision
from audit_lib.judge.reach import Supply


def decide(case: Case) -> Decision | None:
    """Review where a once, a single flight or a value that is kept lies between the source and the site."""
    supply = case.trail.supply
    if supply is None or supply.lifetime == "process":
        return None
    if supply.lifetime == "request" and case.made_to_last:
        return _review(f"{case.made_to_last.rpartition('/')[2]} makes what is kept for others", supply)
    crossing = case.trail.first("shared") or case.trail.first("lazy")
    if crossing is None:
        return None
    func = case.graph.funcs.get(crossing.function)
    where = func.name if func else crossing.function
    what = "runs once for all callers" if crossing.kind == "shared" else "makes a value once and keeps it"
    return _review(f"{where} {what}", supply)


def _review(what: str, supply: Supply) -> Decision:
    return Decision(
        "background" if supply.lifetime == "worker" else "request",
        "review",
        f"{what}: with the context of {supply.source.expr}, one caller's end would be everybody's",
        "decide who owns this work; give it the owner's context, or context.WithoutCancel of the caller's",
        "shared",
    )
