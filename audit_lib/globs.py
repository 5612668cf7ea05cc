"""Patterns of paths, as `ctxaudit.toml` has them: `*` and `?` within a folder's name, `**` for any number of folders.

A pattern is looked at from its beginning to its end once, whatever stands in it: no pattern makes it go back.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache

_ANY = "**"


def matches(file: str, pattern: str) -> bool:
    """Whether a path matches a pattern in which `**` stands for any number of folders, none included."""
    patterns, least = _parts(pattern)
    parts = file.split("/")
    if len(parts) < least:
        return False
    # Where in the pattern the next part of the path may stand: all such places at once.
    places = _with_empty({0}, patterns)
    for part in parts:
        after = set()
        for place in places:
            if place == len(patterns):
                continue
            if patterns[place] == _ANY:
                after.add(place)
            elif fnmatchcase(part, patterns[place]):
                after.add(place + 1)
        places = _with_empty(after, patterns)
        if not places:
            return False
    return len(patterns) in places


def _with_empty(places: set[int], patterns: tuple[str, ...]) -> set[int]:
    """These places and those behind a `**` that stands for no folder."""
    return places | {place + 1 for place in places if place < len(patterns) and patterns[place] == _ANY}


@lru_cache(maxsize=1024)
def _parts(pattern: str) -> tuple[tuple[str, ...], int]:
    """The parts of a pattern, `**` once where it is repeated, and how many parts a path has at least."""
    parts = pattern.split("/")
    kept = tuple(part for place, part in enumerate(parts) if part != _ANY or parts[place - 1 : place] != [_ANY])
    return kept, sum(part != _ANY for part in kept)
