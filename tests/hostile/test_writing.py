"""Writing in a target that ships links, or puts them there while it is written: nothing outside ever changes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from audit_lib.change import journal
from audit_lib.change.entries import Entry, Journal, digest
from audit_lib.change.journal import recover, write_all
from audit_lib.errors import AuditError, OutputError
from audit_lib.untrusted.files import RefusedError, read_bytes
from audit_lib.untrusted.writing import held, unguessable

BEFORE: dict[str, bytes | None] = {"a.go": b"package a\n", "sub/b.go": b"package b\n"}
AFTER: dict[str, bytes | None] = {"a.go": b"package a // new\n", "sub/b.go": b"package b // new\n"}
SECRET = b"nobody writes here\n"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "ctxaudit"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return written(tmp_path / "target", BEFORE)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that is not the target's, with files of the names that the target has."""
    folder = written(tmp_path / "outside", dict.fromkeys(["a.go", "b.go", "secret"], SECRET))
    for file in folder.iterdir():
        file.chmod(0o640)
    return folder


def written(folder: Path, files: dict[str, bytes | None]) -> Path:
    for file, data in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(data or b"")
    return folder


def untouched(outside: Path) -> bool:
    """Whether the files outside are the same three, with content and mode as they were."""
    found = sorted(outside.iterdir())
    modes = {stat.S_IMODE(file.stat().st_mode) for file in found}
    return (
        [file.name for file in found] == ["a.go", "b.go", "secret"]
        and {file.read_bytes() for file in found} == {SECRET}
        and modes == {0o640}
    )


def test_links_under_the_names_of_new_files_are_not_written_through(target: Path, outside: Path) -> None:
    for number in range(3):
        (target / f".a.go.ctxaudit-{number}").symlink_to(outside / "secret")
        (target / "sub" / f".b.go.ctxaudit-{number}").symlink_to(outside / "secret")
    write_all(target, BEFORE, AFTER)
    assert (target / "a.go").read_bytes() == AFTER["a.go"]
    assert (target / "a.go").is_file() and not (target / "a.go").is_symlink()
    assert untouched(outside)


def test_a_file_that_shares_its_content_with_one_outside_is_parted_from_it(target: Path, outside: Path) -> None:
    """A hard link: the new file takes the place of the name in the target, and of no other name."""
    (outside / "a.go").write_bytes(BEFORE["a.go"] or b"")
    (target / "a.go").unlink()
    (target / "a.go").hardlink_to(outside / "a.go")
    write_all(target, BEFORE, AFTER)
    assert (outside / "a.go").read_bytes() == BEFORE["a.go"]
    assert stat.S_IMODE((outside / "a.go").stat().st_mode) == 0o640
    assert (target / "a.go").read_bytes() == AFTER["a.go"]
    assert (target / "a.go").stat().st_nlink == 1


def test_bits_that_lend_the_owners_rights_are_not_carried_over(target: Path) -> None:
    (target / "a.go").chmod(0o6755)
    (target / "sub" / "b.go").chmod(0o1644)
    write_all(target, BEFORE, AFTER)
    assert stat.S_IMODE((target / "a.go").stat().st_mode) == 0o755
    assert stat.S_IMODE((target / "sub" / "b.go").stat().st_mode) == 0o644


