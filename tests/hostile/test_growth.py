"""Programs that grow in one way: each audit ends, every site is in it, and what was given up is named."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from audit_lib.config import Config
from audit_lib.errors import ExhaustedError
from audit_lib.judge import effort
from audit_lib.judge.classify import judge_until
from audit_lib.judge.effort import STEPS_PER_FACT, STEPS_TO_SPARE, WAYS, Effort
from audit_lib.read.facts import Call, Dispatch, Facts, Func, Origin, Place, Skipped, TypedSite
from audit_lib.read.scan import scan
from audit_lib.read.syntax import Syntax
from tests.hostile.growth import FAMILIES, write

HANGS = 240
"""Seconds after which an audit counts as one that does not end; each takes some seconds on a machine that is free."""

FULL = os.environ.get("CTXAUDIT_GROWTH") == "full"
"""Whether the sizes are those at which a program once did not end; without it they are some seconds' work."""

# Programs that are read as any other code: a size, and the full one.
WHOLE = {
    "sites": (5_000, 20_000),
    "sites_after_cancel": (1_000, 5_000),
    "with_values": (1_000, 5_000),
    "new_values": (1_000, 5_000),
    "goroutines": (1_000, 5_000),
    "ring": (1_000, 2_000),
    "diamonds": (50, 50),
    "slice_of_functions": (1_500, 3_000),
    "implementers": (300, 2_000),
}
# Programs of which a declaration is given up, by name.
GIVEN_UP = {"signatures": (40, 40), "instances": (40, 40)}
# Programs whose file is not looked through, by name: it has too many sites, or too much in each other.
NOT_SCANNED = {
    "sites": (20_500, 50_000),
    "nested_calls": (1_000, 20_000),
    "closures": (1_200, 2_400),
    "blocks": (1_000, 2_000),
    "shadowed": (1_000, 2_000),
    "loops": (1_000, 2_000),
}


def _made(folder: Path, name: str, sizes: Mapping[str, tuple[int, int]]) -> Path:
    return write(folder, FAMILIES[name](sizes[name][FULL]))


