"""The reference service as a fix leaves it: all of its tests pass, those of propagation too, and what is left is known.

`make test-service` runs these by themselves, since the service's tests look at the clock.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from audit_lib import api
from audit_lib.fixed import Fixed
from audit_lib.model import Finding
from benchmarks import tools
from tests.corpus.service import SERVICE, Outcomes, asked_for, greps_lines, outcomes_of, run

pytestmark = pytest.mark.slow

# What a run of the service leaves in its folder is no part of it.
LEFTOVERS = (SERVICE / "siem", SERVICE / "sample" / "data")


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """The environment of the Go commands here."""
    return tools.environment(tools.find_go())


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the service, which the fix is written to."""

    def left_over(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if Path(folder, name) in LEFTOVERS]

    return Path(shutil.copytree(SERVICE, tmp_path_factory.mktemp("fixed") / "service", ignore=left_over))


@pytest.fixture(scope="module")
def done(copy: Path) -> Fixed:
    """The fix, written: its Go was compiled and vetted, and the service's tests are run below, beside ClickHouse."""
    done = api.fix(copy, level="build", document=True)
    api.apply(copy, done)
    return done


@pytest.fixture(scope="module")
def left(copy: Path, done: Fixed) -> list[Finding]:
    """The roots in production code that are still there."""
    assert done.ok
    findings = api.audit(copy).findings
    return [one for one in findings if one.site.kind == "root" and one.category != "test"]


@pytest.fixture(scope="module")
def outcomes(copy: Path, done: Fixed, environment: Mapping[str, str]) -> Outcomes:
    """How the service's tests end after the fix."""
    assert done.ok
    return outcomes_of(copy, environment)


def test_every_test_passes_those_of_propagation_too(outcomes: Outcomes) -> None:
    assert ([*outcomes["fail"]], [*outcomes["skip"]]) == ([], [])
    passed = {name.split(" ")[1] for name in outcomes["pass"]}
    assert asked_for() <= passed
    assert len(outcomes["pass"]) > 160


def test_every_site_has_one_outcome_and_the_roots_add_up(done: Fixed, left: list[Finding]) -> None:
    totals = done.audit.totals
    assert totals.reconciles()
    assert (totals.refused, done.audit.refusals) == (0, ())
    assert {step.step: step.ok for step in done.audit.verification} == dict.fromkeys(
        ("gofmt", "compile", "vet", "rescan"), True
    )
    before = [one for one in done.audit.findings if one.site.kind == "root" and one.category != "test"]
    gone = [one for one in before if one.verdict in ("fix", "detach")]
    assert len(left) == len(before) - len(gone) + totals.moved


def test_the_grep_finds_a_tenth_of_what_it_found(copy: Path, done: Fixed) -> None:
    assert done.ok
    assert 50 <= len(greps_lines(copy)) <= 100


def test_who_reads_a_root_that_is_left_reads_why(copy: Path, left: list[Finding]) -> None:
    said = {}
    for one in left:
        if one.rule != "directive":
            lines = (copy / one.site.span.file).read_text(encoding="utf-8").splitlines()
            said[one] = lines[one.site.span.line - 2].strip()
    assert [one for one, why in said.items() if not why.startswith("// ctxaudit: for review: ")] == []
    # A root that has moved to where its receiver keeps a context is for review too: that one may be right.
    decided = [why for one, why in said.items() if one.verdict != "review"]
    assert [why for why in decided if not why.endswith("may be right, or have ended")] == []


def test_a_second_fix_changes_nothing(copy: Path, done: Fixed) -> None:
    assert done.ok
    assert sorted(api.fix(copy, level="build", document=True).after) == []


def test_vet_and_gofmt_have_nothing_to_say(copy: Path, done: Fixed, environment: Mapping[str, str]) -> None:
    assert done.ok
    vetted = run(["go", "vet", "./..."], environment, copy)
    assert (vetted.returncode, vetted.stderr) == (0, "")
    assert run(["gofmt", "-l", "."], environment, copy).stdout == ""