def test_a_new_file_is_nobodys_to_read_before_it_has_its_mode(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (target / "a.go").chmod(0o600)
    seen = []
    fchmod = os.fchmod

    def watched(handle: int, mode: int) -> None:
        info = os.fstat(handle)
        if stat.S_ISREG(info.st_mode):
            seen.append((info.st_size, stat.S_IMODE(info.st_mode)))
        fchmod(handle, mode)

    monkeypatch.setattr(os, "fchmod", watched)
    umask = os.umask(0)
    try:
        write_all(target, BEFORE, AFTER)
    finally:
        os.umask(umask)
    assert seen and {size for size, _ in seen} == {0}
    assert {mode & 0o077 for _, mode in seen} == {0}


def test_a_pipe_in_the_place_of_a_file_is_refused_without_waiting(target: Path) -> None:
    (target / "a.go").unlink()
    os.mkfifo(target / "a.go")
    with pytest.raises(OutputError, match=r"^a\.go: not a regular file; nothing was written"):
        write_all(target, BEFORE, AFTER)
    assert (target / "sub" / "b.go").read_bytes() == BEFORE["sub/b.go"]


def test_a_folder_in_the_place_of_a_file_is_refused(target: Path) -> None:
    (target / "a.go").unlink()
    (target / "a.go").mkdir()
    with pytest.raises(OutputError, match=r"^a\.go: not a regular file; nothing was written"):
        write_all(target, BEFORE, AFTER)


@pytest.mark.parametrize("file", ["../outside/a.go", "/etc/passwd", "sub/../../outside/a.go"])
def test_a_name_that_leads_out_is_refused(target: Path, outside: Path, file: str) -> None:
    with pytest.raises(AuditError):
        write_all(target, {file: SECRET}, {file: b"owned"})
    assert untouched(outside)


def test_what_is_written_meanwhile_is_private(target: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal and the copies of files, in a cache that was open to everybody."""
    cache.mkdir(parents=True)
    cache.chmod(0o755)
    (target / "a.go").chmod(0o644)
    modes: dict[str, int] = {}

    def look(place: Path, entry: Entry, real: object = journal._move) -> None:
        for path in [cache, *cache.rglob("*")]:
            modes[path.name] = stat.S_IMODE(path.stat().st_mode)
        real(place, entry)  # type: ignore[operator]

    monkeypatch.setattr(journal, "_move", look)
    write_all(target, BEFORE, AFTER)
    assert {"journal.json", "0", "1", "writes", "ctxaudit"} <= set(modes)
    assert {mode & 0o077 for mode in modes.values()} == {0}


# A write that was killed, and links that were put into the target before the next command.


def killed_after_one(target: Path) -> Journal:
    """Leave a target as a process does that was killed after the first file had moved."""
    child = os.fork()
    if child == 0:
        moved: list[Entry] = []

        def move(place: Path, entry: Entry, real: object = journal._move) -> None:
            if moved:
                os._exit(9)
            moved.append(entry)
            real(place, entry)  # type: ignore[operator]

        journal._move = move  # type: ignore[assignment]
        write_all(target, BEFORE, AFTER)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    read = journal._journal(journal._folder(target.resolve()))
    assert read is not None
    return read


def test_recovery_does_not_follow_a_folder_that_became_a_link(target: Path, outside: Path) -> None:
    killed_after_one(target)
    (outside / "b.go").write_bytes(AFTER["sub/b.go"] or b"")
    (target / "sub").rename(target / "was-sub")
    (target / "sub").symlink_to(outside)
    said = recover(target) or ""
    assert "but for what somebody changed since: sub/b.go" in said
    assert (outside / "b.go").read_bytes() == AFTER["sub/b.go"]
    assert len(list(outside.iterdir())) == 3
    assert (target / "a.go").read_bytes() == BEFORE["a.go"]
    copy = Path(said.rpartition("before: ")[2].rstrip(")"))
    assert copy.read_bytes() == BEFORE["sub/b.go"]
    assert recover(target) is None


def test_recovery_does_not_follow_a_file_that_became_a_link(target: Path, outside: Path) -> None:
    killed_after_one(target)
    (outside / "a.go").write_bytes(AFTER["a.go"] or b"")
    (target / "a.go").unlink()
    (target / "a.go").symlink_to(outside / "a.go")
    said = recover(target) or ""
    assert "but for what somebody changed since: a.go" in said
    assert (outside / "a.go").read_bytes() == AFTER["a.go"]
    assert (target / "a.go").is_symlink()


def test_recovery_takes_links_under_its_own_names_away_and_not_what_they_lead_to(target: Path, outside: Path) -> None:
    entries = killed_after_one(target).entries
    for entry in entries:
        place = (target / entry.file).with_name(entry.staged)
        place.unlink(missing_ok=True)
        place.symlink_to(outside / "secret")
    assert "its 2 files are as before" in (recover(target) or "")
    assert untouched(outside)
    assert {path.name for path in target.rglob("*")} == {"a.go", "sub", "b.go"}
    assert (target / "a.go").read_bytes() == BEFORE["a.go"]


@pytest.mark.parametrize(
    ("file", "staged"),
    [("../outside/a.go", "x"), ("/etc/hosts", "x"), ("a.go", "../outside/secret"), ("a.go", "sub/b.go")],
)
def test_a_journal_that_names_what_is_not_in_the_target_is_not_believed(
    target: Path, outside: Path, file: str, staged: str
) -> None:
    folder = journal._folder(target.resolve())
    folder.mkdir(parents=True)
    after = digest(SECRET)
    entry = {"file": file, "staged": staged, "before": "", "after": after, "mode": 0o644}
    text = str({"target": str(target.resolve()), "entries": [entry]}).replace("'", '"')
    (folder / "journal.json").write_text(text)
    with pytest.raises(OutputError, match="cannot be read"):
        recover(target)
    assert untouched(outside)
    assert (target / "sub" / "b.go").exists()


# Links that are put there in the middle.

SWAP = """
import os, random, sys, time
target, outside = sys.argv[1:]
os.chdir(target)
def swap(name, to, kept):
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
def plant(folder):
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        if ".ctxaudit-" in name:
            try:
                os.symlink(outside + "/secret", folder + "/.planted")
                os.rename(folder + "/.planted", folder + "/" + name)
            except OSError:
                pass
print("ready", flush=True)
while True:
    for _ in range(3):
        swap("sub", outside, "kept")
        swap("a.go", outside + "/a.go", "kept.go")
    for _ in range(random.randrange(200)):
        plant(".")
        plant("sub")
    time.sleep(random.random() / 10)
"""


@contextmanager
def swapping(target: Path, outside: Path) -> Iterator[None]:
    """A process that puts links to `outside` in the place of a target's files and folders, again and again."""
    command = [sys.executable, "-c", SWAP, str(target), str(outside)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield
        finally:
            process.kill()


@pytest.mark.slow
def test_links_that_are_swapped_in_while_it_writes_lead_nothing_out(target: Path, outside: Path) -> None:
    ends = {"written": 0, "refused": 0}
    with swapping(target, outside):
        for number in range(2000):
            now = present(target)
            try:
                write_all(target, now, AFTER if now == BEFORE else BEFORE)
                ends["written"] += 1
            except AuditError as error:
                assert "\n" not in str(error)
                ends["refused"] += 1
                restore(target)
            assert untouched(outside), number
            if number >= 150 and all(ends.values()):
                break
    assert all(ends.values()), ends


def restore(target: Path) -> None:
    """Put files back as a user would who finds links in their place, while the swapping goes on."""
    for file, data in BEFORE.items():
        folder, _, name = file.rpartition("/")
        with suppress(OSError), held(target, folder) as place:
            fresh = unguessable(name)
            place.write(fresh, data or b"")
            place.move(fresh, name)


def present(target: Path) -> dict[str, bytes | None]:
    """What the target's files hold just now; what is expected of those that are something else just now."""
    found: dict[str, bytes | None] = {}
    for file, data in BEFORE.items():
        try:
            found[file] = read_bytes(target, file)
        except OSError:
            found[file] = data
    return found


def test_a_held_folder_is_the_one_that_it_was_whatever_is_put_in_its_place(target: Path, outside: Path) -> None:
    with held(target, "sub") as folder:
        (target / "sub").rename(target / "moved")
        (target / "sub").symlink_to(outside)
        folder.write("new.go", b"here")
        assert folder.read("b.go") == BEFORE["sub/b.go"]
    assert (target / "moved" / "new.go").read_bytes() == b"here"
    assert untouched(outside)
    with pytest.raises(RefusedError, match="a link is where a folder was"), held(target, "sub"):
        pass


@pytest.mark.parametrize("name", ["link", "dangling", "there"])
def test_a_fresh_file_is_never_one_that_is_there(target: Path, outside: Path, name: str) -> None:
    (target / "link").symlink_to(outside / "secret")
    (target / "dangling").symlink_to(outside / "made")
    (target / "there").write_bytes(b"there")
    with held(target) as folder, pytest.raises(FileExistsError) as caught:
        folder.write(name, b"owned")
    assert caught.value.filename == str(target / name)
    assert untouched(outside)
