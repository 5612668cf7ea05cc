"""`make parity REPOS=DIR`: scan real repositories at the labelled commits, and compare with what people decided.

DIR holds clones, each in a folder of its repository's name. Exit codes: 0 all goals met, 1 a goal missed, 2 wrong
usage, 3 a clone or a commit is missing or a scan failed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import cases as labels
from benchmarks import checkouts, errors, processes, report, scoring
from benchmarks.cases import Case
from benchmarks.errors import InputError
from benchmarks.parity_report import Outcome, Scan, as_json, as_markdown, line, miss_text, missed, totals_text


def main() -> int:
    """Run the chosen cases, print and write the results; the exit code."""
    options = _options(sys.argv[1:])
    cases = labels.choose(labels.load(options.labels), options.case)
    clones = {case.name: checkouts.clone_of(options.repos, case.clone) for case in cases}
    for case in cases:
        checkouts.commit_of(clones[case.name], case.base)
    report.check(options.out)
    outcomes = []
    with checkouts.workspace() as root:
        for case in cases:
            with version_of(options.checkouts, clones[case.name], case, root) as folder:
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


@contextmanager
def version_of(there: Path | None, clone: Path, case: Case, root: Path) -> Iterator[Path]:
    """The case's version: a checkout that is there, else a worktree for as long as this lasts."""
    if there is not None:
        yield checkouts.find(there, case.clone, case.base)
        return
    with checkouts.worktree(clone, case.base, root) as folder:
        yield folder


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="parity", description=__doc__)
    parser.add_argument("repos", type=Path, metavar="DIR", help="the folder of the clones")
    parser.add_argument("--case", action="append", default=[], metavar="NAME", help="only cases whose name holds NAME")
    parser.add_argument("--misses", type=int, default=0, metavar="N", help="list up to N disagreements of each case")
    parser.add_argument("--checkouts", type=Path, metavar="DIR", help="scan checkouts DIR/NAME-… in place of worktrees")
    parser.add_argument("--labels", type=Path, default=labels.DECISIONS, metavar="DIR", help="labels of your own")
    parser.add_argument("--out", type=Path, default=Path("out/parity"), metavar="OUT", help="folder for the report")
    options = parser.parse_args(arguments)
    options.repos = options.repos.expanduser()
    return options


if __name__ == "__main__":
    errors.run("parity", main)
