"""Reasons written beside the roots that are kept, where a comment says something and nobody has said it yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audit_lib.api import audit
from audit_lib.change.document import Documenting, notes
from audit_lib.change.edits import apply
from audit_lib.change.planned import Component, edits_of
from audit_lib.model import Finding, Refusal, Site, Span
from tests.unit.planning import HandMade, change, component, edit

MAIN = """\
package main

import "context"

// ctx is the process's.
var ctx = context.Background()

func main() {
	run(context.Background(), context.TODO())
}
"""


def root(text: str, at: int, callee: str = "context.Background", **changes: Any) -> Finding:
    line = text.count("\n", 0, at) + 1
    fields: dict[str, Any] = {
        "fingerprint": f"{callee}:{line}",
        "site": Site("root", callee, Span("main.go", at, at + len(callee) + 2, line, 1), "main"),
        "category": "init",
        "verdict": "keep",
        "priority": "low",
        "phase": "core",
        "reason": f"{callee} starts\nhere",
        "recommendation": "",
        "rule": "origin",
    }
    return Finding(**(fields | changes))


def documented(folder: Path, text: str, *findings: Finding, generated: frozenset[str] = frozenset()) -> str:
    (folder / "main.go").write_text(text)
    components = notes(folder, findings, generated)
    return apply(text.encode(), edits_of(components).get("main.go", ())).decode()


def roots(text: str, **changes: Any) -> list[Finding]:
    places = []
    for callee in ("context.Background", "context.TODO"):
        at = text.find(callee + "()")
        while at >= 0:
            places.append(root(text, at, callee, **changes))
            at = text.find(callee + "()", at + 1)
    return places


def test_what_is_not_kept_or_needs_no_word_is_left_alone(tmp_path: Path) -> None:
    for changes in (
        {"verdict": "fix"},
        {"rule": "directive"},
        {"category": "test"},
        {"site": Site("bare_call", "db.Query", Span("main.go", 60, 70, 6, 1), "main")},
    ):
        assert documented(tmp_path, MAIN, *roots(MAIN, **changes)) == MAIN
    assert documented(tmp_path, MAIN, *roots(MAIN), generated=frozenset({"main.go"})) == MAIN


def test_each_line_gets_one_comment_with_the_reasons_of_all_its_roots(tmp_path: Path) -> None:
    assert documented(tmp_path, MAIN, *roots(MAIN)) == MAIN.replace(
        "var ctx", "//ctxaudit:keep context.Background starts here\nvar ctx"
    ).replace("\trun(", "\t//ctxaudit:keep context.Background starts here; context.TODO starts here\n\trun(")


def test_what_is_for_review_says_so_once_and_keeps_nothing(tmp_path: Path) -> None:
    once = documented(tmp_path, MAIN, *roots(MAIN, verdict="review"))
    assert once == MAIN.replace("var ctx", "// ctxaudit: for review: context.Background starts here\nvar ctx").replace(
        "\trun(", "\t// ctxaudit: for review: context.Background starts here; context.TODO starts here\n\trun("
    )
    assert documented(tmp_path, once, *roots(once, verdict="review")) == once


def test_a_comment_that_would_be_text_is_not_written(tmp_path: Path) -> None:
    text = 'package main\n\nimport "context"\n\nfunc main() {\n\trun(`a\nb`, context.Background())\n}\n'
    assert documented(tmp_path, text, *roots(text)) == text


def test_windows_line_ends_are_kept(tmp_path: Path) -> None:
    text = MAIN.replace("\n", "\r\n")
    (tmp_path / "main.go").write_bytes(text.encode())
    edits = edits_of(notes(tmp_path, roots(text), frozenset()))["main.go"]
    assert b"\n//ctxaudit:keep context.Background starts here\r\nvar" in apply(text.encode(), edits)


def test_a_documented_root_is_kept_by_a_persons_word_and_not_documented_again(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module example.org/shop\n\ngo 1.24\n")
    (tmp_path / "main.go").write_text(MAIN)
    before = audit(tmp_path, syntax_only=True).findings
    kept = [root(MAIN, finding.site.span.start, finding.site.callee) for finding in before]
    (tmp_path / "main.go").write_text(documented(tmp_path, MAIN, *kept))
    after = audit(tmp_path, syntax_only=True)
    assert len(after.findings) == 3
    assert after.degradations == audit(tmp_path, syntax_only=True).degradations
    assert not any("keeps nothing" in degradation.reason for degradation in after.degradations)


def test_notes_join_a_plan_until_they_are_refused() -> None:
    mine = component("mine", edit("far/far.go", "return 1", "return 3"))
    note = Component("note", (change("kept", edit("far/far.go", "func G", "//ctxaudit:keep x\nfunc G")),))
    planner = Documenting(HandMade(mine), (note,))
    assert [one.title for one in planner(guarded=frozenset(), refused={}).components] == ["mine", "note"]
    plan = planner(guarded=frozenset(), refused={"kept": "in the way"})
    assert [one.title for one in plan.components] == ["mine"]
    assert plan.refusals == (Refusal("kept", "in the way", ""),)
