"""Archives of small text files in one text file, as Go's own tests use them (golang.org/x/tools/txtar)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_MARKER = re.compile(r"^-- (?P<name>\S+) --\s*$")


@dataclass(frozen=True)
class Archive:
    """The comment before the first file, and the files by their names (`/`-separated, relative)."""

    comment: str
    files: dict[str, str]

    def unpack(self, folder: Path) -> None:
        """Write all files below a folder, which need not exist."""
        for name, text in self.files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")


def parse(text: str) -> Archive:
    """An archive from its text. Raises `ValueError` for a name that comes twice or leaves the archive's folder."""
    comment: list[str] = []
    files: dict[str, list[str]] = {}
    lines = comment
    for line in text.splitlines(keepends=True):
        marker = _MARKER.match(line)
        if marker is None:
            lines.append(line)
            continue
        name = marker["name"]
        if name in files or name.startswith("/") or ".." in name.split("/"):
            raise ValueError(f"{name}: a file is named once, and lies in the archive")
        lines = files[name] = []
    return Archive("".join(comment), {name: "".join(content) for name, content in files.items()})


def read(path: Path) -> Archive:
    """An archive from a file."""
    return parse(path.read_text(encoding="utf-8"))
