"""A source in scope, or reached by threading: its lifetime decides, and its price."""

from __future__ import annotations

from dataclasses import replace

from audit_lib.judge.case import Case, Decision
from audit_lib.judge.ways import Supply
from audit_lib.model import Category, Radius

_CATEGORY: dict[str, Category] = {
    "request": "request",
    "command": "request",
    "worker": "background",
    "process": "request",
    "test": "test",
}

CALLS_PER_FUNCTION = 8
"""How many calls that get one more argument weigh as much as a function whose signature changes."""

IGNORED_SHARE = 6
"""By how much less a context is worth that nothing listens to: the limit of its radius is divided by this."""


def decide(case: Case) -> Decision | None:
    """Fix where a request's, a command's or a worker's context is there; review where it is not worth its price."""
    supply = case.trail.supply
    if supply is None:
        return None
    category = _CATEGORY[supply.lifetime]
    if supply.lifetime == "process" and case.trail.first("go"):
        category = "background"
    if supply.lifetime == "worker" and case.config.policy.workers == "keep":
        return Decision(category, "keep", "policy: workers keep their own contexts", "nothing", "policy")
    if not case.trail.ways:
        return _with_late_uses(case, _in_scope(case, supply, category))
    if _starts_without(case, supply):
        return None
    decision = _threaded(case, supply, category)
    return _with_late_uses(case, decision) if decision is not None else None


def _with_late_uses(case: Case, decision: Decision) -> Decision:
    """What a fix does with the uses of a context that may come when its source has ended: they keep values alone."""
    if decision.verdict != "fix" or not (late := case.apart):
        return decision
    lines = ", ".join(str(line) for line in sorted({use.line for use in late}))
    why = f"what it is used for in line {lines} may run when that has ended"
    if case.too_old_to_detach:
        return replace(decision, verdict="review", reason=f"{decision.reason}, but {why}; {case.too_old_to_detach}")
    return replace(decision, reason=f"{decision.reason}; {why}, and keeps its values alone")


def given_later(case: Case) -> Decision | None:
    """Keep what gets its context by itself: a request that is made first, and then `req.WithContext(ctx)`."""
    if not case.has("given_later"):
        return None
    category = _CATEGORY[case.trail.supply.lifetime] if case.trail.supply is not None else "request"
    return Decision(category, "keep", "its request is given a context before it is sent", "nothing", "in-scope")


def _starts_without(case: Case, supply: Supply) -> bool:
    """Whether a worker is started on the way without a context: its life is its own, and who started it is not."""
    goroutine = case.trail.unwaited
    if goroutine is None or supply.lifetime not in ("worker", "process"):
        return False
    return case.graph.top(goroutine.function) != case.graph.top(supply.source.owner)


def is_worth(case: Case, radius: Radius) -> bool:
    """Whether a context is worth what changes with it, by the policy's `max_radius`."""
    limit = case.config.policy.max_radius
    if case.is_ignored:
        limit //= IGNORED_SHARE
    return max(radius.functions, radius.calls // CALLS_PER_FUNCTION) <= limit


def _in_scope(case: Case, supply: Supply, category: Category) -> Decision:
    expr = supply.source.expr
    if case.site.kind == "bare_call":
        return Decision(
            category,
            "fix",
            f"{expr} is in scope, and {case.callee} does not hear of its end",
            f"call {case.site.sibling} with {expr}",
            "in-scope",
        )
    return Decision(
        category, "fix", f"{expr} is in scope ({supply.lifetime}), and is not used", f"use {expr}", "in-scope"
    )


def _threaded(case: Case, supply: Supply, category: Category) -> Decision | None:
    calls = len(case.trail.ways)
    above = "one call" if calls == 1 else f"{calls} calls"
    expr = supply.source.expr
    radius = case.radius
    if radius is not None and not is_worth(case, radius):
        return Decision(
            category,
            "review",
            f"{expr} is {above} up, but threading it changes {radius.functions} functions and {radius.calls} calls"
            + (", and nothing that it would be given to listens to it" if case.is_ignored else ""),
            "decide whether this context is worth that change (policy max_radius)",
            "radius",
        )
    if case.top.receiver in case.costly and case.top.id not in case.carried:
        return Decision(
            category,
            "review",
            f"{expr} is {above} up, but most methods of its type are not worth their price, and one would stand alone",
            "decide for the whole type (policy max_radius)",
            "radius",
        )
    if supply.lifetime == "process" and not (supply.source.param or supply.source.ends or supply.source.lives):
        return None
    return Decision(
        category,
        "fix",
        f"{expr} ({supply.lifetime}) is {above} up",
        f"thread {expr} through {case.top.name}",
        "threaded",
    )
