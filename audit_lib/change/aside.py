"""What of a plan is put aside where time is short, until something smaller is proved."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from audit_lib.change import blame
from audit_lib.change.budget import BUILD_SHARE, Budget, OutOfTimeError
from audit_lib.change.concern import Concern
from audit_lib.change.packages import Commands, concerned
from audit_lib.change.planned import Component, edits_of
from audit_lib.change.verify import Outcome
from audit_lib.model import Refusal

_SURE = 1.5
"""So many times must a target fit into the time that is left, as one that is compiled anew, to try all at once.

How long that takes is only guessed at: it took from four first scans to eight where it was measured.
"""
_FIRST = 0.2
"""The part of a plan that is proved first, at most, where that is not sure."""
_HALF = 0.5
"""The part of a plan that is tried, at most, when all of it was not verified in time."""
_AGAIN = 0.75
"""The part of what was not verified in time that is tried, at most, when less of it is proved."""
_WORTH = 1.5
"""So many times what is proved must fit into the time that is left, besides what is built already, or it ends."""


class Aside:
    """The components that wait. `refusals` holds their findings, by fingerprint, with the reason if it stays so."""

    def __init__(self, budget: Budget, commands: Commands) -> None:
        self._budget, self._commands = budget, commands
        self._whole: tuple[Component, ...] = ()
        self._concern: Concern | None = None
        self._most = 1.0
        self._why = ""
        self.refusals: dict[str, Refusal] = {}

    def begin(self, components: Sequence[Component]) -> bool:
        """Put all but a little aside where there may be no time to build it; tells whether that is something.

        The copy must be as it was made.
        """
        part = self._budget.part_of_a_build
        if part >= _SURE or len(components) < 2:
            return False
        try:
            packages, _ = concerned(self._commands, edits_of(components))
        except OutOfTimeError:
            return False
        self._whole, self._concern = tuple(components), Concern(packages)
        self._keep({name for one in self._concern.smaller(components, min(part, _FIRST)) for name in one.fingerprints})
        return bool(self.refusals)

    def shrink(self, tried: Sequence[Component], outcome: Outcome, proved: Sequence[Component]) -> bool:
        """Put aside so much of a plan that was not verified in time that the rest may be; tells if that makes sense.

        It does not where hardly more would be left than what is `proved` already.
        """
        if not outcome.packages or self._budget.is_over:
            return False
        spent = sum(outcome.seconds.values())
        concern = Concern(outcome.packages, cold=outcome.cold)
        left = self._budget.left
        part = min(_HALF, left * BUILD_SHARE / outcome.needed if outcome.needed else left / (left + spent))
        smaller = concern.smaller(tried, part)
        if not smaller or (proved and concern.share(smaller, tried) < _WORTH * concern.share(proved, tried)):
            return False
        if not self._whole:
            self._whole, self._concern = tuple(tried), concern
        self._why = f": {outcome.steps[-1].step} was not run to its end"
        # Of what was ended for its pace there may be time for more when less is proved; what was cut off used it up.
        self._most = min(self._most, _AGAIN * concern.share(tried, self._whole)) if outcome.needed else 0.0
        self._keep({name for one in (*proved, *smaller) for name in one.fingerprints})
        return True

    def grow(self, proved: Sequence[Component], seconds: float) -> bool:
        """Take back in what fits into the time that is left, now that some are proved, which took so many seconds."""
        if self._concern is None or not self.refusals or not self._most or self._budget.is_over:
            return False
        now = self._concern.share(proved, self._whole)
        # Go keeps what has been built: that takes no time again.
        fits = now * (1 + self._budget.left * BUILD_SHARE / max(seconds, 0.1))
        if fits < min(_WORTH * now, 1):
            return False
        more = self._whole if min(fits, self._most) >= 1 else self._concern.smaller(self._whole, min(fits, self._most))
        before = set(self.refusals)
        self._keep({name for one in (*proved, *more) for name in one.fingerprints})
        if set(self.refusals) == before and self._most >= 1:
            self._keep({name for one in self._whole for name in one.fingerprints})  # it tells soon if that is too much
        return set(self.refusals) != before

    def _keep(self, names: Collection[str]) -> None:
        waiting: Iterable[Component] = (one for one in self._whole if one.fingerprints.isdisjoint(names))
        reason = f"not proved within {self._budget.seconds:.0f} s{self._why}"
        self.refusals = {
            name: Refusal(name, reason, blame.place_of((), one.changes[0]))
            for one in waiting
            for name in sorted(one.fingerprints)
        }
