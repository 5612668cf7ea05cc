"""Generators of mocks that are at hand, run in a scratch copy: the user's own, or of Go's module cache as published.

Nothing is downloaded, and nothing that the target ships is run: a program on PATH that lies in the target is none, and
neither is a module that the target replaces or vendors.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from audit_lib.change.packages import objects
from audit_lib.change.recipes import Recipe
from audit_lib.change.scratch import Scratch
from audit_lib.config import GoOptions
from audit_lib.read.gotool import GoTool, environment

SECONDS = 120
"""What a generator may take for one mock."""

_STALE = b"\n// stale\n"
_CONFIGURED = (".mockery.yaml", ".mockery.yml", "mockery.yaml", "mockery.yml")


@dataclass(frozen=True)
class Made:
    """A mock as its generator writes it now and with which command; or the reason why it does not."""

    data: bytes = b""
    command: str = ""
    reason: str = ""


class Generators:
    """Makes mocks in a scratch copy of `target`; `runs_code` allows those generators that may run the target's code."""

    def __init__(self, scratch: Scratch, target: Path, go: GoTool, options: GoOptions, *, runs_code: bool) -> None:
        self._scratch, self._target, self._go, self._runs_code = scratch, target.resolve(), go, runs_code
        # No network: what is not there is not at hand.
        self._env = environment(go, mod=options.mod) | {"GOPROXY": "off"}

    def made(self, file: str, recipes: Iterable[Recipe], before: dict[str, bytes | None]) -> Made:
        """A mock made from the copy as it is, by the first recipe that makes it as it was from what was `before`."""
        reason = "no go:generate line and no header says how, in words that are understood"
        now = self._scratch.read(file)
        for recipe in recipes:
            command = self._command(recipe)
            if isinstance(command, str):
                reason = command
                continue
            try:
                with self._scratch.showing(before):
                    failed = self._run(command, recipe, file, before[file] or b"")
                    same = self._scratch.read(file) == before[file]
                other = f"{recipe.tool.name} at hand writes it otherwise than it is: another version?"
                failed = failed or ("" if same else other)
                failed = failed or self._run(command, recipe, file, now or b"")
                data = self._scratch.read(file) or b""
            finally:
                self._scratch.write({file: now})
            if not failed:
                return Made(data, recipe.command)
            reason = failed
        return Made(reason=reason)

    def _command(self, recipe: Recipe) -> list[str] | str:
        """The command line of a recipe, or why it cannot be run."""
        if recipe.runs and not self._runs_code:
            return f"without -source {recipe.tool.name} may run the package: needs --verify test"
        folder = self._scratch.root / recipe.folder
        if recipe.tool.name == "mockery" and self._is_configured(folder):
            return "mockery reads a file of the target that says where to write: run it yourself"
        stated = self._stated(recipe, folder)
        if stated:
            return [str(self._go.path), "run", stated, *recipe.arguments]
        found = shutil.which(recipe.tool.name, path=self._path)
        if found is not None:
            real = Path(os.path.realpath(found))
            if any(real.is_relative_to(root) for root in (self._target, self._scratch.root)):
                return f"{recipe.tool.name} on PATH belongs to the target"
            return [found, *recipe.arguments]
        required = next((path for path in recipe.tool.packages if self._is_published(path, folder)), "")
        if required:
            return [str(self._go.path), "run", required, *recipe.arguments]
        return f"{recipe.tool.name} is not at hand"

    @cached_property
    def _path(self) -> str:
        """PATH without folders that depend on where the program runs."""
        folders = self._env["PATH"].split(os.pathsep)
        return os.pathsep.join(folder for folder in folders if Path(folder).is_absolute())

    def _is_configured(self, folder: Path) -> bool:
        around = [folder, *folder.parents]
        inside = around[: around.index(self._scratch.root) + 1] if self._scratch.root in around else around
        return any((place / name).exists() for place in inside for name in _CONFIGURED)

    def _stated(self, recipe: Recipe, folder: Path) -> str:
        """What the target's line gives to `go run`, where that is a package as published; else empty."""
        path, _, version = recipe.source.partition("@")
        if version:
            return recipe.source  # by itself, whatever the target's go.mod says
        return path if "/" in path and self._is_published(path, folder) else ""

    def _is_published(self, path: str, folder: Path) -> bool:
        """Whether a package and all that it needs come from the module cache, by the target's go.mod."""
        cache = Path(self._go_says(["env", "GOMODCACHE"], folder).strip() or os.devnull)
        listed = list(objects(self._go_says(["list", "-deps", "-json=Dir,Standard,Module", path], folder)))
        return bool(listed) and all(
            one.get("Standard")
            or ("Replace" not in one.get("Module", {"Replace": 1}) and Path(one["Dir"]).is_relative_to(cache))
            for one in listed
        )

    def _go_says(self, arguments: list[str], folder: Path) -> str:
        done = self._done([str(self._go.path), *arguments], folder)
        return done.stdout if done is not None and done.returncode == 0 else ""

    def _run(self, command: list[str], recipe: Recipe, file: str, data: bytes) -> str:
        """Run a generator, which must write the file anew; why it has not, or nothing."""
        self._scratch.write({file: data + _STALE})
        done = self._done(command, self._scratch.root / recipe.folder)
        if done is None:
            return f"{recipe.tool.name} did not end within {SECONDS} s, or cannot be run"
        if done.returncode != 0:
            said = next((line.strip() for line in reversed(done.stderr.splitlines()) if line.strip()), "")
            return f"{recipe.tool.name} fails: {said.replace(f'{self._scratch.root}/', '') or done.returncode}"
        fresh = self._scratch.read(file)
        return "" if fresh is not None and not fresh.endswith(_STALE) else f"{recipe.tool.name} does not write it"

    def _done(self, command: list[str], folder: Path) -> subprocess.CompletedProcess[str] | None:
        try:
            return subprocess.run(
                command,
                cwd=folder,
                env=self._env | {"PWD": str(folder), "PATH": self._path},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                encoding="utf-8",
                errors="replace",
                timeout=SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
