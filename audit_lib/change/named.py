"""Methods that are called by their names when the program runs: by templates, and by reflection.

No compiler sees those calls: a method with one more parameter would build, and fail where it is called.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from audit_lib.read.facts import Func
from audit_lib.read.gofiles import SKIPPED
from audit_lib.untrusted.files import FILE_LIMIT, on_disk, read_bytes, recorded, walk

_ENDINGS = (".tmpl", ".gotmpl", ".tpl", ".gohtml", ".html", ".htm")
_NEWLINE = b"\n"
_OPENING, _CLOSING = b"{{", b"}}"
_LARGEST = 1 << 20
"""How many bytes a template has at most: what is larger is something else."""

_PACKAGE = re.compile(rb'"(?:text|html)/template"')
_CHAIN = re.compile(rb"(?<![\w.)\]}\"'`])(?:\$\w*)?((?:\.\w+)+)")
_EXPORTED = re.compile(rb"\.([A-Z]\w*)")
_REFLECTED = re.compile(rb'\bMethodByName\(\s*"([A-Z]\w*)"')


class Named:
    """The names of methods in a target's templates, and in its calls of `MethodByName`; read when first asked for."""

    def __init__(self, target: Path, files: Iterable[str]) -> None:
        self._target = target
        self._files = tuple(files)

    def caller(self, func: Func) -> str:
        """The place, `file:line`, that calls a method by its name, as far as names tell; empty for any other function.

        A template calls what has one result, or an error besides (https://pkg.go.dev/text/template).
        """
        name = func.name.rpartition(".")[2]
        if not func.receiver or func.parent or not name[:1].isupper():
            return ""
        fits = len(func.results) == 1 or (len(func.results) == 2 and func.results[1] == "error")
        return self._reflected.get(name, "") or (self._templates.get(name, "") if fits else "")

    @cached_property
    def _sources(self) -> dict[str, bytes]:
        """The Go files that have to do with templates, or with methods by name: all of a folder with one of them."""
        every = dict(self._read(self._files))
        folders = {_folder(file) for file, data in every.items() if _PACKAGE.search(data)}
        return {file: data for file, data in every.items() if _folder(file) in folders or b"MethodByName" in data}

    @cached_property
    def _reflected(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for file, data in self._sources.items():
            for match in _REFLECTED.finditer(data):
                if match[1].decode() not in found:
                    found[match[1].decode()] = _place(file, data, match.start())
        return found

    @cached_property
    def _templates(self) -> dict[str, str]:
        found: dict[str, str] = {}
        if not any(_PACKAGE.search(data) for data in self._sources.values()):
            return found
        for file, data in (*self._sources.items(), *self._read(self._candidates())):
            for line, action in _actions(data):
                for chain in _CHAIN.finditer(action):
                    for name in _EXPORTED.findall(chain[1]):
                        found.setdefault(name.decode(), f"{file}:{line}")
        return found

    def _candidates(self) -> Iterator[str]:
        """The files that may be templates, in a fixed order."""
        for folder in walk(self._target, lambda name: name not in SKIPPED and not name.startswith(".")):
            for name in sorted((*folder.files, *folder.links)):
                if name.endswith(_ENDINGS):
                    yield recorded(folder.inside(name))

    def _read(self, files: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for file in files:
            try:
                data = read_bytes(self._target, on_disk(file), FILE_LIMIT if file.endswith(".go") else _LARGEST)
            except OSError:
                continue  # the scan names the Go files among them; what else is not read is no template
            yield file, data


def _actions(data: bytes) -> Iterator[tuple[int, bytes]]:
    """What stands between `{{` and `}}`, comments left out, each with the line that it begins on."""
    line, counted = 1, 0
    at = data.find(_OPENING)
    while at >= 0:
        begins = at + len(_OPENING)
        end = data.find(_CLOSING, begins)
        if end < 0:
            return
        if data.startswith(b"/*", begins):
            at = data.find(_OPENING, at + 1)
            continue
        line += data.count(_NEWLINE, counted, at)
        counted = at
        yield line, data[begins:end]
        at = data.find(_OPENING, end + len(_CLOSING))


def _folder(file: str) -> str:
    return file.rpartition("/")[0]


def _place(file: str, data: bytes, offset: int) -> str:
    return f"{file}:{data[:offset].count(_NEWLINE) + 1}"
