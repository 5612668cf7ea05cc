"""What the scan of one file takes at most: past a limit the file is named as not scanned, with the limit as the reason.

People's code comes nowhere near: the figures are there so that a file that was made to be slow ends all the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from ast_grep_py import SgNode

SITES_LIMIT = 20_000
"""Sites of a file: generated clients of large interfaces have a few thousand."""

NESTING_LIMIT = 1_000
"""Nodes of the tree around a site or a declaration, one in the other: people's code has fewer than a hundred."""

NAME_LIMIT = 1_000
"""Characters of a function's name or a callee, which is written down for each site."""

REPARSE_LIMIT = 10
"""How often a file is read again after what the grammar stumbled over is masked."""

COMMENT_LIMIT = 4_000
"""Characters of the comment at a root that are read: what comes before is not looked at."""


LINES_LIMIT = 1_000_000_000
"""Characters that are passed to tell where the calls, literals and comments of a file stand: the parser counts from the
start of the line for each. A line of a million characters may have a thousand; what people write has a hundred each."""

_LONG_LINE = 10_000


class LimitError(Exception):
    """A file goes past a limit; the message is the reason, without the file."""


def check_places(text: str, count: int) -> None:
    """Raise `LimitError` where it would take too long to tell the places of so many nodes of a text."""
    if len(text) * count <= LINES_LIMIT:
        return
    lines = [line for line in text.split("\n") if len(line) > _LONG_LINE]
    longest = max(map(len, lines), default=0)
    # So many at most begin on a line: a long line of data, or of a string, has hardly one.
    passed = sum(len(line) * sum(map(line.count, ("(", "/*", ";"))) for line in lines)
    if min(longest * count, passed) > LINES_LIMIT:
        raise LimitError(f"a line of {longest} characters with too many calls or comments on it")


def ancestors(node: SgNode) -> Sequence[SgNode]:
    """The nodes around a node, from the inside out. `parent` looks for its answer from the root on each time.

    Raises `LimitError` for one that lies too deep.
    """
    found: list[SgNode] = node.ancestors()
    if len(found) > NESTING_LIMIT:
        raise LimitError(f"nested more than {NESTING_LIMIT} deep")
    return found


def name_of(node: SgNode) -> str:
    """The text of a name. Raises `LimitError` for one that nobody would read."""
    extent = node.range()
    if extent.end.index - extent.start.index > NAME_LIMIT:
        raise LimitError(f"a name has more than {NAME_LIMIT} characters")
    return node.text()
