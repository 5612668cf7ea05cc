"""Two programs, measured side by side: A B A B …, so that what else the machine does falls on both."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.processes import Usage

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Goal:
    """What is asked of a ratio or of a time: at most `limit` (or less than it, where `strict`)."""

    limit: float
    strict: bool = False

    def met(self, value: float) -> bool:
        """Whether a value meets it. Compared without rounding."""
        return value < self.limit if self.strict else value <= self.limit

    def __str__(self) -> str:
        return f"{'<' if self.strict else '≤'} {self.limit:g}"


@dataclass(frozen=True)
class Side:
    """The runs of one of the two."""

    name: str
    runs: tuple[Usage, ...]

    @property
    def seconds(self) -> float:
        """The median of the wall times."""
        return statistics.median(run.seconds for run in self.runs)

    @property
    def peak(self) -> float:
        """The median of the largest process's memory, in bytes."""
        return statistics.median(run.peak for run in self.runs)

    @property
    def together(self) -> float:
        """The median of the memory of all processes together, in bytes."""
        return statistics.median(run.together for run in self.runs)


@dataclass(frozen=True)
class Figure:
    """One line of the table: two values (or one), their ratio, and the goal. `value` is what the goal is about."""

    where: str
    what: str
    ours: str
    theirs: str
    value: float
    goal: Goal | None
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the goal is met; a figure without one is told, not asked."""
        return self.goal is None or self.goal.met(self.value)


def alternate(a: Callable[[], Usage], b: Callable[[], Usage], times: int) -> tuple[list[Usage], list[Usage]]:
    """Run both in turns, `times` each."""
    pairs = [(a(), b()) for _ in range(times)]
    return [first for first, _ in pairs], [second for _, second in pairs]


def time_figure(where: str, what: str, ours: Side, theirs: Side, goal: Goal) -> Figure:
    """How long one takes, as a share of the other."""
    ratio = ours.seconds / theirs.seconds
    return Figure(where, what, _seconds(ours.seconds), _seconds(theirs.seconds), ratio, goal, note(ours, theirs))


def memory_figures(where: str, what: str, ours: Side, theirs: Side, goal: Goal) -> list[Figure]:
    """How much memory one takes, as a share of the other: the largest process, and all processes together."""
    largest = Figure(where, f"{what}, memory", _bytes(ours.peak), _bytes(theirs.peak), ours.peak / theirs.peak, goal)
    if not theirs.together:
        return [largest]
    ratio = ours.together / theirs.together
    return [
        largest,
        Figure(where, f"{what}, all processes' memory", _bytes(ours.together), _bytes(theirs.together), ratio, None),
    ]


def alone_figure(where: str, what: str, runs: Sequence[Usage], goal: Goal) -> Figure:
    """How long a program takes, in seconds, beside no other."""
    seconds = statistics.median(run.seconds for run in runs)
    return Figure(where, what, _seconds(seconds), "", seconds, goal)


def note(ours: Side, theirs: Side) -> str:
    """How far the runs spread, as the largest share of a median; and how the other one ended, where not with 0."""
    spread = max(
        (max(times) - min(times)) / statistics.median(times)
        for side in (ours, theirs)
        for times in [[run.seconds for run in side.runs]]
    )
    codes = sorted({run.code for run in theirs.runs} - {0})
    ended = f"; {theirs.name} ended with {', '.join(map(str, codes))}" if codes else ""
    return f"runs differ by {spread:.0%}{ended}"


def _seconds(value: float) -> str:
    return f"{value:.2f} s"


def _bytes(value: float) -> str:
    return f"{value / MEGABYTE:.0f} MB"
