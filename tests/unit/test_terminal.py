"""Text for the terminal: counts that add up, lines that fit, nothing from a target that acts on the terminal."""

from __future__ import annotations

import re

import msgspec
import pytest

from audit_lib.model import Audit, totals_of
from audit_lib.show import terminal
from tests import saved_audits


@pytest.fixture
def shop() -> Audit:
    return saved_audits.load("shop")


def test_the_scan_of_the_shop(shop: Audit) -> None:
    text = terminal.scan_text(shop, color=False, width=100, seconds=2.13)
    assert text.startswith(
        "example.org/shop · 7 packages · 81k lines of Go · 2.1 s\n"
        "57 roots in production code, 16 in tests, 10 bare calls\n"
        "\n"
        "               fix  detach    keep  review   sites\n"
        "api             10       1       1       1      13\n"
        "storage         29       0       0       0      29\n"
        "detection        5       3       1       0       9\n"
        "ml_soar          3       1       2       1       7\n"
        "core             2       0       5       2       9\n"
        "tests           16       0       0       0      16\n"
        "all             65       5       9       4      83\n"
        "\n"
        "critical\n"
        "  core/übersicht.go:12               (*Store).GetUser        fix    "
    )
    assert "  … and 20 more: --all shows them\n" in text
    assert "read in part\n  storage/legacy: does not compile" in text
    assert text.endswith("next: ctxaudit explain core/übersicht.go:12\n")


def test_lines_of_findings_fit_the_width(shop: Audit) -> None:
    text = terminal.scan_text(shop, color=False, width=72)
    assert all(len(line) <= 72 for line in text.splitlines() if line.startswith("  storage/sqlite"))


def test_all_lists_every_finding(shop: Audit) -> None:
    text = terminal.scan_text(shop, color=False, width=200, all=True)
    assert text.count("\n  ") >= shop.totals.sites
    assert "more: --all" not in text


def test_colour_only_where_it_is_asked_for_and_it_changes_no_word(shop: Audit) -> None:
    plain = terminal.scan_text(shop, color=False, width=100)
    coloured = terminal.scan_text(shop, color=True, width=100)
    assert "\x1b" not in plain
    assert "\x1b[31mfix\x1b[0m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain


def test_nothing_found_and_syntax_alone(shop: Audit) -> None:
    empty = msgspec.structs.replace(shop, findings=(), degradations=(), totals=totals_of(()), typed=False)
    text = terminal.scan_text(empty, color=False, width=80)
    assert "no context is lost here" in text
    assert "by syntax alone" in text
    assert "next:" not in text


def test_control_characters_of_a_target_are_spelled_out() -> None:
    hostile = saved_audits.load("hostile")
    texts = [terminal.scan_text(hostile, color=False, width=300, all=True)]
    texts += [terminal.explain_text(finding) for finding in hostile.findings]
    for text in texts:
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert "\\x1b[31mred\\x1b[0m\\r\\nnext\\u202egnp.exe" in texts[0]


def test_explaining_a_finding_shows_the_path_the_radius_and_the_rule(shop: Audit) -> None:
    critical = next(f for f in shop.findings if f.priority == "critical")
    assert terminal.explain_text(critical) == (
        "fix · request · critical – "  # noqa: RUF001
        "a request's context is three calls up, and this call waits for the database\n"
        "  api/orders.go:7              (*Server).handleOrder    source: r.Context()\n"
        "  core/bus.go:7                (*Service).Parse         static call\n"
        "  storage/sqlite_users.go:7    Storage.Get              interface, 7 implementers\n"
        "  core/übersicht.go:12         (*Store).GetUser         context.Background()\n"
        "threading it changes 3 functions, 1 interface, 19 calls, 11 files\n"
        "do: take a context parameter and pass the caller's context to WithTimeout\n"
        "note: the interface Store is opened\n"
        "rule: request-source (docs/rules.md#request-source)\n"
    )


def test_explaining_an_origin_that_has_no_path(shop: Audit) -> None:
    origin = next(f for f in shop.findings if not f.path)
    lines = terminal.explain_text(origin).splitlines()
    assert lines[1].split() == ["api/server.go:7", "runOrder", "context.Background"]
