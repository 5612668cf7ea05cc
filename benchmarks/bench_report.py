"""The figures of `bench` for people and programs."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import report, tools
from benchmarks.comparison import Figure

HOW = """\
Every pair was measured in turns (A B A B …) in one run on one machine; a figure is the median. Memory is that of the
largest process, as `/usr/bin/time -v` says; "all processes' memory" is the most that all held at once, sampled.

- first scan: `ctxaudit scan DIR --out OUT --quiet` with types, the helper built, no facts cached; against
  `contextcheck ./...`, which keeps no cache of its own. Go's build cache is warm for both.
- second scan: the same again, nothing changed; against `golangci-lint run --no-config ./...` (its default linters:
  errcheck, govet, ineffassign, staticcheck, unused) on a cache that a run before has filled.
- syntax only: `ctxaudit scan --syntax-only`, nothing cached, results written; against a program that parses the same
  files with ast-grep-py and does nothing else.
- plan and rewrite: what a fix of all findings takes in memory once all is read (plan, edits, imports, gofmt; no copy,
  no build); against the first scan.
- fix: `ctxaudit fix DIR --verify build --out OUT --quiet`, the whole of it, after one run that fills the caches.
- ctxaudit scans every module of a repository; the other two read the main one."""


def about(go: Path, runs: int, commits: Mapping[str, str]) -> dict[str, Any]:
    """What was measured with what, on what."""
    return {
        "cores": os.cpu_count(),
        "load": [round(load, 1) for load in os.getloadavg()],
        "python": platform.python_version(),
        "go": tools.go_env(go, "GOVERSION"),
        "runs": runs,
        "tools": {tool.name: tool.version for tool in (tools.CONTEXTCHECK, tools.GOLANGCI_LINT)},
        "ctxaudit": _own_commit(),
        "commits": dict(commits),
    }


def line(figure: Figure) -> str:
    """A figure in one line."""
    values = f"{figure.ours} / {figure.theirs}" if figure.theirs else figure.ours
    return f"{figure.where:8} {figure.what:44} {figure.value:6.2f}  {_goal(figure):17} {values}".rstrip()


def as_json(figures: Sequence[Figure], about: Mapping[str, Any]) -> dict[str, Any]:
    """All figures, for programs."""
    return {
        "met": all(figure.met for figure in figures),
        "about": dict(about),
        "figures": [
            {
                "where": figure.where,
                "what": figure.what,
                "ours": figure.ours,
                "theirs": figure.theirs,
                "value": round(figure.value, 4),
                "goal": str(figure.goal) if figure.goal else None,
                "met": figure.met,
                "note": figure.note,
            }
            for figure in figures
        ],
    }


def as_markdown(figures: Sequence[Figure], about: Mapping[str, Any]) -> str:
    """All figures, for people."""
    head = ("repository", "what", "ctxaudit", "the other", "ratio or seconds", "goal", "note")
    rows = [
        (one.where, one.what, one.ours, one.theirs or "-", f"{one.value:.2f}", _goal(one), one.note) for one in figures
    ]
    commits = ", ".join(f"{name} {commit[:10]}" for name, commit in about["commits"].items())
    versions = ", ".join(f"{name} {version}" for name, version in about["tools"].items())
    machine = (
        f"{about['cores']} cores, load {about['load'][0]} at the end; {about['go']}, Python {about['python']}; "
        f"{versions}; ctxaudit {about['ctxaudit'][:10]}; {about['runs']} runs each; {commits or 'no repository'}."
    )
    return "\n\n".join(["# Time and memory", report.table(head, rows), machine, HOW])


def _goal(figure: Figure) -> str:
    return f"{figure.goal} {'met' if figure.met else 'missed'}" if figure.goal else ""


def _own_commit() -> str:
    here = Path(__file__).resolve().parent
    done = subprocess.run(["git", "-C", str(here), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
