"""gofmt for edited files: what the edits ask for, and not a line more."""

from __future__ import annotations

import pytest

from audit_lib.change.formatting import format_edited, gofmt, unformatted
from audit_lib.read.gotool import GoTool, find_go

CLEAN = "package p\n\nfunc f(a, b int) {\n\tg(a)\n}\n\nfunc g(int) {}\n"


@pytest.fixture(scope="module")
def go() -> GoTool:
    return find_go()


def formatted(go: GoTool, before: str, after: str) -> str:
    return format_edited(go, {"a.go": before.encode()}, {"a.go": after.encode()})["a.go"].decode()


def test_a_clean_file_is_formatted_whole(go: GoTool) -> None:
    after = CLEAN.replace("\tg(a)", "  g( a)\n g(b )")
    assert formatted(go, CLEAN, after) == CLEAN.replace("\tg(a)", "\tg(a)\n\tg(b)")


def test_a_new_file_is_formatted(go: GoTool) -> None:
    assert format_edited(go, {}, {"new.go": b"package p\nvar  x int"}) == {"new.go": b"package p\n\nvar x int\n"}


def test_in_a_file_that_was_not_clean_only_what_the_edits_ask_for_moves(go: GoTool) -> None:
    before = CLEAN.replace("func g(int) {}", "func  g( int ) {\n    return\n}")
    after = before.replace("\tg(a)", "  g( a)")
    assert formatted(go, before, after) == before


def test_lines_beside_an_edit_are_aligned_in_a_file_that_was_not_clean(go: GoTool) -> None:
    before = "package p\n\ntype t struct {\n\ta int // one\n\tb int // two\n}\n\nvar  x = 1\n"
    after = before.replace("\tb int // two", "\tbad int // two")
    expected = "package p\n\ntype t struct {\n\ta   int // one\n\tbad int // two\n}\n\nvar  x = 1\n"
    assert formatted(go, before, after) == expected


def test_imports_that_were_not_sorted_are_not_lost(go: GoTool) -> None:
    before = 'package p\n\nimport (\n\t"os"\n\t"fmt"\n)\n\nvar _, _ = os.Args, fmt.Sprint\n'
    after = before.replace('\t"fmt"', '\t"fmt"\n\t"context"')
    assert sorted(formatted(go, before, after).splitlines()) == sorted(after.splitlines())


def test_line_ends_and_byte_order_mark_are_kept(go: GoTool) -> None:
    before = b"\xef\xbb\xbf" + CLEAN.replace("\n", "\r\n").encode()
    after = before.replace(b"\tg(a)", b"g( a)")
    assert format_edited(go, {"a.go": before}, {"a.go": after}) == {"a.go": before}
    assert unformatted(go, {"a.go": before}, {"a.go": after}) == ["a.go"]
    assert unformatted(go, {"a.go": before}, {"a.go": before}) == []


@pytest.mark.parametrize("file", ["broken.go", "notes.txt"])
def test_what_gofmt_cannot_read_stays(go: GoTool, file: str) -> None:
    data = b"package p\n\nfunc  {\n"
    assert format_edited(go, {file: CLEAN.encode()}, {file: data, "a.go": b"package p\n"})[file] == data


def test_mixed_line_ends_stay(go: GoTool) -> None:
    after = CLEAN.replace("g(a)\n", "g( a)\r\n")
    assert formatted(go, CLEAN, after) == after


def test_a_file_that_was_not_clean_is_no_finding(go: GoTool) -> None:
    before = {"a.go": b"package  p\n", "b.go": b"package p\n", "c.go": b"package p\n"}
    after = {"a.go": b"package  q\n", "b.go": b"package  q\n", "c.go": b"package {\n"}
    assert unformatted(go, before, after) == ["b.go", "c.go"]


def test_gofmt_answers_for_each_source(go: GoTool) -> None:
    assert gofmt(go, [b"package  p", b"package", b"package  p"]) == [b"package p\n", None, b"package p\n"]
    assert gofmt(go, []) == []
