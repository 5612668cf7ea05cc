"""What only the result of a fix makes possible, said in terms of the files as they were."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from audit_lib.change.edits import merged, span_of, splice
from audit_lib.change.passes import ONCE_THREADED, TOGETHER, Later, Origins, carried_back, origins_of, twins
from audit_lib.change.planned import Component, Plan
from audit_lib.model import Edit
from tests.unit.fixes import finding
from tests.unit.planning import HandMade, change, component, edit

BEFORE = b'package a\n\nimport "log"\n\nfunc load() {\n\twait(TODO())\n\tlog.Print( "x")\n}\n'
NEW = (
    b'package a\n\nimport (\n\t"context"\n\t"log"\n)\n\n'
    b'func load(ctx context.Context) {\n\twait(ctx)\n\tlog.Print("x")\n}\n'
)


def replaced(old: str, new: str, data: bytes = BEFORE) -> Edit:
    at = data.index(old.encode())
    return Edit(span_of(data, "a.go", at, at + len(old)), new)


EDITS = merged([replaced("load()", "load(ctx context.Context)"), replaced("TODO()", "ctx")])
ORIGINS = Origins("a.go", BEFORE, EDITS, NEW)


def test_a_byte_that_was_there_is_followed_back_through_edits_imports_and_format() -> None:
    for text in (b"package", b"wait(", b"log.Print(", b'"x"'):
        assert ORIGINS.back(NEW.index(text)) == BEFORE.index(text)


def test_a_byte_that_was_written_has_no_origin() -> None:
    for text in (b"ctx context", b"ctx)", b'"context"'):
        assert ORIGINS.back(NEW.index(text)) is None
    assert ORIGINS.back(len(NEW)) is None


def test_an_edit_of_the_result_is_one_of_the_file_before() -> None:
    assert ORIGINS.edit(replaced('log.Print("x")', 'log.PrintContext(ctx, "x")', NEW)) == replaced(
        'log.Print( "x")', 'log.PrintContext(ctx, "x")'
    )
    at = NEW.index(b'"x"')
    start = BEFORE.index(b'"x"')
    assert ORIGINS.edit(Edit(span_of(NEW, "a.go", at, at), "ctx, ")) == Edit(
        span_of(BEFORE, "a.go", start, start), "ctx, "
    )


def test_an_edit_that_touches_what_was_written_is_none_of_the_file_before() -> None:
    assert ORIGINS.edit(replaced("ctx)", "other)", NEW)) is None
    assert ORIGINS.edit(replaced("wait(ctx)", "wait(other)", NEW)) is None
    at = NEW.index(b"(ctx context") + 1
    assert ORIGINS.edit(Edit(span_of(NEW, "a.go", at, at), "id int, ")) is None


PLACES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 5), st.binary(max_size=6)), max_size=4)


@given(st.binary(max_size=60), PLACES)
def test_every_byte_that_has_an_origin_is_the_same_there(data: bytes, places: list[tuple[int, int, bytes]]) -> None:
    edits: list[Edit] = []
    done = 0
    for start, size, text in sorted(places):
        if done <= start and start + size <= len(data) and b"\r" not in text + data:
            edits.append(Edit(span_of(data, "a.go", start, start + size), text.decode("utf-8", "surrogateescape")))
            done = start + size + 1
    after = splice(data, edits)
    origins = Origins("a.go", data, merged(edits), after)
    kept = [(at, origins.back(at)) for at in range(len(after))]
    assert all(data[old] == after[at] for at, old in kept if old is not None)
    replaced_bytes = sum(edit.span.end - edit.span.start for edit in edits)
    assert sum(1 for _, old in kept if old is not None) == len(data) - replaced_bytes


def test_findings_of_the_result_have_their_twins_by_place() -> None:
    old = finding("old", "a.go")
    span = replace(old.site.span, start=BEFORE.index(b"log.Print"))
    old = replace(old, site=replace(old.site, span=span))
    new = replace(old, fingerprint="new", site=replace(old.site, span=replace(span, start=NEW.index(b"log.Print"))))
    fresh = replace(new, fingerprint="fresh", site=replace(new.site, span=replace(span, start=NEW.index(b"ctx)"))))
    origins = origins_of({"a.go": BEFORE}, {"a.go": EDITS}, {"a.go": NEW})
    places = {("a.go", span.start): old}
    assert twins(places, {"new": new, "fresh": fresh}, origins) == {"new": old}
    other = replace(new, site=replace(new.site, callee="db.Query"))
    assert twins(places, {"new": other}, origins) == {}
    elsewhere = replace(new, site=replace(new.site, span=replace(span, file="b.go", start=3)))
    assert twins({("b.go", 3): old}, {"new": elsewhere}, origins) == {"new": old}


def test_components_come_back_whole_or_not_at_all() -> None:
    origins = origins_of({"a.go": BEFORE}, {"a.go": EDITS}, {"a.go": NEW})
    kept = finding("old", "a.go", verdict="keep", reason="no context there")
    later = replace(kept, fingerprint="new", verdict="fix", reason="ctx is in scope")
    mine = Component("load", (change("new", replaced("Print", "PrintContext", NEW)),))
    torn = Component("torn", (change("new", replaced("Print", "PrintContext", NEW), replaced("ctx)", "x)", NEW)),))
    earlier = [Component("first", (change("first", *EDITS),)), component("far", edit("far/far.go", "1", "2"))]
    found = carried_back(Plan((mine, torn), ()), {"new": later}, {"new": kept}, origins, earlier)
    assert found.components == (
        Component("load", (change("old", replaced("Print", "PrintContext")),), needs=frozenset({"first"})),
    )
    told = found.findings["old"]
    assert (told.fingerprint, told.verdict, told.site) == ("old", "fix", kept.site)
    assert told.reason == f"{ONCE_THREADED}ctx is in scope"


def test_a_later_component_goes_with_its_finding() -> None:
    mine = component("mine", edit("far/far.go", "return 1", "return 3"))
    more = component("more", edit("far/far.go", "return 2", "return 4"))
    planner = Later(HandMade(mine), (more,))
    assert [one.title for one in planner(guarded=frozenset(), refused={}).components] == ["mine", "more"]
    assert [one.title for one in planner(guarded=frozenset(), refused={"more": "no"}).components] == ["mine"]


def test_what_changes_together_with_a_refused_finding_is_refused_with_its_reason() -> None:
    edits = (edit("far/far.go", "return 1", "return 3"), edit("far/far.go", "return 2", "return 4"))
    pair = Component("pair", (change("one", edits[0]), change("other", edits[1])))
    planner = Later(HandMade(), (pair,))
    assert planner(guarded=frozenset(), refused={}).refusals == ()
    first, refusal = planner(guarded=frozenset(), refused={"one": "rolled back, it does not compile"}).refusals
    assert (first.fingerprint, refusal.fingerprint) == ("one", "other")
    assert refusal.reason == f"{TOGETHER}rolled back, it does not compile"
    assert refusal.where.startswith("far/far.go:")
