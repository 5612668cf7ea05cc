"""Results as files: JSON for programs, Markdown for people. Each is written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.errors import InputError


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows for a terminal: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def check(out: Path) -> None:
    """Refuse before the work what could not be written after it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(f"{out}: {error.strerror}; name a folder that can be written with --out") from error


def write(out: Path, name: str, content: dict[str, Any], markdown: str) -> tuple[Path, Path]:
    """Write `NAME.json` and `NAME.md` into a folder; where they are."""
    texts = {f"{name}.json": json.dumps(content, indent=1) + "\n", f"{name}.md": markdown.rstrip() + "\n"}
    for file, text in texts.items():
        part = out / f".{file}.part"
        part.write_text(text, encoding="utf-8")
        part.replace(out / file)
    return out / f"{name}.json", out / f"{name}.md"
