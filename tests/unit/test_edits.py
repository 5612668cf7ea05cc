"""The algebra of edits."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_lib.change.edits import (
    EditError,
    Edits,
    OverlapError,
    apply,
    apply_all,
    by_file,
    compose,
    fitted,
    invert,
    merged,
    restrict,
    span_of,
    splice,
    translate,
    written,
)
from audit_lib.model import Change, Edit, Span


def edit(start: int, end: int, text: str, file: str = "a.go") -> Edit:
    return Edit(Span(file, start, end, 1, start + 1), text)


@st.composite
def edits_of(draw: st.DrawFn, data: bytes) -> Edits:
    """Edits that do not overlap, at any place of `data`."""
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    found: list[Edit] = []
    for start, end in zip(cuts[::2], cuts[1::2], strict=False):
        if not any(other.span.end > start for other in found):
            found.append(edit(start, end, draw(st.text("aä\n\r日", max_size=3))))
    return merged(found)


@st.composite
def files_and_edits(draw: st.DrawFn) -> tuple[bytes, Edits]:
    data = draw(st.text("xyzé\n\r").map(str.encode) | st.binary(max_size=30))
    return data, draw(edits_of(data))


@st.composite
def two_steps(draw: st.DrawFn) -> tuple[bytes, Edits, Edits]:
    data, first = draw(files_and_edits())
    return data, first, draw(edits_of(splice(data, first)))


def test_edits_are_applied_by_place_and_not_by_turn() -> None:
    edits = [edit(5, 8, "Bar"), edit(0, 0, "// "), edit(8, 8, "!")]
    assert splice(b"func foo()", edits) == b"// func Bar!()"


def test_insertions_at_one_place_come_in_the_order_of_their_texts_and_before_what_is_replaced() -> None:
    edits = [edit(1, 2, "X"), edit(1, 1, "b"), edit(1, 1, "a")]
    assert splice(b"-o-", edits) == b"-abX-"


def test_the_same_edit_twice_is_one() -> None:
    assert splice(b"f()", [edit(2, 2, "ctx"), edit(2, 2, "ctx")]) == b"f(ctx)"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (edit(1, 4, "x"), edit(1, 4, "y")),
        (edit(1, 4, "x"), edit(3, 5, "y")),
        (edit(1, 4, "x"), edit(2, 2, "y")),
        (edit(1, 4, ""), edit(2, 3, "")),
    ],
)
def test_edits_that_differ_and_share_a_byte_are_refused_with_both_named(first: Edit, second: Edit) -> None:
    with pytest.raises(OverlapError) as caught:
        merged([second, first])
    assert {caught.value.first, caught.value.second} == {first, second}
    assert f"a.go:1:{first.span.column}" in str(caught.value)
    assert f"a.go:1:{second.span.column}" in str(caught.value)


def test_edits_that_only_touch_are_fine() -> None:
    assert splice(b"abcd", [edit(0, 2, "x"), edit(2, 2, "|"), edit(2, 4, "y")]) == b"x|y"


@pytest.mark.parametrize("wrong", [edit(-1, 2, ""), edit(3, 2, ""), edit(2, 99, "")])
def test_an_edit_outside_of_its_file_is_an_error(wrong: Edit) -> None:
    with pytest.raises(EditError, match=r"a\.go"):
        splice(b"package p", [wrong])


def test_edits_of_two_files_are_not_taken_for_one() -> None:
    with pytest.raises(EditError, match=r"b\.go"):
        merged([edit(0, 0, "x"), edit(0, 0, "y", "b.go")])


def test_line_ends_and_byte_order_mark_are_kept() -> None:
    data = b"\xef\xbb\xbfpackage p\r\n\r\nvar x int\r\n"
    result = apply(data, [edit(0, 0, "// new\n"), edit(16, 16, "// y\n// z\n")])
    assert result == b"\xef\xbb\xbf// new\r\npackage p\r\n\r\n// y\r\n// z\r\nvar x int\r\n"


def test_what_most_lines_end_with_decides() -> None:
    assert apply(b"a\nb\nc\r\n", [edit(0, 0, "x\r\n")]) == b"x\na\nb\nc\r\n"


def test_files_that_are_missing_are_made_and_those_that_stay_are_left_out() -> None:
    edits = by_file([edit(0, 0, "package n\n", "new.go"), edit(0, 1, "a", "b.go"), edit(1, 1, "!", "a.go")])
    assert list(edits) == ["a.go", "b.go", "new.go"]
    assert apply_all({"a.go": b"a", "b.go": b"a"}, edits) == {"a.go": b"a!", "new.go": b"package n\n"}


def test_a_component_keeps_what_it_shares_with_another() -> None:
    shared, own = edit(0, 0, "ctx"), edit(3, 3, "x")
    changes = [Change("1", "thread", ("a.go",), (shared, own)), Change("2", "thread", ("a.go",), (shared,))]
    assert restrict(changes, {"2"}) == {"a.go": (shared,)}
    assert restrict(changes, {"1", "2"}) == {"a.go": (shared, own)}
    assert restrict(changes, set()) == {}


def test_what_was_written_is_found_again() -> None:
    data = b"func f() {\n\tg()\n}\n"
    edits = (edit(7, 7, "ctx context.Context"), edit(14, 14, "ctx"))
    after = splice(data, edits)
    spans = written(data, edits)
    assert [after[span.start : span.end] for span in spans] == [b"ctx context.Context", b"ctx"]
    assert [(span.line, span.column) for span in spans] == [(1, 8), (2, 4)]


def test_translate_tells_before_from_behind_an_insertion() -> None:
    edits = (edit(2, 2, "ctx"),)
    assert (translate(edits, 2), translate(edits, 2, after=False)) == (5, 2)
    assert (translate(edits, 1), translate(edits, 3)) == (1, 6)


@given(files_and_edits(), st.randoms(use_true_random=False))
def test_the_order_of_edits_makes_no_difference(case: tuple[bytes, Edits], rng: random.Random) -> None:
    data, edits = case
    shuffled = [*edits, *edits]
    rng.shuffle(shuffled)
    assert splice(data, shuffled) == splice(data, edits)


@given(files_and_edits())
def test_inverting_gives_the_file_again(case: tuple[bytes, Edits]) -> None:
    data, edits = case
    assert splice(splice(data, edits), invert(data, edits)) == data


@given(two_steps())
def test_composing_is_doing_one_after_the_other(case: tuple[bytes, Edits, Edits]) -> None:
    data, first, second = case
    composed = compose(data, first, second)
    assert splice(data, composed) == splice(splice(data, first), second)
    assert all(one == Edit(span_of(data, "a.go", one.span.start, one.span.end), one.text) for one in composed)


@given(files_and_edits())
def test_translate_agrees_with_splice(case: tuple[bytes, Edits]) -> None:
    data, edits = case
    after = splice(data, edits)
    for offset in range(len(data)):
        if not any(one.span.start <= offset < one.span.end for one in edits):
            assert after[translate(edits, offset)] == data[offset]
    assert translate(edits, len(data)) == len(after)
    for side in (False, True):
        places = [translate(edits, offset, after=side) for offset in range(len(data) + 1)]
        assert places == sorted(places)


@given(files_and_edits())
def test_written_agrees_with_splice(case: tuple[bytes, Edits]) -> None:
    data, edits = case
    after = splice(data, edits)
    for one, span in zip(edits, written(data, edits), strict=True):
        assert after[span.start : span.end] == one.text.encode("utf-8", "surrogateescape")


@given(files_and_edits())
def test_fitting_twice_is_fitting_once(case: tuple[bytes, Edits]) -> None:
    data, edits = case
    assert fitted(data, fitted(data, edits)) == fitted(data, edits)
