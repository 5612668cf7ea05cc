"""The exported notebook and dashboard of a real run, in a real browser, from disk, offline."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from audit_lib.runs.papermill import run_audit
from audit_lib.runs.work import RunResult
from tests.browser.conftest import Open
from tests.notebooks import tiny

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    folder = tmp_path_factory.mktemp("run")
    return run_audit(tiny.module(folder / "tiny"), folder / "out")


def test_every_figure_of_the_notebook_draws_and_its_code_is_hidden(ran: RunResult, open_file: Open) -> None:
    page = open_file(ran.page)
    figures = page.locator(".js-plotly-plot")
    expect(figures).to_have_count(7)
    for figure in figures.all():
        expect(figure.locator("svg.main-svg").first).to_be_visible()
    expect(page.locator(".jp-InputArea-editor")).to_have_count(0)
    expect(page.locator("body")).not_to_contain_text("init_notebook_mode")


def test_the_notebooks_table_filters_and_sorts(ran: RunResult, open_file: Open) -> None:
    page = open_file(ran.page)
    rows = page.locator("table.dataTable tbody tr")
    first = rows.count()
    assert first >= 3
    place = page.locator("table.dataTable thead th input").first
    place.press_sequentially("storage/")
    expect(rows.first).to_contain_text("storage/store.go")
    assert rows.count() < first
    place.clear()
    place.press("Backspace")
    expect(rows).to_have_count(first)
    page.locator("table.dataTable thead th .dt-column-order").first.click()
    places = page.locator("table.dataTable tbody td:first-child").all_inner_texts()
    assert places == sorted(places)


def test_the_runs_dashboard_shows_code_from_the_target(ran: RunResult, open_file: Open) -> None:
    page = open_file(ran.dashboard)
    page.fill("#f-text", "store.go")
    page.locator("#table .open").first.click()
    expect(page.locator("tr.detail pre .at").first).to_contain_text("Exec")
