"""The second audit and the totals: each root before and after is explained by its place, and every site is in one
outcome."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace as with_fields

import pytest
from msgspec.structs import replace

from audit_lib.change.edits import apply, span_of
from audit_lib.change.planned import Component, Plan, edits_of
from audit_lib.change.reconcile import Rescan, rescanned, settled
from audit_lib.change.rewrite import Rewritten
from audit_lib.model import DOCUMENT, Change, Edit, Finding, Kind, Refusal, Site, Span, totals_of

FILE = b"""package a

func load() { read(TODO()) }

func other() { read(TODO()); db.Query() }

func start() { load(); keep(TODO()) }
"""
_SITE = re.compile(rb"TODO\(\)|db\.Query\(\)")
_DECLARED = re.compile(rb"func (\w+)")


def findings_in(data: bytes, file: str = "a.go") -> list[Finding]:
    """The sites of a file: `load-1` is the first one in `load`."""
    found: list[Finding] = []
    for match in _SITE.finditer(data):
        function = _DECLARED.findall(data[: match.start()])[-1].decode()
        number = sum(one.site.function == function for one in found) + 1
        kind: Kind = "root" if match[0] == b"TODO()" else "bare_call"
        site = Site(kind, match[0].decode()[:-2], span_of(data, file, match.start(), match.end()), function)
        name = f"{function}-{number}"
        found.append(Finding(name, site, "request", "fix", "high", "core", "r", "do", "request"))
    return found


def edit(old: str, new: str, nth: int = 1) -> Edit:
    at = [match.start() for match in re.finditer(re.escape(old.encode()), FILE)][nth - 1]
    return Edit(span_of(FILE, "a.go", at, at + len(old)), new)


def change(name: str, *edits: Edit, kind: str = "thread") -> Change:
    return Change(name, kind, ("a.go",), edits)


LOAD = Component("load", (change("load-1", edit("TODO()", "ctx")),))
OTHER = Component("other", (change("other-1", edit("TODO()", "ctx", 2)),))


def step(
    *components: Component,
    after: bytes | None = None,
    tests: Sequence[str] = (),
    over: Mapping[str, bytes] | None = None,
) -> Rescan:
    """The comparison after these components; `after` stands for what was really made of the file."""
    plan = Plan(components, ())
    made = {"a.go": after if after is not None else apply(FILE, edits_of(components).get("a.go", ()))}
    made |= over or {}
    rewritten = Rewritten({file: FILE if file == "a.go" else None for file in made}, made)
    found = [one for file, data in made.items() for one in findings_in(data, file)]
    return rescanned(findings_in(FILE), found, plan, rewritten, 1.0, tests)


def said(result: Rescan) -> tuple[bool, str]:
    return result.steps[0].ok, result.steps[0].detail


def taken(result: Rescan) -> dict[str, str]:
    return {one.fingerprint: f"{one.where} {one.reason}" for one in result.taken_back}


def test_without_changes_all_stays() -> None:
    assert said(step()) == (True, "3 roots - 0 fixed or detached + 0 moved = 3 left")


def test_roots_that_went_balance() -> None:
    assert said(step(LOAD, OTHER)) == (True, "3 roots - 2 fixed or detached + 0 moved = 1 left")


def test_a_moved_root_is_one_that_its_component_wrote() -> None:
    moves = Component("load", (change("load-1", edit("TODO()", "ctx"), edit("load()", "load(TODO())", 2)),), moved=1)
    result = step(moves)
    assert said(result) == (True, "3 roots - 1 fixed or detached + 1 moved = 3 left")
    assert result.plan.components == (moves,)


def test_a_root_that_is_still_there_is_named_and_its_component_alone_taken_back() -> None:
    same = Component("same", (change("load-1", edit("read", "reed")),))
    result = step(same, OTHER)
    assert taken(result) == {"load-1": "a.go:3 rolled back, rescan: TODO in load is still there"}
    assert said(result) == (False, "rolled back, rescan: TODO in load is still there")


def test_a_bare_call_that_is_still_there_is_named() -> None:
    assert taken(step(Component("bare", (change("other-2", edit("func other", "func more")),)))) == {
        "other-2": "a.go:5 rolled back, rescan: db.Query in other is still there"
    }


def test_a_root_more_than_was_said_to_move_is_named() -> None:
    more = Component("more", (change("load-1", edit("TODO()", "ctx"), edit("load()", "load(TODO())", 2)),))
    result = step(more, OTHER)
    assert taken(result) == {
        "load-1": "a.go:7 rolled back, rescan: it moves 0 roots, and 1 are there anew: TODO in start at a.go:7"
    }


def test_a_root_less_than_was_said_to_move_is_counted_as_it_is() -> None:
    result = step(with_fields(LOAD, moved=1), OTHER)
    assert said(result) == (
        True,
        "3 roots - 2 fixed or detached + 0 moved = 1 left\nload was to move 1 root, and moved 0",
    )
    assert [one.moved for one in result.plan.components] == [0, 0]
    assert not result.taken_back


def test_a_root_that_an_edit_took_without_a_change_of_its_own_is_named() -> None:
    greedy = Component("greedy", (change("load-1", edit("TODO()", "ctx"), edit("keep(TODO())", "keep(ctx)")),))
    result = step(greedy, OTHER)
    assert taken(result) == {
        "load-1": "a.go:7 rolled back, rescan: TODO in start has gone, and no change of it was planned"
    }


def test_a_root_that_an_edit_writes_again_stays() -> None:
    wraps = Component(
        "wraps", (change("load-1", edit("TODO()", "ctx"), edit("keep(TODO())", "func() { keep(TODO()) }()")),)
    )
    assert said(step(wraps)) == (True, "3 roots - 1 fixed or detached + 0 moved = 2 left")


def test_a_root_that_stays_for_others_counts_as_moved() -> None:
    stays = Component("variable", (change("load-1", edit("func load", "func lead")),), moved=1)
    assert said(step(stays)) == (True, "3 roots - 1 fixed or detached + 1 moved = 3 left")


def test_what_belongs_to_no_component_is_a_degradation_and_the_sum_says_it() -> None:
    result = step(LOAD, over={"b.go": b"package a\n\nfunc b() { TODO() }\n"})
    assert said(result) == (True, "3 roots - 1 fixed or detached + 0 moved + 1 that nobody wrote = 3 left")
    assert [(one.where, one.reason) for one in result.degradations] == [
        ("b.go:3", "rescan: TODO in b is there now, and no change wrote it")
    ]
    gone = rescanned(findings_in(FILE), findings_in(FILE)[1:], Plan((), ()), Rewritten({}, {}), 1.0)
    assert said(gone) == (True, "3 roots - 0 fixed or detached + 0 moved - 1 gone without a change = 2 left")
    assert [(one.where, one.reason) for one in gone.degradations] == [
        ("a.go:3", "rescan: TODO in load has gone, and no change of it was planned")
    ]


def test_formatting_and_imports_move_no_root() -> None:
    edits = edits_of([LOAD])["a.go"]
    after = apply(FILE, edits).replace(b"package a\n", b'package a\n\nimport "b"\n').replace(b"; ", b"\n\t")
    assert said(step(LOAD, after=after)) == (True, "3 roots - 1 fixed or detached + 0 moved = 2 left")


def test_roots_in_tests_are_out_of_the_account() -> None:
    assert said(step(LOAD, tests=["a.go"])) == (True, "0 roots - 0 fixed or detached + 0 moved = 0 left")
    moves = Component("load", (change("load-1", edit("load()", "load(TODO())", 2)),), moved=1)
    assert said(step(moves, tests=["a.go"]))[1].endswith("\nload was to move 1 root, and moved 0")


def test_a_root_that_is_documented_stays() -> None:
    note = Component("note", (change("load-1", edit("func load", "// why\nfunc load"), kind=DOCUMENT),))
    assert said(step(note)) == (True, "3 roots - 0 fixed or detached + 0 moved = 3 left")


ONE, TWO, BARE, KEPT = findings_in(FILE)


def test_totals_count_what_was_changed_and_what_was_refused() -> None:
    findings = [
        ONE,
        replace(TWO, verdict="detach"),
        KEPT,
        replace(BARE, verdict="keep"),
        replace(BARE, verdict="review"),
    ]
    changes = [
        Change("load-1", "thread", (), ()),
        Change("other-1", "detach", (), ()),
        Change("other-2", DOCUMENT, (), ()),
    ]
    totals = settled(findings, changes, [Refusal("start-1", "closed", "a.go:7")], 3, totals_of(findings, files=2))
    assert totals.reconciles()
    counts = (totals.fixed, totals.detached, totals.kept, totals.review, totals.refused, totals.moved, totals.files)
    assert counts == (1, 1, 1, 1, 1, 3, 2)


def test_a_site_without_an_outcome_is_never_passed_over() -> None:
    with pytest.raises(AssertionError, match="load-1 has neither"):
        settled([ONE], [], [], 0, totals_of([ONE]))


def test_a_site_in_an_edited_file_is_known_by_its_place_and_not_by_its_line() -> None:
    lines = Component("lines", (change("other-1", edit("TODO()", "ctx", 2), edit("package a", "package a\n\n\n")),))
    assert said(step(lines)) == (True, "3 roots - 1 fixed or detached + 0 moved = 2 left")
    assert Span("a.go", 0, 0, 1, 1) < ONE.site.span
