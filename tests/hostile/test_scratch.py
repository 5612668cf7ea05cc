"""The copy that a fix is proved in: nothing in it leads out, and nobody else can enter it."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from audit_lib.change import copying
from audit_lib.change.scratch import Scratch, scratch_copy
from audit_lib.errors import AuditError, OutputError, TargetError
from audit_lib.untrusted.files import DEPTH_LIMIT, RefusedError
from audit_lib.untrusted.removing import remove_tree


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "ctxaudit"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.go").write_text("package a\n")
    (folder / "sub" / "b.go").write_text("package b\n")
    return folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir(mode=0o750)
    (folder / "secret").write_text("secret")
    (folder / "secret").chmod(0o640)
    return folder


def untouched(outside: Path) -> bool:
    info = (outside / "secret").stat()
    return (
        [path.name for path in outside.iterdir()] == ["secret"]
        and (outside / "secret").read_text() == "secret"
        and stat.S_IMODE(info.st_mode) == 0o640
        and stat.S_IMODE(outside.stat().st_mode) == 0o750
    )


def nested(top: Path, depth: int) -> None:
    """Make folders in folders, deeper than a path can name."""
    handle = os.open(top, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=handle)
        below = os.open("d", os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = below
    os.close(handle)


def told(scratch: Scratch) -> dict[str, str]:
    return {one.where: one.reason.partition(":")[0] for one in scratch.left_out}


# What a target ships.


def test_links_that_lead_out_stay_behind_and_are_named(target: Path, outside: Path) -> None:
    (target / "up").symlink_to("..")
    links = {
        "absolute": str(outside / "secret"),
        "relative": "../outside/secret",
        "sub/folder": "../../outside",
        "by-link": "up/outside/secret",
        "chain": "absolute",
        "missing": "../outside/made-later",
        "device": "/dev/null",
    }
    for name, text in links.items():
        (target / name).symlink_to(text)
    (target / "inside").symlink_to("sub/b.go")
    with scratch_copy(target) as scratch:
        assert told(scratch) == dict.fromkeys([*links, "up"], "a link that leads out of the target")
        found = [path for path in scratch.root.rglob("*") if path.is_symlink()]
        assert found == [scratch.root / "inside"]
        for name in links:
            assert scratch.read(name) is None
            with pytest.raises(OutputError, match=f"^{name}: a link leads out of the target"):
                scratch.write({name: b"owned"})
        with pytest.raises(OutputError, match="a link leads out of the target"):
            scratch.write({"sub/folder/new.go": b"owned"})
    assert untouched(outside)


def test_pipes_sockets_and_devices_stay_behind_and_are_named(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(target / "pipe.go")
    monkeypatch.chdir(target)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("sock")
    with scratch_copy(target) as scratch:
        assert told(scratch) == dict.fromkeys(["pipe.go", "sock"], "a pipe, a socket or a device")
        assert sorted(path.name for path in scratch.root.iterdir()) == ["a.go", "sub"]


def test_a_huge_sparse_file_takes_no_room_and_no_time(target: Path) -> None:
    with (target / "big.go").open("wb") as file:
        file.write(b"package a\n")
        file.seek(1 << 40)
        file.write(b"end")
    with scratch_copy(target) as scratch:
        info = (scratch.root / "big.go").stat()
        assert info.st_size == (1 << 40) + 3
        assert info.st_blocks * 512 < 1 << 20
        with (scratch.root / "big.go").open("rb") as file:
            assert file.read(10) == b"package a\n"
            file.seek(1 << 40)
            assert file.read() == b"end"


def test_a_hole_is_told_from_other_bytes_and_zeros_are_not(target: Path) -> None:
    digests = []
    for text in (b"a", b"b"):
        with (target / "sparse").open("wb") as file:
            file.seek(1 << 20)
            file.write(text)
        with scratch_copy(target) as scratch:
            digests.append(scratch.digest)
    assert digests[0] != digests[1]


@pytest.mark.parametrize(("name", "limit", "words"), [("BYTES_LIMIT", 15, "0 GiB"), ("FILES_LIMIT", 2, "2 files")])
def test_more_than_a_copy_may_hold_is_one_line(
    target: Path, cache: Path, name: str, limit: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, name, limit)
    with pytest.raises(TargetError, match=f"{target}: more than {words} to copy; name a folder"), scratch_copy(target):
        pass
    assert [path for path in (cache / "scratch").iterdir() if path.is_dir()] == []


def test_folders_past_the_limit_are_named_and_the_rest_is_there(target: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    try:
        nested(target, 1500)
        left = copying.copy_tree(target, copy, lambda name: False).left_out
        assert (copy / "a.go").read_text() == "package a\n"
    finally:
        remove_tree(target)  # pytest's own way does not get so deep
    assert [one.where.count("/") for one in left] == [DEPTH_LIMIT]
    assert left[0].reason.startswith(f"more than {DEPTH_LIMIT} folders deep: left out")


def test_a_name_that_is_no_text_is_copied_and_named_as_text(target: Path) -> None:
    (target / os.fsdecode(b"\xff.go")).write_text("package a\n")
    (target / os.fsdecode(b"\xfe")).symlink_to("/etc/passwd")
    with scratch_copy(target) as scratch:
        assert list(told(scratch)) == ["\\xfe"]
        assert scratch.read(os.fsdecode(b"\xff.go")) == b"package a\n"


def test_bits_that_lend_the_owners_rights_are_not_copied(target: Path) -> None:
    (target / "a.go").chmod(0o6755)
    with scratch_copy(target) as scratch:
        assert stat.S_IMODE((scratch.root / "a.go").stat().st_mode) == 0o755


def test_nobody_else_can_enter_a_copy_whatever_the_targets_mode(target: Path, cache: Path) -> None:
    target.chmod(0o700)
    cache.mkdir(parents=True)
    cache.chmod(0o755)
    umask = os.umask(0)
    try:
        with scratch_copy(target) as scratch:
            around = [folder for folder in scratch.root.parents if folder.is_relative_to(cache)]
            assert len(around) >= 3
            assert {stat.S_IMODE(folder.stat().st_mode) for folder in around} == {0o700}
    finally:
        os.umask(umask)


# Links that are put there in the middle.

SWAP = """
import os, sys
target, outside = sys.argv[1:]
os.chdir(target)
print("ready", flush=True)
while True:
    for name, to, kept in (("sub", outside, "kept"), ("secret", outside + "/secret", "kept.go")):
        try:
            os.rename(name, kept)
            os.symlink(to, name)
            os.unlink(name)
        except OSError:
            pass
        try:
            os.rename(kept, name)
        except OSError:
            pass
