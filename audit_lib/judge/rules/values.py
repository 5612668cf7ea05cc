"""A context that is only read for its values, as a logger does: worth using where it is, not worth threading for."""

from __future__ import annotations

from audit_lib.judge.case import Case, Decision
from audit_lib.judge.category import category_of


def decide(case: Case) -> Decision | None:
    """Decide sites whose callee reads values and never waits."""
    if not case.only_values:
        return None
    supply = case.trail.supply
    if case.site.kind == "bare_call" and not case.logs_contexts:
        reason = "nothing would change: the loggers' calls here take no contexts for the most part"
        return Decision(category_of(case), "keep", reason, 'nothing; for all of them: policy logging = "fix"', "values")
    if supply is not None and not case.trail.ways and supply.lifetime != "process":
        return Decision(
            "background" if supply.lifetime == "worker" else "request",
            "fix",
            f"{supply.source.expr} is in scope, and its values (request id, trace) are lost for {case.callee}",
            f"call {case.site.sibling} with {supply.source.expr}" if case.site.sibling else f"use {supply.source.expr}",
            "values",
        )
    return Decision(
        category_of(case),
        "keep",
        "the callee reads values only, and no context that carries any is in scope",
        "nothing",
        "values",
    )
