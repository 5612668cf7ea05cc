"""The labels of people, read from `data/decisions/`; what its fields mean is said in the README there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from benchmarks.errors import InputError, UsageError

DECISIONS = Path(__file__).resolve().parent.parent / "data" / "decisions"

Decision = Literal["fixed", "kept", "kept_so_far", "kept_then_fixed_later"]


class _Labels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base: a field that is not known is an error, so a slip in a label is seen."""


class DecidedRow(_Labels, frozen=True):
    """A root that a commit touched, and what became of it."""

    file: str
    line: int
    function: str
    decision: Decision
    how: str = ""


class JudgedRow(_Labels, frozen=True):
    """A root that two people read independently: all their verdicts and categories, settled where both agree."""

    file: str
    line: int
    verdicts: tuple[str, ...]
    categories: tuple[str, ...]
    settled: bool
    source: str
    why: str


class CommitCase(_Labels, frozen=True):
    """What a commit of people did to the context roots of its base."""

    repository: str
    base: str
    commit: str
    subject: str
    date: str
    rows: tuple[DecidedRow, ...]


class JudgedCase(_Labels, frozen=True):
    """What two readers said of roots of one version."""

    repository: str
    base: str
    rows: tuple[JudgedRow, ...]


class Case(msgspec.Struct, frozen=True):
    """A case by its name: `commits/console-566fb27f` or `judged/console`."""

    name: str
    labels: CommitCase | JudgedCase

    @property
    def clone(self) -> str:
        """The name of the repository's folder among the clones."""
        return self.labels.repository.rpartition("/")[2]

    @property
    def base(self) -> str:
        """The commit that is scanned."""
        return self.labels.base


def load(folder: Path = DECISIONS) -> tuple[Case, ...]:
    """All cases, sorted by name. Raises `InputError` for labels that cannot be read."""
    kinds: tuple[tuple[str, type[CommitCase] | type[JudgedCase]], ...] = (
        ("commits", CommitCase),
        ("judged", JudgedCase),
    )
    cases = []
    for kind, labels in kinds:
        for file in sorted((folder / kind).glob("*.json")):
            try:
                cases.append(Case(f"{kind}/{file.stem}", msgspec.json.decode(file.read_bytes(), type=labels)))
            except msgspec.DecodeError as error:
                raise InputError(f"{file}: {error}; README.md beside it says what a label holds") from error
    if not cases:
        raise InputError(f"{folder}: no labels in it; they are files commits/*.json and judged/*.json")
    return tuple(cases)


def choose(cases: Sequence[Case], names: Sequence[str]) -> tuple[Case, ...]:
    """The cases whose name holds one of `names` (`judged`, `console`, `commits/argo`); all where none is named."""
    for name in names:
        if not any(name in case.name for case in cases):
            raise UsageError(f"--case {name}: no such case; there are {', '.join(case.name for case in cases)}")
    return tuple(case for case in cases if not names or any(name in case.name for name in names))
