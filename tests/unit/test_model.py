"""The records: frozen, the same as JSON, and totals that reconcile."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_lib.errors import UsageError
from audit_lib.model import (
    Audit,
    Finding,
    Kind,
    Row,
    Site,
    Source,
    Span,
    Step,
    Totals,
    Verdict,
    decode_audit,
    encode,
    row_of,
    totals_of,
)
from audit_lib.phases import narrowed

SPAN = Span("store/client.go", 100, 114, 9, 2)


def finding(
    *, kind: Kind = "root", verdict: Verdict = "fix", phase: str = "storage", source: Source | None = None
) -> Finding:
    return Finding(
        fingerprint="f1",
        site=Site(kind, "context.TODO", SPAN, "(*Database).GetClient"),
        category="request",
        verdict=verdict,
        priority="critical",
        phase=phase,
        reason="a request's context is one call up",
        recommendation="thread it",
        rule="request",
        source=source,
        path=(
            Step("handle", "api/order.go", 12, "source", "r.Context()"),
            Step("GetClient", "store/client.go", 9, "site"),
        ),
    )


def audit(*findings: Finding) -> Audit:
    config: dict[str, object] = {"phases": {"api": ["api/**"], "storage": ["store/**"]}}
    totals = totals_of(findings, files=2, lines=80, packages=1)
    return Audit("0.1.0", "example.org/shop", "abc", config, findings, totals)


findings = st.builds(
    finding,
    kind=st.sampled_from(["root", "bare_call"]),
    verdict=st.sampled_from(["fix", "detach", "keep", "review"]),
    phase=st.sampled_from(["api", "storage", "core"]),
)


@given(st.lists(findings))
def test_totals_reconcile_whatever_was_found(found: list[Finding]) -> None:
    assert totals_of(found).reconciles()


@pytest.mark.parametrize(
    "totals",
    [
        Totals(sites=2, roots=2, bare_calls=0, fixed=1, detached=0, kept=0, review=0),
        Totals(sites=1, roots=1, bare_calls=1, fixed=1, detached=0, kept=0, review=0),
    ],
)
def test_totals_that_lost_a_site_do_not_reconcile(totals: Totals) -> None:
    assert not totals.reconciles()


@given(st.lists(findings))
def test_an_audit_is_read_back_as_it_was_written(found: list[Finding]) -> None:
    whole = audit(*found)
    assert decode_audit(encode(whole)) == whole


def test_an_unknown_key_is_refused_when_read_back() -> None:
    data = json.loads(encode(audit(finding())))
    data["findings"][0]["verdct"] = "fix"
    with pytest.raises(msgspec.ValidationError, match="unknown field `verdct`"):
        decode_audit(json.dumps(data).encode())


def test_a_record_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        SPAN.line = 3  # type: ignore[misc]


def test_spans_are_ordered_as_they_stand() -> None:
    assert sorted([Span("b", 0, 1, 1, 1), Span("a", 9, 10, 2, 1), Span("a", 0, 3, 1, 1)]) == [
        Span("a", 0, 3, 1, 1),
        Span("a", 9, 10, 2, 1),
        Span("b", 0, 1, 1, 1),
    ]


def test_a_row_is_flat_and_has_the_keys_of_the_contract() -> None:
    source = Source("r.Context()", "request", Span("api/order.go", 40, 51, 12, 9))
    row = json.loads(encode(row_of(finding(source=source))))
    assert row == {
        "fingerprint": "f1",
        "kind": "root",
        "file": "store/client.go",
        "line": 9,
        "column": 2,
        "function": "(*Database).GetClient",
        "callee": "context.TODO",
        "category": "request",
        "verdict": "fix",
        "priority": "critical",
        "phase": "storage",
        "reason": "a request's context is one call up",
        "recommendation": "thread it",
        "source": "r.Context()",
        "path": ["api/order.go:12 handle (source)", "store/client.go:9 GetClient (site)"],
    }
    assert tuple(row) == Row.__struct_fields__


def test_a_row_without_a_source_has_an_empty_one() -> None:
    assert row_of(finding()).source == ""


def test_narrowing_to_phases_leaves_totals_that_reconcile() -> None:
    whole = audit(finding(phase="api"), finding(phase="storage", verdict="keep"), finding(phase="core"))
    part = narrowed(whole, ["api", "core"])
    assert [f.phase for f in part.findings] == ["api", "core"]
    assert part.totals.reconciles()
    assert (part.totals.sites, part.totals.files, part.totals.packages) == (2, 2, 1)
    assert narrowed(whole, []) == whole


def test_a_phase_that_is_not_configured_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="no phase 'apis'; the phases are api, storage, core"):
        narrowed(audit(), ["apis"])
