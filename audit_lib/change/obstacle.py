"""What stands in the way of a change."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Obstacle:
    """Why something is not to be changed, and where: `file:line`, below a module's version where it is another's.

    Empty where it has no place.
    """

    reason: str
    where: str
