"""The dashboard of a fix in a real browser, from disk, offline."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from audit_lib.change.patch import patch
from audit_lib.show import excerpts, fix_dashboard
from audit_lib.show.sidebyside import diffs
from tests import saved_audits
from tests.browser.conftest import Open

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("fixed")
    return fix_dashboard.write(saved_audits.load("fixed"), (), saved_audits.fixed_patch(), out)[0]


@pytest.mark.parametrize("dark", [False, True])
def test_every_figure_draws_and_what_was_not_done_is_told(fixed: Path, open_file: Open, dark: bool) -> None:
    page = open_file(fixed, dark=dark)
    for name in ("plan", "roots", "verification"):
        expect(page.locator(f"#figure-{name} svg.main-svg").first).to_be_visible()
    expect(page.locator("#not-done")).to_contain_text("http.Handler is not this module's to change")
    expect(page.locator("#not-done")).to_contain_text("api/server.go:12")
    expect(page.locator("#proof")).to_contain_text("TestOrders fails as it did before")
    expect(page.locator("[role=note]")).to_contain_text("nothing of this is to be applied")


def test_a_site_opens_to_its_code_before_and_after_side_by_side(fixed: Path, open_file: Open) -> None:
    page = open_file(fixed)
    page.select_option("#f-fix_kind", "detach")
    page.locator("#table .open").first.click()
    sides = page.locator("tr.detail .sides").last
    expect(sides).to_be_visible()
    gone, come = sides.locator("td.gone:not(.number)").first, sides.locator("td.come:not(.number)").first
    expect(gone).to_contain_text("context.Background()")
    expect(come).to_contain_text("context.WithoutCancel(ctx)")
    left, right = gone.bounding_box(), come.bounding_box()
    assert left is not None
    assert right is not None
    assert abs(left["y"] - right["y"]) < 1
    assert left["x"] + left["width"] <= right["x"]
    expect(gone.locator("mark")).to_be_visible()
    expect(sides.locator(".word").first).to_be_visible()


@pytest.mark.parametrize("dark", [False, True])
def test_changed_words_are_readable_in_light_and_in_dark(fixed: Path, open_file: Open, dark: bool) -> None:
    page = open_file(fixed, dark=dark)
    page.select_option("#f-fix_kind", "in-scope")
    page.locator("#table .open").first.click()
    for mark in ("td.gone mark", "td.come mark"):
        shown = page.locator(f"tr.detail {mark}").first
        ink, ground = shown.evaluate("e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]")
        assert contrast(ink, ground) >= 4.5


def test_filters_narrow_the_sites_and_the_counts_follow(fixed: Path, open_file: Open) -> None:
    page = open_file(fixed)
    counts = page.locator("#counts")
    expect(counts).to_contain_text("83 of 83 sites")
    page.select_option("#f-outcome", "refused")
    expect(counts).to_contain_text("2 of 83 sites")
    page.select_option("#f-outcome", "not asked for")
    expect(counts).to_contain_text("1 of 83 sites")
    page.locator("#table .open").first.click()
    expect(page.locator("tr.detail")).to_contain_text("--only names others")
    page.click("text=Clear")
    page.fill("#f-text", "no such thing")
    expect(page.locator("#table")).to_contain_text("No site matches the filter.")


def test_the_whole_diff_opens_file_by_file(fixed: Path, open_file: Open) -> None:
    page = open_file(fixed)
    boxes = page.locator("#diff details")
    assert boxes.count() == len(diffs(saved_audits.fixed_patch()))
    expect(page.locator("#diff .sides")).to_have_count(0)
    boxes.first.locator("summary").click()
    expect(boxes.first.locator(".sides").first).to_be_visible()
    page.click("#unfold")
    hunks = sum(len(one.hunks) for one in diffs(saved_audits.fixed_patch()))
    expect(page.locator("#diff .sides")).to_have_count(hunks)
    page.click("#component-table th >> text=component")
    names = page.locator("#component-table tbody th").all_inner_texts()
    assert names == sorted(names)


def test_names_and_code_that_attack_are_shown_as_text(tmp_path: Path, open_file: Open) -> None:
    audit = saved_audits.load("hostile")
    file = audit.findings[0].site.span.file
    evil = b"x\n</script><img src=x onerror=alert(1)> \xe2\x80\xae <b>b</b>\n"
    path, _ = fix_dashboard.write(audit, (), patch({file: evil}, {file: evil + evil}), tmp_path)
    page = open_file(path)
    page.click("#unfold")
    expect(page.locator("#diff .sides").first).to_contain_text("</script><img src=x onerror=alert(1)>")
    expect(page.locator("#diff .sides").first).to_contain_text("\\u202e")
    for button in page.locator("#table .open").all():
        button.click()
    assert page.locator("main img, main script, main b").count() == 0


@pytest.mark.parametrize("light", [True, False])
def test_excerpts_of_a_notebook_follow_jupyterlabs_theme(tmp_path: Path, open_file: Open, light: bool) -> None:
    shown = excerpts.examples(saved_audits.load("fixed"), diffs(saved_audits.fixed_patch()))
    body = "".join(one._repr_mimebundle_()["text/html"] for one in shown)
    theme = "true" if light else "false"
    (tmp_path / "lab.html").write_text(f"<!doctype html><body data-jp-theme-light='{theme}'>{body}", encoding="utf-8")
    page = open_file(tmp_path / "lab.html", dark=light)  # the system's own colours must not win
    sides = page.locator(".sides").first
    ink, ground = sides.evaluate("e => [getComputedStyle(e.firstChild).color, getComputedStyle(e).backgroundColor]")
    assert contrast(ink, ground) >= 7
    assert (luminance(ground) > 0.5) == light


def luminance(color: str) -> float:
    """The relative luminance of a CSS colour `rgb(…)`, as WCAG has it."""
    parts = [int(part) / 255 for part in color.removeprefix("rgb(").rstrip(")").split(",")]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
