# ruff: noqa: RUF001 - letters of other scripts are what is tested here
"""Positions: what ast-grep counts in characters, records give in bytes, lines and byte columns, as Go does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from audit_lib.model import Span
from audit_lib.read.positions import Positions, decode
from audit_lib.read.rules import own_rules
from audit_lib.read.scan import scan_text

CALL = "context.TODO"
HEAD = 'package p\n\nimport "context"\n\n'


def spans_of(code: str) -> list[Span]:
    return [site.span for site in scan_text(code, own_rules())]


def test_plain_text_counts_the_same_both_ways() -> None:
    assert Positions("ab\ncd\n").span("f.go", 3, 5) == Span("f.go", 3, 5, 2, 1)


def test_a_column_counts_bytes_from_one() -> None:
    span = Positions('x := "é", y').span("f.go", 10, 11)
    assert (span.start, span.column) == (11, 12)


def test_a_character_beyond_the_basic_plane_is_four_bytes() -> None:
    assert Positions("𝒳y").byte(1) == 4


def test_a_carriage_return_belongs_to_its_line() -> None:
    assert Positions("a\r\nb").span("f.go", 3, 4) == Span("f.go", 3, 4, 2, 1)
    assert Positions("a\rb").line(2) == 1


def test_the_end_of_a_text_without_a_newline_is_on_the_last_line() -> None:
    assert Positions("é\nab").span("f.go", 4, 4) == Span("f.go", 5, 5, 2, 3)


def test_an_empty_text_has_one_line() -> None:
    assert Positions("").span("f.go", 0, 0) == Span("f.go", 0, 0, 1, 1)


def test_a_byte_order_mark_is_three_bytes_of_the_first_line() -> None:
    code = "\ufeff" + HEAD + "var ctx = context.TODO()\n"
    (span,) = spans_of(code)
    assert code.encode()[span.start : span.end] == b"context.TODO()"
    assert (span.line, span.column) == (5, 11)


def test_windows_line_ends_and_names_in_other_scripts() -> None:
    code = (HEAD + 'func größe() {\n\tпривет("𝒳", context.TODO())\n}\n').replace("\n", "\r\n")
    (span,) = spans_of(code)
    assert code.encode()[span.start : span.end] == b"context.TODO()"
    assert span.line == 6
    assert span.column == len('\tпривет("𝒳", '.encode()) + 1


def test_bytes_that_are_no_utf8_are_replaced_one_for_one() -> None:
    data = b'x := "\xff\xfe caf\xc3\xa9 \xe2\x82"'
    text, first = decode(data)
    assert text == 'x := "?? café ??"'
    assert len(text.encode()) == len(data)
    assert first == 6


@given(st.text(), st.data())
def test_every_character_is_where_python_encodes_it(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    span = Positions(text).span("f.go", at, at)
    before = text[:at].encode("utf-8")
    assert span.start == len(before)
    assert span.line == before.count(b"\n") + 1
    assert span.column == len(before) - (before.rfind(b"\n") + 1) + 1


@given(st.binary())
def test_decoding_never_changes_the_number_of_bytes(data: bytes) -> None:
    text, first = decode(data)
    assert len(text.encode()) == len(data)
    assert (first is None) == (text.encode() == data)


NAMES = st.sampled_from(["x", "größe", "имя", "変数", "𝒳"])
FILLING = st.sampled_from(["", "// ein Wört", "/* 𝒳\n */", 's := "日本"', "r := `\r\n`", "\t"])


@given(NAMES, st.lists(FILLING, max_size=6), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_sites_are_cut_out_of_the_bytes_exactly(name: str, lines: list[str], newline: str, mark: bool) -> None:
    body = newline.join([f"func {name}() {{", *lines, f"{name}({CALL}())", "}", ""])
    code = ("\ufeff" if mark else "") + HEAD.replace("\n", newline) + body
    data = code.encode()
    (span,) = spans_of(code)
    assert data[span.start : span.end].decode() == CALL + "()"
    assert data[: span.start].count(b"\n") + 1 == span.line
    assert data[: span.start].rfind(b"\n") + 1 + span.column - 1 == span.start
