"""Character offsets, as ast-grep counts them, to the positions of records: byte offsets, lines and byte columns.

Lines and columns are Go's: a line ends at `\\n` (a `\\r` before it belongs to the line), a column counts bytes from 1,
and a byte order mark is three bytes of the first line.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

from audit_lib.model import Span


def decode(data: bytes) -> tuple[str, int | None]:
    """The text of a file and the offset of its first byte that is not UTF-8, `None` where all of it is.

    Each undecodable byte becomes one `?`, so that the text takes as many bytes as the file and positions stay right.
    """
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError as error:
        escaped = data.decode("utf-8", "surrogateescape")
        return escaped.encode("utf-8", "replace").decode("utf-8"), error.start


class Positions:
    """The positions of one text. Cheap to make: the tables are only built once they are asked for."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._ascii = text.isascii()
        self._char_starts: list[int] | None = None
        self._byte_starts: list[int] = []

    def byte(self, char: int) -> int:
        """The byte offset of a character offset."""
        if self._ascii:
            return char
        line = self._line(char)
        start = self._starts()[line]
        return self._byte_starts[line] + len(self._text[start:char].encode())

    def line(self, char: int) -> int:
        """The line, from 1, that a character stands on."""
        return self._line(char) + 1

    def line_start(self, char: int) -> int:
        """The character offset at which the line of a character begins."""
        return self._starts()[self._line(char)]

    def span(self, file: str, start: int, end: int) -> Span:
        """The span of the characters `[start, end)`."""
        first = self.byte(start)
        line = self._line(start)
        return Span(file, first, self.byte(end), line + 1, first - self._byte_starts[line] + 1)

    def _line(self, char: int) -> int:
        return bisect_right(self._starts(), char) - 1

    def _starts(self) -> list[int]:
        if self._char_starts is None:
            lines = self._text.split("\n")
            self._char_starts = _starts_of(map(len, lines))
            self._byte_starts = self._char_starts if self._ascii else _starts_of(map(len, map(str.encode, lines)))
        return self._char_starts


def _starts_of(lengths: Iterable[int]) -> list[int]:
    """Where lines of these lengths begin. The end of the last one begins no line."""
    return list(accumulate(map((1).__add__, lengths), initial=0))[:-1]
