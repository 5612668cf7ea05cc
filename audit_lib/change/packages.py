"""The packages of a target that a change concerns, and whether they compile, as the go command says it."""

from __future__ import annotations

import json
import math
import re
import subprocess
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from audit_lib.change.budget import Budget, OutOfTimeError
from audit_lib.change.failures import Failure, Report, files_in, gist, without_positions
from audit_lib.config import GoOptions
from audit_lib.errors import ToolchainError
from audit_lib.read.gofiles import is_looked_into
from audit_lib.read.gotool import GoTool, environment
from audit_lib.untrusted.files import walk
from audit_lib.untrusted.processes import run

_MODULE_CACHE = re.compile(r"(?<!\S)([^\s/]*)/\S*/pkg/mod/")
GARBLED_LIMIT = 100
"""How many beginnings of objects are passed that are none: each takes as long as what was read before it."""

_QUICK = "-gcflags=./...=-N -l -dwarf=false"
"""Compile the module's packages without optimisations: the errors are the same, and it takes about half of the time."""

_ERROR = re.compile(r"^(\S+\.go):\d+(?::\d+)?: (.*)$")


@dataclass(frozen=True)
class Package:
    """A package of the target: import path, folder and module's folder (relative), and what it is built from.

    `needs` are the import paths of its own and its tests' dependencies, `files` the Go files (relative) that are built
    here, tests included: others are for other systems or build tags.
    """

    path: str
    folder: str
    module: str
    needs: frozenset[str]
    files: frozenset[str]


