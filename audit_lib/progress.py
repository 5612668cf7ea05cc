"""Progress of long work, as the library sees it: a callable that the command line or a notebook gives."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much is done, and how much there is in all (0: not known)."""


def silent(what: str, done: int, total: int) -> None:
    """No progress is shown."""
