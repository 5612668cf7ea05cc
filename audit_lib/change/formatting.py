"""gofmt for files that were edited, without touching a line that the edits do not need.

A file that gofmt would have left alone before the edits is formatted as a whole: nothing but what the edits changed can
move. In one that it would have changed, only those of gofmt's changes are made that it would not have made before the
edits: what its authors left stays as they left it. CRLF and a byte order mark, which gofmt drops, are kept;
a file whose lines end in both ways is not formatted.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from audit_lib.change.difference import Hunk, hunks, lines_of
from audit_lib.change.edits import BOM
from audit_lib.errors import ToolchainError
from audit_lib.read.gotool import GoTool, environment
from audit_lib.untrusted.processes import find_program, run

_UNFORMATTED = b"\n\n\n"


def format_edited(go: GoTool, before: Mapping[str, bytes | None], after: Mapping[str, bytes]) -> dict[str, bytes]:
    """The edited Go files, formatted where that is asked for by the edits alone; other files as they are.

    `before` holds the files as they were, `None` or nothing for new ones. A file that does not parse stays as it is.
    Raises `ToolchainError` when gofmt cannot be run.
    """
    olds = [_plain(before.get(file) or b"") for file in after]
    news = [_plain(data) for data in after.values()]
    done = gofmt(go, [*olds, *news])
    results = {}
    for number, (file, data) in enumerate(after.items()):
        old, new = olds[number], news[number]
        pretty, pretty_old = done[len(olds) + number], done[number]
        mixed = _dressed(new, data) != data
        if file.endswith(".go") and pretty is not None and pretty != new and not mixed:
            clean = before.get(file) is None or pretty_old == old
            chosen = pretty if clean else _caused(go, old, pretty_old or old, new, pretty)
            data = _dressed(chosen, data)
        results[file] = data
    return results


def unformatted(go: GoTool, before: Mapping[str, bytes | None], after: Mapping[str, bytes]) -> list[str]:
    """The Go files that were gofmt-clean before (or are new) and no longer are, or no longer parse; sorted."""
    files = sorted(file for file in after if file.endswith(".go"))
    olds = [_plain(before.get(file) or b"") for file in files]
    news = [_plain(after[file]) for file in files]
    done = gofmt(go, [*olds, *news])
    was_clean = [before.get(file) is None or done[at] == olds[at] for at, file in enumerate(files)]
    return [file for at, file in enumerate(files) if was_clean[at] and done[len(files) + at] != news[at]]


def gofmt(go: GoTool, sources: Sequence[bytes]) -> list[bytes | None]:
    """What gofmt makes of each source, `None` for one that does not parse. One run for all.

    Its messages are not looked at: a source has a say in the names and lines that stand in them. Blank lines are added
    to each, which gofmt leaves in none: one that still ends with them was not parsed.
    """
    different = sorted(set(sources))
    with tempfile.TemporaryDirectory(prefix="ctxaudit-gofmt-") as name:
        folder = Path(name)
        places = {source: folder / f"{number}.go" for number, source in enumerate(different)}
        for source, place in places.items():
            place.write_bytes(source + _UNFORMATTED)
        command = [_program(go), "-w", "."]
        try:
            run(command, cwd=folder, env=environment(go))
        except OSError as error:
            raise ToolchainError(f"{command[0]}: {error.strerror}; install Go whole, gofmt is part of it") from error
        results = {source: _formatted(place.read_bytes()) for source, place in places.items()}
    return [results[source] for source in sources]


def _formatted(found: bytes) -> bytes | None:
    return None if found.endswith(_UNFORMATTED) else found


def _program(go: GoTool) -> str:
    suffix = ".exe" if go.host_os == "windows" else ""
    own = go.root / "bin" / f"gofmt{suffix}"
    return str(own if own.is_file() else find_program("gofmt", not_in=go.not_in) or go.path.with_name(f"gofmt{suffix}"))


def _caused(go: GoTool, old: bytes, pretty_old: bytes, new: bytes, pretty: bytes) -> bytes:
    """The edited file with those of gofmt's changes that the edits brought about."""
    old_lines, new_lines = lines_of(old), lines_of(new)
    pretty_lines = lines_of(pretty)
    known = Counter(_changes(old_lines, lines_of(pretty_old)))
    edited = {line for hunk in hunks(old_lines, new_lines) for line in range(hunk.new_start, hunk.new_end)}
    result: list[bytes] = []
    at = 0
    for hunk in _single(hunks(new_lines, pretty_lines)):
        change = _change(hunk, new_lines, pretty_lines)
        alike = hunk.end - hunk.start == hunk.new_end - hunk.new_start
        if known[change]:
            known[change] -= 1
        elif alike or not edited.isdisjoint(range(hunk.start, hunk.end)):
            result += [*new_lines[at : hunk.start], *pretty_lines[hunk.new_start : hunk.new_end]]
            at = hunk.end
    chosen = b"".join([*result, *new_lines[at:]])
    # Half of what gofmt does to imports would lose one of them: then better nothing of it.
    return chosen if gofmt(go, [chosen]) == [pretty] else new


def _changes(before: list[bytes], after: list[bytes]) -> list[tuple[bytes, bytes]]:
    return [_change(hunk, before, after) for hunk in _single(hunks(before, after))]


def _change(hunk: Hunk, before: list[bytes], after: list[bytes]) -> tuple[bytes, bytes]:
    return b"".join(before[hunk.start : hunk.end]), b"".join(after[hunk.new_start : hunk.new_end])


def _single(found: list[Hunk]) -> list[Hunk]:
    """Hunks with as many lines before as after, line by line."""
    result = []
    for hunk in found:
        size = hunk.end - hunk.start
        if size == hunk.new_end - hunk.new_start:
            starts = [(hunk.start + line, hunk.new_start + line) for line in range(size)]
            result += [Hunk(start, start + 1, new, new + 1) for start, new in starts]
        else:
            result.append(hunk)
    return result


def _plain(data: bytes) -> bytes:
    return data.removeprefix(BOM).replace(b"\r\n", b"\n")


def _dressed(formatted: bytes, like: bytes) -> bytes:
    """Formatted source with the byte order mark and the line ends of the file it was made from."""
    if like.count(b"\r\n") * 2 > like.count(b"\n"):
        formatted = formatted.replace(b"\n", b"\r\n")
    return BOM * like.startswith(BOM) + formatted
