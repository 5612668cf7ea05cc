"""What tests of the reference service share: where it is, its commands, and how its own tests ended."""

from __future__ import annotations

import json
import re
import subprocess
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

SERVICE = Path(__file__).parents[2] / "reference_service"
BESIDE_CLICKHOUSE = "testdata/clickhouse/run.sh"

Outcomes = Mapping[str, set[str]]
"""A service's tests (`PACKAGE TEST`) by how they ended: `pass`, `fail`, `skip`."""


def run(command: list[str], environment: Mapping[str, str], folder: Path = SERVICE) -> subprocess.CompletedProcess[str]:
    """Carry out a command in a service's folder."""
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def outcomes_of(folder: Path, environment: Mapping[str, str]) -> Outcomes:
    """Run all tests of a service beside a ClickHouse server."""
    done = run([BESIDE_CLICKHOUSE, "go", "test", "-json", "-timeout", "5m", "./..."], environment, folder)
    found: dict[str, set[str]] = defaultdict(set)
    for line in done.stdout.splitlines():
        event = json.loads(line)
        if event["Action"] in ("pass", "fail", "skip") and "Test" in event:
            found[event["Action"]].add(f"{event['Package']} {event['Test']}")
        assert not re.match(r"panic: |fatal error: ", event.get("Output", "")), event["Output"]
    assert found, done.stdout + done.stderr
    return found


def asked_for() -> set[str]:
    """The tests that only a propagated context can pass, as the sources declare them."""
    sources = (path.read_text(encoding="utf-8") for path in SERVICE.rglob("*_test.go"))
    return {name for source in sources for name in re.findall(r"^func (TestPropagation\w+)\(", source, re.MULTILINE)}


def greps_lines(folder: Path) -> list[str]:
    """What grep finds of `context.Background()` in a service's Go files but for the tests, as FILE:LINE."""
    return [
        f"{path.relative_to(folder).as_posix()}:{number}"
        for path in sorted(folder.rglob("*.go"))
        if not path.name.endswith("_test.go")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "context.Background()" in line
    ]
