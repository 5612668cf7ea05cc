"""A unified diff as rows of two columns, before and after, with what changed within a line.

It is read from the patch alone, so that a fix that was saved shows the same as a fresh one. What is read comes from a
target that is not to be trusted: a patch that cannot be read ends where that is so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from audit_lib.model import Record
from audit_lib.show.excerpt import clip

_RANGE = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)")
_QUOTED = re.compile(rb"\\([0-7]{3}|.)")
_ESCAPES = {b"a": 7, b"b": 8, b"t": 9, b"n": 10, b"v": 11, b"f": 12, b"r": 13, b'"': 34, b"\\": 92}


class Cell(Record, frozen=True):
    """One side of a row: the line's number and text, and the part `[start, end)` of the text that differs."""

    line: int
    text: str
    start: int = 0
    end: int = 0


class Pair(Record, frozen=True):
    """A row: `same`, or `changed` with a side that may be missing."""

    kind: str
    before: Cell | None
    after: Cell | None


class Hunk(Record, frozen=True):
    """A stretch of a file with changes; `heading` is the declaration that it begins in."""

    heading: str
    rows: tuple[Pair, ...]

    def covers(self, line: int) -> bool:
        """Whether it shows this line of the file as it was."""
        return any(row.before is not None and row.before.line == line for row in self.rows)


class FileDiff(Record, frozen=True):
    """What changes in a file, its lines counted on both sides."""

    file: str
    added: int
    removed: int
    hunks: tuple[Hunk, ...]


def diffs(patch: bytes) -> tuple[FileDiff, ...]:
    """The files of a patch as `git apply` takes it, in its order."""
    found = []
    file, hunks = "", list[Hunk]()
    for kind, lines in _parts(patch.split(b"\n")):
        if kind == "file":
            if hunks:
                found.append(_file(file, hunks))
            file, hunks = _name(lines), []
        else:
            hunks.append(_hunk(lines))
    if hunks:
        found.append(_file(file, hunks))
    return tuple(found)


def at(found: Iterable[FileDiff], file: str, line: int) -> Hunk | None:
    """The hunk that shows a line of a file as it was."""
    return next((hunk for one in found if one.file == file for hunk in one.hunks if hunk.covers(line)), None)


def _parts(lines: Sequence[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """The headers of files (`---` and `+++`) and the hunks, each with its lines."""
    at = 0
    while at < len(lines):
        end = at + 1
        if lines[at].startswith(b"--- ") and lines[end : end + 1] and lines[end].startswith(b"+++ "):
            end = at + 2
            yield "file", list(lines[at:end])
        elif ranges := _RANGE.match(lines[at]):
            end = _end(lines, end, int(ranges[2] or 1), int(ranges[4] or 1))
            yield "hunk", list(lines[at:end])
        at = end


def _end(lines: Sequence[bytes], at: int, old: int, new: int) -> int:
    """Where a hunk ends that has so many lines before and after: what they begin with could be anything."""
    while at < len(lines) and (old > 0 or new > 0):
        mark = lines[at][:1]
        old -= mark in (b" ", b"-")
        new -= mark in (b" ", b"+")
        at += 1
    return at


def _name(header: Sequence[bytes]) -> str:
    raw = header[0] if header[1][4:].rstrip() == b"/dev/null" else header[1]
    path = raw[4:].rstrip(b"\t")
    if path.startswith(b'"') and path.endswith(b'"'):
        path = _QUOTED.sub(lambda found: _unquoted(found[1]), path[1:-1])
    return path[2:].decode("utf-8", "replace")


def _unquoted(code: bytes) -> bytes:
    return bytes([int(code, 8) & 255]) if code.isdigit() else bytes([_ESCAPES.get(code, ord(code[:1]))])


def _file(file: str, hunks: Sequence[Hunk]) -> FileDiff:
    changed = [row for hunk in hunks for row in hunk.rows if row.kind == "changed"]
    added = sum(1 for row in changed if row.after is not None)
    removed = sum(1 for row in changed if row.before is not None)
    return FileDiff(file, added, removed, tuple(hunks))


def _hunk(lines: Sequence[bytes]) -> Hunk:
    match = _RANGE.match(lines[0])
    assert match is not None
    number, new_number = int(match[1]), int(match[3])
    rows: list[Pair] = []
    gone: list[Cell] = []
    come: list[Cell] = []

    def flush() -> None:
        rows.extend(_paired(before, after) for before, after in zip_longest(gone, come))
        gone.clear()
        come.clear()

    for line in lines[1:]:
        mark, text = line[:1], clip(line[1:].decode("utf-8", "replace").removesuffix("\r"))
        if mark == b"-":
            gone.append(Cell(number, text))
            number += 1
        elif mark == b"+":
            come.append(Cell(new_number, text))
            new_number += 1
        elif mark == b" ":
            flush()
            rows.append(Pair("same", Cell(number, text), Cell(new_number, text)))
            number, new_number = number + 1, new_number + 1
    flush()
    return Hunk(match[5].decode("utf-8", "replace"), tuple(rows))


def _paired(before: Cell | None, after: Cell | None) -> Pair:
    """Two lines beside each other, each with the part in which it differs from the other."""
    if before is None or after is None:
        whole = before or after
        assert whole is not None
        marked = Cell(whole.line, whole.text, 0, len(whole.text))
        return Pair("changed", marked if before else None, marked if after else None)
    old, new = before.text, after.text
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    # Whole words: of `context.Background()` and `ctx` the first letter is the same, which tells nobody anything.
    while head and _in_word(old, head) | _in_word(new, head):
        head -= 1
    while tail and _in_word(old, len(old) - tail) | _in_word(new, len(new) - tail):
        tail -= 1
    return Pair(
        "changed",
        Cell(before.line, old, head, len(old) - tail),
        Cell(after.line, new, head, len(new) - tail),
    )


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    alike = (number for number, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(alike, min(len(one), len(other)))


def _in_word(text: str, at: int) -> bool:
    return 0 < at < len(text) and all(c.isalnum() or c == "_" for c in text[at - 1 : at + 1])
