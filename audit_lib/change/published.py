"""Generators built from Go's module cache as they were published: known commands, releases, and recorded checksums.

A target can choose which versions it requires, replace modules, and bring forks into the cache under other paths. So
nothing is built by its go.mod: a module of our own requires the released versions that it names, and what went into the
program is compared with the cache's records before it is run.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from audit_lib.change.mocktools import Release
from audit_lib.change.packages import objects
from audit_lib.read.gotool import GoTool, as_numbers
from audit_lib.untrusted.processes import run

_RELEASE = re.compile(r"v(\d+)\.\d+\.\d+(?:\+incompatible)?")
_SECONDS = 300.0
_SUM_DATABASE = "sumdb/sum.golang.org/lookup"
_CHUNK = 1 << 20

Versions = dict[str, str]
"""Modules by their paths, with their versions."""


@dataclass(frozen=True)
class Program:
    """A program that was built, or the reason why there is none."""

    path: Path | None = None
    reason: str = ""


@dataclass(frozen=True)
class ModuleCache:
    """Go's module cache, and what it records of the modules in it."""

    folder: Path

    def problem(self, module: str, version: str) -> str:
        """Why a module in the cache is not what was published as far as its records tell; empty where it is."""
        name = f"{module}@{version}"
        downloaded = self.folder / "cache" / "download"
        try:
            recorded = (
                (downloaded / _escaped(module) / "@v" / f"{_escaped(version)}.ziphash").read_text("utf-8").strip()
            )
            found = folder_hash(self.folder / f"{_escaped(module)}@{_escaped(version)}", name)
        except OSError:
            return f"{name} is not in the module cache"
        if found != recorded:
            return f"{name} in the module cache is not what was downloaded: `go mod verify` tells more"
        try:
            said = (downloaded / _SUM_DATABASE / f"{_escaped(module)}@{_escaped(version)}").read_text("utf-8")
        except OSError:
            return ""  # go.sum vouched for it, or the user's GONOSUMDB
        known = f"{module} {version} {recorded}" in said.splitlines()
        return "" if known else f"{name} in the module cache is not what the checksum database knows"

    def requirements(self, module: str, version: str) -> Versions:
        """What a module's own go.mod requires."""
        place = self.folder / "cache" / "download" / _escaped(module) / "@v" / f"{_escaped(version)}.mod"
        try:
            text = place.read_text("utf-8", "replace")
        except OSError:
            return {}
        words = (line.partition("//")[0].removeprefix("require ").split() for line in text.splitlines())
        return {pair[0].strip('"'): pair[1] for pair in words if len(pair) == 2}


def is_known(release: Release, version: str) -> bool:
    """Whether a version is a release of a generator that is known: not one that only a commit has, as of a fork."""
    match = _RELEASE.fullmatch(version)
    return match is not None and int(match[1]) in release.majors


def required(listed: str, release: Release) -> Versions | str:
    """The modules that a target's go.mod chooses for a command, from `go list -deps -json`; or why it is not taken."""
    found: Versions = {}
    for item in objects(listed):
        module = item.get("Module") or {}
        if item.get("Standard"):
            continue
        path, version = module.get("Path", ""), module.get("Version", "")
        if "Replace" in module or module.get("Main") or not path or not version or item.get("Error"):
            return (
                f"the target has its own {path or item.get('ImportPath', 'package')} in the place of the published one"
            )
        found[path] = version
    version = found.get(release.module, "")
    return found if is_known(release, version) else f"{release.module} {version or 'of no version'} is no known release"


def built(package: str, release: Release, versions: Versions, go: GoTool, env: Mapping[str, str], own: Path) -> Program:
    """Build a command with its own choice of modules, else with the target's, in the empty folder `own`.

    `env` has GOMODCACHE; nothing is downloaded.
    """
    cache = ModuleCache(Path(env["GOMODCACHE"]))
    version = versions[release.module]
    tries = [{release.module: version}, *([versions] if len(versions) > 1 else [])]
    reason = ""
    for number, chosen in enumerate(tries):
        folder = own / str(number)
        program = folder / _name(package)
        said = _build(package, chosen, go, env, program)
        if not program.is_file():
            reason = said or f"{package}@{version} cannot be built"
            continue
        reason = _foreign(program, release.module, chosen, cache, go, env)
        if not reason:
            return Program(program)
    return Program(reason=reason)


