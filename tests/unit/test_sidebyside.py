"""A patch as rows before and after: whatever its lines begin with, and whatever it is cut off at."""

from __future__ import annotations

import pytest

from audit_lib.change.patch import patch
from audit_lib.model import Audit
from audit_lib.show import excerpts
from audit_lib.show.sidebyside import Cell, Hunk, at, diffs
from tests import saved_audits


def hunk(before: str, after: str, name: str = "a.go") -> Hunk:
    (found,) = diffs(patch({name: before.encode()}, {name: after.encode()}))
    assert found.file == name
    return found.hunks[0]


def cells(one: Hunk) -> list[tuple[str | None, str | None]]:

    def text(cell: Cell | None) -> str | None:
        return cell.text if cell else None

    return [(text(row.before), text(row.after)) for row in one.rows]


def marked(cell: Cell | None) -> str:
    assert cell is not None
    return cell.text[cell.start : cell.end]


def test_no_patch_has_no_files() -> None:
    assert diffs(b"") == ()
    assert diffs(b"nothing that is a diff\n") == ()


def test_lines_that_change_stand_beside_each_other() -> None:
    one = hunk("a\nb\nc\n", "a\nB\nnew\nc\n")
    assert cells(one) == [("a", "a"), ("b", "B"), (None, "new"), ("c", "c")]
    assert [row.kind for row in one.rows] == ["same", "changed", "changed", "same"]
    assert one.rows[-1].before == Cell(3, "c")
    assert one.rows[-1].after == Cell(4, "c")


@pytest.mark.parametrize(
    ("before", "after", "gone", "come"),
    [
        ("f(context.TODO(), id)", "f(ctx, id)", "context.TODO()", "ctx"),
        ("db.Query(q)", "db.QueryContext(ctx, q)", "Query(", "QueryContext(ctx, "),
        ("func f() {", "func f(ctx context.Context) {", "", "ctx context.Context"),
        ("größe(a)", "größe(ä)", "a", "ä"),
    ],
)
def test_whole_words_that_differ_are_marked(before: str, after: str, gone: str, come: str) -> None:
    (row,) = hunk(f"{before}\n", f"{after}\n").rows
    assert (marked(row.before), marked(row.after)) == (gone, come)


def test_lines_that_look_like_headers_are_lines() -> None:
    one = hunk("a\n-- b\n++ c\n@@ -1 +1 @@\nd\n", "a\n++ x\nd\n")
    assert ("-- b", "++ x") in cells(one)
    assert ("d", "d") in cells(one)


@pytest.mark.parametrize("below_top", [False, True])
def test_files_are_told_apart_new_ones_and_odd_names_too(below_top: bool) -> None:
    names = {
        "a.go": (b"x\n", b"y\n"),
        "new.go": (None, b"n\n"),
        'od"d ü.go': (b"1\r\n", b"2\r\n"),
        "tab\t.go": (b"", b"t"),
    }
    before, after = ({name: pair[side] for name, pair in names.items()} for side in (0, 1))
    found = diffs(patch(before, after, below_top=below_top))
    assert [one.file for one in found] == sorted(names)
    assert [(one.added, one.removed) for one in found] == [(1, 1), (1, 0), (1, 1), (1, 0)]
    assert found[2].hunks[0].rows[0].after == Cell(1, "2", 0, 1)


def test_a_patch_that_is_cut_off_ends_there() -> None:
    whole = patch({"a.go": b"a\nb\nc\n"}, {"a.go": b"a\nB\nc\n"})
    for end in range(len(whole)):
        diffs(whole[:end])


def test_the_hunk_of_a_line_is_found() -> None:
    before = "\n".join(f"line {n}" for n in range(1, 60)) + "\n"
    after = before.replace("line 9\n", "line nine\n").replace("line 50\n", "line fifty\n")
    found = diffs(patch({"a.go": before.encode()}, {"a.go": after.encode()}))
    second = at(found, "a.go", 50)
    assert second is found[0].hunks[1]
    assert at(found, "a.go", 30) is None
    assert at(found, "b.go", 50) is None


def test_one_example_of_each_kind_shows_the_site() -> None:
    audit = saved_audits.load("fixed")
    found = diffs(saved_audits.fixed_patch())
    shown = [example._repr_mimebundle_()[excerpts.MIME] for example in excerpts.examples(audit, found)]
    assert [one["title"].split(" · ")[0] for one in shown] == sorted({change.fix_kind for change in audit.changes})
    assert all(one["hunks"] for one in shown)


def test_what_is_shown_of_a_target_is_text() -> None:
    evil = "\"</code><script>alert('x')</script>\" // <img src=x onerror=alert(1)>\u202e\x1b[31m"
    html = excerpts.html(hunk(f"{evil}\n", f"{evil} \n", "<b>.go"), "<b>.go")
    assert "<script" not in html
    assert "<img" not in html
    assert "<b>" not in html
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert "<span class='comment'>" in html


def test_an_audit_without_changes_has_no_examples() -> None:
    audit: Audit = saved_audits.load("shop")
    assert excerpts.examples(audit, ()) == []
