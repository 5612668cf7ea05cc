"""The dashboard of a fix and its twin: whole, the same each time, and nothing of a target in it that acts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec

from audit_lib.change.patch import patch
from audit_lib.model import totals_of
from audit_lib.show import fix_dashboard
from tests import saved_audits


def test_the_twin_holds_all_that_is_shown(tmp_path: Path) -> None:
    audit = saved_audits.load("fixed")
    page, twin = fix_dashboard.write(audit, (), saved_audits.fixed_patch(), tmp_path)
    shown = json.loads(twin.read_text())
    embedded = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(), re.S)
    assert embedded is not None
    assert json.loads(embedded[1]) == shown
    assert len(shown["sites"]) == audit.totals.sites
    assert [(row["what"], row["sites"]) for row in shown["not_done"]] == [
        ("refused", 2),
        ("review", 4),
        ("not asked for", 1),
    ]
    assert sum(row["sites"] for row in shown["components"]) == len(audit.changes)
    assert not shown["proved"]


def test_each_changed_site_shows_its_line_before_and_after(tmp_path: Path) -> None:
    shown = fix_dashboard.payload(saved_audits.load("fixed"), (), saved_audits.fixed_patch())
    for site in shown["sites"]:
        rows = [
            row
            for file, hunk in site["hunks"]
            for row in shown["diff"][file]["hunks"][hunk]["rows"]
            if shown["diff"][file]["file"] == site["file"] and row["before"] and row["before"]["line"] == site["line"]
        ]
        assert bool(rows) == bool(site["fix_kind"]), site
        if site["outcome"] in ("fixed", "detached"):
            assert all(row["kind"] == "changed" for row in rows)


def test_a_saved_audit_alone_is_enough_for_all_but_the_code(tmp_path: Path) -> None:
    whole = fix_dashboard.payload(saved_audits.load("fixed"), (), saved_audits.fixed_patch())
    alone = fix_dashboard.payload(saved_audits.load("fixed"), (), b"")
    assert {name for name in whole if whole[name] != alone[name]} == {"sites", "diff"}
    page = fix_dashboard.write(saved_audits.load("fixed"), (), b"", tmp_path)[0].read_text()
    assert "Nothing was changed." in page


def test_the_page_is_one_file_that_asks_the_network_for_nothing(tmp_path: Path) -> None:
    page = fix_dashboard.write(saved_audits.load("fixed"), (), saved_audits.fixed_patch(), tmp_path)[0].read_text()
    assert page.count("plotly.js v") == 1
    assert "default-src 'none'" in page
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page.split("<script>")[0])


def test_the_same_fix_gives_the_same_bytes(tmp_path: Path) -> None:
    audit, diff = saved_audits.load("fixed"), saved_audits.fixed_patch()
    first, second = (fix_dashboard.write(audit, (), diff, tmp_path / name) for name in ("one", "two"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_nothing_to_change_is_said(tmp_path: Path) -> None:
    empty = msgspec.structs.replace(saved_audits.load("shop"), findings=(), degradations=(), totals=totals_of(()))
    page = fix_dashboard.write(empty, (), b"", tmp_path)[0].read_text()
    assert "Nothing was refused or left to review." in page
    assert "there was nothing to prove" in page


def test_a_targets_text_ends_no_element_and_is_escaped(tmp_path: Path) -> None:
    audit = saved_audits.load("hostile")
    evil = b"</script><img src=x onerror=alert(1)>\n"
    diff = patch({audit.findings[0].site.span.file: evil}, {audit.findings[0].site.span.file: evil * 2})
    page = fix_dashboard.write(audit, (), diff, tmp_path)[0].read_text()
    assert "onerror=alert(1)>" not in page
    assert "<script>alert" not in page
    assert "\u202e" not in page.split('id="data"')[0]
