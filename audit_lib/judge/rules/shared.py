"""Shared work: one caller's cancellation must not end what others wait for, or what is kept for them."""

from __future__ import annotations

from audit_lib.judge.case import Case, Decision
from audit_lib.judge.crossings import CrossingKind
from audit_lib.judge.ways import Supply

_WHAT: dict[CrossingKind, str] = {
    "shared": "runs once for all callers",
    "lazy": "makes a value once and keeps it",
    "batch": "works on what others have put together",
}


def decide(case: Case) -> Decision | None:
    """Review where a once, a single flight or a value that is kept lies between the source and the site."""
    supply = case.trail.supply
    if supply is None or supply.lifetime == "process":
        return None
    if supply.lifetime == "request" and case.made_to_last:
        return _review(f"{case.made_to_last.rpartition('/')[2]} makes what is kept for others", supply)
    kinds: tuple[CrossingKind, ...] = (
        ("shared", "lazy", "batch") if supply.lifetime == "request" else ("shared", "lazy")
    )
    crossing = next((found for kind in kinds if (found := case.trail.first(kind)) is not None), None)
    if crossing is None:
        return None
    func = case.graph.funcs.get(case.graph.top(crossing.function))
    return _review(f"{func.name if func else crossing.function} {_WHAT[crossing.kind]}", supply)


def _review(what: str, supply: Supply) -> Decision:
    return Decision(
        "background" if supply.lifetime == "worker" else "request",
        "review",
        f"{what}: with the context of {supply.source.expr}, one caller's end would be everybody's",
        "decide who owns this work; give it the owner's context, or context.WithoutCancel of the caller's",
        "shared",
    )
