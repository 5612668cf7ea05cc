"""What became of each site: frames from a saved audit alone, which add up, and with the names of groups where known."""

from __future__ import annotations

import msgspec
import pandas as pd
import pytest

from audit_lib.fixed import Group
from audit_lib.model import Audit, totals_of
from audit_lib.show import fix_frames
from tests import saved_audits

FRAMES = (
    fix_frames.outcomes,
    fix_frames.changes,
    fix_frames.refusals,
    fix_frames.reasons,
    fix_frames.components,
    fix_frames.kept,
)


@pytest.fixture
def fixed() -> Audit:
    return saved_audits.load("fixed")


@pytest.mark.parametrize("make", FRAMES)
def test_nothing_found_has_the_same_columns_and_types(fixed: Audit, make: object) -> None:
    assert callable(make)
    empty = msgspec.structs.replace(fixed, findings=(), changes=(), refusals=(), totals=totals_of(()))
    assert make(empty).empty
    assert dict(make(empty).dtypes.astype(str)) == dict(make(fixed).dtypes.astype(str))


def test_before_any_change_nothing_has_become_of_what_is_to_be_fixed() -> None:
    frame = fix_frames.outcomes(saved_audits.load("shop"))
    counts = frame["outcome"].value_counts()
    totals = saved_audits.load("shop").totals
    assert int(frame["outcome"].isna().sum()) == totals.fixed + totals.detached
    assert (counts["fixed"], counts["kept"], counts["review"]) == (0, totals.kept, totals.review)
    assert list(fix_frames.by_phase(frame).columns) == ["kept", "review"]


def test_outcomes_reconcile_with_the_totals(fixed: Audit) -> None:
    counts = fix_frames.outcomes(fixed)["outcome"].value_counts()
    totals = fixed.totals
    assert counts.sum() == totals.sites
    assert (counts["fixed"], counts["detached"], counts["kept"]) == (totals.fixed, totals.detached, totals.kept)
    assert (counts["refused"], counts["not asked for"], counts["review"]) == (2, 1, totals.review)


def test_a_change_says_its_site_kind_component_and_files(fixed: Audit) -> None:
    frame = fix_frames.changes(fixed)
    assert len(frame) == fixed.totals.fixed + fixed.totals.detached + 1  # and a note beside a kept root
    assert set(frame["fix_kind"]) == {"in-scope", "thread-interface", "upgrade", "test-context", "detach", "document"}
    row = frame[frame["fix_kind"] == "thread-interface"].iloc[0]
    assert (row["files"], row["edits"], row["touched"]) == (1, 2, row["file"])
    assert (frame["line"] > 1).all()


def test_refusals_are_told_with_place_and_whether_they_were_asked_for(fixed: Audit) -> None:
    frame = fix_frames.refusals(fixed)
    assert list(frame["asked"]) == [True, True, False]
    assert set(frame["where"]) == {"api/server.go:12"}
    reasons = fix_frames.reasons(fixed)
    assert reasons.to_dict("records") == [
        {
            "sites": 2,
            "reason": "http.Handler is not this module's to change",
            "where": "api/server.go:12, api/server.go:12",
        }
    ]


def test_changes_that_share_an_edit_are_one_component(fixed: Audit) -> None:
    frame = fix_frames.components(fixed)
    assert frame["sites"].sum() == len(fixed.changes)
    wide = frame[frame["kinds"] == "thread-interface"]
    changes = fix_frames.changes(fixed)
    assert len(wide) == changes[changes["fix_kind"] == "thread-interface"]["file"].nunique()
    assert wide["component"].str.fullmatch(r"\S+:\d+( and \d+ more)?").all()
    assert wide["signatures"].isna().all()
    assert changes["component"].isin(set(frame["component"])).all()


def test_groups_give_components_their_names_and_counts(fixed: Audit) -> None:
    names = tuple(change.fingerprint for change in fixed.changes)
    group = Group("Store.Get and 4 more", "api", names, ("thread",), ("a.go", "b.go"), 7, 5, 2, True, ("see", "this"))
    (row,) = fix_frames.components(fixed, [group]).to_dict("records")
    assert (row["component"], row["sites"], row["roots"], row["signatures"]) == (
        "Store.Get and 4 more",
        len(names),
        7,
        5,
    )
    assert (row["files"], row["moved"], row["guarded"], row["notes"]) == (2, 2, True, "see\nthis")
    assert set(fix_frames.changes(fixed, [group])["component"]) == {"Store.Get and 4 more"}


def test_kept_roots_have_their_reason_in_the_code_or_in_the_report(fixed: Audit) -> None:
    frame = fix_frames.kept(fixed)
    assert list(frame["documented"].value_counts().items()) == [("in the report", len(frame) - 1), ("in the code", 1)]
    silent = [msgspec.structs.replace(one, reason=" ") for one in fixed.findings]
    bare = fix_frames.kept(msgspec.structs.replace(fixed, findings=tuple(silent)))
    assert int(bare["documented"].isna().sum()) == len(frame) - 1
    by_hand = [msgspec.structs.replace(one, rule="directive") for one in silent]
    assert fix_frames.kept(msgspec.structs.replace(fixed, findings=tuple(by_hand)))["documented"].notna().all()


def test_roots_before_are_those_gone_and_those_left(fixed: Audit) -> None:
    frame = fix_frames.roots(fixed)
    production = [f for f in fixed.findings if f.site.kind == "root" and f.category != "test"]
    assert frame["before"].sum() == len(production)
    assert (frame["before"] == frame["gone"] + frame["left"]).all()
    assert list(frame["phase"]) == ["api", "storage", "detection", "ml_soar", "core"]


def test_parts_per_phase_are_kinds_first_and_add_up(fixed: Audit) -> None:
    table = fix_frames.by_phase(fix_frames.outcomes(fixed))
    assert list(table.index) == ["api", "storage", "detection", "ml_soar", "core"]
    expected = ["in-scope", "thread-interface", "upgrade", "test-context", "detached", "kept", "refused"]
    assert list(table.columns) == [*expected, "not asked for", "review"]
    assert int(table.to_numpy().sum()) == fixed.totals.sites


def test_a_kind_that_is_not_known_is_shown_too(fixed: Audit) -> None:
    strange = [msgspec.structs.replace(c, fix_kind="stored") if c.fix_kind == "in-scope" else c for c in fixed.changes]
    frame = fix_frames.outcomes(msgspec.structs.replace(fixed, changes=tuple(strange)))
    table: pd.DataFrame = fix_frames.by_phase(frame)
    assert "stored" in table.columns
    assert int(table.to_numpy().sum()) == fixed.totals.sites
