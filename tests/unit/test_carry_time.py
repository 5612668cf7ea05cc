"""Plans carried out within a time: what is not proved by its end is refused, and all that stays is proved."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from audit_lib.change import carry as carrying
from audit_lib.change import pace
from audit_lib.change import verify as verifying
from audit_lib.change.bench import Bench, Carried
from audit_lib.change.budget import BUILD_SHARE, Budget, OutOfTimeError
from audit_lib.change.carry import carry
from audit_lib.change.failures import Report
from audit_lib.change.packages import Commands, Package, compiled, concerned
from audit_lib.change.scratch import scratch_copy
from audit_lib.change.testing import run_tests
from audit_lib.change.trials import Trials
from audit_lib.config import GoOptions
from audit_lib.read.gotool import find_go
from tests.unit.planning import MODULE, HandMade, component, edit, refusals, titles
from tests.unit.shop import write
from tests.unit.test_budget import Clock

pytestmark = pytest.mark.slow

GOOD = component("good", edit("far/far.go", "return 1", "return 1 + 0"))
WRONG = component("wrong", edit("store/store.go", "Put(id int) int { return id }", "Put(id int) int { return -id }"))
CALLER = component("caller", edit("api/api.go", "store.Put(2)", "store.Put(1 + 1)"))
HANGS = component("hangs", edit("store/store.go", "Put(id int) int { return id }", "Put(id int) int { select {} }"))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user cache of the test's own; Go's stays where it is."""
    monkeypatch.setenv("GOCACHE", os.environ.get("GOCACHE", str(Path("~/.cache/go-build").expanduser())))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return write(tmp_path / "shop", MODULE)


def carried(target: Path, planner: HandMade, budget: Budget, **options: Any) -> Carried:
    with scratch_copy(target) as scratch:
        result = carry(Bench(scratch, find_go(), budget=budget, **options), planner)
        assert {file: scratch.read(file) for file in result.rewritten.after} == result.rewritten.after
    return result


Tests = Callable[..., Report]


def around_tests(
    monkeypatch: pytest.MonkeyPatch, around: Callable[[Tests, int, Sequence[Package]], Report]
) -> list[int]:
    """Do something around each run of tests of the verification; gives how many packages each had."""
    runs: list[int] = []

    def run(commands: Commands, packages: Sequence[Package], **options: Any) -> Report:
        runs.append(len(packages))
        return around(lambda: run_tests(commands, packages, **options), len(runs), packages)

    monkeypatch.setattr(verifying, "run_tests", run)
    return runs


def test_without_time_nothing_is_tried_and_all_is_refused(target: Path) -> None:
    result = carried(target, HandMade(GOOD, CALLER), Budget(3, clock=Clock()))
    assert (result.ok, titles(result), result.rewritten.after, result.steps) == (True, [], {}, ())
    assert refusals(result) == {
        "good": "far/far.go:3 not proved within 3 s",
        "caller": "api/api.go:7 not proved within 3 s",
    }


