"""Git directories that lead elsewhere: by `.git` files, by what an index names, by objects larger than a machine."""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from pathlib import Path

import pytest

from audit_lib.change.repository import below_top, refuse_dirty
from audit_lib.errors import UsageError
from audit_lib.untrusted import git as untrusted_git
from audit_lib.untrusted.checkout import commit
from tests.hostile.test_git import SOURCE, git, module

MAIN = "ref: refs/heads/main\n"


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """A repository that is none of the target's business."""
    return committed(tmp_path / "private")


def committed(folder: Path) -> Path:
    module(folder)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "all")
    return folder


def refused(target: Path) -> str:
    with pytest.raises(UsageError) as caught:
        refuse_dirty(target, ["shop.go"])
    return str(caught.value)


def index(*entries: tuple[bytes, int, bytes]) -> bytes:
    """An index of the second version: name, mode and content of each, in the order of names."""
    data = b"DIRC" + struct.pack(">II", 2, len(entries))
    for name, mode, content in entries:
        entry = struct.pack(">10I", 0, 0, 0, 0, 0, 0, mode, 0, 0, len(content))
        entry += hashlib.sha1(b"blob %d\0" % len(content) + content).digest() + struct.pack(">H", len(name)) + name
        data += entry + b"\0" * (8 - len(entry) % 8)
    return data + hashlib.sha1(data).digest()


@pytest.mark.parametrize("inner", ["inner", "inner/worktrees/x"])
def test_a_worktree_of_another_repository_that_it_does_not_know_is_not_believed(
    tmp_path: Path, private: Path, inner: str
) -> None:
    """Its commit would be told as the target's, and its objects be read."""
    target = module(tmp_path / "shop")
    folder = target / inner
    folder.mkdir(parents=True)
    (target / ".git").write_text(f"gitdir: {inner}\n")
    (folder / "HEAD").write_text(MAIN)
    (folder / "gitdir").write_text(os.path.relpath(target / ".git", folder))
    (folder / "commondir").write_text(os.path.relpath(private / ".git", folder))
    assert commit(target) == ""
    assert "names a git directory that is not its own" in refused(target)


def test_a_submodule_of_the_users_that_lies_elsewhere_is_not_believed(tmp_path: Path, private: Path) -> None:
    around = committed(tmp_path / "around")
    git(around, "submodule", "--quiet", "add", str(private), "inner")
    assert commit(around / "inner") == commit(private) != ""
    target = module(around / "third" / "party")
    (target / ".git").write_text("gitdir: ../../.git/modules/inner\n")
    assert commit(target) == ""
    assert "names a git directory that is not its own" in refused(target)


@pytest.mark.parametrize("text", [b"a\0b", b"a" * 5000, b"a/" * 50_000, b".", b".git", b""])
def test_a_file_that_names_no_place_is_told_in_one_line(tmp_path: Path, text: bytes) -> None:
    target = module(tmp_path / "shop")
    (target / ".git").write_bytes(b"gitdir: " + text + b"\n")
    assert commit(target) == ""
    assert "git" in refused(target)
    with pytest.raises(UsageError, match="where its repository begins"):
        below_top(target)


@pytest.mark.parametrize("name", ["commondir", "gitdir", "HEAD"])
@pytest.mark.parametrize("text", [b"a\0b", b"a" * 5000, b"ref: refs/heads/a\0b", b"ref: refs/heads/a\nb"])
def test_no_file_of_a_git_directory_can_name_what_is_no_path(tmp_path: Path, name: str, text: bytes) -> None:
    target = committed(tmp_path / "shop")
    git(target, "worktree", "add", "-q", str(tmp_path / "tree"), "-b", "topic")
    (target / ".git" / "worktrees" / "tree" / name).write_bytes(text)
    assert commit(tmp_path / "tree") == ""
    assert "git cannot tell" in refused(tmp_path / "tree") or name == "HEAD"


@pytest.mark.parametrize("name", ["../secret", "sub/../../secret", "/secret", ".git/config", "sub/.GIT/x"])
def test_an_index_that_names_what_is_not_in_the_working_tree_is_not_followed(tmp_path: Path, name: str) -> None:
    """Git would open it, and say whether its content is what the index says."""
    target = committed(tmp_path / "shop")
    path = str(tmp_path / "secret") if name == "/secret" else name
    (tmp_path / "secret").write_text("a guess\n")
    (target / ".git" / "index").write_bytes(index((path.encode(), 0o100644, b"a guess\n")))
    assert f"its index names {path!r}, which is not in the working tree" in refused(target)


@pytest.mark.parametrize("kind", ["pipe", "outside"])
def test_a_submodule_in_the_index_is_not_looked_into(
    tmp_path: Path, private: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = committed(tmp_path / "shop")
    if kind == "pipe":
        for folder in ("objects", "refs"):
            (target / "a" / ".git" / folder).mkdir(parents=True)
        os.mkfifo(target / "a" / ".git" / "HEAD")
    else:
        (target / "a").mkdir()
        head = private / ".git" / "HEAD"
        head.unlink()
        os.mkfifo(head)  # whoever reads it waits
        (target / "a" / ".git").write_text("gitdir: ../../private/.git\n")
    (target / ".git" / "index").write_bytes(index((b"a", 0o160000, b""), (b"shop.go", 0o100644, SOURCE.encode())))
    monkeypatch.setattr(untrusted_git, "SECONDS", 20.0)
    assert "not committed: go.mod" in refused(target)


def test_an_object_that_says_that_it_is_huge_takes_no_memory(tmp_path: Path) -> None:
    target = committed(tmp_path / "shop")
    name = git(target, "rev-parse", "HEAD^{tree}")
    place = target / ".git" / "objects" / name[:2] / name[2:]
    place.unlink()
    place.write_bytes(zlib.compress(b"tree %d\0" % (1 << 40) + b"\0" * 1000))
    assert "attempting to allocate 1099511627777 over limit" in refused(target)


def test_an_index_in_many_large_parts_is_not_copied(tmp_path: Path) -> None:
    target = committed(tmp_path / "shop")
    for number in range(1000):
        with (target / ".git" / f"sharedindex.{number:040d}").open("wb") as file:
            file.truncate(1 << 40)
    assert "larger than 255 MiB" in refused(target)


def test_branches_in_a_file_that_is_too_large_are_no_repository_without_a_commit(tmp_path: Path) -> None:
    target = committed(tmp_path / "shop")
    git(target, "pack-refs", "--all")
    with (target / ".git" / "packed-refs").open("ab") as file:
        file.truncate(300 << 20)
    assert commit(target) == ""
    assert "packed-refs: larger than 32 MiB" in refused(target)


def test_a_sparse_index_and_a_submodule_moved_are_read(tmp_path: Path, private: Path) -> None:
    """Honest ones: what is checked out in part, and a submodule under another name than its own."""
    target = committed(tmp_path / "shop")
    module(target / "below")
    git(target, "submodule", "--quiet", "add", "--name", "old", str(private), "inner")
    git(target, "mv", "inner", "other")
    git(target, "add", ".")
    git(target, "commit", "-qm", "more")
    assert commit(target / "other") == commit(private)
    refuse_dirty(target / "other", ["shop.go"])
    git(target, "sparse-checkout", "set", "--cone", "--sparse-index", "none")
    refuse_dirty(target, ["shop.go"])
