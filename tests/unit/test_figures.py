"""Figures are pure functions of a frame: titled, with units, the same colours everywhere, the frame's numbers."""

from __future__ import annotations

import json

import msgspec
import pandas as pd
import plotly.graph_objects as go
import pytest

from audit_lib.model import CATEGORIES, PRIORITIES, VERDICTS, totals_of
from audit_lib.show import figures, frames, palette
from tests import saved_audits


@pytest.fixture
def frame() -> pd.DataFrame:
    return frames.findings(saved_audits.load("shop"))


def test_the_palette_has_one_colour_for_each_and_no_verdict_shares_a_categorys() -> None:
    assert tuple(palette.VERDICTS) == VERDICTS
    assert tuple(palette.CATEGORIES) == CATEGORIES
    assert tuple(palette.PRIORITIES) == PRIORITIES
    colors = [*palette.VERDICTS.values(), *palette.CATEGORIES.values(), *palette.PRIORITIES.values()]
    assert len(set(colors)) == len(colors)


@pytest.mark.parametrize("name", figures.ALL)
def test_each_figure_has_a_title_units_and_draws_an_empty_audit_too(frame: pd.DataFrame, name: str) -> None:
    for findings in (frame, frame[:0]):
        figure = figures.ALL[name](findings)
        assert "site" in figure.layout.title.text
        if name not in ("treemap", "heat"):
            assert "sites" in (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text)
        json.loads(figure.to_json())


@pytest.mark.parametrize("name", figures.ALL)
def test_a_figure_is_the_same_each_time_and_leaves_its_frame_alone(frame: pd.DataFrame, name: str) -> None:
    before = frame.copy()
    assert figures.ALL[name](frame).to_json() == figures.ALL[name](frame).to_json()
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("name", figures.ALL)
def test_numbers_are_plain_json_for_whoever_reads_the_twin(frame: pd.DataFrame, name: str) -> None:
    assert "bdata" not in figures.ALL[name](frame).to_json()


def test_bars_are_the_audits_totals(frame: pd.DataFrame) -> None:
    totals = saved_audits.load("shop").totals
    figure = figures.by_verdict(frame)
    assert list(figure.data[0].y) == [totals.fixed, totals.detached, totals.kept, totals.review]
    assert list(figure.data[0].marker.color) == list(palette.VERDICTS.values())


@pytest.mark.parametrize("make", [figures.by_phase, figures.worst_packages])
def test_stacks_add_up_and_use_the_verdicts_colours(frame: pd.DataFrame, make: object) -> None:
    assert callable(make)
    figure: go.Figure = make(frame)
    horizontal = make is figures.worst_packages
    assert sum(sum(trace.x if horizontal else trace.y) for trace in figure.data) == len(frame)
    assert {trace.name: trace.marker.color for trace in figure.data} == palette.VERDICTS


def test_the_treemaps_parts_add_up(frame: pd.DataFrame) -> None:
    trace = figures.treemap(frame).data[0]
    by_parent: dict[str, int] = {}
    for parent, value in zip(trace.parents, trace.values, strict=True):
        by_parent[parent] = by_parent.get(parent, 0) + value
    sizes = dict(zip(trace.ids, trace.values, strict=True))
    assert all(by_parent[parent] == sizes[parent] for parent in by_parent if parent)


def test_names_of_a_target_are_labels_without_markup() -> None:
    audit = saved_audits.shop()
    site = audit.findings[0].site
    span = msgspec.structs.replace(site.span, file="<a href='javascript:alert(1)'>x</a>" * 3 + "/f.go")
    finding = msgspec.structs.replace(audit.findings[0], site=msgspec.structs.replace(site, span=span))
    odd = frames.findings(msgspec.structs.replace(audit, findings=(finding,), totals=totals_of((finding,))))
    for figure in (figures.worst_packages(odd), figures.treemap(odd)):
        assert "<a" not in figure.to_json().replace("\\u003c", "<")
