"""How findings compare with labels: shares of agreement, and the rows that disagree. A pure function of records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from benchmarks.cases import Case, CommitCase, DecidedRow, JudgedCase, JudgedRow

CHANGES = frozenset({"fix", "detach"})

# What must be reached, over all cases together, in percent. The other measures are told, not asked.
GOALS: Mapping[str, Mapping[str, float]] = {
    "commits": {"found": 100.0, "recall": 98.0, "respect": 80.0},
    "judged": {"found": 100.0, "verdict": 90.0, "category": 90.0},
}
MEASURES: Mapping[str, tuple[str, ...]] = {
    "commits": ("found", "recall", "respect"),
    "judged": ("found", "verdict", "change", "category"),
}


class Found(msgspec.Struct, frozen=True):
    """What the comparison needs of a row of `findings.jsonl`."""

    kind: str
    file: str
    line: int
    category: str
    verdict: str
    reason: str = ""


@dataclass(frozen=True)
class Share:
    """Hits among rows."""

    hits: int = 0
    rows: int = 0

    def __add__(self, other: Share) -> Share:
        return Share(self.hits + other.hits, self.rows + other.rows)

    @property
    def percent(self) -> float | None:
        """The share in percent; nothing where there is no row."""
        return 100 * self.hits / self.rows if self.rows else None

    def meets(self, goal: float) -> bool:
        """Whether the share is the goal or more; no row, no miss. Compared without rounding."""
        return 100 * self.hits >= goal * self.rows


@dataclass(frozen=True)
class Miss:
    """A row on which the audit and people disagree: what they said, what it said, and why each did."""

    file: str
    line: int
    people: str
    audit: str
    people_why: str
    audit_why: str


@dataclass(frozen=True)
class Score:
    """The shares of one case or of many, by measure, and the rows that disagree."""

    shares: Mapping[str, Share] = field(default_factory=dict)
    misses: tuple[Miss, ...] = ()


def decode(lines: Iterable[bytes]) -> tuple[Found, ...]:
    """The roots of a `findings.jsonl`; bare calls have no label. Raises `msgspec.DecodeError`."""
    rows = (msgspec.json.decode(line, type=Found) for line in lines if line.strip())
    return tuple(row for row in rows if row.kind == "root")


def score(case: Case, found: Iterable[Found]) -> Score:
    """Compare the roots that were found with a case's labels."""
    at: dict[tuple[str, int], list[Found]] = {}
    for row in found:
        at.setdefault((row.file, row.line), []).append(row)
    if isinstance(case.labels, CommitCase):
        return _score_commit(case.labels, at)
    return _score_judged(case.labels, at)


def total(scores: Iterable[Score], kind: str) -> Score:
    """The scores of cases of one kind, added up."""
    shares = dict.fromkeys(MEASURES[kind], Share())
    misses: list[Miss] = []
    for one in scores:
        for name, share in one.shares.items():
            shares[name] += share
        misses += one.misses
    return Score(shares, tuple(misses))


def unmet(kind: str, score: Score) -> list[str]:
    """The measures that miss their goal."""
    return [name for name, goal in GOALS[kind].items() if not score.shares[name].meets(goal)]


def _score_commit(case: CommitCase, at: Mapping[tuple[str, int], Sequence[Found]]) -> Score:
    """A line can hold several roots: one that is to be changed makes the line one that is changed."""
    shares = dict.fromkeys(MEASURES["commits"], Share())
    misses = []
    for row in case.rows:
        here = at.get((row.file, row.line), ())
        changed = any(one.verdict in CHANGES for one in here)
        agrees = bool(here)
        shares["found"] += Share(bool(here), 1)
        if row.decision == "fixed":
            agrees = changed
            shares["recall"] += Share(agrees, 1)
        elif row.decision == "kept":
            agrees = bool(here) and not changed
            shares["respect"] += Share(agrees, 1)
        if not agrees:
            misses.append(_miss(row, row.decision, here))
    return Score(shares, tuple(misses))


def _score_judged(case: JudgedCase, at: Mapping[tuple[str, int], Sequence[Found]]) -> Score:
    """A judged row is one root: of several on its line, the last one counts."""
    shares = dict.fromkeys(MEASURES["judged"], Share())
    misses = []
    for row in case.rows:
        here = at.get((row.file, row.line), ())[-1:]
        verdict = bool(here) and here[0].verdict in row.verdicts
        category = bool(here) and here[0].category in row.categories
        shares["found"] += Share(bool(here), 1)
        shares["category"] += Share(category, 1)
        if row.settled:
            shares["verdict"] += Share(verdict, 1)
            shares["change"] += Share(bool(here) and _alike(here[0].verdict, row.verdicts), 1)
        if not (category and (verdict or not row.settled)):
            misses.append(_miss(row, f"{'/'.join(row.verdicts)} {'/'.join(row.categories)}", here))
    return Score(shares, tuple(misses))


def _alike(verdict: str, theirs: Iterable[str]) -> bool:
    """Whether both would change the code, or neither would."""
    return (verdict in CHANGES) == bool(CHANGES & set(theirs))


def _miss(row: DecidedRow | JudgedRow, people: str, here: Sequence[Found]) -> Miss:
    judged = isinstance(row, JudgedRow)
    said = [f"{one.verdict} {one.category}" if judged else one.verdict for one in here]
    why = row.why if isinstance(row, JudgedRow) else row.function
    return Miss(row.file, row.line, people, ", ".join(said) or "no finding", why, "; ".join(one.reason for one in here))
