"""Agreement with people: the labels, the scorer, the report, and the whole program on repositories of our own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks import cases, checkouts, parity_report, report, scoring
from benchmarks.cases import Case, CommitCase, DecidedRow, JudgedCase, JudgedRow
from benchmarks.errors import InputError, UsageError
from benchmarks.parity_report import Outcome, Scan
from benchmarks.scoring import Found, Share

REPOSITORY = Path(__file__).parents[2]

SHOP = """\
package shop

import (
	"context"
	"net/http"
)

func handle(w http.ResponseWriter, r *http.Request) { load() }

func load() { wait(context.TODO()) }

func wait(ctx context.Context) { <-ctx.Done() }
"""


def found(line: int, verdict: str = "fix", category: str = "request", kind: str = "root") -> Found:
    return Found(kind, "shop.go", line, category, verdict, "because")


def commit(*rows: tuple[int, cases.Decision]) -> Case:
    decided = tuple(DecidedRow("shop.go", line, "load", decision) for line, decision in rows)
    return Case("commits/shop", CommitCase("github:example/shop", "1" * 40, "2" * 40, "pass it", "2024-01-01", decided))


def judged(*rows: tuple[int, Sequence[str], Sequence[str], bool]) -> Case:
    said = tuple(
        JudgedRow("shop.go", line, tuple(verdicts), tuple(categories), settled, "", "a reader's reason")
        for line, verdicts, categories, settled in rows
    )
    return Case("judged/shop", JudgedCase("github:example/shop", "1" * 40, said))


def shares(case: Case, *findings: Found) -> dict[str, tuple[int, int]]:
    return {name: (share.hits, share.rows) for name, share in scoring.score(case, findings).shares.items()}


# The labels.


def test_every_label_can_be_read_and_names_a_place_and_a_whole_commit() -> None:
    all_cases = cases.load()
    assert len(all_cases) == 14
    for case in all_cases:
        assert len(case.base) == 40
        assert case.labels.repository.startswith("github:")
        assert all(row.file.endswith(".go") and row.line > 0 for row in case.labels.rows)


def test_the_readme_of_the_labels_counts_as_the_labels_do() -> None:
    text = (cases.DECISIONS / "README.md").read_text(encoding="utf-8")
    for case in cases.load():
        if isinstance(case.labels, CommitCase):
            decisions = [row.decision for row in case.labels.rows]
            fixed, kept = decisions.count("fixed"), decisions.count("kept")
            counts = f"| {len(decisions)} | {fixed} | {kept} | {len(decisions) - fixed - kept} |"
            name = f"`{case.name.partition('/')[2]}.json`"
            (line,) = [line for line in text.splitlines() if name in line]
            assert counts in line
    readings = [row for case in cases.load() if isinstance(case.labels, JudgedCase) for row in case.labels.rows]
    assert (len(readings), sum(row.settled for row in readings)) == (60, 52)
    assert sum(len(row.verdicts) == 1 for row in readings) == 57
    assert "agree on 57 of the 60 verdicts; 52 rows are settled" in text


def test_a_slip_in_a_label_is_seen(tmp_path: Path) -> None:
    (tmp_path / "judged").mkdir()
    (tmp_path / "judged" / "shop.json").write_text('{"repository": "x", "base": "1", "rows": [], "verdict": 1}')
    with pytest.raises(InputError, match=r"shop\.json: .*verdict"):
        cases.load(tmp_path)


def test_cases_are_chosen_by_a_part_of_their_name() -> None:
    everything = cases.load()
    assert cases.choose(everything, []) == everything
    assert [case.name for case in cases.choose(everything, ["kuber"])] == ["commits/kuberhealthy-40519408"]
    assert len(cases.choose(everything, ["judged", "kuber"])) == 6
    with pytest.raises(UsageError, match="--case nowhere: no such case"):
        cases.choose(everything, ["nowhere"])


# The scorer.


def test_people_who_changed_their_minds_are_no_measure_but_their_roots_are_found() -> None:
    case = commit((1, "kept_so_far"), (2, "kept_then_fixed_later"))
    assert shares(case, found(1, "fix")) == {"found": (1, 2), "recall": (0, 0), "respect": (0, 0)}


@pytest.mark.parametrize(("verdict", "hit"), [("fix", 1), ("detach", 1), ("keep", 0), ("review", 0)])
def test_what_people_fixed_is_recalled_by_a_change(verdict: str, hit: int) -> None:
    assert shares(commit((1, "fixed")), found(1, verdict)) == {"found": (1, 1), "recall": (hit, 1), "respect": (0, 0)}


@pytest.mark.parametrize(("verdict", "hit"), [("fix", 0), ("detach", 0), ("keep", 1), ("review", 1)])
def test_what_people_kept_is_respected_by_no_change(verdict: str, hit: int) -> None:
    assert shares(commit((1, "kept")), found(1, verdict)) == {"found": (1, 1), "recall": (0, 0), "respect": (hit, 1)}


def test_what_was_not_found_is_neither_recalled_nor_respected() -> None:
    case = commit((1, "fixed"), (2, "kept"))
    assert shares(case, found(3)) == {"found": (0, 2), "recall": (0, 1), "respect": (0, 1)}


def test_a_line_with_two_roots_is_changed_when_one_is() -> None:
    case = commit((1, "fixed"), (2, "kept"))
    findings = [found(1, "keep"), found(1, "fix"), found(2, "keep"), found(2, "fix")]
    assert shares(case, *findings) == {"found": (2, 2), "recall": (1, 1), "respect": (0, 1)}


def test_bare_calls_are_no_roots() -> None:
    lines = [b'{"kind":"bare_call","file":"a.go","line":1,"category":"request","verdict":"fix","more":2}', b""]
    lines.append(b'{"kind":"root","file":"a.go","line":2,"category":"init","verdict":"keep","reason":"main"}')
    assert scoring.decode(lines) == (Found("root", "a.go", 2, "init", "keep", "main"),)


def test_a_judged_root_agrees_with_either_reader() -> None:
    case = judged((1, ["keep", "review"], ["background"], True))
    everything = {"found": (1, 1), "verdict": (1, 1), "change": (1, 1), "category": (1, 1)}
    assert shares(case, found(1, "keep", "background")) == everything
    assert shares(case, found(1, "review", "background")) == everything
    assert shares(case, found(1, "fix", "background")) == everything | {"verdict": (0, 1), "change": (0, 1)}


def test_a_change_of_another_kind_agrees_in_change_alone() -> None:
    case = judged((1, ["detach"], ["request"], True))
    assert shares(case, found(1, "fix"))["verdict"] == (0, 1)
    assert shares(case, found(1, "fix"))["change"] == (1, 1)


def test_what_is_not_settled_counts_for_the_category_alone() -> None:
    score = scoring.score(judged((1, ["fix"], ["request", "background"], False)), [found(1, "keep")])
    assert {name: (share.hits, share.rows) for name, share in score.shares.items()} == {
        "found": (1, 1),
        "verdict": (0, 0),
        "change": (0, 0),
        "category": (1, 1),
    }
    assert score.misses == ()


def test_a_disagreement_says_what_both_said_and_why() -> None:
    (miss,) = scoring.score(judged((7, ["keep"], ["init"], True)), [found(7)]).misses
    assert parity_report.miss_text(miss) == (
        "shop.go:7: people keep init (a reader's reason) - audit fix request: because"
    )
    (miss,) = scoring.score(commit((7, "fixed")), []).misses
    assert parity_report.miss_text(miss) == "shop.go:7: people fixed (load) - audit no finding"


def test_goals_hold_for_all_cases_together_and_are_not_rounded_up() -> None:
    first = scoring.score(commit(*((line, "fixed") for line in range(1, 50))), [found(line) for line in range(1, 49)])
    second = scoring.score(commit((1, "fixed")), [found(1)])
    both = scoring.total([first, second], "commits")
    assert both.shares["recall"] == Share(49, 50)
    assert scoring.unmet("commits", both) == ["found"]
    assert scoring.unmet("commits", first) == ["found", "recall"]
    assert Share(979, 1000).meets(98) is False
    assert Share(0, 0).meets(98) is True


# The report.


def outcomes() -> list[Outcome]:
    runs = [
        (commit((1, "fixed"), (2, "kept")), [found(1), found(2)]),
        (judged((1, ["fix"], ["init"], True)), [found(1)]),
    ]
    return [Outcome(case, Scan(tuple(rows), 1.25, True, ()), scoring.score(case, rows)) for case, rows in runs]


def test_the_report_says_the_same_to_programs_and_to_people() -> None:
    data = parity_report.as_json(outcomes())
    assert data["met"] is False
    assert data["totals"]["commits"]["respect"] == {"hits": 0, "rows": 1, "percent": 0.0, "goal": 80.0, "met": False}
    assert data["totals"]["judged"]["change"] == {"hits": 1, "rows": 1, "percent": 100.0, "goal": None, "met": True}
    assert [case["case"] for case in data["cases"]] == ["commits/shop", "judged/shop"]
    text = parity_report.as_markdown(outcomes())
    assert "| respect | 0/1 0.0 % | 80 % | missed |" in text
    assert "### Disagreements in commits/shop: pass it\n\n- shop.go:2: people kept" in text
    assert parity_report.missed(outcomes()) == ["respect", "category"]


def test_a_case_is_one_line() -> None:
    words = " ".join(parity_report.line(outcomes()[0]).split())
    assert words == "commits/shop 1.2 s found 2/2 100.0 % recall 1/1 100.0 % respect 0/1 0.0 %"


def test_results_are_written_whole(tmp_path: Path) -> None:
    files = report.write(tmp_path, "parity", {"met": True}, "# Words")
    assert [file.read_text() for file in files] == ['{\n "met": true\n}\n', "# Words\n"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["parity.json", "parity.md"]


def test_tables_keep_their_columns() -> None:
    assert report.columns([("a", "1"), ("bbb", "22")]) == "a     1\nbbb  22"
    assert report.table(("a|b", "n"), [("x", "1")]) == "| a\\|b | n |\n| --- | ---: |\n| x | 1 |"


# Worktrees.


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def clones(tmp_path: Path) -> Path:
    """A folder with a clone of `shop`, in which something else than the labelled version is checked out."""
    clone = tmp_path / "clones" / "shop"
    clone.mkdir(parents=True)
    git(clone, "init", "-q")
    (clone / "go.mod").write_text("module example.org/shop\n\ngo 1.21\n")
    (clone / "shop.go").write_text(SHOP)
    git(clone, "add", ".")
    git(clone, "commit", "-q", "-m", "first")
    (clone / "shop.go").write_text("package shop\n")
    git(clone, "commit", "-q", "-a", "-m", "second")
    (clone / "shop.go").write_text("package shop // not committed\n")
    return clone.parent


def state(clone: Path) -> tuple[str, str, str]:
    files = "".join(f"{path}" for path in sorted((clone / ".git").rglob("*")) if "worktrees" in path.parts)
    return git(clone, "status", "--porcelain"), git(clone, "worktree", "list", "--porcelain"), files


def test_a_worktree_holds_the_version_and_goes_again(clones: Path, tmp_path: Path) -> None:
    clone = checkouts.clone_of(clones, "shop")
    before = state(clone)[:2]
    with checkouts.worktree(clone, checkouts.commit_of(clone, "HEAD~1"), tmp_path) as folder:
        assert (folder / "shop.go").read_text() == SHOP
        assert state(clone)[0] == before[0]
    assert not folder.exists()
    assert state(clone) == (*before, state(clone)[2])
    assert "shop-" not in state(clone)[2]


def test_a_worktree_goes_when_the_work_is_interrupted(clones: Path, tmp_path: Path) -> None:
    clone = clones / "shop"
    before = state(clone)[:2]
    with pytest.raises(KeyboardInterrupt), checkouts.worktree(clone, git(clone, "rev-parse", "HEAD"), tmp_path):
        raise KeyboardInterrupt
    assert state(clone)[:2] == before
    assert [path.name for path in tmp_path.iterdir()] == ["clones"]


def test_what_a_killed_run_has_left_is_no_obstacle(clones: Path, tmp_path: Path) -> None:
    clone = clones / "shop"
    commit = git(clone, "rev-parse", "HEAD~1")
    git(clone, "worktree", "add", "-q", "--detach", str(tmp_path / f"shop-{commit[:8]}"), commit)
    with checkouts.worktree(clone, commit, tmp_path) as folder:
        assert (folder / "go.mod").is_file()
    assert git(clone, "worktree", "list").count("\n") == 0


def test_a_file_whose_content_the_clone_lacks_is_left_out(clones: Path, tmp_path: Path) -> None:
    clone = clones / "shop"
    blob = git(clone, "rev-parse", "HEAD~1:shop.go")
    (clone / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with checkouts.worktree(clone, git(clone, "rev-parse", "HEAD~1"), tmp_path) as folder:
        assert sorted(path.name for path in folder.iterdir()) == [".git", "go.mod"]


def test_a_checkout_that_is_there_is_found_by_its_commit(clones: Path) -> None:
    head = git(clones / "shop", "rev-parse", "HEAD")
    git(clones / "shop", "worktree", "add", "-q", "--detach", str(clones / "shop-before"), "HEAD~1")
    git(clones / "shop", "worktree", "add", "-q", "--detach", str(clones / "shop-head"), "HEAD")
    assert checkouts.find(clones, "shop", head) == clones / "shop-head"
    with pytest.raises(InputError, match="no folder other-"):
        checkouts.find(clones, "other", head)


# The program.


def labels(folder: Path, clones: Path, decision: str = "fixed", base: str = "HEAD~1") -> Path:
    """A folder of labels: one case, with what people are to have said of the one root of `shop`."""
    (folder / "commits").mkdir(parents=True)
    commit = git(clones / "shop", "rev-parse", base) if base.startswith("HEAD") else base
    rows = [{"file": "shop.go", "line": 10, "function": "load", "decision": decision}]
    about = {"repository": "github:example/shop", "commit": "2" * 40, "subject": "pass it", "date": "2024-01-01"}
    (folder / "commits" / "shop.json").write_text(json.dumps({**about, "base": commit, "rows": rows}))
    return folder


def parity(tmp_path: Path, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    """The program, started: its worktrees lie in a folder of the test."""
    env = os.environ | {"TMPDIR": str(tmp_path)} | environment
    command = [sys.executable, "-m", "benchmarks.parity", *map(str, arguments), "--out", str(tmp_path / "out")]
    return subprocess.Popen(command, cwd=REPOSITORY, env=env, stdout=-1, stderr=-1, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.mark.parametrize(("decision", "code", "word"), [("fixed", 0, "met"), ("kept", 1, "missed")])
def test_a_scan_is_held_against_the_labels(clones: Path, tmp_path: Path, decision: str, code: int, word: str) -> None:
    mine = labels(tmp_path / "labels", clones, decision)
    before = state(clones / "shop")[:2]
    status, out, err = ended(parity(tmp_path, clones, "--labels", mine, "--misses", 3))
    assert (status, err) == (code, "")
    assert out.startswith("commits/shop ")
    assert ("shop.go:10: people kept (load) - audit fix" in out) == (decision == "kept")
    written: dict[str, Any] = json.loads((tmp_path / "out" / "parity.json").read_text())
    assert written["totals"]["commits"]["found"]["hits"] == 1
    assert word in (tmp_path / "out" / "parity.md").read_text()
    assert state(clones / "shop")[:2] == before


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing_behind(clones: Path, tmp_path: Path, told: signal.Signals) -> None:
    mine = labels(tmp_path / "labels", clones)
    before = state(clones / "shop")[:2]
    slow, started = tmp_path / "slow-go", tmp_path / "started"
    slow.write_text(f"#!/bin/sh\necho $$ > {started}.part; mv {started}.part {started}; sleep 60\n")
    slow.chmod(0o755)
    process = parity(tmp_path, clones, "--labels", mine, CTXAUDIT_GO=str(slow))
    deadline = time.monotonic() + 60
    while not started.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(told)
    code, _, err = ended(process)
    assert (code, err.count("\n")) == (128 + told, 1)
    assert state(clones / "shop")[:2] == before
    assert list((tmp_path / f"ctxaudit-worktrees-{os.getuid()}").glob("shop-*")) == []
    assert gone(int(started.read_text()))


def gone(pid: int) -> bool:
    """Whether a process has ended, or will in a moment."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").exists() and " Z " in Path(f"/proc/{pid}/stat").read_text():
            return True
        time.sleep(0.05)
    return False


def test_what_is_missing_is_one_line(clones: Path, tmp_path: Path) -> None:
    mine = labels(tmp_path / "labels", clones)
    gone_commit = labels(tmp_path / "gone", clones, base="3" * 40)
    (clones / "shop" / "out").write_text("a file")
    wrong = [
        ([tmp_path / "nowhere", "--labels", mine], 3, "no such folder"),
        ([tmp_path, "--labels", mine], 3, "no clone of shop here"),
        ([clones, "--labels", gone_commit], 3, "has no commit 3333333333"),
        ([clones, "--labels", tmp_path], 3, "no labels in it"),
        ([clones, "--labels", mine, "--case", "nowhere"], 2, "no such case"),
        ([clones, "--labels", mine, "--checkouts", clones], 3, "no folder shop-"),
    ]
    for arguments, code, reason in wrong:
        status, _, err = ended(parity(tmp_path, *arguments))
        assert (status, err.count("\n"), reason in err) == (code, 1, True), err


def test_two_runs_at_once_do_not_share_worktrees(clones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = labels(tmp_path / "labels", clones)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with checkouts.workspace():
        status, _, err = ended(parity(tmp_path, clones, "--labels", mine))
    assert (status, "another measurement is under way" in err) == (3, True)
