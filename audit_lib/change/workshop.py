"""Where generators are built and run: their environment, what they see of the machine, and where they may write."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from audit_lib.change import published
from audit_lib.change.mocktools import Release
from audit_lib.config import GoOptions
from audit_lib.errors import OutputError
from audit_lib.read.gotool import GoTool, cache_root, environment
from audit_lib.untrusted import files
from audit_lib.untrusted.processes import run
from audit_lib.untrusted.sandbox import Room, at_hand, private_folders

_SECONDS = 60.0
_PLAIN = ("LANG", "LC_ALL", "LC_CTYPE", "SYSTEMROOT", "PATHEXT")


@dataclass(frozen=True)
class Workshop:
    """What is around the generators of one fix: the copy's `root`, an `own` folder beside it, and Go's folders."""

    root: Path
    target: Path
    own: Path
    go: GoTool
    env: dict[str, str]

    @classmethod
    def make(cls, root: Path, target: Path, go: GoTool, options: GoOptions) -> Workshop:
        """The workshop for a copy; its own folder goes with the copy's place. Raises `OutputError` without room."""
        try:
            own = Path(tempfile.mkdtemp(prefix="generators-", dir=_holder(root)))
            for name in ("home", "tmp", "build-cache", "programs", "config"):
                (own / name).mkdir()
            (own / "config" / "empty.yaml").write_bytes(b"")
        except OSError as error:
            raise OutputError(f"{error.filename}: {error.strerror}; generators need room in XDG_CACHE_HOME") from error
        return cls(root, target, own, go, _environment(go, options, own))

    @property
    def path(self) -> str:
        """PATH without folders that depend on where the program runs."""
        return self.env["PATH"]

    @property
    def empty_config(self) -> Path:
        """A file that configures nothing."""
        return self.own / "config" / "empty.yaml"

    def build(self, package: str, release: Release, versions: published.Versions) -> published.Program:
        """A generator from the module cache; its caches must not be the target's own."""
        for name in ("GOMODCACHE", "GOCACHE", "GOROOT"):
            place = Path(os.path.realpath(self.env[name]))
            if place.is_relative_to(self.target) or place.is_relative_to(self.root):
                return published.Program(reason=f"{name} lies in the target")
        own = Path(tempfile.mkdtemp(dir=self.own / "programs"))
        return published.built(package, release, versions, self.go, self.env, own)

    def confined(self, command: Sequence[str], writable: Path, *, runs_code: bool) -> tuple[dict[str, str], list[str]]:
        """The environment and the command line of a generator that writes in one folder of the copy.

        What it leaves in Go's build cache is thrown away. A program of the user's own may need what is in their home,
        and sees it, but not where it runs code of the target.
        """
        program = Path(os.path.realpath(command[0]))
        hides = runs_code or program.is_relative_to(self.own)
        cache = Path(self.env["GOCACHE"])
        if not at_hand().kind:
            own = {"GOCACHE": str(self.own / "build-cache")} if runs_code else {}
            return self.env | own, list(command)
        cache.mkdir(parents=True, exist_ok=True)
        around = (_holder(self.root), *self._outside(), Path(self.env["GOMODCACHE"]), self.go.root)
        seen = (*around, program.parent, Path(command[0]).parent)
        room = Room(
            writable=(writable, self.own / "tmp"),
            visible=tuple(place for place in seen if place.exists()),
            hidden=private_folders() if hides else (),
            discarded=((cache, self.own / "build-cache"),),
        )
        return self.env, at_hand().command(command, room)

    def _outside(self) -> list[Path]:
        """What the links beside the copy lead to: modules outside of the target that it is built from."""
        holder = _holder(self.root)
        inside = self.root.relative_to(holder).parts if self.root != holder else ()
        found = []
        for folder in files.walk(holder, lambda name: name not in {self.own.name, *inside[-1:]}):
            found += [Path(os.path.realpath(holder / folder.inside(link))) for link in folder.links]
        return found


def _holder(root: Path) -> Path:
    """The place that holds a copy and what lies beside it."""
    places = Path(os.path.realpath(cache_root() / "scratch"))
    return places / root.relative_to(places).parts[0] if root.is_relative_to(places) else root.parent


def _environment(go: GoTool, options: GoOptions, own: Path) -> dict[str, str]:
    """What a generator is told: Go's settings, a home without anything in it, and no secrets of the user.

    No network: what is not there is not at hand.
    """
    base = environment(go, mod=options.mod)
    settings = _settings(go, base, own)
    env = {name: base[name] for name in (*settings, *_PLAIN) if name in base}
    env |= {name: settings[name] for name in ("GOMODCACHE", "GOCACHE", "GOPATH", "GOENV") if settings.get(name)}
    folders = [folder for folder in base["PATH"].split(os.pathsep) if Path(folder).is_absolute()]
    return env | {
        "GOTOOLCHAIN": base["GOTOOLCHAIN"],
        "GOFLAGS": base["GOFLAGS"],
        "GOROOT": base["GOROOT"],
        "GOPROXY": "off",
        "GOPACKAGESDRIVER": "off",
        "PATH": os.pathsep.join(folders),
        "HOME": str(own / "home"),
        "TMPDIR": str(own / "tmp"),
    }


def _settings(go: GoTool, base: Mapping[str, str], own: Path) -> dict[str, str]:
    done = run([str(go.path), "env", "-json"], env=base, cwd=own / "home", seconds=_SECONDS)
    settings: dict[str, str] = json.loads(done.stdout) if done.returncode == 0 else {}
    return {name: settings.get(name, os.devnull) for name in {"GOMODCACHE", "GOCACHE", *settings}}
