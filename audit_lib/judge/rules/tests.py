"""Test code: `t.Context()` where the module's Go has it, and not for what outlives the test."""

from __future__ import annotations

from audit_lib.judge.case import Case, Decision
from audit_lib.judge.versions import FIRST_TEST_CONTEXT

CLEANUP = frozenset({"testing.common.Cleanup", "testing.T.Cleanup", "testing.B.Cleanup", "testing.TB.Cleanup"})


def decide(case: Case) -> Decision | None:
    """Decide sites in test files, and in code that only tests call."""
    if not case.site.test:
        return None
    source = case.test_source
    if (
        source is not None
        and case.site.kind == "root"
        and case.go_version >= FIRST_TEST_CONTEXT
        and not _outlives(case)
    ):
        return Decision(
            "test",
            "fix",
            f"a test's own context ends with the test, and {source.expr} is in scope",
            f"use {source.expr}",
            "test",
        )
    return Decision("test", "keep", "test code", "nothing", "test")


def _outlives(case: Case) -> bool:
    """Whether the context is for what runs after the test's context has ended, or is to end in another way."""
    if case.trail.first("defer") or case.has("package_level"):
        return True
    callers = [edge.call.caller for edge in case.graph.callers(case.top.id)]
    used_in = [use.function for use in case.site.uses]
    for name in dict.fromkeys((case.site.function, *used_in, *callers)):
        for func in case.graph.chain(name):
            if func.use is not None and (func.use.target in CLEANUP or func.use.go):
                return True
    return any(use.kind in ("field", "global") for use in case.site.uses)
