"""The figures of a fix: titled, with units, the frames' numbers, one colour for each outcome and kind."""

from __future__ import annotations

import json

import msgspec
import pytest

from audit_lib.model import Audit, Verification, totals_of
from audit_lib.show import fix_figures, fix_frames, palette
from tests import saved_audits


@pytest.fixture
def fixed() -> Audit:
    return saved_audits.load("fixed")


def test_one_colour_for_each_outcome_and_each_kind_of_fix() -> None:
    assert tuple(palette.FIX_KINDS) == fix_frames.FIX_KINDS
    assert tuple(palette.OUTCOMES) == fix_frames.OUTCOMES
    assert palette.OUTCOMES["kept"] == palette.VERDICTS["keep"]
    assert palette.OUTCOMES["detached"] == palette.VERDICTS["detach"]
    others = [*palette.FIX_KINDS.values(), *palette.OUTCOMES.values(), *palette.PROOF.values(), *palette.ROOTS.values()]
    assert len(set(others)) == len(others)


def test_each_figure_has_a_title_and_units_and_draws_nothing_found_too(fixed: Audit) -> None:
    empty = msgspec.structs.replace(fixed, findings=(), changes=(), refusals=(), totals=totals_of(()))
    for audit in (fixed, empty):
        figures = fix_figures.drawn(audit)
        assert list(figures) == ["plan", "roots", "verification"]
        for name, unit in (("plan", "sites"), ("roots", "roots"), ("verification", "seconds")):
            figure = figures[name]
            assert figure.layout.title.text
            assert unit in (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text)
            json.loads(figure.to_json())
            assert "bdata" not in figure.to_json()


def test_an_audit_that_proved_nothing_has_no_figure_of_it() -> None:
    assert list(fix_figures.drawn(saved_audits.load("shop"))) == ["plan", "roots"]


def test_the_plan_stacks_up_to_all_sites_in_the_colours_of_outcomes(fixed: Audit) -> None:
    figure = fix_figures.plan(fix_frames.outcomes(fixed))
    assert figure.layout.barmode == "stack"
    assert sum(sum(trace.y) for trace in figure.data) == fixed.totals.sites
    colors = {trace.name: trace.marker.color for trace in figure.data}
    assert colors["kept"] == palette.VERDICTS["keep"]
    assert colors["fixed: upgrade"] == palette.FIX_KINDS["upgrade"]


def test_roots_before_and_left_are_told_with_those_that_moved(fixed: Audit) -> None:
    table = fix_frames.roots(fixed)
    figure = fix_figures.roots(table, 3)
    assert [sum(trace.y) for trace in figure.data] == [table["before"].sum(), table["left"].sum()]
    assert "3 moved to callers" in figure.layout.title.text
    assert "moved" not in fix_figures.roots(table).layout.title.text


def test_a_step_that_failed_is_told_apart_without_colour(fixed: Audit) -> None:
    (trace,) = fix_figures.drawn(fixed)["verification"].data
    assert list(trace.text) == ["12.5 s, failed", "4.1 s, passed", "0.2 s, passed"]
    assert list(trace.marker.pattern.shape) == ["x", "", ""]
    twice = msgspec.structs.replace(fixed, verification=(Verification("test", True, 1), Verification("test", True, 2)))
    assert len(fix_figures.drawn(twice)["verification"].data[0].y) == 2
