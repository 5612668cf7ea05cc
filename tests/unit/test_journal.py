"""Writing several files all or none: whatever fails, and whenever the process is killed."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from audit_lib.change import journal
from audit_lib.change.entries import Entry
from audit_lib.change.journal import recover, write_all
from audit_lib.change.lock import locked
from audit_lib.errors import OutputError, TargetError, UsageError

BEFORE: dict[str, bytes | None] = {"a.go": b"package a\n", "sub/b.go": b"package b\n", "gone.go": b"package a\n"}
AFTER: dict[str, bytes | None] = {
    "a.go": b"package a // new\n",
    "sub/b.go": b"package b // new\n",
    "gone.go": None,
    "new.go": b"package a\n",
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "ctxaudit" / "writes"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    (folder / "sub").mkdir(parents=True)
    for file, data in BEFORE.items():
        (folder / file).write_bytes(data or b"")
    (folder / "other.txt").write_text("not ours")
    (folder / "a.go").chmod(0o600)
    return folder


def state(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def with_other(files: dict[str, bytes | None]) -> dict[str, bytes]:
    return {file: data for file, data in files.items() if data is not None} | {"other.txt": b"not ours"}


def left(cache: Path) -> list[Path]:
    return [path for path in cache.rglob("*") if path.suffix != ".lock"]


def test_all_files_are_written_and_modes_are_kept(target: Path, cache: Path) -> None:
    write_all(target, BEFORE, AFTER)
    assert state(target) == with_other(AFTER)
    assert (target / "a.go").stat().st_mode & 0o777 == 0o600
    assert left(cache) == []
    assert recover(target) is None


def test_nothing_to_write_writes_nothing(target: Path, cache: Path) -> None:
    write_all(target, BEFORE, BEFORE)
    assert state(target) == with_other(BEFORE)


def test_a_file_that_changed_since_it_was_read_is_refused(target: Path) -> None:
    (target / "sub/b.go").write_bytes(b"package b // mine\n")
    before = state(target)
    with pytest.raises(TargetError, match=r"^sub/b\.go: changed since it was read"):
        write_all(target, BEFORE, AFTER)
    assert state(target) == before


def test_a_file_that_somebody_made_meanwhile_is_refused(target: Path) -> None:
    (target / "new.go").write_bytes(b"package a // mine\n")
    with pytest.raises(TargetError, match=r"^new\.go: changed"):
        write_all(target, BEFORE, AFTER)


@pytest.mark.parametrize(("path", "file"), [("sub/b.go", "sub/b.go"), ("sub", "sub/b.go")])
def test_what_is_read_only_is_refused(target: Path, path: str, file: str) -> None:
    (target / path).chmod(0o555)
    try:
        with pytest.raises(OutputError, match=rf"^{file}: .*read-only"):
            write_all(target, BEFORE, AFTER)
        assert state(target) == with_other(BEFORE)
    finally:
        (target / path).chmod(0o755)


@pytest.mark.parametrize("file", ["out.go", "folder/x.go"])
def test_a_link_out_of_the_target_is_not_written_through(target: Path, tmp_path: Path, file: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.go").write_bytes(b"package x\n")
    (target / "out.go").symlink_to(outside / "x.go")
    (target / "folder").symlink_to(outside)
    with pytest.raises(OutputError, match=f"^{file}: a link leads out of the target"):
        write_all(target, {**BEFORE, file: b"package x\n"}, {**AFTER, file: b"package y\n"})
    assert (outside / "x.go").read_bytes() == b"package x\n"
    assert (target / "a.go").read_bytes() == BEFORE["a.go"]


def test_a_link_inside_stays_a_link(target: Path) -> None:
    (target / "link.go").symlink_to("sub/b.go")
    before, after = b"package b\n", b"package b // new\n"
    write_all(target, {"link.go": before, "sub/b.go": before}, {"link.go": after, "sub/b.go": after})
    assert (target / "link.go").is_symlink()
    assert (target / "sub/b.go").read_bytes() == after
    with pytest.raises(OutputError, match="another name of"):
        write_all(target, {"link.go": after, "sub/b.go": after}, {"link.go": b"x", "sub/b.go": b"y"})


def test_one_run_writes_at_a_time(target: Path, cache: Path) -> None:
    lock = cache / f"{journal._folder(target.resolve()).name}.lock"
    with locked(lock), pytest.raises(UsageError, match="another run"):
        write_all(target, BEFORE, AFTER)
    assert state(target) == with_other(BEFORE)


Call = Callable[..., object]


def failing(call: Call, at: int, count: list[int], *, forever: bool = False) -> Call:
    """The call, but for the one with number `at` (and all after it): that finds no space."""

    def wrapped(*args: object, **options: object) -> object:
        count[0] += 1
        if count[0] == at or (forever and count[0] > at):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(args[0]))
        return call(*args, **options)

    return wrapped


@pytest.mark.parametrize("name", ["fsync", "replace", "unlink", "fchmod"])
def test_no_space_leaves_the_target_as_it_was(
    target: Path, cache: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = getattr(os, name)
    for at in range(1, 100):
        count = [0]
        monkeypatch.setattr(os, name, failing(call, at, count))
        expected = AFTER
        try:
            write_all(target, BEFORE, AFTER)
        except OutputError as error:
            assert "No space left on device; the target is as it was" in str(error)
            expected = BEFORE
        monkeypatch.setattr(os, name, call)
        assert state(target) == with_other(expected), f"{name} {at}"
        if count[0] < at:
            break
        restored(target)
    assert at > 2
    assert left(cache) == []


def test_an_interrupt_leaves_the_target_as_it_was(target: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = journal._stage

    def interrupted(folder: Path, entry: Entry, data: bytes | None) -> None:
        stage(folder, entry, data)
        if entry.file.startswith("sub/"):
            monkeypatch.undo()
            monkeypatch.setenv("XDG_CACHE_HOME", str(cache.parent.parent))
            raise KeyboardInterrupt

    monkeypatch.setattr(journal, "_stage", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_all(target, BEFORE, AFTER)
    assert state(target) == with_other(BEFORE)
    assert left(cache) == []


def test_where_even_undoing_fails_the_next_command_undoes(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = os.replace
    monkeypatch.setattr(os, "replace", failing(replace, 3, [0], forever=True))
    with pytest.raises(OutputError, match="the next command puts its files back"):
        write_all(target, BEFORE, AFTER)
    monkeypatch.setattr(os, "replace", replace)
    assert state(target) != with_other(BEFORE)
    assert "undone" in (recover(target) or "")
    assert state(target) == with_other(BEFORE)


def test_a_disk_that_takes_no_more_bytes(target: Path) -> None:
    script = """
        import resource, sys
        from pathlib import Path
        from audit_lib.change.journal import write_all
        from audit_lib.errors import OutputError
        before = {"a.go": b"package a\\n", "sub/b.go": b"package b\\n"}
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        try:
            write_all(Path(sys.argv[1]), before, {"a.go": b"small", "sub/b.go": b"x" * 5000})
        except OutputError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(target)], capture_output=True, check=True)
    assert b"File too large; the target is as it was" in done.stdout
    assert state(target) == with_other(BEFORE)


