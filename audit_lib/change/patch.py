"""Unified diffs as `git apply` takes them, made from bytes: the same on every machine, with or without git.

Paths are relative to the target, which is where `git apply` runs. A file that is missing is `None`. Where the target is
a folder below the top of its repository, git takes the paths of a `diff --git` line to start at the top, and skips such
files without a word; `below_top` leaves that line out, and git takes the rest to start at the folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from audit_lib.change.difference import Hunk, hunks, lines_of

Files = Mapping[str, bytes | None]
CONTEXT = 3
_HEADING = re.compile(rb"(?:func|type|var|const)\b.*")
_HEADING_SIZE = 80
_ESCAPES = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}


def patch(before: Files, after: Files, *, below_top: bool = False) -> bytes:
    """The diff that makes `after` of `before`, file by file, sorted; a file that is in one of them only is new or goes.

    Empty where nothing differs. Files that end without a newline, CRLF and any file name come out as git writes them.
    """
    files = sorted({*before, *after})
    return b"".join(file_patch(file, before.get(file), after.get(file), below_top) for file in files)


def phase_patches(before: Files, states: Sequence[tuple[str, Files]], *, below_top: bool = False) -> dict[str, bytes]:
    """A patch for each phase, from the state before it to its own: they apply one after the other, in this order.

    A state holds the files that differ from `before` by then; the others are as `before` has them.
    """
    patches = {}
    last: dict[str, bytes | None] = dict(before)
    for phase, state in states:
        now = {**before, **state}
        patches[phase] = patch(last, now, below_top=below_top)
        last = now
    return patches


def file_patch(file: str, before: bytes | None, after: bytes | None, below_top: bool = False) -> bytes:
    """The diff of one file, with git's headers; empty where nothing differs."""
    if before == after:
        return b""
    head = []
    if not below_top:
        head.append(f"diff --git {quoted('a/' + file)} {quoted('b/' + file)}")
        head += ["new file mode 100644"] * (before is None) + ["deleted file mode 100644"] * (after is None)
    body = _body(lines_of(before or b""), lines_of(after or b""))
    if body:
        head.append(f"--- {_side('a/' + file) if before is not None else '/dev/null'}")
        head.append(f"+++ {_side('b/' + file) if after is not None else '/dev/null'}")
    return "".join(f"{line}\n" for line in head).encode() + body


def quoted(path: str) -> str:
    """A path as git writes it: in double quotes with escapes where it holds anything but printable ASCII."""
    raw = path.encode("utf-8", "surrogateescape")
    if all(0x20 <= byte < 0x7F and byte not in b'"\\' for byte in raw):
        return path
    return '"' + "".join(_ESCAPES.get(b) or (chr(b) if 0x20 <= b < 0x7F else f"\\{b:03o}") for b in raw) + '"'


def _side(path: str) -> str:
    # A tab ends a name with blanks, since some tools look for a date behind it.
    name = quoted(path)
    return f"{name}\t" if " " in name and not name.startswith('"') else name


def _body(before: list[bytes], after: list[bytes]) -> bytes:
    pieces = []
    for group in _grouped(hunks(before, after)):
        start = max(group[0].start - CONTEXT, 0)
        end = min(group[-1].end + CONTEXT, len(before))
        new_start = group[0].new_start - (group[0].start - start)
        new_end = group[-1].new_end + (end - group[-1].end)
        ranges = f"@@ -{_range(start, end)} +{_range(new_start, new_end)} @@"
        pieces.append(ranges.encode() + _heading(before, start) + b"\n")
        at = start
        for hunk in group:
            pieces += [_line(b" ", line) for line in before[at : hunk.start]]
            pieces += [_line(b"-", line) for line in before[hunk.start : hunk.end]]
            pieces += [_line(b"+", line) for line in after[hunk.new_start : hunk.new_end]]
            at = hunk.end
        pieces += [_line(b" ", line) for line in before[at:end]]
    return b"".join(pieces)


def _grouped(found: list[Hunk]) -> list[list[Hunk]]:
    """Hunks whose lines of context would touch, together."""
    groups: list[list[Hunk]] = []
    for hunk in found:
        if groups and hunk.start - groups[-1][-1].end <= 2 * CONTEXT:
            groups[-1].append(hunk)
        else:
            groups.append([hunk])
    return groups


def _range(start: int, end: int) -> str:
    # An empty range names the line before it, and a range of one line has no count.
    if start == end:
        return f"{start},0"
    return f"{start + 1}" if end - start == 1 else f"{start + 1},{end - start}"


def _line(mark: bytes, line: bytes) -> bytes:
    return mark + line if line.endswith(b"\n") else mark + line + b"\n\\ No newline at end of file\n"


def _heading(lines: list[bytes], start: int) -> bytes:
    """The declaration that a hunk stands in, for readers; git leaves it out of account."""
    for line in reversed(lines[:start]):
        match = _HEADING.match(line)
        if match:
            text = match[0].rstrip()[:_HEADING_SIZE].decode("utf-8", "ignore")
            return b" " + text.encode()
    return b""
