"""The other tools of the comparison, at pinned versions: built by `go install` on first use, and kept."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import InputError


@dataclass(frozen=True)
class Tool:
    """A Go program: its name, its package, its version."""

    name: str
    package: str
    version: str


CONTEXTCHECK = Tool("contextcheck", "github.com/kkHAIKE/contextcheck/cmd/contextcheck", "v1.1.6")
GOLANGCI_LINT = Tool("golangci-lint", "github.com/golangci/golangci-lint/v2/cmd/golangci-lint", "v2.15.0")


def cache_root() -> Path:
    """Where tools are kept: `ctxaudit-bench` in the user's cache directory."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path("~/.cache").expanduser()) / "ctxaudit-bench"


def find_go() -> Path:
    """The Go that ctxaudit uses: the others get the same. Raises `InputError` where there is none."""
    command = [sys.executable, "-m", "audit_lib.read.gotool"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise InputError(done.stderr.strip().removeprefix("ctxaudit: ") or "no Go toolchain was found")
    return Path(done.stdout.strip())


def go_env(go: Path, name: str) -> str:
    """One of the go command's settings."""
    done = subprocess.run([str(go), "env", name], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def environment(go: Path) -> dict[str, str]:
    """The environment of everything that is measured: one toolchain, one build cache, no other version fetched."""
    env = {name: value for name, value in os.environ.items() if name not in ("GOFLAGS", "GOWORK", "GOROOT")}
    path = os.pathsep.join([str(Path(go_env(go, "GOROOT"), "bin")), env.get("PATH", os.defpath)])
    # Said by name, since a cache folder of our own must not move Go's caches with it.
    return env | {
        "PATH": path,
        "GOTOOLCHAIN": "local",
        "GOCACHE": go_env(go, "GOCACHE"),
        "GOMODCACHE": go_env(go, "GOMODCACHE"),
    }


def install(tool: Tool, go: Path, root: Path | None = None) -> Path:
    """A tool's program, built when it is not there yet. Raises `InputError` where it cannot be built."""
    release = go_env(go, "GOVERSION")
    folder = (root or cache_root()) / f"{tool.name}-{tool.version}-{release}"
    program = folder / tool.name
    if program.is_file():
        return program
    print(f"building {tool.name} {tool.version} with {release}: this takes minutes, once", file=sys.stderr, flush=True)
    env = environment(go) | {"GOBIN": str(folder), "GOWORK": "off", "GOFLAGS": "-mod=mod"}
    command = [str(go), "install", f"{tool.package}@{tool.version}"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no word why"]
        raise InputError(f"{tool.name} {tool.version} cannot be built: {last[0]}")
    return program
