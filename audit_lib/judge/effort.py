"""How much work judging may be: it grows with what was read and no faster, and ends when its time is over.

What is judged was written by others, and may be made so that following it does not end. Steps are counted, so that the
same input gives the same findings on every machine; the clock is looked at besides where a time was given.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from audit_lib.errors import ExhaustedError

STEPS_PER_FACT = 1_000
"""How many steps judging may take for each fact that was read. Code as people write it needs some dozens."""

STEPS_TO_SPARE = 5_000_000
"""How many steps it may take besides."""

STEPS_PER_SITE = 2_000
"""How many steps each site may take of its own when all others are used up."""

SHARE = 10
"""One site may take no more than this part of the steps that are left, so that none uses them up for all others."""

WAYS = 5_000_000
"""How many ways into functions are followed, all together: each caller of each function, by whatever it is called."""

_LOOK = 10_000  # so many steps between two looks at the clock


class Effort:
    """What is left of the work that judging may be: steps, ways, and time until `deadline` (of `time.monotonic`)."""

    def __init__(self, facts: int = 0, deadline: float | None = None) -> None:
        self.spent = 0
        self.ways = 0
        self._limit = STEPS_TO_SPARE + STEPS_PER_FACT * facts
        self._until = self._limit  # where the part of the work ends that is done now
        self._deadline = deadline
        self._look_at = 0

    def spend(self, steps: int = 1) -> None:
        """Count steps. Raises `ExhaustedError` when there are too many, or the time is over."""
        self.spent += steps
        if self.spent >= self._look_at:
            self._look()

    def keep(self, ways: int) -> None:
        """Count ways into functions that are kept in memory. Raises `ExhaustedError` when there are too many."""
        if self.ways + ways > WAYS:
            raise ExhaustedError(f"its functions are called in more than {WAYS} ways")
        self.ways += ways
        self.spend(ways)

    @contextmanager
    def for_one_site(self) -> Iterator[None]:
        """Bound the work on one site, which is given up alone: it gets a share of what is left, and some steps always.

        What all sites need is worked out for the first of them that asks, and paid from its share.
        """
        self._until = self.spent + max((self._limit - self.spent) // SHARE, STEPS_PER_SITE)
        self._look_at = min(self._look_at, self._until)
        try:
            yield
        finally:
            self._until = self._limit

    def _look(self) -> None:
        if self.spent > self._until:
            raise ExhaustedError(f"judging it takes more than {STEPS_PER_FACT} steps for each fact of the target")
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise ExhaustedError("the time that was given was over before it was judged")
        self._look_at = min(self.spent + _LOOK, self._until)
