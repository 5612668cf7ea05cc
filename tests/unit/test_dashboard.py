"""The dashboard's file and its twin: whole, the same each time, and nothing of a target in it that acts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from audit_lib.errors import OutputError
from audit_lib.model import totals_of
from audit_lib.show import dashboard, excerpt, figures
from tests import saved_audits


def test_the_twin_holds_all_that_is_shown(tmp_path: Path) -> None:
    audit = saved_audits.load("shop")
    page, twin = dashboard.write_dashboard(audit, tmp_path, sources=None)
    assert (page.name, twin.name) == ("dashboard.html", "dashboard.json")
    shown = json.loads(twin.read_text())
    embedded = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(), re.S)
    assert embedded is not None
    assert json.loads(embedded[1]) == shown
    assert len(shown["findings"]) == audit.totals.sites
    assert [figure["name"] for figure in shown["figures"]] == list(figures.ALL)
    assert sum(row["sites"] for row in shown["packages"]) == audit.totals.sites
    assert shown["not_done"] == [
        {
            "what": "review",
            "why": "singleflight: one caller's cancellation must not end what others wait for",
            "sites": 4,
        }
    ]


def test_the_page_is_one_file_with_plotly_in_it_once_and_asks_the_network_for_nothing(tmp_path: Path) -> None:
    page = dashboard.write_dashboard(saved_audits.load("shop"), tmp_path)[0].read_text()
    assert page.count("plotly.js v") == 1
    assert "default-src 'none'" in page
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page.split("<script>")[0])


def test_the_same_audit_and_sources_give_the_same_bytes_wherever_they_lie(tmp_path: Path) -> None:
    audit = saved_audits.load("shop")
    results = []
    for name in ("here", "there"):
        sources = saved_audits.write_sources(tmp_path / name / "src")
        paths = dashboard.write_dashboard(audit, tmp_path / name / "out", sources=sources)
        results.append([path.read_bytes() for path in paths])
    assert results[0] == results[1]


def test_excerpts_show_the_site_among_its_lines(tmp_path: Path) -> None:
    audit = saved_audits.load("shop")
    shown = dashboard.payload(audit, saved_audits.write_sources(tmp_path))
    for finding in shown["findings"]:
        around = finding["excerpt"]
        line = around["lines"][finding["line"] - around["first"]]
        assert finding["callee"].rsplit(".", 1)[1] in line
    critical = next(finding for finding in shown["findings"] if finding["priority"] == "critical")
    assert all(step["code"] for step in critical["steps"])


def test_code_that_changed_since_the_audit_is_not_shown_as_the_finding(tmp_path: Path) -> None:
    audit = saved_audits.load("shop")
    saved_audits.write_sources(tmp_path)
    site = audit.findings[0].site
    (tmp_path / site.span.file).write_text("package api\n" * 40)
    assert excerpt.Sources(tmp_path).around(site) is None


@pytest.mark.parametrize("file", ["../secret.go", "/etc/passwd", "link.go", "a\0b", "folder", "missing.go"])
def test_nothing_outside_the_target_is_read(tmp_path: Path, file: str) -> None:
    (tmp_path / "secret.go").write_text("context.TODO()\n" * 99)
    (tmp_path / "target" / "folder").mkdir(parents=True)
    (tmp_path / "target" / "link.go").symlink_to(tmp_path / "secret.go")
    step = saved_audits.load("shop").findings[0].path[0]
    assert excerpt.Sources(tmp_path / "target").line(msgspec.structs.replace(step, file=file, line=1)) == ""


def test_a_targets_text_ends_no_element_and_is_escaped(tmp_path: Path) -> None:
    page = dashboard.write_dashboard(saved_audits.load("hostile"), tmp_path)[0].read_text()
    assert "onerror=alert(1)>" not in page
    assert "<script>alert" not in page
    assert "\u202e" not in page.split('id="data"')[0]


def test_an_audit_without_findings_has_a_dashboard_too(tmp_path: Path) -> None:
    empty = msgspec.structs.replace(saved_audits.load("shop"), findings=(), degradations=(), totals=totals_of(()))
    page = dashboard.write_dashboard(empty, tmp_path)[0].read_text()
    assert "Nothing was refused or left to review." in page
    assert "Everything was read whole." in page


def test_an_output_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("taken")
    with pytest.raises(OutputError, match="cannot be written"):
        dashboard.write_dashboard(saved_audits.load("shop"), tmp_path / "out")
