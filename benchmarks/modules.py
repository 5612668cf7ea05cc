"""The modules of the corpus: what the reference service depends on, and the standard library."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from audit_lib.read import gotool
from benchmarks.errors import InputError, UsageError
from benchmarks.tools import go_env

SERVICE = Path(__file__).resolve().parent.parent / "reference_service"
STANDARD = "std"


@dataclass(frozen=True)
class Module:
    """A module of the corpus, and where its sources lie: the module cache, or Go's own folder."""

    path: str
    folder: Path


def modules(go: Path, service: Path = SERVICE) -> list[Module]:
    """The modules whose packages the service depends on, sorted, and the standard library last."""
    template = "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Dir}}{{end}}{{end}}"
    listed = _go(go, service, "list", "-deps", "-test", "-f", template, "./...")
    pairs = [line.split("\t") for line in sorted(set(listed.splitlines())) if line]
    found = [Module(path, Path(folder)) for path, folder in pairs]
    return [*found, Module(STANDARD, Path(go_env(go, "GOROOT"), "src"))]


def chosen(everything: Sequence[Module], names: Sequence[str]) -> list[Module]:
    """The modules whose path holds one of `names`, all where none is named. Raises `UsageError` for a name of none."""
    for name in names:
        if not any(name in module.path for module in everything):
            raise UsageError(f"--module {name}: no such module; there are {', '.join(one.path for one in everything)}")
    return [module for module in everything if not names or any(name in module.path for name in names)]


@contextmanager
def copied(module: Module, go: Path) -> Iterator[Path]:
    """A module of the cache in a folder of its own, as long as this lasts: in the cache it is read-only and not made
    to be built. Its `go.mod` requires what the service requires; the go command must be let to complete it.
    """
    with tempfile.TemporaryDirectory(prefix="ctxaudit-corpus-") as scratch:
        folder = Path(scratch, "module")
        shutil.copytree(module.folder, folder, copy_function=shutil.copyfile, ignore=shutil.ignore_patterns("go.work*"))
        for path in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
            path.chmod(0o755)
        (folder / "go.mod").write_text(_requirements(module, go), encoding="utf-8")
        shutil.copyfile(SERVICE / "go.sum", folder / "go.sum")
        yield folder


@contextmanager
def unaided(go: Path) -> Iterator[None]:
    """No audit that was kept from before, and nothing downloaded.

    What a module's tests need and the service does not is missing, and named. The helper is there, built.
    """
    helper = gotool.build_helper(gotool.find_go())
    with tempfile.TemporaryDirectory(prefix="ctxaudit-corpus-") as cache:
        settings = {"GOPROXY": "off", "GOSUMDB": "off", "GOCACHE": go_env(go, "GOCACHE"), "XDG_CACHE_HOME": cache}
        Path(cache, "ctxaudit").mkdir()
        shutil.copy(helper, Path(cache, "ctxaudit"))
        before = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name)
                if value is not None:
                    os.environ[name] = value


def _requirements(module: Module, go: Path) -> str:
    """A go.mod with which a dependency builds by itself: it requires what the service requires."""
    service = msgspec.json.decode(_go(go, SERVICE, "mod", "edit", "-json"))
    required = "\n".join(
        f"\t{other['Path']} {other['Version']}" for other in service["Require"] if other["Path"] != module.path
    )
    return f"module {module.path}\n\ngo {service['Go']}\n\nrequire (\n{required}\n)\n"


def _go(go: Path, folder: Path, *arguments: str) -> str:
    env = os.environ | {"GOTOOLCHAIN": "local", "GOWORK": "off"}
    done = subprocess.run([str(go), *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no word why"]
        raise InputError(f"{folder}: go {arguments[0]}: {last[0]}")
    return done.stdout
