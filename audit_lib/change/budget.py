"""How long the proof of a fix may take, and what the time that is left is used for."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from audit_lib.fixed import Level

Next = Literal["search", "take back", "end"]
"""What comes of failures: who is to blame is searched for, all who may be are taken back, or nothing more is run."""

SCANS, TESTS = 10, 4
"""By default a proof takes as long as so many first scans, and as so many runs of the tests that it is about."""
LEAST: dict[Level, float] = {"build": 120, "test": 300, "race": 300}
"""Seconds that a proof has at least by default: a small target's tools take longer to start than it to be read."""
FIRST_RUN = 1800.0
"""Seconds that tests get by default that have not been measured yet."""
SHARE = 0.6
"""The part of what is left that a run of tests may take: the rest is for those that must be run again after it."""
BUILD_SHARE = 0.75
"""The part of what is left that compiling a plan may take, and then vetting it: the rest is for a smaller one.

Where there is no smaller one it may take all.
"""
ELSEWHERE_SHARE = 0.5
"""The part of what is left that compiling what a plan needs of other modules may take: another may need less of it."""
MOCKS_SHARE = 0.25
"""The part of what is left that making mocks again may take: edited ones serve, too."""
BUILD = 4
"""About as many first scans as it takes to compile and vet a target that has not been built yet."""
ROOM = 5
"""As many first scans must be left for one more before the proof: that is worth more than what a scan may find."""
SHORTEST = 5.0
"""Seconds below which no verification is begun."""


class OutOfTimeError(Exception):
    """A command was ended for time; `output` is what it had printed."""

    def __init__(self, output: str = "") -> None:
        super().__init__("out of time")
        self.output = output


def allowed(level: Level, scan: float, tests: float | None = None) -> float:
    """The seconds that a proof has by default, for what the first scan took, and a run of the tests, once known."""
    least = max(LEAST[level], SCANS * scan)
    if level == "build":
        return least
    return max(FIRST_RUN, least) if tests is None else least + TESTS * tests


def next_step(left: float, trial: float, again: float, *, proved: bool) -> Next:
    """What to do about failures with so many seconds left.

    `trial` is what it takes to try a part of the plan, `again` what it takes to verify what stays; `proved` tells
    whether there is something that stays without that: where there is not, even a small part of it is worth trying.
    """
    if left < SHORTEST or (proved and left < again):
        return "end"
    return "search" if left >= again + 2 * trial else "take back"


class Budget:
    """The time of one proof, from when it is made; `asked` are the seconds, None for as long as it takes.

    With `level` these may be set by what the first scan and the tests take: see `read` and `tested`.
    """

    def __init__(
        self, asked: float | None = None, level: Level | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._start = clock()
        self._level = level if asked is None else None
        self._scan = 0.0
        self.seconds = asked if asked is not None else math.inf
        self._ends = math.inf
        self._measured = False

    def read(self) -> float:
        """The target has been read: from now on it is known how long, and that long the last step will take again."""
        self._scan = self._clock() - self._start
        if self._level is not None:
            self.seconds = allowed(self._level, self._scan)
        return self.seconds

    def tested(self, seconds: float) -> None:
        """All tests have been run for the first time, which took so long."""
        if self._level in ("test", "race") and not self._measured:
            self._measured = True
            self.seconds = max(allowed(self._level, self._scan, seconds), self._clock() - self._start)

    @property
    def left(self) -> float:
        """The seconds that are left for the proof: what the last scan will take is taken off."""
        return self._start + self.seconds - self._scan - self._clock()

    @property
    def now(self) -> float:
        """The seconds that a command may take now: see `within`."""
        return min(self._start + self.seconds - self._scan, self._ends) - self._clock()

    @property
    def is_over(self) -> bool:
        """Whether no verification is begun any more."""
        return self.left < SHORTEST

    @property
    def part_of_a_build(self) -> float:
        """About which part of the target can be compiled and vetted in what is left, with time for another try."""
        return self.left * BUILD_SHARE / (BUILD * self._scan) if self._scan else math.inf

    def has_room_for_a_scan(self) -> bool:
        """Whether the target can be read once more before anything of it is proved."""
        return not self.is_over and self.left >= ROOM * self._scan

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Commands of the block take no longer than so many seconds all together."""
        ends, self._ends = self._ends, min(self._ends, self._clock() + seconds)
        try:
            yield
        finally:
            self._ends = ends

    def told(self) -> str:
        """What is left, for people; empty without a limit."""
        return f" · {max(self.left, 0):.0f} s left" if self.left < math.inf else ""
