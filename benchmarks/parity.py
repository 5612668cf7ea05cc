"""`make parity REPOS=DIR`: scan real repositories at the labelled commits, and compare with what people decided.

DIR holds clones, each in a folder of its repository's name. Exit codes: 0 all goals met, 1 a goal missed, 2 wrong
usage, 3 a clone or a commit is missing or a scan failed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import cases as labels
from benchmarks import checkouts, errors, labelled, processes, report, scoring
from benchmarks.errors import InputError
from benchmarks.parity_report import Outcome, Scan, as_json, as_markdown, line, miss_text, missed, totals_text


def main() -> int:
    """Run the chosen cases, print and write the results; the exit code."""
    options = _options(sys.argv[1:])
    cases = labels.choose(labels.load(options.labels), options.case)
    clones = labelled.clones_of(options.repos, cases)
    report.check(options.out)
    outcomes = []
    with checkouts.workspace() as root:
        for case in cases:
            with labelled.version_of(options.checkouts, clones[case.name], case, root) as folder:
                scanned = scan(folder)
            outcomes.append(Outcome(case, scanned, scoring.score(case, scanned.found)))
            _tell(outcomes[-1], options.misses)
    print(totals_text(outcomes))
    files = report.write(options.out, "parity", as_json(outcomes), as_markdown(outcomes))
    print(f"report: {files[1]}")
    return int(any(missed(outcomes)))


def _tell(outcome: Outcome, misses: int) -> None:
    print(line(outcome), flush=True)
    for miss in outcome.score.misses[:misses]:
        print(f"  {miss_text(miss)}", flush=True)


def scan(folder: Path) -> Scan:
    """Scan a folder through the command line. Raises `InputError` where the scan fails."""
    with tempfile.TemporaryDirectory(prefix="ctxaudit-parity-") as out:
        usage = processes.run([sys.executable, "-m", "audit_lib", "scan", folder, "--out", out, "--quiet"])
        if usage.code != 0:
            last = usage.said.splitlines()[-1:] or ["no word why"]
            raise InputError(f"{folder.name}: ctxaudit scan ended with {usage.code}: {last[0]}")
        try:
            found = scoring.decode(Path(out, "findings.jsonl").read_bytes().splitlines())
            audit: dict[str, Any] = msgspec.json.decode(Path(out, "audit.json").read_bytes())
        except msgspec.DecodeError as error:
            raise InputError(f"{folder.name}: what ctxaudit scan wrote cannot be read ({error})") from error
    degradations = tuple(f"{one['where']}: {one['reason']}" for one in audit["degradations"])
    return Scan(found, usage.seconds, bool(audit["typed"]), degradations)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = labelled.parser("parity", __doc__)
    parser.add_argument("--misses", type=int, default=0, metavar="N", help="list up to N disagreements of each case")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    errors.run("parity", main)
