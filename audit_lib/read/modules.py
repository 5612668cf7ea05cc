"""What the go.mod and go.work files of a target name outside of it, and which modules are not read for that.

A file of the target may name folders in it, and in the working tree under version control that it is a part of; others
only where the user names them (`GoOptions.outside`). A go.work above that tree is the user's own, and may name all.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit_lib.config import GoOptions
from audit_lib.errors import TargetError, ToolchainError
from audit_lib.read import gotool
from audit_lib.read.gofiles import SKIPPED
from audit_lib.read.gotool import GoTool
from audit_lib.untrusted.files import TEXT_LIMIT, is_path, read_bytes, walk
from audit_lib.untrusted.processes import run

FILES = ("go.mod", "go.work")
_SECONDS = 60.0


@dataclass(frozen=True)
class Named:
    """A folder outside of the target that a file names, or a file that does not say which it names.

    `file` is relative to the target, absolute where it lies above; `line` counts from 1, 0 stands for the whole file.
    `place` is the folder, absolute and without links, None where that is not known. `reason` says why it is not used,
    and is empty where it may be.
    """

    file: str
    line: int
    text: str
    place: Path | None
    reason: str = ""

    @property
    def where(self) -> str:
        """The file and the line."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def folder(self) -> str:
        """The folder of the module or workspace whose file it is: relative to the target, or absolute above it."""
        return os.path.dirname(self.file) or "."  # noqa: PTH120 -- of text, in the target's own terms


def named_outside(target: Path, options: GoOptions, go: GoTool | None = None) -> tuple[Named, ...]:
    """All that a target's files, and those above it that hold for it, name outside of it; sorted.

    Raises `ToolchainError` where a file is to be parsed and there is no Go (`go` is looked for then, if not given).
    """
    reader = _Reader(target, options, go)
    found = {one for file in reader.files() for one in reader.named(file)}
    return tuple(sorted(found, key=lambda one: (one.file, one.line, one.text)))


def trusted_outside(target: Path, options: GoOptions, go: GoTool | None = None) -> tuple[Named, ...]:
    """What `named_outside` gives, for who needs all of it. Raises `TargetError` where some of it may not be used."""
    named = named_outside(target, options, go)
    for one in named:
        if one.reason:
            raise TargetError(
                f"{one.where}: {one.reason}: nothing is fixed; if the folder is to be trusted, name it with --outside"
            )
    return named


def workspace_above(target: Path) -> Path | None:
    """The go.work that a target without one of its own belongs to; with one, that."""
    asked = os.environ.get("GOWORK", "")
    if asked not in ("", "auto"):
        return None  # `off`, or an absolute path that is right from anywhere
    files = (folder / "go.work" for folder in (target, *target.parents))
    return next((file for file in files if file.is_file()), None)


def working_tree(target: Path) -> Path:
    """The top of the working tree under version control that a target (without links) lies in; else the target."""
    return next((folder for folder in (target, *target.parents) if (folder / ".git").exists()), target)


