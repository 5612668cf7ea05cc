"""What the time of a proof is used for: decided by clocks that tests set."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from audit_lib.change.blame import Failures, search, together
from audit_lib.change.budget import FIRST_RUN, LEAST, SHORTEST, Budget, allowed, next_step
from audit_lib.change.concern import Concern, independent
from audit_lib.change.failures import Failure
from audit_lib.change.packages import Package
from audit_lib.change.planned import Component
from audit_lib.change.testing import LEAST_PATIENCE, PATIENCE, patience
from audit_lib.fixed import Level
from audit_lib.model import Change, Edit, Span


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.mark.parametrize(
    ("level", "scan", "tests", "seconds"),
    [
        ("build", 2, None, LEAST["build"]),
        ("build", 60, None, 600),
        ("build", 60, 1000, 600),
        ("test", 2, None, FIRST_RUN),
        ("test", 300, None, 3000),
        ("test", 2, 10, LEAST["test"] + 40),
        ("race", 60, 100, 1000),
    ],
)
def test_by_default_a_proof_takes_a_few_scans_and_a_few_runs_of_the_tests(
    level: Level, scan: float, tests: float | None, seconds: float
) -> None:
    assert allowed(level, scan, tests) == seconds


@pytest.mark.parametrize(
    ("left", "trial", "again", "proved", "step"),
    [
        (math.inf, 10, 100, True, "search"),
        (120, 10, 100, False, "search"),
        (119, 10, 100, True, "take back"),
        (100, 10, 100, True, "take back"),
        (99, 10, 100, True, "end"),
        (99, 10, 100, False, "take back"),
        (SHORTEST - 1, 0, 0, False, "end"),
    ],
)
def test_who_is_to_blame_is_searched_for_where_time_is_left_to_verify_the_rest(
    left: float, trial: float, again: float, proved: bool, step: str
) -> None:
    assert next_step(left, trial, again, proved=proved) == step


def test_without_a_limit_there_is_always_time() -> None:
    budget = Budget()
    assert (budget.left, budget.now, budget.is_over, budget.told()) == (math.inf, math.inf, False, "")
    budget.tested(1000)
    assert budget.seconds == math.inf


def test_the_time_that_is_asked_for_includes_the_last_scan() -> None:
    clock = Clock()
    budget = Budget(100, "test", clock)
    clock.at += 20
    assert budget.read() == 100
    assert (budget.left, budget.told()) == (60, " · 60 s left")
    budget.tested(1000)
    assert budget.left == 60
    clock.at += 60 - SHORTEST + 1
    assert budget.is_over


def test_the_proof_comes_before_what_more_scans_may_find() -> None:
    clock = Clock()
    budget = Budget(70, clock=clock)
    clock.at += 10
    budget.read()
    assert budget.has_room_for_a_scan()
    clock.at += 1
    assert not budget.has_room_for_a_scan()
    default = Budget(None, "build", clock)
    clock.at += 100
    default.read()
    for _ in range(4):
        assert default.has_room_for_a_scan()
        clock.at += 100


def test_the_time_of_a_proof_is_known_better_once_its_tests_were_run() -> None:
    clock = Clock()
    budget = Budget(None, "test", clock)
    clock.at += 30
    assert budget.read() == FIRST_RUN
    clock.at += 200
    budget.tested(150)
    assert budget.seconds == 300 + 4 * 150
    budget.tested(1)
    assert budget.seconds == 900


def test_commands_take_no_longer_than_what_their_step_has() -> None:
    clock = Clock()
    budget = Budget(100, clock=clock)
    with budget.within(60):
        assert budget.now == 60
        clock.at += 50
        with budget.within(30):
            assert budget.now == 10
    assert budget.now == 50


def test_a_test_that_has_hung_is_waited_for_as_long_as_what_it_took_before_suggests() -> None:
    one, two = package("a"), package("b")
    assert patience(300, {"a": 2.0, "b": 4.0}, [one, two]) == LEAST_PATIENCE + PATIENCE * 4.0
    assert patience(300, {"a": 2.0}, [one, two]) == 300
    assert patience(20, {"a": 8.0}, [one]) == 20


def package(path: str, *needs: str) -> Package:
    return Package(path, path, ".", frozenset(needs), frozenset({f"{path}/{path}.go"}))


def component(name: str, *folders: str, needs: Sequence[str] = ()) -> Component:
    edits = tuple(Edit(Span(f"{folder}/{folder}.go", 0, 0, 1, 1), name) for folder in folders)
    return Component(name, (Change(name, "thread", (), edits),), needs=frozenset(needs))


PACKAGES = [package("a"), package("b", "a"), package("c"), package("d", "c")]
IN_A, IN_B, IN_C, IN_D = (component(f"in-{name}", name) for name in "abcd")


def test_a_component_concerns_the_packages_that_are_built_from_its_files() -> None:
    concern = Concern(PACKAGES)
    assert concern.of(IN_A) == {"a", "b"}
    assert concern.of(IN_B) == {"b"}
    assert concern.of(component("elsewhere", "docs")) == set()
    assert [one.path for one in concern.by_directness([IN_D, IN_B, IN_D])] == ["d", "b", "a", "c"]


def names(components: Sequence[Component]) -> list[str]:
    return [one.title for one in components]


def test_what_is_proved_stays_proved_without_what_its_packages_are_not_built_from() -> None:
    concern, tried = Concern(PACKAGES), [IN_A, IN_B, IN_C, IN_D]
    assert names(concern.held(tried, tried, ["a", "b", "c", "d"])) == names(tried)
    assert names(concern.held(tried, tried, ["a", "b", "c"])) == ["in-a", "in-b"]  # d was seen with what c has
    assert names(concern.held([IN_B, IN_C, IN_D], tried, ["a", "b", "c", "d"])) == ["in-c", "in-d"]
    assert names(concern.held(tried, tried, [])) == []
    other = component("in-c", "c", "d")
    assert names(concern.held([IN_A, other], tried, ["a", "b", "c", "d"])) == []


def test_what_needs_another_component_does_not_stay_without_it() -> None:
    needing = component("needing", "a", needs=["in-c"])
    tried = [needing, IN_C]
    assert names(Concern(PACKAGES).held(tried, tried, ["a", "b"])) == []
    assert names(Concern(PACKAGES).held([needing], [needing], ["a", "b"])) == ["needing"]


def test_a_smaller_plan_changes_most_for_what_is_built_for_it() -> None:
    concern = Concern(PACKAGES)
    everywhere = component("everywhere", "a", "c")
    assert names(concern.smaller([IN_A, IN_B, everywhere], 0.75)) == ["in-a", "in-b"]
    assert names(concern.smaller([everywhere, IN_B, IN_C], 0.5)) == ["in-b"]
    assert names(concern.smaller([IN_A, IN_B, IN_C, IN_D], 0)) == ["in-b"], "the first may be quick"


def test_where_nearly_all_is_needed_for_anything_what_needs_hardly_more_is_proved_with_the_first() -> None:
    base = [f"base{number}" for number in range(20)]
    packages = [
        *map(package, base),
        package("x", *base),
        package("y", *base),
        *(package(f"z{n}", *base) for n in "12345678"),
    ]
    in_x, in_y, below = component("in-x", "x"), component("in-y", "y"), component("below", "base0")
    assert names(Concern(packages).smaller([below, in_y, in_x], 0.2)) == ["in-y", "in-x"]
    dragging = component("dragging", "x", needs=["below"])
    assert names(Concern(packages).smaller([dragging, below, in_y, in_x], 0.2)) == ["in-y", "in-x"]


def test_a_smaller_plan_holds_what_its_components_need_and_is_never_all() -> None:
    concern = Concern(PACKAGES)
    needing = component("needing", "b", needs=["in-a"])
    assert names(concern.smaller([needing, IN_A, IN_C], 0)) == ["needing", "in-a"]
    assert names(concern.smaller([needing, IN_A, component("everywhere", "a", "c")], 1)) == ["needing", "in-a"]
    for share in (0, 0.5, 1):
        assert len(concern.smaller([IN_A, IN_B, IN_C], share)) in (1, 2)
    assert concern.smaller([IN_A], 1) == []


def test_what_other_modules_give_counts_where_it_has_to_be_compiled_too() -> None:
    heavy = Package("e", "e", ".", frozenset({"fmt", "example.org/one", "example.org/two"}), frozenset({"e/e.go"}))
    packages = [package("a", "b", "c"), package("b"), package("c"), heavy]
    in_a, in_e = component("in-a", "a"), component("in-e", "e")
    assert names(Concern(packages).smaller([in_a, in_e], 0.5)) == ["in-e"]
    assert names(Concern(packages, cold=True).smaller([in_a, in_e], 0.5)) == ["in-a"]


def test_packages_whose_components_have_nothing_in_common_are_looked_at_each_by_itself() -> None:
    units = [IN_A, IN_B, IN_C, IN_D]
    assert independent(units, [("b", [0, 1]), ("d", [2, 3])]) == [({"b"}, [0, 1]), ({"d"}, [2, 3])]
    assert independent(units, [("a", [0]), ("d", [3]), ("b", [0, 3])]) == [({"a", "b", "d"}, [0, 3])]


def test_searches_that_have_nothing_in_common_share_their_trials() -> None:
    asked = 0

    def fails(units: Sequence[int], bad: int) -> Failures:
        return (Failure("test", "p", str(bad), ""),) if bad in units else ()

    def trial(parts: Sequence[Sequence[int]]) -> list[Failures]:
        nonlocal asked
        asked += 1
        return [fails(part, bad) for part, bad in zip(parts, (3, 12, 29), strict=True)]

    searches = [
        search(list(units), 0, fails(units, bad))
        for units, bad in ((range(8), 3), (range(8, 24), 12), (range(24, 32), 29))
    ]
    found = together(searches, trial)
    assert [[unit for unit, _ in result] for result in found] == [[3], [12], [29]]
    assert asked <= 5
