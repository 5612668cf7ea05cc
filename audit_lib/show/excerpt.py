"""The code around a site, read from the target's folder where that is at hand. What is read is not to be trusted."""

from __future__ import annotations

from pathlib import Path

from audit_lib.model import Record, Site, Step
from audit_lib.untrusted.files import on_disk, read_bytes

AROUND = 3  # lines before and after a site
LINE_LENGTH = 200
FILE_SIZE = 4_000_000  # bytes; no file that people wrote is larger, and a generated one need not be shown


class Excerpt(Record, frozen=True):
    """Lines of a file: the number of the first, and their text without line ends, tabs kept."""

    first: int
    lines: tuple[str, ...]


class Sources:
    """The files of a target. Files are read once; what lies outside the folder is never read."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder.resolve() if folder else None
        self._files: dict[str, tuple[bytes, tuple[str, ...]] | None] = {}

    def around(self, site: Site) -> Excerpt | None:
        """The lines around a site; none where the file is not there, or is not any more what was audited."""
        found = self._read(site.span.file)
        if found is None:
            return None
        data, lines = found
        # The call's own name must stand at its bytes, else the excerpt would show some other code as the finding.
        if site.callee.rpartition(".")[2].encode() not in data[site.span.start : site.span.end]:
            return None
        first = max(site.span.line - AROUND, 1)
        return Excerpt(first, tuple(clip(line) for line in lines[first - 1 : site.span.line + AROUND]))

    def line(self, step: Step) -> str:
        """The line of code of a step, without its indentation; empty where it is not to be had."""
        found = self._read(step.file)
        if found is None or not 1 <= step.line <= len(found[1]):
            return ""
        return clip(found[1][step.line - 1].strip())

    def _read(self, file: str) -> tuple[bytes, tuple[str, ...]] | None:
        if file not in self._files:
            self._files[file] = self._load(file)
        return self._files[file]

    def _load(self, file: str) -> tuple[bytes, tuple[str, ...]] | None:
        if self._folder is None or "\0" in file:
            return None
        try:
            data = read_bytes(self._folder, on_disk(file), FILE_SIZE)
        except OSError:
            return None  # an excerpt is an extra: the finding itself says where to look
        return data, tuple(data.decode("utf-8-sig", "replace").replace("\r\n", "\n").split("\n"))


def clip(line: str) -> str:
    """A line that is not longer than what people read."""
    return line if len(line) <= LINE_LENGTH else f"{line[:LINE_LENGTH]}…"