class _Reader:
    """Reads the files of one target, those that go.work files use included."""

    def __init__(self, target: Path, options: GoOptions, go: GoTool | None) -> None:
        self._target = Path(os.path.realpath(target))
        self._options = options
        self._go = go
        self._tree = working_tree(self._target)
        self._allowed = [self._target, self._tree, *(Path(os.path.realpath(folder)) for folder in options.outside)]
        self._used: list[Path] = []

    def files(self) -> Iterator[Path]:
        """The go.mod and go.work files that the go command may read, each once."""
        seen: set[Path] = set()
        for file in (*self._above(), *self._below()):
            if file not in seen:
                seen.add(file)
                yield file
        while self._used:  # what the caller has met in a go.work meanwhile
            file = self._used.pop()
            if file not in seen and file.is_relative_to(self._tree) and os.path.lexists(file):
                seen.add(file)
                yield file

    def _above(self) -> Iterator[Path]:
        """The go.work that the target is in, wherever that lies, and the go.mod, where that is in its working tree."""
        workspace = workspace_above(self._target)
        if workspace is not None:
            yield workspace
        for folder in self._target.parents:
            if not folder.is_relative_to(self._tree):
                break
            if os.path.lexists(folder / "go.mod"):
                yield folder / "go.mod"
                break

    def _below(self) -> Iterator[Path]:
        def enters(name: str) -> bool:
            return name not in SKIPPED and not name.startswith((".", "_"))

        names = {*FILES, Path(self._options.modfile).name if self._options.modfile else ""}
        for folder in walk(self._target, enters):
            for name in (*folder.files, *folder.links, *folder.others):
                if name in names:
                    yield self._target / folder.inside(name)

    def named(self, file: Path) -> Iterator[Named]:
        """What a file names outside of the target; what it uses inside is noted, to be read too."""
        shown = file.relative_to(self._target).as_posix() if file.is_relative_to(self._target) else str(file)
        work = file.name == "go.work"
        if work and os.environ.get("GOWORK", "") not in ("", "auto"):
            return
        theirs = file.is_relative_to(self._tree)
        top = self._tree if theirs else file.parent
        try:
            data = read_bytes(top, file.relative_to(top).as_posix(), TEXT_LIMIT)
        except OSError as error:
            yield Named(shown, 0, "", None, f"cannot be read ({error.strerror})")
            return
        if not work and b"=>" not in data:
            return
        try:
            content = self._parsed(data, "work" if work else "mod")
        except ValueError as error:
            yield Named(shown, 0, "", None, str(error))
            return
        if not work and self._is_vendored(file, content):
            return
        for text in _folders(content):
            if not is_path(text):
                yield Named(shown, _line(data, text), text, None, f"names {text}, which is no path")
                continue
            place = Path(os.path.realpath(file.parent / text))
            if work:
                self._used.append(place / "go.mod")
            if not place.is_relative_to(self._target):
                allowed = not theirs or any(place.is_relative_to(folder) for folder in self._allowed)
                yield Named(shown, _line(data, text), text, place, "" if allowed else _refusal(text))

    def _is_vendored(self, file: Path, content: dict[str, Any]) -> bool:
        """Whether go takes dependencies from a vendor folder, and does not look where they are replaced."""
        version = gotool.as_numbers(content.get("Go") or "")
        by_itself = self._options.mod == "" and version >= (1, 14)
        return (self._options.mod == "vendor" or by_itself) and (file.parent / "vendor" / "modules.txt").is_file()

    def _parsed(self, data: bytes, kind: str) -> dict[str, Any]:
        """A file's content, as the go command parses a copy of it. Raises `ValueError` with what it says else."""
        if self._go is None:
            self._go = gotool.find_go(not_in=(self._target,))
        with tempfile.TemporaryDirectory(prefix="ctxaudit-parse-") as folder:
            copy = Path(folder, f"go.{kind}")
            copy.write_bytes(data)
            env = gotool.environment(self._go) | {"GOWORK": "off", "GOFLAGS": ""}
            command = [str(self._go.path), kind, "edit", "-json", copy.name]
            try:
                done = run(command, cwd=Path(folder), env=env, seconds=_SECONDS)
            except OSError as error:
                raise ToolchainError(f"{self._go.path}: {error.strerror}; name another Go in CTXAUDIT_GO") from error
            said = done.stderr.decode(errors="replace").replace(f"{folder}{os.sep}", "")
        if done.cut or done.returncode != 0:
            lines = " ".join(said.split())
            raise ValueError(lines or f"cannot be parsed within {_SECONDS:g} s")
        content: dict[str, Any] = json.loads(done.stdout)
        return content


def _folders(content: dict[str, Any]) -> Iterator[str]:
    for one in content.get("Use") or ():
        yield one["DiskPath"]
    for one in content.get("Replace") or ():
        if not one["New"].get("Version"):  # without one it is a folder
            yield one["New"]["Path"]


def _line(data: bytes, text: str) -> int:
    """The first line that holds a text, 0 where none does, since it is written with escapes."""
    before, found, _ = data.partition(text.encode("utf-8", "surrogateescape"))
    return before.count(b"\n") + 1 if found else 0


def _refusal(text: str) -> str:
    return f"names {text}, which is neither in the target nor in its repository"
