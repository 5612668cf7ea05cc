"""The second audit and the totals: what was to go has gone, and every site is in one outcome."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from audit_lib.change.planned import Component, Plan
from audit_lib.change.reconcile import rescanned, settled, unbalanced
from audit_lib.model import DOCUMENT, Change, Edit, Finding, Kind, Refusal, Site, Span, totals_of


def finding(name: str, line: int = 1, *, function: str = "load", kind: Kind = "root", test: bool = False) -> Finding:
    callee = "context.TODO" if kind == "root" else "db.Query"
    return Finding(
        fingerprint=name,
        site=Site(kind, callee, Span("a_test.go" if test else "a.go", line, line + 1, line, 1), function),
        category="test" if test else "request",
        verdict="fix",
        priority="high",
        phase="core",
        reason="r",
        recommendation="do",
        rule="request",
    )


def plan(*names: str, moved: int = 0, kind: str = "thread") -> Plan:
    return Plan((Component("all", tuple(Change(name, kind, (), ()) for name in names), moved=moved),), ())


ONE, TWO = finding("one", 1), finding("two", 2)
OTHER = finding("other", 9, function="other")
BARE = finding("bare", 5, kind="bare_call")


def step(before: Sequence[Finding], after: Sequence[Finding], done: Plan) -> tuple[bool, str, frozenset[str]]:
    found = rescanned(before, after, done, 1.0)
    return found.step.ok, found.step.detail, found.missed


def test_without_changes_all_stays() -> None:
    assert step([ONE, TWO], [ONE, TWO], Plan((), ())) == (
        True,
        "2 roots - 0 fixed or detached + 0 moved = 2 left",
        frozenset(),
    )


def test_roots_that_went_balance() -> None:
    said = "3 roots - 1 fixed or detached + 0 moved = 2 left"
    assert step([ONE, TWO, OTHER, BARE], [ONE, OTHER], plan("two", "bare")) == (True, said, frozenset())


def test_a_moved_root_stands_in_another_function() -> None:
    assert step([ONE], [OTHER], plan("one", moved=1))[0]


def test_a_root_that_is_still_there_is_named() -> None:
    ok, said, missed = step([ONE, OTHER], [ONE, OTHER], plan("one"))
    assert (ok, missed) == (False, frozenset({"one"}))
    assert "should leave 1, but 2 are there" in said


def test_a_bare_call_that_is_still_there_is_named() -> None:
    assert step([BARE], [BARE], plan("bare")) == (False, "still there: a.go:5", frozenset({"bare"}))


def test_a_root_more_than_was_said_to_move_fails() -> None:
    assert step([ONE], [OTHER], plan("one")) == (
        False,
        "1 root - 1 fixed or detached + 0 moved should leave 0, but 1 are there",
        frozenset(),
    )


def test_a_literal_that_is_numbered_anew_is_the_same_function() -> None:
    before = [finding("one", function="load.func1"), finding("two", function="load.func2")]
    assert step(before, [finding("one", function="load.func1")], plan("one"))[0]


def test_roots_in_tests_are_out_of_the_account() -> None:
    assert step([ONE, finding("t", test=True)], [finding("t", test=True), finding("u", test=True)], plan("one"))[0]


def test_a_root_that_is_documented_stays() -> None:
    assert step([ONE], [ONE], plan("one", kind=DOCUMENT))[0]


def test_totals_count_what_was_changed_and_what_was_refused() -> None:
    findings = [
        ONE,
        replace(TWO, verdict="detach"),
        OTHER,
        replace(BARE, verdict="keep"),
        replace(BARE, verdict="review"),
    ]
    changes = [Change("one", "thread", (), ()), Change("two", "detach", (), ()), Change("bare", DOCUMENT, (), ())]
    totals = settled(findings, changes, [Refusal("other", "closed", "a.go:9")], 3, totals_of(findings, files=2))
    assert totals.reconciles()
    counts = (totals.fixed, totals.detached, totals.kept, totals.review, totals.refused, totals.moved, totals.files)
    assert counts == (1, 1, 1, 1, 1, 3, 2)


def test_a_site_without_an_outcome_is_never_passed_over() -> None:
    with pytest.raises(AssertionError, match="one has neither"):
        settled([ONE], [], [], 0, totals_of([ONE]))


def test_the_component_whose_own_sums_are_wrong_is_named() -> None:
    file = b"package a\n\nfunc load() { TODO() }\n\nfunc other() { TODO() }\n"
    one = Edit(Span("a.go", 25, 31, 3, 15), "ctx")
    two = Edit(Span("a.go", 51, 57, 5, 16), "TODO(), TODO()")
    components = [
        Component("good", (Change("one", "thread", ("a.go",), (one,)),)),
        Component("bad", (Change("other", "thread", ("a.go",), (two,)),)),
        Component("said", (Change("other", "thread", ("a.go",), (two,)),), moved=2),
    ]

    def roots(file: str, data: bytes) -> int:
        return data.count(b"TODO()")

    def named(component: Component) -> frozenset[str]:
        return unbalanced([ONE, OTHER], [component], {"a.go": file}, roots)

    assert [named(component) for component in components] == [frozenset(), frozenset({"other"}), frozenset()]
