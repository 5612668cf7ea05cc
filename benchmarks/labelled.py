"""What measurements of labelled cases have in common: their options, and each case's version on disk, one at a time."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import cases as labels
from benchmarks import checkouts
from benchmarks.cases import Case


def parser(program: str, description: str | None) -> argparse.ArgumentParser:
    """The options that choose cases, and say where their versions and the report are; programs add theirs."""
    made = argparse.ArgumentParser(prog=program, description=description)
    made.add_argument("repos", type=Path, metavar="DIR", help="the folder of the clones")
    made.add_argument("--case", action="append", default=[], metavar="NAME", help="only cases whose name holds NAME")
    made.add_argument("--checkouts", type=Path, metavar="DIR", help="use checkouts DIR/NAME-… in place of worktrees")
    made.add_argument("--labels", type=Path, default=labels.DECISIONS, metavar="DIR", help="labels of your own")
    made.add_argument("--out", type=Path, default=Path("out") / program, metavar="OUT", help="folder for the report")
    return made


def clones_of(repos: Path, cases: Sequence[Case]) -> dict[str, Path]:
    """The clone of each case, by the case's name. Raises `InputError` where one is missing, or lacks the commit."""
    clones = {case.name: checkouts.clone_of(repos.expanduser(), case.clone) for case in cases}
    for case in cases:
        checkouts.commit_of(clones[case.name], case.base)
    return clones


@contextmanager
def version_of(there: Path | None, clone: Path, case: Case, root: Path) -> Iterator[Path]:
    """The case's version: a checkout that is there, else a worktree for as long as this lasts."""
    if there is not None:
        yield checkouts.find(there, case.clone, case.base)
        return
    with checkouts.worktree(clone, case.base, root) as folder:
        yield folder
