"""The results of `parity` for people and programs: lines, tables, Markdown, JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from benchmarks import report, scoring
from benchmarks.cases import Case, CommitCase
from benchmarks.scoring import GOALS, MEASURES, Miss, Score

TITLES = {"commits": "What people's commits did", "judged": "What two readers said"}


@dataclass(frozen=True)
class Scan:
    """One scan of one version: the roots, how long it took, and what was read only in part."""

    found: tuple[scoring.Found, ...]
    seconds: float
    typed: bool
    degradations: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """A case, its scan and its score."""

    case: Case
    scan: Scan
    score: Score

    @property
    def kind(self) -> str:
        """`commits` or `judged`."""
        return self.case.name.partition("/")[0]


def line(outcome: Outcome) -> str:
    """A case in one line."""
    measures = "  ".join(f"{name} {share_text(outcome.score, name)}" for name in MEASURES[outcome.kind])
    doubt = "" if outcome.scan.typed else "  no types"
    return f"{outcome.case.name:28} {outcome.scan.seconds:6.1f} s  {measures}{doubt}"


def share_text(score: Score, name: str) -> str:
    """Hits of rows and percent."""
    share = score.shares[name]
    return f"{share.hits}/{share.rows}" if share.percent is None else f"{share.hits}/{share.rows} {share.percent:.1f} %"


def miss_text(miss: Miss) -> str:
    """A disagreement in one line."""
    why = f" ({miss.people_why})" if miss.people_why else ""
    because = f": {miss.audit_why}" if miss.audit_why else ""
    return f"{miss.file}:{miss.line}: people {miss.people}{why} - audit {miss.audit}{because}"


def totals(outcomes: Sequence[Outcome]) -> dict[str, Score]:
    """The scores of each kind of case, over all cases of the kind."""
    kinds = [kind for kind in MEASURES if any(outcome.kind == kind for outcome in outcomes)]
    return {
        kind: scoring.total((outcome.score for outcome in outcomes if outcome.kind == kind), kind) for kind in kinds
    }


def missed(outcomes: Sequence[Outcome]) -> list[str]:
    """The goals that are missed."""
    return [name for kind, score in totals(outcomes).items() for name in scoring.unmet(kind, score)]


def totals_text(outcomes: Sequence[Outcome]) -> str:
    """The totals with their goals, for a terminal."""
    lines = []
    for kind, score in totals(outcomes).items():
        number = sum(outcome.kind == kind for outcome in outcomes)
        lines.append(f"{TITLES[kind]}, {number} cases")
        lines.append(report.columns([("  measure", "share", "goal", ""), *map(_padded, _rows(kind, score))]))
    return "\n".join(lines)


def as_json(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Everything, for programs."""
    return {
        "met": not missed(outcomes),
        "totals": {
            kind: {
                name: {**_numbers(score, name), "goal": GOALS[kind].get(name), "met": name not in unmet}
                for name in MEASURES[kind]
            }
            for kind, score in totals(outcomes).items()
            for unmet in [scoring.unmet(kind, score)]
        },
        "cases": [
            {
                "case": outcome.case.name,
                "repository": outcome.case.labels.repository,
                "base": outcome.case.base,
                "seconds": round(outcome.scan.seconds, 1),
                "roots": len(outcome.scan.found),
                "typed": outcome.scan.typed,
                "degradations": outcome.scan.degradations,
                "shares": {name: _numbers(outcome.score, name) for name in MEASURES[outcome.kind]},
                "misses": [msgspec.to_builtins(miss) for miss in outcome.score.misses],
            }
            for outcome in outcomes
        ],
    }


def as_markdown(outcomes: Sequence[Outcome]) -> str:
    """Totals, cases and disagreements, for people."""
    parts = ["# Agreement with people"]
    for kind, score in totals(outcomes).items():
        chosen = [outcome for outcome in outcomes if outcome.kind == kind]
        parts.append(f"## {TITLES[kind]}")
        parts.append(report.table(("measure", "share", "goal", ""), _rows(kind, score)))
        heads = ("case", "seconds", *MEASURES[kind])
        parts.append(
            report.table(
                heads,
                [
                    (
                        outcome.case.name,
                        f"{outcome.scan.seconds:.1f}",
                        *(share_text(outcome.score, name) for name in MEASURES[kind]),
                    )
                    for outcome in chosen
                ],
            )
        )
        parts += _miss_parts(chosen)
    return "\n\n".join(parts)


def _miss_parts(outcomes: Sequence[Outcome]) -> Iterator[str]:
    for outcome in outcomes:
        if outcome.score.misses:
            yield f"### Disagreements in {outcome.case.name}{_subject(outcome.case)}"
            yield "\n".join(f"- {miss_text(miss)}" for miss in outcome.score.misses)


def _subject(case: Case) -> str:
    return f": {case.labels.subject}" if isinstance(case.labels, CommitCase) else ""


def _rows(kind: str, score: Score) -> list[tuple[str, ...]]:
    unmet = scoring.unmet(kind, score)
    rows: list[tuple[str, ...]] = []
    for name in MEASURES[kind]:
        goal = GOALS[kind].get(name)
        word = "" if goal is None else "missed" if name in unmet else "met"
        rows.append((name, share_text(score, name), "" if goal is None else f"{goal:.0f} %", word))
    return rows


def _padded(row: tuple[str, ...]) -> tuple[str, ...]:
    return (f"  {row[0]}", *row[1:])


def _numbers(score: Score, name: str) -> dict[str, Any]:
    share = score.shares[name]
    return {
        "hits": share.hits,
        "rows": share.rows,
        "percent": None if share.percent is None else round(share.percent, 2),
    }
