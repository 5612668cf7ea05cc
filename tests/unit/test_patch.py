"""Patches, tried on git itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_lib.change.difference import hunks, lines_of
from audit_lib.change.patch import Files, patch, phase_patches, quoted

GO = b"package p\n\nfunc A() {\n\tx()\n}\n\nfunc B() {\n\ty()\n}\n\nfunc C() {\n\tz()\n}\n"
DOS = GO.replace(b"\n", b"\r\n")


def git(folder: Path, *command: str, data: bytes = b"") -> bytes:
    """What a git command prints; the user's own configuration is left out."""
    env = {"PATH": "/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    return subprocess.run(["git", *command], cwd=folder, input=data, env=env, check=True, capture_output=True).stdout


def write(folder: Path, files: Files) -> None:
    for file, data in files.items():
        if data is not None:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(data)


def read(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.parts
    }


def present(files: Files) -> dict[str, bytes]:
    return {file: data for file, data in files.items() if data is not None}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"a.go": GO}, {"a.go": GO.replace(b"x()", b"x(ctx)")}, id="a line"),
        pytest.param({"a.go": GO}, {"a.go": GO.replace(b"A()", b"A1()").replace(b"z()", b"z1()")}, id="two hunks"),
        pytest.param({"a.go": b"a\nb"}, {"a.go": b"a\nc"}, id="no newline at the end"),
        pytest.param({"a.go": b"a\nb"}, {"a.go": b"a\nb\n"}, id="a newline at the end is new"),
        pytest.param({"a.go": b"a\nb\n"}, {"a.go": b"a\nb"}, id="the newline at the end goes"),
        pytest.param({"a.go": DOS}, {"a.go": b"// new\r\n" + DOS}, id="CRLF"),
        pytest.param({"a.go": b"\xef\xbb\xbf" + GO}, {"a.go": b"\xef\xbb\xbf// new\n" + GO}, id="BOM"),
        pytest.param({"a.go": b"// \xe9\n"}, {"a.go": b"// \xe9\xff\nx\n"}, id="no UTF-8"),
        pytest.param({"a.go": b""}, {"a.go": b"package p\n"}, id="empty before"),
        pytest.param({"a.go": b"package p\n"}, {"a.go": b""}, id="empty after"),
        pytest.param({"a.go": None}, {"a.go": b"package p\n"}, id="a new file"),
        pytest.param({}, {"new folder/a.go": b"package p"}, id="a new file in a new folder"),
        pytest.param({}, {"empty.go": b""}, id="a new empty file"),
        pytest.param({"a.go": GO, "b.go": GO}, {"b.go": GO}, id="a file goes"),
        pytest.param({"a b/c d.go": GO}, {"a b/c d.go": b"// new\n" + GO}, id="blanks in the path"),
        pytest.param({"größe/日.go": GO}, {"größe/日.go": b"// new\n" + GO}, id="unicode in the path"),
        pytest.param({'q"\\\t.go': GO}, {'q"\\\t.go': b"// new\n" + GO}, id="quotes in the path"),
        pytest.param(
            {"a.go": GO}, {"a.go": b"-- x\n++ y\n" + GO.replace(b"y()", b"-- y\n@@ -1 +1 @@")}, id="like a patch"
        ),
    ],
)
def test_git_applies_a_patch(tmp_path: Path, before: Files, after: Files) -> None:
    git(tmp_path, "init", "-q")
    write(tmp_path, before)
    result = patch(before, after)
    git(tmp_path, "apply", "--check", "-", data=result)
    git(tmp_path, "apply", "-", data=result)
    assert read(tmp_path) == present(after)
    git(tmp_path, "apply", "-R", "-", data=result)
    assert read(tmp_path) == present(before)


def test_a_patch_is_what_git_itself_would_write(tmp_path: Path) -> None:
    before = {"a.go": GO, "b c.go": GO, "ä.go": GO}
    after = {"a.go": GO.replace(b"z()", b"z(1)"), "b c.go": b"//\n" + GO, "ä.go": GO + b"\nvar x int"}
    git(tmp_path, "init", "-q")
    write(tmp_path, before)
    git(tmp_path, "add", ".")
    write(tmp_path, after)
    lines = git(tmp_path, "diff", "--no-ext-diff").splitlines(keepends=True)
    assert patch(before, after) == b"".join(line for line in lines if not line.startswith(b"index "))


def test_nothing_that_differs_gives_an_empty_patch() -> None:
    assert patch({"a.go": GO}, {"a.go": GO}) == b""


def test_patches_of_phases_apply_one_after_the_other(tmp_path: Path) -> None:
    before = {"a.go": GO, "b.go": GO}
    first = {"a.go": GO.replace(b"x()", b"x(ctx)")}
    second = {"a.go": GO.replace(b"x()", b"x(ctx)").replace(b"y()", b"y(ctx)"), "b.go": b"//\n" + GO}
    patches = phase_patches(before, [("api", first), ("storage", first), ("core", second)])
    assert list(patches) == ["api", "storage", "core"]
    assert patches["storage"] == b""
    git(tmp_path, "init", "-q")
    write(tmp_path, before)
    git(tmp_path, "apply", "-", data=patches["api"])
    assert read(tmp_path) == {**before, **first}
    git(tmp_path, "apply", "-", data=patches["core"])
    assert read(tmp_path) == {**before, **second}


def test_a_patch_applies_in_a_folder_of_a_repository(tmp_path: Path) -> None:
    target = tmp_path / "services" / "shop"
    before = {"a.go": GO, "c d.go": GO, "ä.go": GO, "gone.go": GO}
    after = {"a.go": b"//\n" + GO, "c d.go": b"//\n" + GO, "ä.go": GO + b"//", "new/b.go": GO}
    git(tmp_path, "init", "-q")
    write(target, before)
    git(target, "apply", "-", data=patch(before, after, below_top=True))
    assert read(target) == after


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a/b.go", "a/b.go"), ("a b.go", "a b.go"), ("ä", '"\\303\\244"'), ("a\tb", '"a\\tb"'), ('"', '"\\""')],
)
def test_paths_are_quoted_as_git_does(path: str, expected: str) -> None:
    assert quoted(path) == expected


@given(st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"}\n"])), st.lists(st.sampled_from([b"a\n", b"b\n", b"}\n"])))
def test_hunks_turn_one_version_into_the_other(before: list[bytes], after: list[bytes]) -> None:
    result: list[bytes] = []
    at = 0
    for hunk in hunks(before, after):
        result += before[at : hunk.start] + after[hunk.new_start : hunk.new_end]
        at = hunk.end
    assert result + before[at:] == after


@given(st.binary())
def test_lines_are_the_whole_file(data: bytes) -> None:
    assert b"".join(lines_of(data)) == data
