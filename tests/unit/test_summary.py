"""A fix as a pull request's text, and as files."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from audit_lib.change.selection import Selection
from audit_lib.errors import OutputError
from audit_lib.model import decode_audit
from audit_lib.show import changes
from audit_lib.show.summary import LIMIT, summary, title
from audit_lib.untrusted.markdown import code_cell, text
from tests.unit.fixes import DETACHED, FINDINGS, STEPS, a_fix


def section(text: str, head: str) -> str:
    assert f"\n## {head}\n" in text
    return text.partition(f"\n## {head}\n")[2].partition("\n## ")[0].strip()


def test_nothing_changed_is_said_without_empty_sections() -> None:
    fix = replace(a_fix(DETACHED, refusals=()), groups=(), phases=(), after={}, unbuilt=())
    totals = replace(fix.audit.totals, fixed=0, detached=0)
    fix = replace(fix, audit=replace(fix.audit, changes=(), refusals=(), verification=(), totals=totals))
    text = summary(fix)
    assert text.startswith("# No context was changed\n\n`example.org/shop` at `abc`, by ctxaudit 0.1.0.\n")
    assert "##" not in text.partition("\n")[2]


def test_the_title_says_what_was_done() -> None:
    assert title(a_fix()) == "Pass callers' contexts on in 1 place and detach 1"
    assert title(a_fix(DETACHED, refusals=())) == "Detach 1"


def test_each_phase_has_its_patch_and_its_table() -> None:
    text = section(summary(a_fix()), "What changed")
    api, storage = text.split("### storage")
    assert api.startswith("### api\n\n`git apply fix-1-api.patch`")
    assert "| `api/late.go` | 1 | 1 | 0 | 1 | 0 | detach |" in api
    assert "| `Store.Get` | 1 | 1 | 1 | 2 | 1 | thread, guarded |" in storage
    assert "- `store/store.go:3` `context.TODO` in `Store.Get`: a request's context is near get" in storage


def test_a_reviewer_is_told_what_to_look_at() -> None:
    text = section(summary(a_fix()), "What to look at")
    assert "Detached: these go on when their caller has gone" in text
    assert "`api/late.go:3`" in text
    assert "Guarded: a test gave no context here, so that nil becomes Background: `Store.Get`" in text
    assert "Moved: some callers have no context yet, and now make one themselves: `Store.Get` (1)" in text
    assert r"- The mock of \| Store was edited by hand; regenerate it with &lt;mockgen>." in text
    assert "Not built here, since they are for another system or build tag: `api/late.go`" in text


def test_refusals_have_their_reasons_and_places() -> None:
    text = section(summary(a_fix()), "What was refused, and why")
    assert r"| 1 | Store.Put implements io.Closer \| which \*others\* own | `store/other.go:9` |" in text
    assert "nobody asked" not in text


def test_what_nobody_asked_for_is_counted() -> None:
    fix = a_fix(DETACHED, refusals=(), left_out=Selection(phases=("api",)).left_out(FINDINGS))
    text = section(summary(fix), "What was refused, and why")
    assert text == "2 sites more would be changed, but nobody asked for that."


def test_the_proof_is_a_table_with_times() -> None:
    text = section(summary(a_fix()), "Verification")
    assert "| compile | ✓ | 2.3 | 2 packages |" in text
    failed = a_fix(steps=(*STEPS, replace(STEPS[0], step="test", ok=False, detail="a | b\nc")), ok=False)
    assert r"| test | ✗ | 0.1 | a \| b c |" in summary(failed)
    assert "**The verification failed, and nothing of this is to be applied.**" in summary(failed)


def test_a_summary_fits_into_a_pull_request() -> None:
    fix = a_fix()
    many = tuple(replace(fix.groups[1], title=f"Store.Get{n}", fingerprints=("get",) * 20) for n in range(100))
    text = summary(replace(fix, groups=many))
    assert 20_000 < len(text) <= LIMIT
    assert "Store.Get99" in text


def test_text_of_a_target_cannot_break_out_of_its_place() -> None:
    assert text("a|b\n<script>*_`") == r"a\|b &lt;script>\*\_\`"
    assert code_cell("a`|b") == r"`` a`\|b ``"
    assert code_cell("\x1b[31m") == r"`\x1b[31m`"


def test_files_are_written_all_or_none(tmp_path: Path) -> None:
    out = tmp_path / "out"
    written = changes.write(a_fix(), out)
    assert [path.name for path in written] == [
        "audit.json",
        "changes.jsonl",
        "findings.jsonl",
        "fix-1-api.patch",
        "fix-2-storage.patch",
        "fix.patch",
        "refusals.jsonl",
        "summary.md",
    ]
    assert decode_audit((out / "audit.json").read_bytes()) == a_fix().audit
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def full() -> None:
        raise OutputError("no space")

    with pytest.raises(OutputError, match="no space"):
        changes.write(a_fix(DETACHED), out, then=full)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_the_target_is_written_before_the_results_are_in_their_place(tmp_path: Path) -> None:
    seen: list[list[str]] = []
    out = tmp_path / "out"
    changes.write(a_fix(), out, then=lambda: seen.append([path.name for path in out.glob("*.md")]))
    assert seen == [[]]
