"""Frames hold what the records say, typed and ordered, for full and empty audits alike."""

from __future__ import annotations

import msgspec
import pandas as pd
import pytest

from audit_lib.model import CATEGORIES, PRIORITIES, VERDICTS, Audit, encode, totals_of
from audit_lib.show import frames
from tests import saved_audits

FRAMES = (
    frames.findings,
    frames.totals,
    frames.packages,
    frames.paths,
    frames.verification,
    frames.degradations,
)


@pytest.fixture
def shop() -> Audit:
    return saved_audits.load("shop")


def test_saved_audits_are_what_their_program_makes() -> None:
    for name, audit in (("shop", saved_audits.shop()), ("fixed", saved_audits.fixed())):
        assert encode(saved_audits.load(name)) == encode(audit)
        assert audit.totals.reconciles()
    assert encode(saved_audits.load("hostile")) == encode(saved_audits.hostile())


@pytest.mark.parametrize("make", FRAMES)
def test_an_empty_audit_has_the_same_columns_and_types(make: object) -> None:
    assert callable(make)
    full = saved_audits.load("fixed")
    empty = msgspec.structs.replace(
        full, findings=(), changes=(), refusals=(), verification=(), degradations=(), totals=totals_of(())
    )
    assert make(empty).empty
    assert dict(make(empty).dtypes.astype(str)) == dict(make(full).dtypes.astype(str))


def test_one_row_a_site_with_ordered_categories(shop: Audit) -> None:
    frame = frames.findings(shop)
    assert len(frame) == shop.totals.sites
    for column, order in (("category", CATEGORIES), ("verdict", VERDICTS), ("priority", PRIORITIES)):
        assert tuple(frame[column].cat.categories) == order
        assert frame[column].cat.ordered
    assert tuple(frame["phase"].cat.categories) == ("api", "storage", "detection", "ml_soar", "core")


def test_a_phase_that_the_configuration_does_not_name_is_kept(shop: Audit) -> None:
    stray = msgspec.structs.replace(shop.findings[0], phase="billing")
    audit = msgspec.structs.replace(shop, findings=(stray, *shop.findings[1:]))
    assert frames.phases(audit) == ("api", "storage", "detection", "ml_soar", "billing", "core")
    assert int(frames.findings(audit)["phase"].isna().sum()) == 0


def test_totals_and_packages_add_up_to_the_audits_totals(shop: Audit) -> None:
    totals = frames.totals(shop)
    assert totals["sites"].sum() == shop.totals.sites
    by_verdict = totals.groupby("verdict", observed=False)["sites"].sum()
    assert list(by_verdict) == [shop.totals.fixed, shop.totals.detached, shop.totals.kept, shop.totals.review]
    packages = frames.packages(shop)
    assert packages["sites"].sum() == shop.totals.sites
    assert (packages[list(VERDICTS)].sum(axis=1) == packages["sites"]).all()


def test_pivots_by_each_dimension(shop: Audit) -> None:
    pivots = frames.pivots(frames.findings(shop))
    assert list(pivots.by_phase().loc["storage"]) == [40, 0, 0, 0]
    assert list(pivots.by_phase().index) == ["api", "storage", "detection", "ml_soar", "core"]
    assert list(pivots.by_category("priority").columns) == list(PRIORITIES)
    assert list(pivots.by_verdict()["critical"]) == [30, 0, 0, 0]
    assert list(pivots.by_priority("category")["test"]) == [0, 0, 0, 16]
    with pytest.raises(ValueError, match="against itself"):
        pivots.by_phase("phase")


def test_worst_packages_are_those_with_most_sites_equals_by_name(shop: Audit) -> None:
    worst = frames.pivots(frames.findings(shop)).worst_packages(4)
    assert list(worst.index) == ["storage", "detect", "api", "core"]


def test_narrower_frames_keep_their_pivots(shop: Audit) -> None:
    frame = frames.findings(shop)
    pivots = frames.pivots(frame)
    assert len(pivots.production()) + len(pivots.tests()) == len(frame)
    assert set(pivots.of_phase("api", "core")["phase"]) == {"api", "core"}
    assert set(pivots.of_verdict("review")["verdict"]) == {"review"}
    assert len(frames.pivots(pivots.of_category("test")).by_phase()) == 2
    with pytest.raises(ValueError, match="no priority named urgent: there are critical, high"):
        pivots.of_priority("urgent")


def test_the_accessor_is_there_and_says_where_it_does_not_belong(shop: Audit) -> None:
    frame = frames.findings(shop)
    by_phase: pd.DataFrame = frame.ctx.by_phase()  # type: ignore[operator,attr-defined,unused-ignore]
    assert by_phase.equals(frames.pivots(frame).by_phase())
    with pytest.raises(AttributeError, match="needs a findings frame"):
        frames.pivots(frames.degradations(shop))


def test_paths_run_from_the_source_to_the_site(shop: Audit) -> None:
    paths = frames.paths(shop)
    critical = next(f for f in shop.findings if f.priority == "critical")
    steps = paths[paths["fingerprint"] == critical.fingerprint]
    assert list(steps["kind"]) == ["source", "static", "interface", "site"]
    assert list(steps["step"]) == [1, 2, 3, 4]


def test_the_proof_and_what_was_read_in_part() -> None:
    fixed = saved_audits.load("fixed")
    assert list(frames.verification(fixed)["ok"]) == [True, True, False]
    assert list(frames.degradations(fixed)["where"]) == ["storage/legacy", "tools/gen.go"]
