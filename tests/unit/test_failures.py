"""What is new of what fails."""

from __future__ import annotations

import pytest

from audit_lib.change.failures import Failure, Report, new_failures, without_positions


def test_as_many_as_before_are_old() -> None:
    one = Failure("vet", "p", "x", "a.go:1: x")
    two = Failure("vet", "p", "x", "a.go:9: x")
    assert new_failures(Report((one,)), Report((two,))) == ()
    assert new_failures(Report((one, two)), Report((one,))) == (two,)


def test_what_a_binary_that_ended_early_did_not_come_to_is_not_known_to_have_passed() -> None:
    late = Failure("test", "p", "TestLate", "")
    assert new_failures(Report((late,)), Report(died=("p",))) == ()
    assert new_failures(Report((late,)), Report(passed=("p TestLate",), died=("p",))) == (late,)
    assert new_failures(Report((late,)), Report()) == (late,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("store/a.go:12:3: undefined: x", "a.go: undefined: x"),
        ("returns without cancel of line 12", "returns without cancel of line N"),
        ("other declaration at ./b.go:3", "other declaration at b.go"),
    ],
)
def test_messages_are_known_without_positions(text: str, expected: str) -> None:
    assert without_positions(text) == expected
