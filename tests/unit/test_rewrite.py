"""A scratch copy, edits written there, and the result written back."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from audit_lib.change.edits import Edits, by_file
from audit_lib.change.entries import digest
from audit_lib.change.repository import below_top, refuse_dirty
from audit_lib.change.rewrite import Rewritten, blocked, rewrite, undo, write_back
from audit_lib.change.scratch import scratch_copy
from audit_lib.errors import OutputError, TargetError, UsageError
from audit_lib.model import Edit, Span
from audit_lib.read import gotool

SOURCE = "package shop\n\nfunc f() {\n\tg()\n}\n\nfunc g() {}\n"
GO_MOD = "module example.org/shop\n\ngo 1.24\n"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user cache of the test's own; Go's stays where it is."""
    monkeypatch.setenv("GOCACHE", os.environ.get("GOCACHE", str(Path("~/.cache/go-build").expanduser())))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "ctxaudit"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "go.mod").write_text(GO_MOD)
    (folder / "a.go").write_text(SOURCE)
    return folder


def insert(text: str, before: str, file: str = "a.go") -> dict[str, Edits]:
    at = SOURCE.index(before)
    return by_file([Edit(Span(file, at, at, 1, 1), text)])


def state(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.parts
    }


def git(folder: Path, *command: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    return subprocess.run(["git", *identity, *command], cwd=folder, check=True, capture_output=True, text=True).stdout


def test_edits_are_formatted_in_the_copy_and_then_written_back(target: Path) -> None:
    (target / "a.go").chmod(0o640)
    with scratch_copy(target) as scratch:
        result = rewrite(scratch, gotool.find_go(), insert("h( )\n", "g()"))
        assert result.after["a.go"] == SOURCE.replace("\tg()", "\th()\n\tg()").encode()
        assert scratch.read("a.go") == result.after["a.go"]
        assert (target / "a.go").read_text() == SOURCE
        write_back(target, result, force=False)
    assert (target / "a.go").read_bytes() == result.after["a.go"]
    assert (target / "a.go").stat().st_mode & 0o777 == 0o640


def test_without_go_the_edits_stand_as_they_are(target: Path) -> None:
    with scratch_copy(target) as scratch:
        result = rewrite(scratch, None, insert("h( ); ", "g()"))
    assert result.after == {"a.go": SOURCE.replace("\tg()", "\th( ); g()").encode()}


def test_edits_that_change_nothing_change_no_file(target: Path) -> None:
    edits = by_file([Edit(Span("a.go", 0, 7, 1, 1), "package")])
    with scratch_copy(target) as scratch:
        assert rewrite(scratch, None, edits) == Rewritten({}, {})


def test_what_was_rewritten_can_be_undone_in_the_copy(target: Path) -> None:
    with scratch_copy(target) as scratch:
        before = state(scratch.root)
        new = by_file([Edit(Span("sub/new.go", 0, 0, 1, 1), "package sub\n")])
        result = rewrite(scratch, None, {**insert("//", "func f"), **new})
        assert result.before["sub/new.go"] is None
        with scratch.showing(result.before):
            assert state(scratch.root) == before
        assert state(scratch.root) != before
        undo(scratch, result)
        assert state(scratch.root) == before


def test_a_file_that_changed_between_reading_and_writing_is_refused(target: Path) -> None:
    edits = insert("//", "func f")
    scanned = {"a.go": digest(SOURCE.encode())}
    with scratch_copy(target) as scratch:
        result = rewrite(scratch, None, edits, scanned)
    (target / "a.go").write_text(SOURCE + "// mine\n")
    with pytest.raises(TargetError, match=r"^a\.go: changed since"):
        write_back(target, result, force=True)
    with scratch_copy(target) as scratch, pytest.raises(TargetError, match=r"^a\.go: changed since"):
        rewrite(scratch, None, edits, scanned)
    assert (target / "a.go").read_text() == SOURCE + "// mine\n"


def test_the_copy_holds_what_go_and_tests_need(target: Path, tmp_path: Path) -> None:
    files = ["go.work", "vendor/modules.txt", "web/static/x.css", "pkg/testdata/golden.txt", "_x/a.go", ".env"]
    for file in [*files, ".git/config", "web/node_modules/x/index.js"]:
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        (target / file).write_text(file)
    script = target / "run.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    os.utime(script, ns=(10**18, 10**18))
    os.mkfifo(target / "pipe")
    with scratch_copy(target) as scratch:
        assert sorted(state(scratch.root)) == sorted([*files, "go.mod", "a.go", "run.sh"])
        copy = scratch.root / "run.sh"
        assert copy.stat().st_mode & 0o777 == 0o755
        assert copy.stat().st_mtime_ns == 10**18
        assert copy.stat().st_ino != script.stat().st_ino
    assert not scratch.root.exists()


def test_links_in_the_copy_never_lead_into_the_target(target: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("outside")
    (target / "sub").mkdir()
    (target / "sub" / "near.go").symlink_to("../a.go")
    (target / "sub" / "around.go").symlink_to("../../shop/a.go")
    (target / "absolute.go").symlink_to(target / "a.go")
    (target / "out.txt").symlink_to("../outside.txt")
    (target / "nowhere").symlink_to("missing")
    with scratch_copy(target) as scratch:
        for name in ("sub/near.go", "sub/around.go", "absolute.go"):
            assert Path(os.path.realpath(scratch.root / name)) == scratch.root / "a.go", name
        assert not os.path.lexists(scratch.root / "out.txt")
        assert [one.where for one in scratch.left_out] == ["out.txt"]
        assert scratch.read("out.txt") is None
        assert (scratch.root / "nowhere").is_symlink()
        scratch.write({"absolute.go": b"package new\n"})
        assert scratch.read("a.go") == b"package new\n"
        with pytest.raises(OutputError, match=r"^out\.txt: a link leads out of the target"):
            scratch.write({"out.txt": b"x"})
        assert list(blocked(scratch, ["a.go", "out.txt", "sub/near.go"])) == ["out.txt"]
    assert (target / "a.go").read_text() == SOURCE
    assert (tmp_path / "outside.txt").read_text() == "outside"


def test_a_copy_lies_at_the_same_place_each_time_and_two_at_once_do_not_meet(target: Path) -> None:
    with scratch_copy(target) as first:
        (first.root / "left.txt").write_text("left")
        with scratch_copy(target) as second:
            assert first.root != second.root
            assert second.read("left.txt") is None
            assert first.digest == second.digest
    (target / "b.go").write_text("package shop\n")
    with scratch_copy(target) as third:
        assert third.root == first.root
        assert third.digest != first.digest
        assert third.read("left.txt") is None


def test_folders_that_cannot_be_written_do_not_keep_a_copy(target: Path) -> None:
    with scratch_copy(target) as scratch:
        (scratch.root / "cache").mkdir()
        (scratch.root / "cache" / "x").write_text("x")
        (scratch.root / "cache").chmod(0o555)
    assert not scratch.root.exists()


@pytest.mark.parametrize(
    ("shop", "outside"),
    [
        pytest.param("replace example.org/lib => ../lib", "lib", id="beside"),
        pytest.param("replace (\n\texample.org/lib v1.0.0 => ../far/lib // why\n)", "far/lib", id="far"),
        pytest.param("replace example.org/lib => ../", ".", id="around"),
    ],
)
def test_modules_outside_are_found_from_the_copy(target: Path, tmp_path: Path, shop: str, outside: str) -> None:
    lib = tmp_path / outside
    lib.mkdir(parents=True, exist_ok=True)
    (lib / "go.mod").write_text("module example.org/lib\n\ngo 1.24\n")
    (lib / "lib.go").write_text("package lib\n\nconst Name = 1\n")
    (target / "go.mod").write_text(f"{GO_MOD}\nrequire example.org/lib v1.0.0\n\n{shop}\n")
    (target / "b.go").write_text('package shop\n\nimport "example.org/lib"\n\nvar _ = lib.Name\n')
    assert go_lists(target) == "example.org/lib example.org/shop\n"


def test_a_workspace_around_the_target_is_found_from_the_copy(target: Path, tmp_path: Path) -> None:
    (tmp_path / "go.work").write_text("go 1.24\n\nuse (\n\t./shop\n\t./lib // beside\n)\n")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "go.mod").write_text("module example.org/lib\n\ngo 1.24\n")
    (tmp_path / "lib" / "lib.go").write_text("package lib\n\nconst Name = 1\n")
    (target / "b.go").write_text('package shop\n\nimport "example.org/lib"\n\nvar _ = lib.Name\n')
    assert go_lists(target) == "example.org/lib example.org/shop\n"


def go_lists(target: Path) -> str:
    """The packages, without the standard library's, that Go builds in a copy of the target."""
    go = gotool.find_go()
    with scratch_copy(target) as scratch:
        command = [str(go.path), "list", "-export", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "."]
        done = subprocess.run(
            command, cwd=scratch.root, env=gotool.environment(go), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return " ".join(done.stdout.split()) + "\n"


def committed(target: Path) -> None:
    git(target, "init", "-q")
    git(target, "add", ".")
    git(target, "commit", "-qm", "all")


def test_a_clean_repository_is_written_and_its_index_stays_untouched(target: Path) -> None:
    committed(target)
    os.utime(target / "a.go")
    index = (target / ".git" / "index").read_bytes()
    refuse_dirty(target, ["a.go"])
    assert (target / ".git" / "index").read_bytes() == index


def test_changes_that_are_not_committed_are_refused_without_force(target: Path) -> None:
    committed(target)
    (target / "go.mod").write_text(GO_MOD + "// mine\n")
    before = state(target)
    result = Rewritten({"a.go": SOURCE.encode()}, {"a.go": b"package shop\n"})
    with pytest.raises(UsageError, match=r"not committed: go\.mod; .*--force"):
        write_back(target, result, force=False)
    assert state(target) == before
    write_back(target, result, force=True)
    assert (target / "a.go").read_text() == "package shop\n"


def test_files_that_git_does_not_know_are_refused_only_where_they_are_written(target: Path) -> None:
    committed(target)
    (target / "mine.go").write_text("package shop\n")
    refuse_dirty(target, ["a.go", "new.go"])
    with pytest.raises(UsageError, match=r"not committed: mine\.go"):
        refuse_dirty(target, ["a.go", "mine.go"])


def test_a_copy_in_a_folder_that_git_ignores_is_no_repository(target: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text("/shop/\n")
    git(tmp_path, "add", ".gitignore")
    git(tmp_path, "commit", "-qm", "all")
    refuse_dirty(target, ["a.go"])


def test_only_what_is_in_the_target_counts(target: Path, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("other")
    committed(tmp_path)
    (tmp_path / "other.txt").write_text("changed")
    refuse_dirty(target, ["a.go"])
    assert below_top(target)
    assert not below_top(tmp_path)


def test_without_git_nothing_is_dirty(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_dirty(target, ["a.go"])
    committed(target)
    (target / "a.go").write_text("package shop\n")
    monkeypatch.setenv("PATH", "/nonexistent")
    refuse_dirty(target, ["a.go"])


def test_a_repository_that_git_cannot_read_is_refused(target: Path) -> None:
    committed(target)
    (target / ".git" / "index").write_bytes(b"broken")
    with pytest.raises(UsageError, match="git cannot tell what is committed"):
        refuse_dirty(target, ["a.go"])


def test_a_target_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="no such folder"), scratch_copy(tmp_path / "none"):
        pass
