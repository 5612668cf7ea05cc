"""A step over many packages in batches: ended as soon as it is plain that it takes longer than it may."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from audit_lib.change.budget import Budget, OutOfTimeError
from audit_lib.change.failures import Report, joined
from audit_lib.change.packages import Package

FEWEST = 12
"""Packages below which a step is taken at once: each batch costs the go command a second or two."""
SHARES = (0.1, 0.25, 0.5, 1.0)
"""The parts of the work behind which it is looked at how long the rest will take."""
DOUBT = 1.25
"""So many times longer than it may take must a step seem to take before it is ended for that."""


class TooSlowError(OutOfTimeError):
    """A step was ended since it would not end in time: it takes about so many seconds in all."""

    def __init__(self, needed: float) -> None:
        super().__init__()
        self.needed = needed


def is_paced(packages: Sequence[Package], budget: Budget) -> bool:
    """Whether a step over these packages is taken in batches."""
    return budget.now < math.inf and len(packages) >= FEWEST


def paced(run: Callable[[Sequence[Package]], Report], packages: Sequence[Package], budget: Budget) -> Report:
    """What a step says of packages, taken in batches where they are many and the time has an end.

    Raises `TooSlowError` where those that are done tell that the rest takes too long.
    """
    if not is_paced(packages, budget):
        return run(packages)
    given, whole, done = budget.now, _weight(packages), 0
    parts = []
    for batch in _batches(packages):
        parts.append(run(batch))
        done += _weight(batch)
        needed = (given - budget.now) * whole / done
        if done < whole and needed > given * DOUBT:
            raise TooSlowError(needed)
    return joined(parts)


def _batches(packages: Sequence[Package]) -> Iterator[list[Package]]:
    """The packages, those first that need fewest others of them: what a batch needs is in it or in those before it."""
    paths = {one.path for one in packages}
    order = sorted(packages, key=lambda one: (len(one.needs & paths - {one.path}), one.module, one.path))
    whole, done, at = _weight(packages), 0, 0
    for share in SHARES:
        start = at
        while at < len(order) and (done < share * whole or share == SHARES[-1]):
            done += _weight([order[at]])
            at += 1
        if at > start:
            yield order[start:at]


def _weight(packages: Sequence[Package]) -> int:
    """About how long packages take, by their files."""
    return sum(1 + len(one.files) for one in packages)