def _name(package: str) -> str:
    """What the go command calls a command, which some write into their mocks."""
    return next(part for part in reversed(package.split("/")) if not re.fullmatch(r"v\d+", part))


def _build(package: str, versions: Versions, go: GoTool, env: Mapping[str, str], program: Path) -> str:
    """Build a command in a module that requires these versions; what the go command says where it fails."""
    folder = program.parent
    folder.mkdir(parents=True)
    requires = "".join(f"require {module} {version}\n" for module, version in sorted(versions.items()))
    language = ".".join(map(str, as_numbers(go.version)))
    (folder / "go.mod").write_text(f"module generator.invalid\n\ngo {language}\n\n{requires}", encoding="utf-8")
    command = [str(go.path), "build", "-mod=mod", "-o", str(program), package]
    try:
        done = run(command, env=_alone(env, folder), cwd=folder, seconds=_SECONDS)
    except OSError as error:
        return error.strerror or "the go command cannot be run"
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return said[-1].strip() if done.returncode != 0 and said else ""


def _alone(env: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Without workspaces, flags and programs that are meant for the target. The cache's records are compared here."""
    return {**env, "PWD": str(folder), "GOWORK": "off", "GOENV": "off", "GOFLAGS": "-buildvcs=false"} | {
        "GOSUMDB": "off",
        "GOPROXY": "off",
        "GO111MODULE": "on",
        "GOOS": "",
        "GOARCH": "",
    }


def _foreign(program: Path, tool: str, chosen: Versions, cache: ModuleCache, go: GoTool, env: Mapping[str, str]) -> str:
    """What went into a program of the module `tool` and is not as published; empty where all is."""
    done = run([str(go.path), "version", "-m", str(program)], env=_alone(env, program.parent), seconds=_SECONDS)
    words = [line.split() for line in done.stdout.decode("utf-8", "replace").splitlines()]
    modules = [(one[1], one[2]) for one in words if one[:1] in (["mod"], ["dep"]) and len(one) > 2]
    main = [one[1] for one in words if one[:1] == ["mod"]]
    if done.returncode != 0 or main != [tool] or any(one[:1] == ["=>"] for one in words):
        return "the go command does not tell what it was built from"
    named = cache.requirements(tool, chosen[tool])
    for module, version in modules:
        # A commit of anyone's fork has a version too, under the path of what was forked.
        if len(chosen) > 1 and not _RELEASE.fullmatch(version) and named.get(module) != version:
            return f"{module} {version}, which the target requires, is no release"
        problem = cache.problem(module, version)
        if problem:
            return problem
    return ""


def folder_hash(folder: Path, name: str) -> str:
    """The checksum of a module's folder as go.sum has it (`h1:`); `name` is `path@version`. Raises `OSError`."""
    lines = [f"{digest}  {name}/{file}\n" for file, digest in _digests(folder)]
    ordered = sorted(lines, key=lambda line: line.partition("  ")[2][:-1].encode())
    total = hashlib.sha256("".join(ordered).encode())
    return f"h1:{base64.b64encode(total.digest()).decode()}"


def _digests(folder: Path) -> Iterator[tuple[str, str]]:
    left = [folder]
    while left:
        with os.scandir(left.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    left.append(Path(entry.path))
                elif not entry.is_file(follow_symlinks=False):
                    raise OSError(f"{entry.path}: no regular file")  # a cache has no others
                else:
                    yield Path(entry.path).relative_to(folder).as_posix(), _digest(Path(entry.path))


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _escaped(text: str) -> str:
    """A module's path or version as the cache has it: capitals are told from others on every file system."""
    return re.sub(r"[A-Z]", lambda match: f"!{match[0].lower()}", text)