STEPS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.chown")


def killed(target: Path, at: int, doing: str) -> bool:
    """Whether a process that writes or recovers was killed before its step `at`; it has fewer steps otherwise."""
    child = os.fork()
    if child == 0:
        left = at

        def kill_at(event: str, args: tuple[object, ...]) -> None:
            nonlocal left
            left -= event in STEPS
            if left == 0 and event in STEPS:  # killing is an event too
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(kill_at)
        try:
            write_all(target, BEFORE, AFTER) if doing == "write" else recover(target)
            os._exit(0)
        finally:
            traceback.print_exc()
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or status == 0
    return os.WIFSIGNALED(status)


def restored(target: Path) -> None:
    for file in {*BEFORE, *AFTER}:
        data = BEFORE.get(file)
        (target / file).unlink(missing_ok=True)
        if data is not None:
            (target / file).write_bytes(data)


def test_killed_at_any_step_the_target_is_as_before_or_as_after(target: Path, cache: Path) -> None:
    ends = []
    for at in range(1, 200):
        if not killed(target, at, "write"):
            break
        said = recover(target)
        now = state(target)
        assert now in (with_other(BEFORE), with_other(AFTER)), f"killed at step {at}"
        if now == with_other(AFTER):
            assert said is None or "they stay" in said
        assert left(cache) == []
        ends.append("after" if now == with_other(AFTER) else "undone" if said else "before")
        restored(target)
    assert ends == sorted(ends, key=["before", "undone", "after"].index)
    assert {"before", "undone", "after"} == set(ends)


def test_killed_while_it_recovers_the_next_one_does(target: Path, cache: Path) -> None:
    at_move = interrupted_at(target, "undone")
    for at in range(1, 100):
        restored(target)
        assert killed(target, at_move, "write")
        if not killed(target, at, "recover"):
            break
        recover(target)
        assert state(target) == with_other(BEFORE), f"killed at step {at}"
        assert left(cache) == []
    assert at > 3


def interrupted_at(target: Path, end: str) -> int:
    """The last step at which a killed write is undone: some files have moved by then."""
    last = 0
    for at in range(1, 200):
        restored(target)
        if not killed(target, at, "write"):
            break
        if end in (recover(target) or ""):
            last = at
    restored(target)
    return last


def test_what_somebody_changed_after_a_kill_stays_and_its_copy_too(target: Path) -> None:
    assert killed(target, interrupted_at(target, "undone"), "write")
    (target / "a.go").write_bytes(b"package a // mine\n")
    said = recover(target) or ""
    assert (target / "a.go").read_bytes() == b"package a // mine\n"
    assert (target / "sub/b.go").read_bytes() == BEFORE["sub/b.go"]
    copy = Path(said.rpartition("before: ")[2].rstrip(")"))
    assert copy.read_bytes() == BEFORE["a.go"]
    assert recover(target) is None
