"""The dashboard in a real browser, from disk, offline."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from audit_lib.show import dashboard, figures
from tests import saved_audits
from tests.browser.conftest import Open

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    sources = saved_audits.write_sources(folder / "src")
    return dashboard.write_dashboard(saved_audits.load("shop"), folder / "out", sources=sources)[0]


def places(page: Page) -> list[str]:
    return page.locator("#table td.place").all_inner_texts()


@pytest.mark.parametrize("dark", [False, True])
def test_every_figure_draws(shop: Path, open_file: Open, dark: bool) -> None:
    page = open_file(shop, dark=dark)
    expect(page.locator(".js-plotly-plot svg.main-svg").first).to_be_visible()
    expect(page.locator("figure.js-plotly-plot")).to_have_count(len(figures.ALL))
    for name in figures.ALL:
        expect(page.locator(f"#figure-{name} svg.main-svg").first).to_be_visible()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(20, 24, 29)") == dark


def test_filters_narrow_the_rows_and_the_counts_follow(shop: Path, open_file: Open) -> None:
    page = open_file(shop)
    counts = page.locator("#counts")
    expect(counts).to_contain_text("83 of 83 sites")
    page.select_option("#f-verdict", "detach")
    expect(counts).to_contain_text("5 of 83 sites")
    expect(page.locator("#table .badge")).to_have_text(["detach"] * 5)
    page.select_option("#f-phase", "detection")
    expect(counts).to_contain_text("3 of 83 sites")
    page.click("text=Clear")
    page.fill("#f-text", "clickhouse LISTtoken")
    expect(counts).to_contain_text("1 of 83 sites")
    page.fill("#f-text", "no such thing")
    expect(page.locator("#table")).to_contain_text("No finding matches the filter.")


def test_a_click_on_a_head_sorts_and_another_turns_it_round(shop: Path, open_file: Open) -> None:
    page = open_file(shop)
    page.select_option("#size", "200")
    assert len(places(page)) == 83
    page.click("#table th >> text=Priority")
    priorities = page.locator("#table td[class^=priority]").all_inner_texts()
    ranks = ["critical", "high", "medium", "low"]
    assert priorities == sorted(priorities, key=ranks.index)
    expect(page.locator("#table th[aria-sort=ascending]")).to_have_text("Priority")
    page.click("#table th >> text=Priority")
    assert page.locator("#table td[class^=priority]").all_inner_texts()[0] == "low"
    page.click("#package-table th >> text=package")
    names = page.locator("#package-table tbody th").all_inner_texts()
    assert names == sorted(names)


def test_a_row_opens_to_its_path_and_code(shop: Path, open_file: Open) -> None:
    page = open_file(shop)
    page.select_option("#f-priority", "critical")
    page.locator("#table .open").first.click()
    detail = page.locator("tr.detail")
    expect(detail.locator(".route li")).to_have_count(4)
    expect(detail).to_contain_text("interface: 7 implementers")
    expect(detail).to_contain_text("3 functions, 1 interface, 19 calls, 11 files")
    expect(detail.locator("pre .at")).to_contain_text(
        "ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)"
    )
    page.locator("#table .open").first.click()
    expect(detail).to_have_count(0)


def test_the_keyboard_reaches_sorting_and_details(shop: Path, open_file: Open) -> None:
    page = open_file(shop)
    page.locator("#table th button").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#table th[aria-sort=descending]")).to_have_text("Place")
    page.locator("#table .open").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#table .open").first).to_have_attribute("aria-expanded", "true")


def test_three_thousand_rows_are_paged_and_filter_at_once(tmp_path: Path, open_file: Open) -> None:
    path, _ = dashboard.write_dashboard(saved_audits.large(3000), tmp_path)
    page = open_file(path)
    expect(page.locator("#counts")).to_contain_text("3000 of 3000 sites")
    expect(page.locator("#page")).to_have_text("page 1 of 60")
    assert len(places(page)) == 50
    page.click("#next")
    expect(page.locator("#page")).to_have_text("page 2 of 60")
    page.select_option("#f-verdict", "review")
    expect(page.locator("#page")).to_have_text(re.compile("page 1 of [0-9]"))
    expect(page.locator("#figure-packages svg.main-svg").first).to_be_visible()


def test_names_that_attack_are_shown_as_text(tmp_path: Path, open_file: Open) -> None:
    path, _ = dashboard.write_dashboard(saved_audits.load("hostile"), tmp_path, sources=tmp_path)
    page = open_file(path)
    expect(page.locator("#figure-treemap svg.main-svg").first).to_be_visible()
    expect(page.locator("h1")).to_contain_text("</script><img src=x onerror=alert(1)>")
    for button in page.locator("#table .open").all():
        button.click()
    functions = page.locator("#table td.function").all_inner_texts()
    assert "<script>alert('x')</script>" in functions
    assert page.locator("#findings img, #findings script, a[href^=javascript]").count() == 0


def test_an_audit_after_a_fix_shows_the_proof_and_what_was_refused(tmp_path: Path, open_file: Open) -> None:
    path, _ = dashboard.write_dashboard(saved_audits.load("fixed"), tmp_path)
    page = open_file(path)
    expect(page.locator("#not-done")).to_contain_text("http.Handler is not this module's to change")
    expect(page.locator("#proof")).to_contain_text("TestOrders fails as it did before")
    expect(page.locator("#partly")).to_contain_text("storage/legacy")
