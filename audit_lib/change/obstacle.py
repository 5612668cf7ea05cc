"""What stands in the way of a change."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Obstacle:
    """Why something is not to be changed, and where: `file:line`, empty where it has no place in the target."""

    reason: str
    where: str
