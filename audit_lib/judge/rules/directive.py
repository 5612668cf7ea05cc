"""A person's word wins: `//ctxaudit:keep reason`, `//nolint:contextcheck // reason`, or a comment that says why."""

from __future__ import annotations

from audit_lib.judge.case import Case, Decision
from audit_lib.judge.category import category_of


def decide(case: Case) -> Decision | None:
    """Kept with the person's reason; one without a reason is for review."""
    word = case.directive
    if word is None:
        return _explained(case) if case.remark else None
    name = "//ctxaudit:keep" if word.form == "keep" else "//nolint:contextcheck"
    if not word.reason:
        return Decision(
            category_of(case),
            "review",
            f"{name} on line {word.span.line} gives no reason",
            "say why this context is kept, behind the directive",
            "directive",
        )
    return Decision(category_of(case), "keep", f"{name}: {word.reason}", "nothing: a person has decided", "directive")


def _explained(case: Case) -> Decision:
    """Kept with the words of the comment, which say that it is not to end with the context that is there."""
    reason = f"the comment there says why: {case.remark}"
    return Decision(category_of(case), "keep", reason, "nothing: a person has decided", "directive")