@pytest.mark.parametrize("command", ["list", "vet"])
def test_what_was_not_even_listed_or_vetted_is_not_proved(
    target: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    real = Commands.run

    def run(self: Commands, module: str, words: Sequence[str], arguments: Sequence[str]) -> Any:
        if words[0] == command:
            raise OutOfTimeError
        return real(self, module, words, arguments)

    monkeypatch.setattr(Commands, "run", run)
    result = carried(target, HandMade(GOOD, CALLER), Budget(500, clock=Clock()))
    assert (result.ok, titles(result), result.rewritten.after) == (True, [], {})
    assert all(reason.partition(" ")[2].startswith("not proved within 500 s") for reason in refusals(result).values())


@pytest.mark.parametrize("step", ["compile", "vet"])
def test_when_there_is_no_time_to_build_all_of_a_plan_a_smaller_one_is_proved(
    target: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    given: list[float] = []
    name = {"compile": "compiled", "vet": "vetted"}[step]
    real = getattr(verifying, name)

    def slow(commands: Commands, packages: Sequence[Package]) -> Report:
        given.append(commands.budget.now / commands.budget.left)
        if len(packages) > 1:
            raise OutOfTimeError
        report: Report = real(commands, packages)
        return report

    monkeypatch.setattr(verifying, name, slow)
    result = carried(target, HandMade(CALLER, GOOD, WRONG), Budget(500, clock=Clock()), level="build")
    assert (result.ok, len(titles(result))) == (True, 1)
    assert set(titles(result)) <= {"good", "caller"}
    assert result.rewritten.after
    assert refusals(result)["wrong"] == f"store/store.go:5 not proved within 500 s: {step} was not run to its end"
    assert given[0] == BUILD_SHARE, "some of the time is kept for a smaller plan"
    assert given[-1] == 1, "which may take all of it, when no smaller one is left"


@pytest.mark.parametrize("scan", [2000, 1000])
@pytest.mark.parametrize(
    ("fits", "proved", "refused"),
    [
        (True, ["good", "caller"], {}),
        (False, ["good"], {"caller": "api/api.go:7 not proved within 10000 s"}),
    ],
)
def test_where_time_is_short_a_small_plan_is_proved_before_a_large_one_is_tried(
    target: Path, monkeypatch: pytest.MonkeyPatch, fits: bool, proved: list[str], refused: dict[str, str], scan: int
) -> None:
    tried: list[list[str]] = []

    def build(commands: Commands, packages: Sequence[Package]) -> Report:
        tried.append([one.path.rpartition("/")[2] for one in packages])
        if len(packages) > 1 and not fits:
            raise OutOfTimeError
        return compiled(commands, packages)

    monkeypatch.setattr(verifying, "compiled", build)
    clock = Clock()
    budget = Budget(10_000, clock=clock)
    clock.at += scan
    budget.read()
    clock.at += scan  # what the result makes possible is looked for
    assert (budget.part_of_a_build < BUILD_SHARE) == (scan == 2000), "a build may take longer than it is taken to"
    result = carried(target, HandMade(GOOD, CALLER), budget, level="build")
    assert tried == [["far"], ["api", "far"]]
    assert (result.ok, titles(result), refusals(result)) == (True, proved, refused)
    assert [step.step for step in result.steps if step.ok] == ["gofmt", "compile", "vet"]


def test_a_build_that_will_not_end_in_time_is_ended_early_and_a_smaller_plan_is_proved(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[list[str]] = []
    clock = Clock()

    def build(commands: Commands, packages: Sequence[Package]) -> Report:
        names = [one.path.rpartition("/")[2] for one in packages]
        tried.append(names)
        clock.at += sum({"api": 300, "far": 10}[name] for name in names)
        return compiled(commands, packages)

    monkeypatch.setattr(verifying, "compiled", build)
    monkeypatch.setattr(pace, "FEWEST", 1)
    result = carried(target, HandMade(CALLER, GOOD), Budget(400, clock=clock), level="build")
    assert tried == [["api"], ["far"]], "what the first package takes tells that there is no time for the second"
    assert (result.ok, titles(result)) == (True, ["good"])
    assert refusals(result) == {"caller": "api/api.go:7 not proved within 400 s: compile was not run to its end"}
    assert [step.step for step in result.steps if step.ok] == ["gofmt", "compile", "vet"]


def test_what_is_needed_from_elsewhere_has_its_own_time(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def needed(commands: Commands, packages: Sequence[Package]) -> None:
        asked.append([one.path.rpartition("/")[2] for one in packages])
        if len(packages) > 1:
            raise OutOfTimeError

    monkeypatch.setattr(verifying, "compile_what_is_needed", needed)
    monkeypatch.setattr(pace, "FEWEST", 1)
    result = carried(target, HandMade(CALLER, GOOD), Budget(400, clock=Clock()), level="build")
    assert asked == [["api", "far"], ["far"]]
    assert titles(result) == ["good"]


def test_without_time_to_search_what_is_plain_to_see_is_taken_back_alone(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying, "costs", lambda outcome: (1000.0, 1000.0))
    broken = component("broken", edit("far/far.go", "return 2", "return two"))
    result = carried(target, HandMade(GOOD, broken, CALLER), Budget(200, clock=Clock()), level="build")
    assert (result.ok, titles(result)) == (True, ["good", "caller"])
    assert refusals(result) == {
        "broken": "far/far.go:5 rolled back, it does not compile: far/far.go:5:23: undefined: two"
    }


def test_what_was_not_run_to_its_end_is_taken_back_and_the_rest_proved(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(run: Tests, number: int, packages: Sequence[Package]) -> Report:
        return replace(run(), unfinished=("example.org/shop/far",)) if number == 1 else run()

    runs = around_tests(monkeypatch, cut)
    result = carried(target, HandMade(GOOD, CALLER), Budget(500, clock=Clock()))
    assert (result.ok, titles(result)) == (True, ["caller"])
    assert refusals(result) == {
        "good": "far/far.go:3 not proved within 500 s: test was not run to its end in example.org/shop/far"
    }
    assert [step.detail for step in result.steps if step.step == "test"] == ["2 tests pass in 1 package"]
    assert runs == [2, 1]


def test_when_time_is_over_what_has_been_proved_stays(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()

    def late(run: Tests, number: int, packages: Sequence[Package]) -> Report:
        report = run()
        clock.at += 200 * (number >= 3)  # twice after the change, and once before it
        return report

    runs = around_tests(monkeypatch, late)
    result = carried(target, HandMade(GOOD, WRONG, CALLER), Budget(100, clock=clock))
    assert (result.ok, titles(result)) == (True, ["good"])
    assert sorted(refusals(result)) == ["caller", "wrong"]
    assert refusals(result)["wrong"] == "store/store.go:5 not proved within 100 s"
    assert [(step.step, step.ok, step.detail) for step in result.steps] == [
        ("gofmt", True, "1 file"),
        ("compile", True, "1 package"),
        ("vet", True, "1 package"),
        ("test", True, "0 tests pass in 1 package"),
    ]
    assert len(runs) == 3


def test_when_the_search_takes_too_long_all_who_may_be_to_blame_are_taken_back(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_time(self: Trials, *arguments: object, **named: object) -> None:
        raise OutOfTimeError

    monkeypatch.setattr(Trials, "failures", no_time)
    result = carried(target, HandMade(GOOD, WRONG, CALLER), Budget(500, clock=Clock()))
    assert (result.ok, titles(result)) == (True, ["good"])
    assert sorted(refusals(result)) == ["caller", "wrong"]
    assert refusals(result)["wrong"] == (
        "api/api_test.go:13 rolled back, TestKeep of example.org/shop/api fails: api_test.go:13: -2; "
        "what it comes from was not found within 500 s"
    )


def test_a_test_that_hangs_is_found_and_takes_all_of_its_time_once(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []

    def run(commands: Commands, packages: Sequence[Package], *, timeout: float, **options: Any) -> Report:
        given.append(timeout)
        return run_tests(commands, packages, timeout=timeout, **options)

    monkeypatch.setattr(verifying, "run_tests", run)
    result = carried(target, HandMade(GOOD, HANGS, CALLER), Budget(), timeout=25)
    assert (result.ok, titles(result)) == (True, ["good", "caller"])
    assert "panic: test timed out after" in refusals(result)["hangs"]
    assert given[0] == 25
    assert given[2] < 25, "the first is after the change, the second before it, the third after it once more"


SLOW = """package api

import (
	"os"
	"testing"
	"time"
)

func TestSlow(t *testing.T) {
	for {
		file, _ := os.OpenFile("beats", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		file.WriteString(".")
		file.Close()
		time.Sleep(50 * time.Millisecond)
	}
}
"""
"""A test that never ends, and lets others see whether it runs."""


def test_commands_and_what_they_have_started_end_when_the_time_is_over(target: Path) -> None:
    write(target, {"api/slow_test.go": SLOW})
    budget = Budget()
    with scratch_copy(target) as scratch:
        commands = Commands(find_go(), scratch.root, GoOptions(), budget)
        packages, _ = concerned(commands, ["api/api.go", "far/far.go"])
        with budget.within(15):
            report = run_tests(commands, packages, timeout=300)
            assert "example.org/shop/api" in report.unfinished
            assert not report.failures
        with budget.within(0), pytest.raises(OutOfTimeError):
            concerned(commands, ["api/api.go"])
        beats = scratch.read("api/beats")
        time.sleep(1)
        assert scratch.read("api/beats") == beats


def test_what_is_tried_and_how_many_are_left_is_told(target: Path) -> None:
    said: list[str] = []
    carried(
        target,
        HandMade(GOOD, WRONG, CALLER),
        Budget(10_000, clock=Clock()),
        progress=lambda what, done, total: said.append(what),
    )
    assert "verifying: test · 10000 s left" in said
    assert "looking for what fails: test · 1 candidate · 10000 s left" in said
