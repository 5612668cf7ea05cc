"""Uniformity: once an interface's method takes a context, its sibling methods that lose one follow."""

from __future__ import annotations

from audit_lib.judge.case import Case, Decision
from audit_lib.judge.rules.reachable import is_worth

STEPS = 3
"""How many calls below an interface's method a root may be."""


def decide(case: Case) -> Decision | None:
    """Fix a root for which there is no context yet, but whose interface is opened for others: the root moves up."""
    if not case.opened or case.trail.supply is not None or case.constructs or case.starts_up:
        return None
    method = _method_above(case)
    if method is None:
        return None
    radius, _ = case.reach.radius(method)
    if not is_worth(case, radius):
        return None
    func = case.graph.funcs[method]
    return Decision(
        "request",
        "fix",
        f"other methods of the interface that {func.name} implements get a context: it follows for uniformity",
        f"thread ctx through {func.name}",
        "sibling",
    )


def _method_above(case: Case) -> str | None:
    """The nearest method at or above the site that implements an opened interface."""
    level = {case.top.id}
    seen: set[str] = set()
    for _ in range(STEPS):
        for function in sorted(level):
            interfaces = {node.id.rpartition(".")[0] for node in case.graph.interfaces_of(function)}
            if interfaces & case.opened and not case.reach.is_closed(function):
                return function
        seen |= level
        callers = {
            case.graph.top(edge.call.caller)
            for function in level
            for edge in case.graph.direct(function)
            if not edge.call.test and not edge.call.go and edge.kind in ("static", "closure")
        }
        level = {function for function in callers - seen if not case.reach.is_closed(function)}
    return None
