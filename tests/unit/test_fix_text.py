"""What `fix` prints on a terminal."""

from __future__ import annotations

from msgspec.structs import replace

from audit_lib.change.selection import Selection
from audit_lib.fixed import Fixed
from audit_lib.model import Refusal
from audit_lib.show.fix_text import REASONS_SHOWN, diff_text, fix_text
from tests.unit.fixes import DETACHED, FINDINGS, STEPS, a_fix


def said(fix: Fixed, *, color: bool = False, width: int = 120, out: str = "", written: bool = False) -> str:
    return fix_text(fix, color=color, width=width, seconds=1.25, target="shop", out=out, written=written)


def test_a_fix_is_told_from_its_counts_to_the_next_step() -> None:
    assert said(a_fix(), out="out") == (
        "example.org/shop · 1.2 s\n"
        "2 of 3 sites changed · 3 files · 1 moved to callers\n"
        "\n"
        "                 fixed    detached     refused\n"
        "api                  0           1           0\n"
        "storage              1           0           1\n"
        "\n"
        "refused\n"
        "    1  Store.Put implements io.Closer | which *others* own\n"
        "       store/other.go:9\n"
        "\n"
        "verified\n"
        "  ✓ gofmt       0.1 s  3 files\n"
        "  ✓ compile     2.3 s  2 packages\n"
        "\n"
        "shop is as it was; next: review out/summary.md · ctxaudit fix shop --write\n"
    )


def test_nothing_to_change_is_said() -> None:
    fix = replace(a_fix(), after={}, audit=replace(a_fix().audit, changes=(), refusals=(), verification=()))
    assert "nothing to change: no context is lost that a caller could give\n" in said(fix)
    assert "next" not in said(fix)


def test_what_was_written_is_said() -> None:
    assert said(a_fix(), written=True).endswith("written: 3 files; next: git diff\n")


def test_a_proof_that_failed_is_marked_with_all_that_was_said() -> None:
    step = replace(STEPS[1], step="test", ok=False, detail="TestX: got\nwant")
    text = said(a_fix(steps=(*STEPS, step), ok=False))
    assert "  ✗ test        2.3 s  TestX: got\n                      want\n" in text
    assert text.endswith("\nshop is as it was\n")


def test_what_nobody_asked_for_is_a_column_and_no_reason() -> None:
    text = said(a_fix(DETACHED, refusals=(), left_out=Selection(phases=("api",)).left_out(FINDINGS)))
    assert "not asked" in text
    assert "\nrefused\n" not in text


def test_long_lines_are_cut_and_many_reasons_are_counted() -> None:
    audit = a_fix().audit
    refusals = tuple(Refusal("get", f"reason {n:02} " + "x" * 200, "a.go:1") for n in range(REASONS_SHOWN + 3))
    text = said(replace(a_fix(), audit=replace(audit, refusals=refusals)), width=60)
    assert max(map(len, text.splitlines()[6:-6])) == 60
    assert "… and 3 reasons more: OUT/summary.md has all" in text


def test_text_of_a_target_cannot_steer_the_terminal() -> None:
    audit = a_fix().audit
    refusals = (Refusal("get", "\x1b[2J", "\x1b.go:1"),)
    assert "\x1b" not in said(replace(a_fix(), audit=replace(audit, refusals=refusals)))
    assert "\x1b" not in diff_text(b"+\x1b[2J\n", color=False)


def test_colours_are_for_terminals() -> None:
    assert "\x1b[32m✓\x1b[0m" in said(a_fix(), color=True)
    diff = diff_text(b"--- a/x.go\n+++ b/x.go\n@@ -1 +1 @@\n-\told\n+\tnew\n same\n", color=True)
    assert diff == (
        "\x1b[1m--- a/x.go\x1b[0m\n\x1b[1m+++ b/x.go\x1b[0m\n\x1b[36m@@ -1 +1 @@\x1b[0m\n"
        "\x1b[31m-\told\x1b[0m\n\x1b[32m+\tnew\x1b[0m\n same\n"
    )