"""


@pytest.mark.slow
def test_what_is_outside_never_gets_into_a_copy(target: Path, outside: Path) -> None:
    (target / "secret").write_text("ours")
    (target / "sub" / "secret").write_text("ours")
    command = [sys.executable, "-c", SWAP, str(target), str(outside)]
    copies = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            for _ in range(100):
                try:
                    with scratch_copy(target) as scratch:
                        copies += 1
                        found = [path for path in scratch.root.rglob("secret") if path.exists()]
                        assert {path.read_text() for path in found} <= {"ours"}
                except AuditError as error:
                    assert "\n" not in str(error)
        finally:
            process.kill()
    assert copies > 0
    assert untouched(outside)


# What tests leave in a copy.


def test_links_that_tests_leave_are_neither_read_nor_written_through(target: Path, outside: Path) -> None:
    with scratch_copy(target) as scratch:
        (scratch.root / "a.go").unlink()
        (scratch.root / "a.go").symlink_to(outside / "secret")
        (scratch.root / "sub" / "b.go").unlink()
        (scratch.root / "sub").rmdir()
        (scratch.root / "sub").symlink_to(outside)
        for file in ("a.go", "sub/secret"):
            with pytest.raises(RefusedError):
                scratch.read(file)
        for file in ("a.go", "sub/secret", "sub/new.go"):
            with pytest.raises(OutputError, match="a link leads out of the target"):
                scratch.write({file: b"owned"})
            with pytest.raises(OutputError, match="a link leads out of the target"):
                scratch.write({file: None})
    assert untouched(outside)


def test_a_pipe_that_tests_leave_in_the_place_of_a_file_keeps_nobody_waiting(target: Path) -> None:
    with scratch_copy(target) as scratch:
        (scratch.root / "a.go").unlink()
        os.mkfifo(scratch.root / "a.go")
        with pytest.raises(RefusedError, match="not a regular file"):
            scratch.read("a.go")
        scratch.write({"a.go": b"package a\n"})
        assert scratch.read("a.go") == b"package a\n"


def test_a_hard_link_that_tests_leave_is_parted_from_what_is_outside(target: Path, outside: Path) -> None:
    with scratch_copy(target) as scratch:
        (scratch.root / "a.go").unlink()
        (scratch.root / "a.go").hardlink_to(outside / "secret")
        scratch.write({"a.go": b"package a\n"})
    assert untouched(outside)


def test_a_copy_goes_with_all_that_tests_have_left_in_it_and_nothing_else(
    target: Path, outside: Path, cache: Path
) -> None:
    with scratch_copy(target) as scratch:
        (scratch.root / "out").symlink_to(outside)
        (scratch.root / "sub" / "out").symlink_to(outside / "secret")
        deep = scratch.root
        for _ in range(3):
            deep /= "locked"
            deep.mkdir()
        (deep / "out").symlink_to(outside)
        os.mkfifo(deep / "pipe")
        for folder in (deep, deep.parent, deep.parent.parent):
            folder.chmod(0)
    assert [path for path in (cache / "scratch").iterdir() if path.is_dir()] == []
    assert untouched(outside)


def test_what_a_killed_run_left_goes_with_the_next_and_what_its_links_lead_to_stays(
    target: Path, outside: Path, cache: Path
) -> None:
    with scratch_copy(target) as scratch:
        holder = next(path for path in (cache / "scratch").iterdir() if path.is_dir())
        assert scratch.root.is_relative_to(holder)
    holder.symlink_to(outside)
    with scratch_copy(target) as scratch:
        assert not holder.is_symlink()
        (scratch.root / "left").write_text("left")
    assert untouched(outside)


def test_a_tree_of_any_depth_is_removed(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    nested(top, 5000)
    remove_tree(top)
    assert not top.exists()


def test_removing_follows_no_link_that_is_swapped_in(tmp_path: Path, outside: Path) -> None:
    """A thread puts a link in the place of a folder while trees with it are removed."""
    ended = threading.Event()

    def swap() -> None:
        while not ended.is_set():
            with suppress(OSError):
                for folder in tmp_path.glob("tree-*/*"):
                    folder.rename(tmp_path / "aside")
                    folder.symlink_to(outside)
                    (tmp_path / "aside").rename(folder.parent / "back")

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for number in range(200):
            for name in "abcde":
                (tmp_path / "making" / name / "x").mkdir(parents=True)
            tree = (tmp_path / "making").rename(tmp_path / f"tree-{number}")
            remove_tree(tree)
            assert untouched(outside)
    finally:
        ended.set()
        thread.join()
    assert untouched(outside)


# Locks beside the copies.


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_lock_that_is_a_link_or_a_pipe_is_not_opened(target: Path, outside: Path, cache: Path, kind: str) -> None:
    with scratch_copy(target):
        pass
    (lock,) = (cache / "scratch").glob("*.lock")
    lock.unlink()
    if kind == "link":
        lock.symlink_to(outside / "made")
    else:
        os.mkfifo(lock)
    with pytest.raises(OutputError, match="XDG_CACHE_HOME") as caught, scratch_copy(target):
        pass
    assert "\n" not in str(caught.value)
    assert untouched(outside)
