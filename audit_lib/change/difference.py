"""Which lines two versions of a file share: anchored at lines that are unique in both, as `git diff --patience` does.

The result depends on the two versions alone, and stays near linear where `difflib` by itself is quadratic: on long
files with many lines alike, as Go's closing braces are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

DEPTH_LIMIT = 50
"""How often what lies between two anchors is anchored again: people's files need a few."""

WORK_LIMIT = 50_000_000
"""Pairs of equal lines between two anchors, times the lines: what `difflib` may look at. Past it all that lies between
is one hunk; so it is at the limit of depth."""


class Hunk(NamedTuple):
    """The lines `[start, end)` before became the lines `[new_start, new_end)` after; all from 0."""

    start: int
    end: int
    new_start: int
    new_end: int


def lines_of(data: bytes) -> list[bytes]:
    """The lines of a file with their ends; only `\\n` ends one, as in git and Go."""
    lines = data.split(b"\n")
    return [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def hunks(before: Sequence[bytes], after: Sequence[bytes]) -> list[Hunk]:
    """What differs, in order; between two hunks there is at least one line that is the same."""
    found: list[Hunk] = []
    at, new_at = 0, 0
    ends = (len(before), len(after), 0)
    for start, new_start, size in (*_same(before, after, 0, 0), ends):
        if at < start or new_at < new_start:
            found.append(Hunk(at, start, new_at, new_start))
        at, new_at = start + size, new_start + size
    return found


def _same(
    a: Sequence[bytes], b: Sequence[bytes], low: int, new_low: int, depth: int = 0
) -> Iterator[tuple[int, int, int]]:
    """The runs of lines that both have, in order; `low` and `new_low` are where `a` and `b` begin in their files."""
    head = 0
    while head < min(len(a), len(b)) and a[head] == b[head]:
        head += 1
    tail = 0
    while tail < min(len(a), len(b)) - head and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    if head:
        yield low, new_low, head
    middle, new_middle = a[head : len(a) - tail], b[head : len(b) - tail]
    if middle and new_middle:
        yield from _anchored(middle, new_middle, low + head, new_low + head, depth)
    if tail:
        yield low + len(a) - tail, new_low + len(b) - tail, tail


def _anchored(
    a: Sequence[bytes], b: Sequence[bytes], low: int, new_low: int, depth: int
) -> Iterator[tuple[int, int, int]]:
    if depth > DEPTH_LIMIT:
        return
    anchors = _anchors(a, b)
    if not anchors:
        counts = Counter(b)
        if len(a) * sum(counts[line] for line in a) > WORK_LIMIT:
            return
        for start, new_start, size in SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks():
            if size:
                yield low + start, new_low + new_start, size
        return
    at, new_at = 0, 0
    for start, new_start in (*anchors, (len(a), len(b))):
        yield from _same(a[at:start], b[new_at:new_start], low + at, new_low + new_at, depth + 1)
        at, new_at = start, new_start
        if start < len(a):
            yield low + start, new_low + new_start, 1
            at, new_at = start + 1, new_start + 1


def _anchors(a: Sequence[bytes], b: Sequence[bytes]) -> list[tuple[int, int]]:
    """The longest rising chain of lines that are there exactly once in both."""
    once = {line for line, count in Counter(a).items() if count == 1}
    once &= {line for line, count in Counter(b).items() if count == 1}
    places = {line: index for index, line in enumerate(b) if line in once}
    pairs = [(index, places[line]) for index, line in enumerate(a) if line in once]
    tops: list[int] = []
    at_top: list[int] = []
    previous = [-1] * len(pairs)
    for number, (_, new) in enumerate(pairs):
        pile = bisect_left(tops, new)
        previous[number] = at_top[pile - 1] if pile else -1
        tops[pile : pile + 1] = [new]
        at_top[pile : pile + 1] = [number]
    chain = []
    number = at_top[-1] if at_top else -1
    while number >= 0:
        chain.append(pairs[number])
        number = previous[number]
    return chain[::-1]
