"""The algebra of edits: byte spans that are sorted, checked for overlap, applied, composed, translated and inverted.

All functions are pure. The edits of one file are a tuple in *normal form* (see `merged`); those of a target are a dict
from file to such a tuple, sorted by file. Offsets are in the file before the edits.

Text that was not UTF-8 in a file travels as lone surrogates, so that every byte survives being cut and put back.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from itertools import groupby, pairwise

from audit_lib.errors import AuditError
from audit_lib.model import Change, Edit, Span

Edits = tuple[Edit, ...]
BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile("(?<!\r)\r+\n")


class EditError(AuditError):
    """An edit that its file cannot take: it lies outside, or ends before it starts."""


class OverlapError(EditError):
    """Two edits that want different things of the same bytes; `first` and `second` are they."""

    def __init__(self, first: Edit, second: Edit) -> None:
        super().__init__(f"{_named(first)} and {_named(second)} change the same bytes; only one of them can be done")
        self.first = first
        self.second = second


def merged(edits: Iterable[Edit]) -> Edits:
    """The edits of one file in normal form: by place, each once. Who came first makes no difference.

    Insertions at one place come before what is replaced there, and among themselves in the order of their texts;
    who needs another order writes one edit. Raises `OverlapError` for edits that differ and share a byte, or where one
    inserts into what the other replaces, and `EditError` for edits of several files or with a span that is none.
    """
    ordered = sorted({_key(edit): edit for edit in edits}.items())
    result = tuple(edit for _, edit in ordered)
    for edit in result:
        if not 0 <= edit.span.start <= edit.span.end or edit.span.file != result[0].span.file:
            raise EditError(f"{_named(edit)} is no edit of {result[0].span.file}")
    for first, second in pairwise(result):
        if second.span.start < first.span.end:
            raise OverlapError(first, second)
    return result


def by_file(edits: Iterable[Edit]) -> dict[str, Edits]:
    """The edits of several files, each file's in normal form, sorted by file. Raises as `merged` does."""
    ordered = sorted(edits, key=lambda edit: edit.span.file)
    return {file: merged(group) for file, group in groupby(ordered, key=lambda edit: edit.span.file)}


def restrict(changes: Iterable[Change], fingerprints: Collection[str]) -> dict[str, Edits]:
    """What the changes with these fingerprints need, by file; an edit that several of them share is there once."""
    return by_file(edit for change in changes if change.fingerprint in fingerprints for edit in change.edits)


def apply_all(files: Mapping[str, bytes], edits: Mapping[str, Edits]) -> dict[str, bytes]:
    """The edited files, whole, sorted; files that stay as they are are left out. One that is missing is made."""
    results = {file: apply(files.get(file, b""), edits[file]) for file in sorted(edits)}
    return {file: data for file, data in results.items() if data != files.get(file)}


def apply(data: bytes, edits: Iterable[Edit]) -> bytes:
    """The file after its edits, once their texts have its line ends (see `fitted`)."""
    return splice(data, fitted(data, edits))


def splice(data: bytes, edits: Iterable[Edit]) -> bytes:
    """The file after its edits, byte for byte as they say. Raises `EditError` for one that lies outside of it."""
    pieces = []
    done = 0
    for edit in merged(edits):
        if edit.span.end > len(data):
            raise EditError(f"{_named(edit)} lies behind the end of the file ({len(data)} bytes); it has changed")
        pieces += [data[done : edit.span.start], _bytes(edit)]
        done = edit.span.end
    return b"".join([*pieces, data[done:]])


def fitted(data: bytes, edits: Iterable[Edit]) -> Edits:
    """The edits as this file takes them: with its line ends (the kind that most lines have), behind its BOM."""
    windows = data.count(b"\r\n") * 2 > data.count(b"\n")
    door = len(BOM) if data.startswith(BOM) else 0
    result = []
    for edit in edits:
        text = _LINE_END.sub("\n", edit.text)
        start, end = max(edit.span.start, door), max(edit.span.end, door)
        span = edit.span if start == edit.span.start else span_of(data, edit.span.file, start, end)
        result.append(Edit(span, text.replace("\n", "\r\n") if windows else text))
    return merged(result)


def invert(data: bytes, edits: Iterable[Edit]) -> Edits:
    """The edits of the edited file that give `data` again: `splice(splice(data, e), invert(data, e)) == data`."""
    edits = merged(edits)
    after = splice(data, edits)
    back = []
    for span, edit in zip(written(data, edits), edits, strict=True):
        old = data[edit.span.start : edit.span.end]
        back.append(Edit(span, old.decode("utf-8", "surrogateescape")))
    return _joined(after, back)


