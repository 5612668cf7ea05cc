"""Words that several texts for people share."""

from __future__ import annotations

from collections.abc import Sequence


def printable(text: str) -> str:
    """Text of a target made safe for a terminal: control, formatting and bidirectional characters are spelled out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def one_line(text: str) -> str:
    """Text of a target in one line, made safe."""
    return printable(" ".join(text.split()))


def count(number: int, what: str) -> str:
    """A number with its noun: `1 file`, `2 files`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def listed(names: Sequence[str], limit: int = 20) -> str:
    """Names with commas between them, the last of too many as a number."""
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {more} more" if more > 0 else "")
