"""Character offsets, as ast-grep counts them, to the positions of records: byte offsets, lines and byte columns.

Lines and columns are Go's: a line ends at `\\n` (a `\\r` before it belongs to the line), a column counts bytes from 1,
and a byte order mark is three bytes of the first line.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from itertools import accumulate

from audit_lib.model import Span

_PIECE = 256
"""Characters between two offsets whose bytes are known."""


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

    def byte(self, char: int) -> int:
        """The byte offset of a character offset."""
        if self._ascii:
            return char
        piece = char // _PIECE
        return self._byte_starts[piece] + len(self._text[piece * _PIECE : char].encode())

    def char(self, byte: int) -> int:
        """The character offset of a byte offset; within a character, that of the character."""
        if self._ascii:
            return byte
        piece = bisect_right(self._byte_starts, byte) - 1
        start = piece * _PIECE
        within = self._text[start : start + _PIECE].encode()[: byte - self._byte_starts[piece]]
        return min(start + len(within.decode("utf-8", "ignore")), len(self._text))

    def line(self, char: int) -> int:
        """The line, from 1, that a character stands on."""
        return self._line(char) + 1

    def line_start(self, char: int) -> int:
        """The character offset at which the line of a character begins."""
        return self._starts[self._line(char)]

    def span(self, file: str, start: int, end: int) -> Span:
        """The span of the characters `[start, end)`."""
        first = self.byte(start)
        line = self._line(start)
        return Span(file, first, self.byte(end), line + 1, first - self.byte(self._starts[line]) + 1)

    def _line(self, char: int) -> int:
        return bisect_right(self._starts, char) - 1

    @cached_property
    def _starts(self) -> list[int]:
        """Where lines begin. The end of the last one begins no line."""
        lengths = map(len, self._text.split("\n"))
        return list(accumulate(map((1).__add__, lengths), initial=0))[:-1]

    @cached_property
    def _byte_starts(self) -> list[int]:
        """The byte offset of every so many characters: a file may be one line."""
        pieces = (self._text[start : start + _PIECE] for start in range(0, len(self._text), _PIECE))
        return list(accumulate((len(piece.encode()) for piece in pieces), initial=0))