def compose(data: bytes, first: Iterable[Edit], second: Iterable[Edit]) -> Edits:
    """One set of edits that does to `data` what `first` does and then `second`, whose offsets are after `first`.

    `splice(data, compose(data, f, s)) == splice(splice(data, f), s)`.
    """
    pieces = _cut(_pieces(len(data), merged(first)), merged(second))
    file = next((edit.span.file for edit in (*first, *second)), "")
    result: list[Edit] = []
    done, pending = 0, b""
    for piece in (*pieces, (len(data), len(data))):
        if isinstance(piece, bytes):
            pending += piece
            continue
        if pending or done < piece[0]:
            text = pending.decode("utf-8", "surrogateescape")
            result.append(Edit(span_of(data, file, done, piece[0]), text))
        done, pending = piece[1], b""
    return merged(result)


def translate(edits: Iterable[Edit], offset: int, *, after: bool = True) -> int:
    """Where the byte at an offset stands after the edits.

    Of a place where something is inserted, `after` tells whether what is inserted comes before it (as for the byte
    that stood there) or behind it (as for the end of what stood before). Inside of what is replaced, it is the end of
    the new text, or its start.
    """
    shift = 0
    for edit in merged(edits):
        start, end = edit.span.start, edit.span.end
        if offset < start or (offset == start and not after):
            break
        if offset < end:
            # A byte that goes has no place: the new text's end or start stands for it.
            return start + shift + (len(_bytes(edit)) if after else 0)
        shift += len(_bytes(edit)) - (end - start)
    return offset + shift


def written(data: bytes, edits: Iterable[Edit]) -> tuple[Span, ...]:
    """Where the text of each edit stands in the edited file, in normal form's order: to look at it there again."""
    edits = merged(edits)
    after = splice(data, edits)
    spans = []
    shift = 0
    for edit in edits:
        start = edit.span.start + shift
        size = len(_bytes(edit))
        spans.append(span_of(after, edit.span.file, start, start + size))
        shift += size - (edit.span.end - edit.span.start)
    return tuple(spans)


def span_of(data: bytes, file: str, start: int, end: int) -> Span:
    """The span of the bytes `[start, end)` of a file, with the line and the byte column of its start."""
    return Span(file, start, end, data.count(b"\n", 0, start) + 1, start - data.rfind(b"\n", 0, start))


Piece = bytes | tuple[int, int]
"""A stretch of an edited file: bytes that were written, or a range of the file before."""


def _pieces(size: int, edits: Edits) -> list[Piece]:
    pieces: list[Piece] = []
    done = 0
    for edit in edits:
        pieces += [(done, edit.span.start), _bytes(edit)]
        done = edit.span.end
    return [*pieces, (done, size)]


def _cut(pieces: list[Piece], edits: Edits) -> list[Piece]:
    """The pieces after edits whose offsets count along them."""
    result: list[Piece] = []
    rest = pieces[::-1]
    at = 0
    for edit in edits:
        result += [*_taken(rest, edit.span.start - at), _bytes(edit)]
        _taken(rest, edit.span.end - edit.span.start)
        at = edit.span.end
    return result + [piece for piece in rest[::-1] if _size(piece)]


def _taken(rest: list[Piece], size: int) -> list[Piece]:
    """The next `size` bytes of pieces that wait in turn, the first one last."""
    found: list[Piece] = []
    while size > 0 and rest:
        piece = rest.pop()
        over = _size(piece) - size
        if over > 0:
            rest.append(piece[size:] if isinstance(piece, bytes) else (piece[1] - over, piece[1]))
            piece = piece[:size] if isinstance(piece, bytes) else (piece[0], piece[1] - over)
        size -= _size(piece)
        if _size(piece):
            found.append(piece)
    return found


def _size(piece: Piece) -> int:
    return len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]


def _joined(data: bytes, edits: list[Edit]) -> Edits:
    """Edits that touch each other as one, so that two that came to stand at one place keep their order."""
    result: list[Edit] = []
    for edit in edits:
        if result and result[-1].span.end == edit.span.start:
            last = result.pop()
            edit = Edit(span_of(data, edit.span.file, last.span.start, edit.span.end), last.text + edit.text)
        result.append(edit)
    return merged(result)


def _key(edit: Edit) -> tuple[str, int, int, bytes]:
    return (edit.span.file, edit.span.start, edit.span.end, _bytes(edit))


def _bytes(edit: Edit) -> bytes:
    return edit.text.encode("utf-8", "surrogateescape")


def _named(edit: Edit) -> str:
    span = edit.span
    text = edit.text if len(edit.text) <= 40 else f"{edit.text[:37]}…"
    return f"{span.file}:{span.line}:{span.column} ({span.end - span.start} bytes → {text!r})"