@dataclass(frozen=True)
class Commands:
    """The go command in a copy of a target, for as long as `budget` has time.

    With `runs` what is compiled is to be run, too; where it is not, the target's packages are not optimised.
    """

    go: GoTool
    root: Path
    options: GoOptions
    budget: Budget = field(default_factory=Budget)
    runs: bool = True

    def run(self, module: str, command: Sequence[str], arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a go command with the target's build flags in a module's folder.

        Raises `ToolchainError` without Go, `OutOfTimeError` where it was ended for time.
        """
        flags = [f"-tags={','.join(self.options.tags)}"] if self.options.tags else []
        flags += [f"-modfile={self.options.modfile}"] if self.options.modfile else []
        folder = self.root / module
        if not self.runs and (command[0] == "vet" or "-export" in command):
            flags.append(_QUICK)
        # Go takes its folder from PWD where that is right, and prints paths below it.
        env = environment(self.go, mod=self.options.mod) | {"PWD": str(folder)}
        if self._workspace is not None and folder not in self._workspace:
            env["GOWORK"] = "off"
        return self._done([*command, *flags, *arguments], folder, env)

    @cached_property
    def _workspace(self) -> frozenset[Path] | None:
        """The folders of the modules of the copy's workspace; None without one. The others are built by themselves."""
        if not (self.root / "go.work").is_file():
            return None
        listed = self._done(["list", "-m", "-f", "{{.Dir}}"], self.root, environment(self.go))
        return frozenset(map(Path, listed.stdout.splitlines()))

    def _done(self, line: Sequence[str], folder: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        seconds = self.budget.now
        if seconds <= 0:
            raise OutOfTimeError
        command = [str(self.go.path), *line]
        try:
            done = run(command, cwd=folder, env=env, seconds=seconds if seconds < math.inf else None)
        except OSError as error:
            raise ToolchainError(f"{self.go.path}: {error.strerror}; name another Go in CTXAUDIT_GO") from error
        stdout, stderr = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
        if done.cut == "time":
            raise OutOfTimeError(stdout)
        return subprocess.CompletedProcess(command, done.returncode, stdout, stderr)


def concerned(commands: Commands, changed: Collection[str]) -> tuple[list[Package], Report]:
    """The packages that hold changed files or depend on one that does, tests included, and modules that fail to list.

    Sorted by module and path.
    """
    packages: dict[str, Package] = {}
    failures = []
    for module in _modules(commands.root, changed):
        fields = "-json=ImportPath,Dir,ForTest,Deps,Standard,GoFiles,CgoFiles"
        done = commands.run(module, ["list", "-e", "-test", fields], ["./..."])
        if done.returncode != 0:
            name = f"module in {module}"
            said = [line.replace(f"{commands.root}/", "") for line in done.stderr.splitlines()]
            failures.append(Failure("compile", name, gist(said), gist(said), (f"{module}/go.mod".removeprefix("./"),)))
        for package in _listed(done.stdout, commands.root, module):
            known = packages.get(package.path, package)
            packages[package.path] = replace(
                known, needs=known.needs | package.needs, files=known.files | package.files
            )
    folders = {file.rpartition("/")[0] or "." for file in changed}
    roots = {package.path for package in packages.values() if package.folder in folders}
    found = [package for package in packages.values() if package.path in roots or not roots.isdisjoint(package.needs)]
    return sorted(found, key=lambda package: (package.module, package.path)), Report(tuple(failures))


def compiled(commands: Commands, packages: Sequence[Package]) -> Report:
    """Compile packages and their tests without linking; `died` are those that could not be, for whatever reason.

    A failure is one message of the compiler, on a package or on one of another module that it needs: that may need the
    target in turn, and have a type that stands for an interface here.
    """
    failures: dict[tuple[str, str], Failure] = {}
    died: dict[str, None] = {}
    for module, group in by_module(packages):
        folders = {package.path: package.folder for package in group}
        fields = "-json=ImportPath,ForTest,Error,DepsErrors"
        done = commands.run(module, ["list", "-e", "-export", "-test", fields], list(folders))
        for item in objects(done.stdout):
            path = base_path(item)
            errors = [error["Err"] for error in _own_errors(item)]
            errors += _foreign_errors(item, commands.root)
            if errors or item.get("DepsErrors"):
                died[path] = None
            for text in errors:
                for failure in _failures(path, folders.get(path, "."), text, commands.root):
                    failures.setdefault((path, failure.message), failure)
    return Report(tuple(failures.values()), died=tuple(died))


def from_elsewhere(packages: Iterable[Package]) -> frozenset[str]:
    """The import paths that packages need which are none of them, without the standard library's."""
    known = list(packages)
    needs = frozenset[str]().union(*(one.needs for one in known)) - {one.path for one in known}
    # What begins like an option is no import path, but can stand in a target's sources.
    return frozenset(path for path in needs if "." in path.partition("/")[0] and not path.startswith("-"))


def compile_what_is_needed(commands: Commands, packages: Sequence[Package]) -> None:
    """Compile what packages need from elsewhere; what is wrong with it, their own compilation says."""
    elsewhere = from_elsewhere(packages)
    for module, group in by_module(packages):
        needed = sorted(elsewhere & from_elsewhere(group))
        if needed:
            commands.run(module, ["list", "-e", "-export"], needed)


def by_module(packages: Sequence[Package]) -> Iterator[tuple[str, list[Package]]]:
    """Packages by the folder of their module."""
    for module in sorted({package.module for package in packages}):
        yield module, [package for package in packages if package.module == module]


def base_path(item: dict[str, Any]) -> str:
    """The import path of a package, for its test variants and test binary that of the package under test."""
    path: str = item.get("ForTest") or item["ImportPath"]
    _, opening, variant = path.partition("[")
    ending = ".test]"
    return variant.removesuffix(ending) if opening and variant.endswith(ending) else path.removesuffix(".test")


def objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects of a stream; what stands between them, or only begins like one, is left out.

    Behind too many such beginnings nothing is looked for: then what was to be said there is missing, and not believed.
    """
    decoder = json.JSONDecoder()
    at, garbled = _next_object(text, 0), 0
    while at >= 0 and garbled <= GARBLED_LIMIT:
        try:
            item, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):  # what tests print can get between the lines of a go command
            at, garbled = at + 1, garbled + 1
        else:
            yield item
        at = _next_object(text, at)


def _next_object(text: str, at: int) -> int:
    if text.startswith("{", at) and (at == 0 or text[at - 1] != "{"):
        return at
    found = text.find("\n{", max(at - 1, 0))
    return found + 1 if found >= 0 else -1


def _modules(root: Path, changed: Collection[str]) -> list[str]:
    """The folders of the modules that the go command would find, and of those that the changed files are in."""
    found = set()
    for folder in walk(root, is_looked_into):
        if "go.mod" in (*folder.files, *folder.links):
            found.add(folder.name or ".")
    for file in changed:
        found.update(folder.as_posix() for folder in Path(file).parents if (root / folder / "go.mod").exists())
    return sorted(found) or ["."]


def _listed(text: str, root: Path, module: str) -> Iterator[Package]:
    for item in objects(text):
        folder = Path(item.get("Dir", root))
        # A package of a dependency has no folder in the copy.
        if not item.get("Standard") and folder.is_relative_to(root):
            where = folder.relative_to(root)
            needs = frozenset(need.partition(" ")[0] for need in item.get("Deps", ()))
            names = [*item.get("GoFiles", ()), *item.get("CgoFiles", ())]
            # The main file of a test binary has an absolute path, in Go's own cache.
            files = frozenset((where / name).as_posix() for name in names)
            yield Package(base_path(item), where.as_posix(), module, needs, files)


def _own_errors(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "Error" in item:
        yield item["Error"]
    for error in item.get("DepsErrors") or ():
        # An import that cannot be found is told of the package that imports it.
        stack = error.get("ImportStack") or [""]
        if error.get("Pos") and stack[-1] == item["ImportPath"]:
            yield error | {"Err": f"{error['Pos']}: {error['Err']}"}


def _foreign_errors(item: dict[str, Any], root: Path) -> Iterator[str]:
    """What the compiler says of packages of other modules that a package needs, vendored ones too."""
    for error in item.get("DepsErrors") or ():
        text = error["Err"].replace(f"{root}/", "")
        line = next((line for line in text.splitlines() if _ERROR.match(line)), "")
        if line.startswith(("/", "vendor/")) or "/vendor/" in line.partition(":")[0]:
            yield _MODULE_CACHE.sub(r"\1", text)


def _failures(path: str, folder: str, text: str, root: Path) -> Iterator[Failure]:
    """The messages of one package: each a line with a position, and the lines behind it that have none."""
    messages: list[list[str]] = []
    for line in text.replace(f"{root}/", "").splitlines():
        if _ERROR.match(line) or (not messages and line.strip() and not line.startswith("#")):
            messages.append([line])
        elif messages and line.startswith("\t"):
            messages[-1].append(line)
    for lines in messages:
        message = gist(lines)
        yield Failure("compile", path, without_positions(message), message, files_in(lines[0], root, folder))
