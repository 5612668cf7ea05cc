"""Steps over many packages: taken in batches, and ended when these tell that the rest takes too long."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from audit_lib.change.budget import Budget
from audit_lib.change.failures import Failure, Report
from audit_lib.change.pace import FEWEST, TooSlowError, paced
from audit_lib.change.packages import Package, from_elsewhere
from tests.unit.test_budget import Clock

CHAIN = [
    Package(f"p{number:02}", "", ".", frozenset(f"p{low:02}" for low in range(number)), frozenset({"a.go"}))
    for number in range(20)
]
"""Packages of which each needs all before it."""


def taking(clock: Clock, seconds: float, seen: list[list[str]]) -> Callable[[Sequence[Package]], Report]:
    """A step that takes so many seconds for a package, and finds something in each."""

    def run(packages: Sequence[Package]) -> Report:
        seen.append([one.path for one in packages])
        clock.at += seconds * len(packages)
        return Report(tuple(Failure("vet", one.path, "", "") for one in packages))

    return run


def test_what_others_need_comes_first_and_all_of_it_is_told() -> None:
    clock, seen = Clock(), list[list[str]]()
    report = paced(taking(clock, 1, seen), CHAIN[::-1], Budget(100, clock=clock))
    assert [len(batch) for batch in seen] == [2, 3, 5, 10]
    assert [path for batch in seen for path in batch] == [one.path for one in CHAIN]
    assert [failure.package for failure in report.failures] == [one.path for one in CHAIN]


@pytest.mark.parametrize(("limit", "packages"), [(None, CHAIN), (100, CHAIN[: FEWEST - 1])])
def test_without_a_limit_and_for_a_few_packages_it_is_one_step(limit: float | None, packages: list[Package]) -> None:
    clock, seen = Clock(), list[list[str]]()
    paced(taking(clock, 1000, seen), packages, Budget(limit, clock=clock))
    assert len(seen) == 1


def test_a_step_that_takes_too_long_is_ended_when_its_beginning_tells() -> None:
    clock, seen = Clock(), list[list[str]]()
    with pytest.raises(TooSlowError) as caught:
        paced(taking(clock, 10, seen), CHAIN, Budget(100, clock=clock))
    assert (len(seen), caught.value.needed) == (1, 200)


def test_a_step_that_may_just_end_in_time_goes_on() -> None:
    clock, seen = Clock(), list[list[str]]()
    paced(taking(clock, 6, seen), CHAIN, Budget(100, clock=clock))
    assert len(seen) == 4


def test_what_is_needed_from_elsewhere_is_neither_the_targets_nor_the_standard_librarys() -> None:
    needs = frozenset({"fmt", "net/http", "p00", "example.org/lib", "-toolexec=x.sh"})
    assert from_elsewhere([CHAIN[0], Package("q", "q", ".", needs, frozenset())]) == {"example.org/lib"}
