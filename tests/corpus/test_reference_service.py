"""The reference service is what it is committed as: whole, and losing the contexts that its own tests ask for.

`make test-service` runs these by themselves, since the service's tests look at the clock.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks import tools
from tests.corpus.service import SERVICE, Outcomes, asked_for, outcomes_of, run

pytestmark = pytest.mark.slow

# There the tests start themselves as the service, and look for what its race detector says: some of them are enough.
BLACK_BOX = "example.org/siem/cmd/siem"
CONCURRENT = "EventsBecomeAlerts|KillInThe|Subscribers|StreamsThat|ExportJobs|SourcesAre|PlaybookMoves"


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """The environment of the Go commands here."""
    return tools.environment(tools.find_go())


@pytest.fixture(scope="module")
def outcomes(environment: Mapping[str, str]) -> Outcomes:
    """How the service's tests ended beside a ClickHouse server."""
    return outcomes_of(SERVICE, environment)


def of_propagation(name: str) -> bool:
    """Whether a test's name, behind its package, is one of those."""
    return name.split(" ")[1].startswith("TestPropagation")


def test_every_test_of_propagation_fails_and_every_case_of_it(outcomes: Outcomes) -> None:
    failed = {name.split(" ")[1] for name in outcomes["fail"]}
    assert {name for name in failed if "/" not in name} == asked_for()
    assert len(asked_for()) >= 18
    assert [name for name in outcomes["pass"] if of_propagation(name)] == []


def test_every_other_test_passes_and_none_is_skipped(outcomes: Outcomes) -> None:
    assert [name for name in outcomes["fail"] if not of_propagation(name)] == []
    assert [*outcomes["skip"]] == []
    assert len(outcomes["pass"]) > 140


@pytest.mark.parametrize("store", ["sqlite", "clickhouse"])
def test_both_databases_keep_events_by_the_same_tests(outcomes: Outcomes, store: str) -> None:
    prefix = f"example.org/siem/storage TestEventStores/{store}"
    assert len([name for name in outcomes["pass"] if name.startswith(prefix)]) > 1


def test_a_machine_that_cannot_have_clickhouse_is_told_so_in_one_line(tmp_path: Path) -> None:
    for name in ("bash", "env", "dirname"):
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    bare = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    for script in ("server.sh", "run.sh"):
        done = run([f"testdata/clickhouse/{script}", "true"], bare)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            "server.sh: clickhouse-server is not installed, and there is no apt-get to fetch it with\n"
        )


def test_the_readme_says_what_each_test_of_propagation_asks() -> None:
    table = re.findall(r"`…(\w+)`", (SERVICE / "README.md").read_text(encoding="utf-8"))
    named = {name.removeprefix("TestPropagation") for name in asked_for()}
    assert named == {next((full for full in named if full.endswith(name)), name) for name in table}


def test_make_run_says_how_to_log_in_and_five_requests_that_work(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    own = {**environment, "SIEM_DATA": str(tmp_path / "data"), "SIEM_ADDR": "127.0.0.1:0"}
    with started(["make", "--silent", "run"], own) as running:
        assert running.stdout is not None
        said: list[str] = []
        while len([line for line in said if line.startswith("  curl")]) < 5:
            said.append(running.stdout.readline())
            assert said[-1], said
        commands = [line.strip() for line in said if line.startswith("  ")]
        answers = [answer(commands, number) for number in range(-5, 0)]
        assert [found for found in answers if not found or "error" in found] == []
        alerts = {alert["title"] for alert in answers[0]}
        assert {"root shell on web1", "failed login on web1"} <= alerts
    assert (tmp_path / "data/siem.db").is_file()


@contextmanager
def started(command: list[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A command that runs in the service's folder until the block ends; then its whole group is interrupted."""
    running = subprocess.Popen(
        command, cwd=SERVICE, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    with running:
        try:
            yield running
        finally:
            os.killpg(running.pid, signal.SIGINT)


def answer(commands: list[str], number: int) -> Any:
    """What the service says to one of the printed commands, after those that log in."""
    script = "\n".join([*commands[:2], commands[number]])
    return json.loads(subprocess.run(["bash", "-c", script], capture_output=True, check=True, text=True).stdout)


def test_packages_and_the_program_have_no_data_race(environment: Mapping[str, str]) -> None:
    packages = run(["go", "list", "./..."], environment).stdout.split()
    for chosen in ([name for name in packages if name != BLACK_BOX], ["-run", CONCURRENT, BLACK_BOX]):
        raced = run(["go", "test", "-race", *chosen], environment)
        assert raced.returncode == 0, raced.stdout + raced.stderr


def test_vet_and_gofmt_have_nothing_to_say(environment: Mapping[str, str]) -> None:
    vetted = run(["go", "vet", "./..."], environment)
    assert (vetted.returncode, vetted.stderr) == (0, "")
    assert run(["gofmt", "-l", "."], environment).stdout == ""
