"""What was carried out, as records: every site in one outcome, groups in the phases' order, patches that are named."""

from __future__ import annotations

from msgspec.structs import replace

from audit_lib.change.result import UNPLANNED
from audit_lib.change.selection import Selection
from audit_lib.fixed import Group
from audit_lib.model import Refusal, Verification
from tests.unit.fixes import CLOSED, DETACHED, FINDINGS, GET, STEPS, a_fix


def test_changes_are_in_the_findings_order_and_totals_reconcile() -> None:
    audit = a_fix().audit
    assert [change.fingerprint for change in audit.changes] == ["late", "get"]
    assert audit.refusals == (CLOSED,)
    totals = audit.totals
    assert totals.reconciles()
    counts = (totals.fixed, totals.detached, totals.kept, totals.review, totals.refused, totals.moved, totals.files)
    assert counts == (1, 1, 1, 1, 1, 1, 3)
    assert audit.verification == STEPS


def test_groups_say_what_a_reviewer_asks() -> None:
    assert a_fix().groups == (
        Group("api/late.go:3", "api", ("late",), ("detach",), ("api/late.go",), 1, 0),
        Group(
            title="Store.Get",
            phase="storage",
            fingerprints=("get",),
            kinds=("thread",),
            files=("api/api.go", "store/store.go"),
            roots=1,
            signatures=1,
            moved=1,
            guarded=True,
            notes=GET.notes,
        ),
    )


def test_patches_are_named_in_the_order_in_which_they_apply() -> None:
    fix = a_fix()
    assert [(phase.phase, phase.name) for phase in fix.phases] == [
        ("api", "fix-1-api.patch"),
        ("storage", "fix-2-storage.patch"),
    ]
    assert b"late.go" in fix.phases[0].patch and b"store.go" not in fix.phases[0].patch
    assert b"late.go" not in fix.phases[1].patch
    assert fix.patch.count(b"diff --git") == 3


def test_a_finding_that_nobody_planned_is_a_refusal_all_the_same() -> None:
    fix = a_fix(DETACHED, refusals=())
    assert {refusal.fingerprint: refusal.reason for refusal in fix.audit.refusals} == {
        "closed": UNPLANNED,
        "get": UNPLANNED,
    }


def test_of_a_proof_that_failed_nothing_counts_as_changed() -> None:
    fix = a_fix(steps=(*STEPS, Verification("rescan", False, 1, "1 root too many")), ok=False)
    assert (fix.audit.changes, fix.groups, fix.phases, fix.ok) == ((), (), (), False)
    assert (fix.audit.totals.fixed, fix.audit.totals.refused, fix.audit.totals.moved) == (0, 3, 0)
    reasons = {refusal.fingerprint: refusal.reason for refusal in fix.audit.refusals}
    assert reasons["closed"] == CLOSED.reason
    assert reasons["get"] == "the verification failed at rescan, and nothing was written"


def test_what_was_left_out_is_refused_as_such() -> None:
    others = Selection(phases=("api",)).left_out(FINDINGS)
    fix = a_fix(DETACHED, refusals=(), left_out=others)
    assert fix.audit.refusals == (
        Refusal("closed", "not asked for: --phase api", "store/other.go:9"),
        Refusal("get", "not asked for: --phase api", "store/store.go:3"),
    )


def test_a_selection_lets_pass_what_passes_all_of_it() -> None:
    def chosen(selection: Selection) -> list[str]:
        return [finding.fingerprint for finding in selection.chosen(FINDINGS)]

    assert chosen(Selection()) == ["late", "kept", "closed", "get", "unsure"]
    assert chosen(Selection(only=("get", "late"), phases=("storage",))) == ["get"]
    assert chosen(Selection(categories=("test",))) == []
    tests = [replace(finding, category="test") for finding in FINDINGS]
    assert len(Selection(categories=("test",)).chosen(tests)) == len(tests)
    assert Selection().left_out(FINDINGS) == ()
    assert [refusal.reason for refusal in Selection(only=("get",)).left_out(FINDINGS)] == [
        "not asked for: --only names others",
        "not asked for: --only names others",
    ]
