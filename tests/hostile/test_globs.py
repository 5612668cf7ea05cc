"""Patterns of paths that a target brings: any of them is looked at once, and means what it meant."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_lib.globs import matches
from tests.hostile.limited import limited

DEEP = "/".join(["a"] * 120) + "/x.go"

HOSTILE = {
    "many `**`": "**/" * 300 + "b.go",
    "many `**` with names between": "**/a/" * 190 + "b.go",
    "stars in a name": "**/" + "*a" * 400 + "b",
    "brackets without end": "[" * 999,
    "an empty range": "**/[z-a]*",
    "question marks": "**/" + "?" * 900,
}


@pytest.mark.parametrize("pattern", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_pattern_takes_long(pattern: str) -> None:
    limited(
        "import sys; from audit_lib.globs import matches; pattern, *files = sys.argv[1:];"
        "assert not any(matches(file, pattern) for file in files * 100)",
        pattern,
        DEEP,
        "a" * 255,
    )


def tried(parts: list[str], patterns: list[str]) -> bool:
    """What a pattern means, by trying every way: right, and exponential."""
    if not patterns:
        return not parts
    if patterns[0] == "**":
        return any(tried(parts[place:], patterns[1:]) for place in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], patterns[0]) and tried(parts[1:], patterns[1:])


NAMES = st.sampled_from(["", "a", "b", "ab"])
PATTERNS = st.sampled_from(["**", "*", "a", "a*", "", "?", "***", "[ab]"])


@settings(max_examples=500)
@given(st.lists(NAMES, min_size=1, max_size=6), st.lists(PATTERNS, min_size=1, max_size=6))
def test_a_pattern_means_what_trying_every_way_says(parts: list[str], patterns: list[str]) -> None:
    assert matches("/".join(parts), "/".join(patterns)) is tried(parts, patterns)
