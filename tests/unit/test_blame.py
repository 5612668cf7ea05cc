"""Whose fault it is: the search among units, and the lines that failures point to."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from audit_lib.change.blame import Failures, accused, at_fault, culprits, of_nil, place_of, reason_of, suspicion
from audit_lib.change.failures import Failure
from audit_lib.change.planned import Component
from audit_lib.change.rewrite import Rewritten
from tests.unit.planning import change, component, edit

FILE = "package far\n\nfunc F() int { return 1 }\n\nfunc G() int { return 2 }\n"
MODULE = {"far/far.go": FILE}


def fails(name: str, message: str = "", files: tuple[str, ...] = (), suspects: tuple[str, ...] = ()) -> Failure:
    return Failure("compile", "example.org/shop/far", name, message, files, suspects)


class Counting:
    """Fails when one of the bad units is in, or both of a pair."""

    def __init__(self, bad: set[int], pairs: Sequence[tuple[int, int]] = ()) -> None:
        self.bad, self.pairs = bad, pairs
        self.count = 0

    def __call__(self, units: Sequence[int]) -> Failures:
        self.count += 1
        found = self.bad.intersection(units) or any(a in units and b in units for a, b in self.pairs)
        return (fails("x"),) if found else ()


@given(st.sets(st.integers(0, 30), min_size=1), st.integers(0, 31))
def test_all_that_are_bad_are_found_and_nothing_else(bad: set[int], calm: int) -> None:
    trial = Counting(bad)
    found = culprits(range(31), calm, trial(range(31)), trial)
    assert {unit for unit, _ in found} == bad
    assert trial.count <= 1 + len(bad) * (2 + math.ceil(math.log2(31)))


@given(st.tuples(st.integers(0, 9), st.integers(10, 19)))
def test_of_two_that_fail_together_the_more_suspect_goes(pair: tuple[int, int]) -> None:
    trial = Counting(set(), [pair])
    assert [unit for unit, _ in culprits(range(20), 0, trial(range(20)), trial)] == [pair[1]]


def test_one_suspect_among_many_costs_one_trial_and_one_to_be_sure() -> None:
    trial = Counting({99})
    assert [unit for unit, _ in culprits(range(100), 99, (fails("x"),), trial)] == [99]
    assert trial.count == 1


def test_without_a_failure_nobody_is_to_blame() -> None:
    assert culprits([1, 2], 0, (), Counting({1})) == []


def test_a_file_that_a_failure_names_weighs_more_than_one_that_is_needed() -> None:
    own = component("own", edit("far/far.go", "1", "3", MODULE))
    assert suspicion(own, [fails("x", files=("far/far.go",))]) == 2
    assert suspicion(own, [fails("x", files=("api/api.go",), suspects=("far/far.go",))]) == 1
    assert suspicion(own, [fails("x", files=("api/api.go",))]) == 0


def test_a_line_is_followed_back_to_the_edit_that_wrote_it() -> None:
    one = change("one", edit("far/far.go", "return 1", "x()\ny()\nreturn 1", MODULE))
    two = change("two", edit("far/far.go", "return 2", "return z", MODULE))
    after = FILE.replace("return 1", "x()\ny()\nreturn 1").replace("return 2", "return z").encode()
    rewritten = Rewritten({"far/far.go": FILE.encode()}, {"far/far.go": after})
    both = Component("both", (one, two))
    for line, blamed in ((3, "one"), (4, "one"), (5, "one"), (7, "two")):
        failure = fails("x", f"far/far.go:{line}:1: wrong", ("far/far.go",))
        assert at_fault(both, (failure,), rewritten) == {blamed}
    for place in ("far/far.go:1:1", "other/far.go:3:1", "nothing"):
        assert at_fault(both, (fails("x", place, ("far/far.go",)),), rewritten) == frozenset()


def test_an_edit_that_several_need_is_nobodys_own() -> None:
    shared = edit("far/far.go", "return 1", "return x", MODULE)
    after = FILE.replace("return 1", "return x").encode()
    rewritten = Rewritten({"far/far.go": FILE.encode()}, {"far/far.go": after})
    both = Component("both", (change("one", shared), change("two", shared)))
    assert at_fault(both, (fails("x", "far/far.go:3:1: wrong", ("far/far.go",)),), rewritten) == frozenset()


def test_a_reason_is_one_line_with_the_tools_words() -> None:
    failures = (fails("x", "a.go:1:2: not enough arguments\n\thave ()\n\twant (int)"), fails("y", "more"))
    said = "rolled back, it does not compile: a.go:1:2: not enough arguments; have (); want (int) (and 1 more)"
    assert reason_of(failures) == said


def test_a_place_is_where_the_failure_is_seen_or_where_the_change_is() -> None:
    own = change("one", edit("far/far.go", "return 2", "return z", MODULE))
    assert place_of((fails("x", "far.go:7: wrong", ("far/far.go",)),), own) == "far/far.go:7"
    assert place_of((fails("x", "wrong"),), own) == "far/far.go:5"
    assert place_of((fails("x", "wrong", ("far/far.go",)),)) == "far/far.go"


def test_only_tests_fail_of_nil() -> None:
    test = Failure("test", "p", "TestX", "panic: cannot create context from nil parent")
    assert of_nil((test,))
    assert not of_nil((test, fails("x", "nil")))
    assert not of_nil((Failure("test", "p", "TestX", "got 1, want 2"),))


def test_who_edits_the_line_of_a_failure_is_accused_of_it_if_nobody_else_does() -> None:
    one = component("one", edit("far/far.go", "return 1", "return x", MODULE))
    two = component("two", edit("far/far.go", "return 2", "return y", MODULE))
    also = component("also", edit("far/far.go", "func G()", "func H()", MODULE))
    after = FILE.replace("return 1", "return x").replace("return 2", "return y").encode()
    rewritten = Rewritten({"far/far.go": FILE.encode()}, {"far/far.go": after})
    first = fails("x", "far/far.go:3:19: undefined: x\n\tfar/far.go:5:1: seen here", ("far/far.go",))
    second = fails("y", "far/far.go:5:19: undefined: y", ("far/far.go",))
    assert accused([one, two], (first, second), rewritten) == [(one, (first,)), (two, (second,))]
    assert accused([one, two, also], (first, second), rewritten) == [(one, (first,))]
    assert accused([one, two], (fails("z", "far/far.go:1:1: z", ("far/far.go",)),), rewritten) == []
    assert accused([one], (Failure("test", "p", "T", "far/far.go:3: no", ("far/far.go",)),), rewritten) == []