def _scan(target: Path, out: Path, *options: str) -> tuple[list[dict[str, str]], list[dict[str, str]], str]:
    command = [sys.executable, "-m", "audit_lib", "scan", str(target), "--out", str(out), "--quiet", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANGS, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr[-2000:]
    rows = [json.loads(line) for line in (out / "findings.jsonl").read_text().splitlines()]
    audit = json.loads((out / "audit.json").read_text())
    return rows, audit["degradations"], done.stderr


def _roots(target: Path) -> int:
    return sum(file.read_text().count("context.Background()") for file in target.rglob("*.go"))


@pytest.mark.slow
@pytest.mark.parametrize("name", WHOLE)
def test_what_is_long_is_read_whole(name: str, tmp_path: Path) -> None:
    target = _made(tmp_path / "target", name, WHOLE)
    rows, degradations, _ = _scan(target, tmp_path / "out")
    assert len(rows) == _roots(target)
    assert degradations == []


@pytest.mark.slow
@pytest.mark.parametrize("name", GIVEN_UP)
def test_what_is_too_much_is_named_and_its_sites_are_for_review(name: str, tmp_path: Path) -> None:
    target = _made(tmp_path / "target", name, GIVEN_UP)
    rows, degradations, _ = _scan(target, tmp_path / "out")
    assert len(rows) == _roots(target)
    assert any("for review" in degradation["reason"] for degradation in degradations)
    given_up = [row for row in rows if row["reason"].startswith("what is above it is not known")]
    assert given_up
    assert {row["verdict"] for row in given_up} == {"review"}


@pytest.mark.slow
@pytest.mark.parametrize("name", NOT_SCANNED)
def test_a_file_past_the_limits_of_the_scan_is_named(name: str, tmp_path: Path) -> None:
    target = _made(tmp_path / "target", name, NOT_SCANNED)
    rows, degradations, _ = _scan(target, tmp_path / "out")
    (reason,) = [degradation["reason"] for degradation in degradations if degradation["where"] == "grow.go"]
    assert reason.endswith(": not scanned")
    assert len(rows) <= _roots(target)


@pytest.mark.slow
def test_types_that_are_not_read_in_time_leave_every_site_for_review(tmp_path: Path) -> None:
    target = write(tmp_path / "target", FAMILIES["instances"](60))
    rows, degradations, _ = _scan(target, tmp_path / "out", "--max-time", "2")
    assert [row["verdict"] for row in rows] == ["review"] * _roots(target)
    assert {"where": "types", "reason": "not read within 2 s; every site is for review"} in degradations


def _target(folder: Path) -> Path:
    return write(folder, FAMILIES["ring"](3))


def test_folders_that_are_not_scanned_in_time_are_named(tmp_path: Path) -> None:
    found = scan(_target(tmp_path), Config(), deadline=time.monotonic() - 1)
    assert found.sites == ()
    assert [(d.where, d.reason) for d in found.degradations] == [(".", "not scanned: the time that was given was over")]


def test_sites_that_are_not_judged_in_time_are_for_review(tmp_path: Path) -> None:
    syntax = scan(_target(tmp_path), Config())
    facts = Facts(
        funcs=(Func("grow.root"),),
        sites=tuple(
            TypedSite("root", "context.Background", place=Place(s.span.file, 1, 1, s.span.start, s.span.end))
            for s in syntax.sites
        ),
    )
    judged = judge_until(time.monotonic() - 1, syntax, facts, Config())
    assert [finding.verdict for finding in judged.findings] == ["review"] * len(syntax.sites)
    (degradation,) = judged.degradations
    assert degradation.where == "judging"
    assert "time" in degradation.reason


def test_a_function_that_was_given_up_keeps_its_sites_with_the_reason(tmp_path: Path) -> None:
    syntax = scan(_target(tmp_path), Config())
    last = max(syntax.sites, key=lambda site: site.span.start)
    part = Skipped(Place("grow.go", 1, 1, last.span.start - 5, last.span.end + 5), "it is too long")
    judged = judge_until(None, syntax, Facts(skipped=(part,)), Config())
    assert len(judged.findings) == len(syntax.sites)
    assert [f.site.span for f in judged.findings if "it is too long" in f.reason] == [last.span]


def test_work_past_the_limit_for_a_targets_size_is_refused() -> None:
    effort = Effort(facts=10)
    effort.spend(STEPS_TO_SPARE + 10 * STEPS_PER_FACT)
    with pytest.raises(ExhaustedError, match="steps for each fact"):
        effort.spend(20_000)


def test_more_ways_than_memory_could_hold_are_refused() -> None:
    effort = Effort(facts=10**9)
    effort.keep(WAYS)
    with pytest.raises(ExhaustedError, match="ways"):
        effort.keep(1)


def _crowd(size: int) -> Facts:
    """Functions in one list, each of which calls what is in it, with a root in each."""
    names = [f"grow.f{i}" for i in range(size)]

    def place(line: int, start: int, end: int) -> Place:
        return Place("grow.go", line + 1, 1, 100 * line + start, 100 * line + end)

    return Facts(
        funcs=tuple(Func(name, name, "grow", place(i, 0, 99)) for i, name in enumerate(names)),
        dispatch=(Dispatch("element:[]func()", targets=tuple(names)),),
        calls=tuple(Call(name, "element:[]func()", "value", place(i, 10, 15)) for i, name in enumerate(names)),
        sites=tuple(
            TypedSite("root", "context.Background", place=place(i, 20, 40), function=name)
            for i, name in enumerate(names)
        ),
    )


def _served(facts: Facts) -> Facts:
    """The same, where a function with a request's context calls the first of them."""
    place = Place("serve.go", 1, 1, 0, 100)
    return dataclasses.replace(
        facts,
        funcs=(*facts.funcs, Func("grow.serve", "serve", "grow", place)),
        calls=(*facts.calls, Call("grow.serve", "grow.f0", "static", Place("serve.go", 1, 1, 50, 60))),
        sources=(Origin("ctx", "context", owner="grow.serve", name="ctx", param=True, file="serve.go", stop=100),),
    )


@pytest.mark.parametrize("size", [400, 3_000])
@pytest.mark.parametrize("served", [False, True])
def test_functions_that_all_call_each_other_by_a_list_are_judged(size: int, served: bool, tmp_path: Path) -> None:
    syntax = scan(_target(tmp_path), Config())
    facts = _served(_crowd(size)) if served else _crowd(size)
    judged = judge_until(time.monotonic() + HANGS, syntax, facts, Config())
    assert judged.degradations == ()
    found = [finding for finding in judged.findings if finding.rule != "untyped"]
    assert len(found) == size
    assert {finding.source is not None for finding in found} == {served}


def _chain(target: Path, size: int) -> tuple[Syntax, Facts]:
    """Functions in a chain, each of which calls the next and has a root; nobody calls the first."""
    syntax = scan(write(target, FAMILIES["chain_of_calls"](size)), Config())
    names = [f"grow.f{i}" for i in range(size)]
    places = [Place(s.span.file, s.span.line, 1, s.span.start, s.span.end) for s in syntax.sites[-size:]]
    facts = Facts(
        funcs=tuple(Func(name, name, "grow", place) for name, place in zip(names, places, strict=True)),
        calls=tuple(
            Call(above, below, "static", place) for above, below, place in zip(names, names[1:], places, strict=False)
        ),
        sites=tuple(
            TypedSite("root", "context.Background", place=place, function=name)
            for name, place in zip(names, places, strict=True)
        ),
    )
    return syntax, facts


def test_a_site_that_takes_too_many_steps_is_given_up_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syntax, facts = _chain(tmp_path, 1_200)
    facts = dataclasses.replace(facts, sites=facts.sites[::-1])  # the one with most above it comes first
    whole = judge_until(None, syntax, facts, Config())
    monkeypatch.setattr(effort, "SHARE", 10**9)  # each site has no more than its own steps
    judged = judge_until(None, syntax, facts, Config())
    given_up = [finding for finding in judged.findings if "steps for each fact" in finding.reason]
    assert 0 < len(given_up) < len(syntax.sites)
    assert {finding.verdict for finding in given_up} == {"review"}
    assert [degradation.where for degradation in judged.degradations] == ["judging"]
    assert f"{len(given_up)} sites are for review" in judged.degradations[0].reason
    others = [finding for finding in judged.findings if finding not in given_up]
    assert others
    assert set(others) <= set(whole.findings)
