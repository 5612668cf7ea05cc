"""What people's commit did to the Go files of a repository, read from a clone."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import checkouts
from benchmarks.errors import InputError

_VENDORED = ("vendor", "testdata")


@dataclass(frozen=True)
class Edited:
    """The Go files that a commit edits, adds or deletes, those of others left out; and the lines it changes in them.

    `before` and `after` are the files at base and commit, each where it is there.
    """

    files: frozenset[str]
    lines: int
    before: dict[str, bytes]
    after: dict[str, bytes]


def edited(clone: Path, base: str, commit: str) -> Edited:
    """What lies between a base and a commit. Raises `InputError` where the clone lacks either, or their files."""
    base, commit = checkouts.commit_of(clone, base), checkouts.commit_of(clone, commit)
    done = checkouts.git(clone, "diff", "--numstat", "-z", "--no-renames", base, commit, "--", "*.go")
    if done.returncode != 0:
        raise InputError(f"{clone}: git diff {base[:10]} {commit[:10]}: {done.stderr.strip() or 'failed'}")
    counts = {}
    for entry in filter(None, done.stdout.split("\0")):
        added, deleted, file = entry.split("\t", 2)
        if not any(part in _VENDORED for part in file.split("/")[:-1]):
            counts[file] = sum(int(count) for count in (added, deleted) if count.isdigit())
    return Edited(
        files=frozenset(counts),
        lines=sum(counts.values()),
        before=contents(clone, base, counts),
        after=contents(clone, commit, counts),
    )


def contents(clone: Path, commit: str, files: Iterable[str]) -> dict[str, bytes]:
    """Those of the files that a commit has. Raises `InputError` where the clone lacks the content of one."""
    # One run for all: the command answers in the order of the questions.
    wanted = sorted(files)
    asked = "".join(f"{commit}:{file}\n" for file in wanted).encode()
    command = ["git", "-C", str(clone), "cat-file", "--batch"]
    done = subprocess.run(command, input=asked, env=checkouts.environment(), capture_output=True, check=False)
    found, at = {}, 0
    for file in wanted:
        end = done.stdout.find(b"\n", at)
        if end < 0:
            raise InputError(f"{clone}: lacks the content of {file} at {commit[:10]}; fetch it")
        head, at = done.stdout[at:end], end + 1
        if head.endswith(b" missing"):
            if checkouts.git(clone, "ls-tree", commit, "--", file).stdout:
                raise InputError(f"{clone}: lacks the content of {file} at {commit[:10]}; fetch it")
            continue
        size = int(head.split()[-1])
        found[file] = done.stdout[at : at + size]
        at += size + 1
    return found
