"""Generators of mocks that are at hand, run in a scratch copy: the user's own, or of Go's module cache as published.

Nothing is downloaded, and nothing that the target ships is run: a program on PATH that lies in the target is none, and
neither is a module that the target replaces, vendors or forks. A generator sees no configuration of the target, writes
in a mock's own folder where the system can see to that, and what it writes besides the mock undoes all of its work.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from audit_lib.change import footprint, published
from audit_lib.change.budget import Budget
from audit_lib.change.recipes import Recipe
from audit_lib.change.scratch import Scratch
from audit_lib.change.workshop import Workshop
from audit_lib.config import GoOptions
from audit_lib.read.gotool import GoTool
from audit_lib.untrusted import files
from audit_lib.untrusted.processes import Done, find_program, run
from audit_lib.untrusted.sandbox import at_hand

NO_TIME = "no time was left to make it again"
"""Why a mock stays as it was edited when the time of the fix runs short."""

_LEAST_SECONDS = 0.1

SECONDS = 120
"""What a generator may take for one mock."""

TOTAL_SECONDS = 1200
"""What all generators may take in one fix."""

_TRIES = 8
"""How many commands are tried for one mock: a header does not tell in which folder its command was run."""

_STALE = b"\n// stale\n"


@dataclass(frozen=True)
class Made:
    """A mock as its generator writes it now and with which command; or the reason why it does not."""

    data: bytes = b""
    command: str = ""
    reason: str = ""


class Generators:
    """Makes mocks in a scratch copy of `target`; `runs_code` allows those generators that may run the target's code."""

    def __init__(
        self,
        scratch: Scratch,
        target: Path,
        go: GoTool,
        options: GoOptions,
        *,
        runs_code: bool,
        budget: Budget | None = None,
    ) -> None:
        self._budget = budget or Budget()
        self._scratch, self._target, self._go, self._runs_code = scratch, target.resolve(), go, runs_code
        self._options = options
        self._programs: dict[tuple[str, tuple[tuple[str, str], ...]], published.Program] = {}
        self._spent = 0.0

    @property
    def unconfined(self) -> str:
        """Why generators are not confined here; empty where they are."""
        return "" if at_hand().kind else at_hand().reason

    def made(self, file: str, recipes: Iterable[Recipe], before: Mapping[str, bytes | None]) -> Made:
        """A mock made from the copy as it is, by the first recipe that makes it as it was from what was `before`."""
        reason = "no go:generate line and no header says how, in words that are understood"
        if files.leads_out(self._scratch.root, file) or files.real_name(self._scratch.root, file) != file:
            return Made(reason="a link leads from it to another place")
        now = self._scratch.read(file)
        for recipe in list(recipes)[:_TRIES]:
            command = self._command(recipe)
            if isinstance(command, str):
                reason = command
                continue
            try:
                with self._scratch.showing(before):
                    failed = self._run(command, recipe, file, before[file] or b"", edited=before)
                    same = self._scratch.read(file) == before[file]
                failed = failed or ("" if same else self._otherwise(recipe))
                failed = failed or self._run(command, recipe, file, now or b"", edited=before)
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
        if self._spent > TOTAL_SECONDS:
            return f"generators have taken more than {TOTAL_SECONDS} s"
        if self._budget.now <= 0:
            return NO_TIME
        root = self._scratch.root
        if any(files.leads_out(root, path) for path in (recipe.folder, *recipe.paths)):
            return "what its command names leads out of the target"
        reasons = []
        path, _, version = recipe.source.partition("@")
        if version and not published.is_known(recipe.tool.packages[path], version):
            return f"{recipe.source} is no known release: run it yourself"
        if "/" in path:
            program = self._published(path, recipe, version)
            if program.path is not None:
                return self._line(program.path, recipe)
            reasons.append(program.reason)
        found = find_program(recipe.tool.name, path=self._workshop.path, not_in=(self._target, root))
        if found is not None:
            return self._line(found, recipe)
        for package in recipe.tool.packages:
            program = self._published(package, recipe, "") if package != path else published.Program()
            if program.path is not None:
                return self._line(program.path, recipe)
            reasons.append(program.reason)
        said = next((reason for reason in reasons if reason), "")
        return f"{recipe.tool.name} is not at hand{f': {said}' if said else ''}"

    def _line(self, program: Path, recipe: Recipe) -> list[str]:
        """A command line by which the target's own configuration is not looked for."""
        given = ["--config", str(self._workshop.empty_config)] if recipe.tool.name == "mockery" else []
        return [str(program), *given, *recipe.arguments]

    def _otherwise(self, recipe: Recipe) -> str:
        names = [f"{hidden}{recipe.tool.name}.{end}" for hidden in (".", "") for end in ("yaml", "yml", "toml", "json")]
        folders = [self._scratch.root / folder for folder in (recipe.folder, *_above(recipe.folder))]
        if recipe.tool.name == "mockery" and any((folder / name).exists() for folder in folders for name in names):
            return "mockery writes it otherwise without the target's configuration, which is not read: run it yourself"
        return f"{recipe.tool.name} at hand writes it otherwise than it is: another version?"

    @cached_property
    def _workshop(self) -> Workshop:
        return Workshop.make(self._scratch.root, self._target, self._go, self._options)

    def _published(self, package: str, recipe: Recipe, version: str) -> published.Program:
        """A command of the module cache: in a version that is stated, else in the one that the target requires."""
        release = recipe.tool.packages[package]
        versions: published.Versions | str = {release.module: version}
        if not version:
            line = [str(self._go.path), "list", "-deps", "-json=ImportPath,Standard,Module,Error", package]
            listed = self._done(line, self._scratch.root / recipe.folder)
            if listed is None or listed.returncode != 0:
                return published.Program()  # it does not require it
            versions = published.required(listed.stdout.decode("utf-8", "replace"), release)
        if isinstance(versions, str):
            return published.Program(reason=versions)
        key = (package, tuple(sorted(versions.items())))
        if key not in self._programs:
            start = time.monotonic()
            self._programs[key] = self._workshop.build(package, release, versions)
            self._spent += time.monotonic() - start
        return self._programs[key]

    def _run(self, command: list[str], recipe: Recipe, file: str, data: bytes, *, edited: Iterable[str]) -> str:
        """Run a generator, which must write the file anew and no other; why it has not, or nothing.

        `edited` are files that may not hold in the copy what they do in the target.
        """
        self._scratch.write({file: data + _STALE})
        root, scope = self._scratch.root, "" if self.unconfined else Path(file).parent.as_posix().removeprefix(".")
        before = footprint.entries(root, scope)
        known = {name: self._scratch.read(name) for name in edited}
        start = time.monotonic()
        done = self._done(command, root / recipe.folder, confined=recipe, writable=root / scope)
        self._spent += time.monotonic() - start
        others = footprint.changed(before, footprint.entries(root, scope), file)
        if others:
            footprint.restore(root, self._target, others, before, known)
            return f"{recipe.tool.name} writes {others[0]} too: run it yourself"
        if done is None or done.cut:
            within = f" within {SECONDS} s" if self._budget.now > 0 else " before the time for it was over"
            return f"{recipe.tool.name} did not end{within}, or cannot be run"
        if done.returncode != 0:
            lines = (done.stderr or done.stdout).decode("utf-8", "replace").splitlines()
            said = next((line.strip() for line in reversed(lines) if line.strip()), "")
            return f"{recipe.tool.name} fails: {said.replace(f'{root}/', '') or done.returncode}"
        fresh = self._scratch.read(file)
        return "" if fresh is not None and not fresh.endswith(_STALE) else f"{recipe.tool.name} does not write it"

    def _done(
        self, command: list[str], folder: Path, *, confined: Recipe | None = None, writable: Path | None = None
    ) -> Done | None:
        """A command in a folder of the copy; a generator is confined, and its folder is the only one to write in."""
        env = self._workshop.env
        if confined is not None and writable is not None:
            env, command = self._workshop.confined(command, writable, runs_code=confined.runs)
        try:
            seconds = max(min(SECONDS, self._budget.now), _LEAST_SECONDS)
            return run(command, env=env | {"PWD": str(folder)}, cwd=folder, seconds=seconds)
        except OSError:
            return None


def _above(folder: str) -> list[str]:
    return [parent.as_posix() for parent in Path(folder).parents]
