"""Time and memory: how programs are measured, how two are compared, and what the report says of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks import bench, bench_report, parse_all, plan_all, processes, tools
from benchmarks.comparison import Figure, Goal, Side, alone_figure, alternate, memory_figures, note, time_figure
from benchmarks.errors import InputError
from benchmarks.processes import Usage

REPOSITORY = Path(__file__).parents[2]
MEGABYTE = 1_000_000


def used(seconds: float, peak: int = 0, together: int = 0, code: int = 0) -> Usage:
    return Usage(seconds, peak * MEGABYTE, together * MEGABYTE, code, "")


# Programs.


def test_a_program_is_timed_and_its_code_and_its_words_are_kept() -> None:
    script = "import sys, time; time.sleep(0.3); sys.stderr.write('first\\nlast\\n'); sys.exit(3)"
    usage = processes.run([sys.executable, "-c", script])
    assert 0.3 < usage.seconds < 10
    assert (usage.code, usage.said, usage.together) == (3, "first\nlast", 0)


def test_the_memory_of_the_largest_process_counts_and_all_of_them_together_is_more() -> None:
    child = "x = bytearray(80_000_000); import time; time.sleep(0.5)"
    parent = f"import subprocess, sys; x = bytearray(80_000_000); subprocess.run([sys.executable, '-c', {child!r}])"
    # From a small process, as the benchmarks are: a fork counts the memory of the one that it was made from.
    measure = "import sys; from benchmarks import processes; u = processes.run(sys.argv[1:], sample=True); "
    measure += "print(u.peak, u.together)"
    command = [sys.executable, "-c", measure, sys.executable, "-c", parent]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    peak, together = map(int, said.split())
    assert 80 < peak / MEGABYTE < 140
    assert 160 < together / MEGABYTE < 280


def test_a_program_runs_where_it_is_told_to(tmp_path: Path) -> None:
    script = "import os, pathlib; pathlib.Path('told').write_text(os.environ['WORD'])"
    processes.run([sys.executable, "-c", script], cwd=tmp_path, env=os.environ | {"WORD": "here"})
    assert (tmp_path / "told").read_text() == "here"


def test_a_program_that_is_not_there_is_one_line() -> None:
    with pytest.raises(InputError, match="/no/such: cannot be run"):
        processes.run(["/no/such"])


def test_the_yardstick_parses_the_files_that_the_scan_reads(tmp_path: Path) -> None:
    for name in ("a.go", "b_test.go", "sub/c.go", "vendor/d.go", "testdata/e.go", "_f.go", ".git/g.go", "h.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("package a\n")
    names = sorted(path.relative_to(tmp_path).as_posix() for path in parse_all.go_files(tmp_path))
    assert names == ["a.go", "b_test.go", "sub/c.go"]


# Comparisons.


def test_two_programs_take_turns() -> None:
    order: list[str] = []

    def of(name: str, seconds: float) -> Usage:
        order.append(name)
        return used(seconds)

    ours, theirs = alternate(lambda: of("A", 1), lambda: of("B", 2), 3)
    assert "".join(order) == "ABABAB"
    assert ([run.seconds for run in ours], [run.seconds for run in theirs]) == ([1, 1, 1], [2, 2, 2])


def test_the_median_is_what_counts() -> None:
    ours = Side("ctxaudit", (used(1), used(9), used(2)))
    theirs = Side("other", (used(8), used(8), used(80)))
    figure = time_figure("shop", "first scan", ours, theirs, Goal(0.3))
    assert (figure.value, figure.met, figure.ours, figure.theirs) == (0.25, True, "2.00 s", "8.00 s")


def test_memory_is_the_largest_process_and_all_together_is_told() -> None:
    ours, theirs = Side("ctxaudit", (used(1, 200, 300),)), Side("other", (used(1, 1000, 1000),))
    largest, together = memory_figures("shop", "first scan", ours, theirs, Goal(0.15))
    assert (largest.value, largest.met, largest.ours) == (0.2, False, "200 MB")
    assert (together.value, together.met, together.goal) == (0.3, True, None)
    assert len(memory_figures("shop", "first scan", ours, Side("other", (used(1, 1000),)), Goal(0.15))) == 1


def test_goals_are_not_rounded() -> None:
    assert Goal(0.3).met(0.3)
    assert not Goal(0.3).met(0.3000001)
    assert not Goal(1, strict=True).met(1)
    assert (str(Goal(0.3)), str(Goal(1, strict=True))) == ("≤ 0.3", "< 1")
    assert alone_figure("any", "--help", [used(0.2), used(0.24), used(5)], Goal(0.25, strict=True)).met


def test_a_note_says_how_sure_the_figure_is() -> None:
    ours = Side("ctxaudit", (used(1), used(1.1), used(1.2)))
    theirs = Side("other", (used(1, code=3), used(1), used(1)))
    assert note(ours, theirs) == "runs differ by 18%; other ended with 3"


# The report.

FIGURES = [
    Figure("dex", "first scan / contextcheck", "1.20 s", "7.90 s", 0.1519, Goal(0.3), "runs differ by 2%"),
    Figure("any", "ctxaudit --help, seconds", "0.31 s", "", 0.31, Goal(0.25, strict=True)),
    Figure("dex", "all processes' memory", "1 MB", "9 MB", 0.1, None),
]
ABOUT: dict[str, Any] = {
    "cores": 2,
    "load": [0.5, 1, 1],
    "python": "3.11",
    "go": "go1.26",
    "runs": 3,
    "ctxaudit": "1" * 40,
    "tools": {"contextcheck": "v1"},
    "commits": {"dex": "2" * 40},
}


def test_the_report_says_what_is_met_and_what_is_missed() -> None:
    text = bench_report.as_markdown(FIGURES, ABOUT)
    assert "| dex | first scan / contextcheck | 1.20 s | 7.90 s | 0.15 | ≤ 0.3 met | runs differ by 2% |" in text
    assert "| any | ctxaudit --help, seconds | 0.31 s | - | 0.31 | < 0.25 missed |  |" in text
    assert "dex 2222222222" in text
    data = bench_report.as_json(FIGURES, ABOUT)
    assert (data["met"], [figure["met"] for figure in data["figures"]]) == (False, [True, False, True])
    assert data["figures"][0]["value"] == 0.1519


def test_a_figure_is_one_line() -> None:
    words = " ".join(bench_report.line(FIGURES[0]).split())
    assert words == "dex first scan / contextcheck 0.15 ≤ 0.3 met 1.20 s / 7.90 s"


# The program.


def started(tmp_path: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "benchmarks.bench", *map(str, arguments), "--out", str(tmp_path / "out")]
    return subprocess.run(command, cwd=REPOSITORY, env=env, capture_output=True, text=True, check=False)


def clone(folder: Path) -> Path:
    """A repository `dex` with one file, among clones."""
    (folder / "dex").mkdir(parents=True)
    (folder / "dex" / "go.mod").write_text("module example.org/dex\n\ngo 1.21\n")
    (folder / "dex" / "dex.go").write_text('package dex\n\nimport "context"\n\nvar ctx = context.Background()\n')
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=t", "-c", "user.email=t@e", "commit", "-qm", "1"]):
        subprocess.run(["git", "-C", str(folder / "dex"), *words], check=True, capture_output=True)
    return folder


def test_a_part_can_be_measured_by_itself(tmp_path: Path) -> None:
    done = started(tmp_path, clone(tmp_path / "clones"), "--part", "syntax", "--runs", 1)
    assert (done.returncode in (0, 1), done.stderr) == (True, "")
    assert done.stdout.startswith("dex ")
    assert "syntax only / ast-grep's parsing" in (tmp_path / "out" / "bench.md").read_text()
    assert list((tmp_path / f"ctxaudit-worktrees-{os.getuid()}").glob("dex-*")) == []
    assert list(tmp_path.glob("ctxaudit-bench-*")) == []


def test_a_fix_is_measured_by_itself_and_its_plan_beside_a_scan(tmp_path: Path) -> None:
    done = started(tmp_path, clone(tmp_path / "clones"), "--part", "fix", "--runs", 1)
    assert (done.returncode in (0, 1), done.stderr) == (True, "")
    figures = json.loads((tmp_path / "out" / "bench.json").read_text())["figures"]
    assert [figure["what"] for figure in figures] == [
        "plan and rewrite / first scan",
        "ctxaudit fix --verify build, seconds",
    ]
    assert figures[0]["met"]
    assert figures[1]["value"] > 0


def test_a_plan_that_was_not_made_is_told() -> None:
    assert plan_all.seconds("a warning\nplanned and rewritten in 0.2500 s") == 0.25
    for said in ("", "plan_all: dex: no Go code in it"):
        with pytest.raises(InputError, match=r"no Go code|without a word"):
            plan_all.seconds(said)


def test_what_is_missing_is_one_line(tmp_path: Path) -> None:
    clones = clone(tmp_path / "clones")
    (tmp_path / "empty").mkdir()
    wrong: list[tuple[list[object], int, str]] = [
        ([tmp_path / "nowhere"], 3, "no such folder"),
        ([tmp_path / "empty"], 3, "none of dex, console, rclone, argo-cd is in it"),
        ([clones, "--repo", "rclone"], 3, "no clone of rclone here"),
        ([clones, "--repo", "other"], 2, "is not measured"),
    ]
    for arguments, code, reason in wrong:
        done = started(tmp_path, *arguments)
        assert (done.returncode, done.stderr.count("\n"), reason in done.stderr) == (code, 1, True), done.stderr


def test_a_first_scan_finds_the_helper_built_and_no_facts(tmp_path: Path) -> None:
    folder = clone(tmp_path / "clones") / "dex"
    go = tools.find_go()
    it = bench.Bench(tools.environment(go), 1, tmp_path, None, None)
    first, second = bench.fresh_cache(it), bench.fresh_cache(it)
    assert first != second
    assert [path.name.startswith("gofacts-") for path in (first / "ctxaudit").iterdir()] == [True]
    before = time.time()
    assert bench.scan(it, folder, first).code == 0
    assert [path for path in (first / "ctxaudit").glob("gofacts-*") if path.stat().st_mtime > before] == []
    assert len([*(second / "ctxaudit").iterdir()]) == 1
