"""What a reader found in the reference service, and what the tool says of it: they agree but for what is listed.

`data/reference_truth.csv` is the reader's, made before the tool was run; `data/reference_disagreements.csv` lists every
root on which the two differ, and why.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from audit_lib.api import audit
from audit_lib.model import Row, row_of
from tests.corpus.service import SERVICE, greps_lines

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
# The goal is 0.97: functions taken out of maps by `f, ok := m[key]` are what is missing.
AGREEMENT = 0.97

Place = tuple[str, int]

# The specification's phases: which files, and how many roots there must be fixed.
PHASES = {
    r"api/(jwt|auth_handlers|handlers)\.go": (20, 30),
    r"storage/(sqlite|clickhouse)_\w+\.go": (50, 80),
    r"detect/(engine|actions|detector)\.go": (30, 50),
}


def table(name: str) -> list[dict[str, str]]:
    """The rows of a file in data/."""
    with (REPOSITORY / "data" / name).open(encoding="utf-8", newline="") as file:
        return [*csv.DictReader(file)]


@pytest.fixture(scope="module")
def truth() -> dict[Place, dict[str, str]]:
    """What the reader found, by file and line."""
    rows = table("reference_truth.csv")
    found = {(row["file"], int(row["line"])): row for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.fixture(scope="module")
def roots() -> dict[Place, Row]:
    """The roots in production code that the tool finds, by file and line."""
    result = audit(SERVICE)
    assert result.degradations == ()
    rows = [row_of(finding) for finding in result.findings]
    found = [row for row in rows if row.kind == "root" and row.category != "test"]
    assert len({(row.file, row.line) for row in found}) == len(found)
    return {(row.file, row.line): row for row in found}


def test_both_speak_of_the_same_roots_by_line_and_function(
    truth: dict[Place, dict[str, str]], roots: dict[Place, Row]
) -> None:
    assert len(truth) == 437
    named = {place: row["function"] for place, row in truth.items()}
    assert named == {place: re.sub(r"(\.func\d+)+$", "", row.function) for place, row in roots.items()}


def test_the_greps_lines_are_the_specifications_number() -> None:
    assert len(greps_lines(SERVICE)) == 488


def test_what_must_be_fixed_lies_where_the_specification_says(truth: dict[Place, dict[str, str]]) -> None:
    to_fix = Counter(
        pattern
        for (file, _), row in truth.items()
        for pattern in PHASES
        if row["verdict"] in ("fix", "detach") and re.fullmatch(pattern, file)
    )
    assert {pattern: low <= to_fix[pattern] <= high for pattern, (low, high) in PHASES.items()} == dict.fromkeys(
        PHASES, True
    )
    assert truth["api/jwt.go", 40]["verdict"] == "fix"


def test_every_root_has_a_reason(truth: dict[Place, dict[str, str]]) -> None:
    assert [place for place, row in truth.items() if len(row["reason"]) < 8] == []
    assert {row["verdict"] for row in truth.values()} == {"fix", "detach", "keep", "review"}


def test_verdicts_agree_and_what_does_not_is_listed_with_its_reason(
    truth: dict[Place, dict[str, str]], roots: dict[Place, Row]
) -> None:
    differing = {
        place: (row["function"], row["verdict"], roots[place].verdict)
        for place, row in truth.items()
        if row["verdict"] != roots[place].verdict
    }
    listed = table("reference_disagreements.csv")
    assert {
        (row["file"], int(row["line"])): (row["function"], row["truth"], row["tool"]) for row in listed
    } == differing
    assert [row for row in listed if len(row["reason"]) < 20] == []
    assert 1 - len(differing) / len(truth) >= AGREEMENT
