"""Where a version of a repository lies on disk to be scanned: a worktree of a clone, made for it and removed again.

The worktrees' paths are always the same, since the Go build cache knows packages by their folder: a second run finds
compiled what the first one had to compile.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from benchmarks.errors import TERMINATED, InputError

# The caller's repository must not leak in when a measurement is started from a git hook.
_LEAKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX")


def clone_of(clones: Path, name: str) -> Path:
    """The clone of a repository among the clones. Raises `InputError` where there is none."""
    if not clones.is_dir():
        raise InputError(f"{clones}: no such folder; name the folder that holds the clones")
    clone = clones / name
    if not clone.is_dir() or git(clone, "rev-parse", "--git-dir").returncode != 0:
        raise InputError(f"{clone}: no clone of {name} here; clone the repository into it")
    return clone


def commit_of(clone: Path, name: str) -> str:
    """The full hash of a commit of a clone. Raises `InputError` where the clone does not have it."""
    done = git(clone, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if done.returncode != 0:
        raise InputError(f"{clone}: has no commit {name}; fetch it: git -C {clone} fetch origin {name}")
    return done.stdout.strip()


def find(checkouts: Path, name: str, commit: str) -> Path:
    """A checkout of a commit that is there already, among folders `NAME-…`. Raises `InputError` where there is none."""
    if not checkouts.is_dir():
        raise InputError(f"{checkouts}: no such folder; name the folder that holds the checkouts")
    for folder in sorted(checkouts.glob(f"{name}-*")):
        if folder.is_dir() and git(folder, "rev-parse", "HEAD").stdout.strip() == commit:
            return folder
    raise InputError(f"{checkouts}: no folder {name}-… in it has {commit[:10]} checked out; leave --checkouts out")


@contextmanager
def workspace() -> Iterator[Path]:
    """The folder for worktrees, ours alone while this lasts. Being told to end (SIGTERM) ends it as Ctrl-C does.

    Raises `InputError` where another measurement is under way.
    """
    root = Path(tempfile.gettempdir(), f"ctxaudit-worktrees-{os.getuid()}")
    root.mkdir(mode=0o700, exist_ok=True)
    if root.is_symlink() or root.stat().st_uid != os.getuid():
        raise InputError(f"{root}: belongs to somebody else; name another folder in TMPDIR")
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with (root / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(f"{root}: another measurement is under way; wait for it to end") from None
            yield root
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def worktree(clone: Path, commit: str, root: Path) -> Iterator[Path]:
    """A commit, checked out below `root`; removed again whatever happens. The clone's own checkout is not touched.

    Files whose content the clone lacks (large ones, in some copies) are left out.
    """
    folder = root / f"{clone.name}-{commit[:8]}"
    try:
        _remove(clone, folder)  # what a run that was killed has left
        _must(clone, "worktree", "add", "--no-checkout", "--detach", "--quiet", str(folder), commit)
        _must(folder, "read-tree", "HEAD")
        git(folder, "checkout-index", "-a", "-f", "-q")
        if not any(path.name != ".git" for path in folder.iterdir()):
            raise InputError(f"{clone}: {commit[:10]} cannot be checked out: the clone lacks its files")
        yield folder
    finally:
        _remove(clone, folder)


def _remove(clone: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    administrative = git(clone, "rev-parse", "--git-common-dir").stdout.strip()
    for entry in (clone / administrative / "worktrees").glob("*/gitdir"):
        if Path(entry.read_text().strip()).parent == folder:  # others' worktrees may be on a disk that is away
            shutil.rmtree(entry.parent)


def _must(folder: Path, *arguments: str) -> None:
    done = git(folder, *arguments)
    if done.returncode != 0:
        raise InputError(f"{folder}: git {arguments[0]}: {done.stderr.strip() or 'failed'}")


def git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Git in a folder, whatever its outcome."""
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, errors="replace", check=False)


def environment() -> dict[str, str]:
    """What git runs with: nothing of the caller's repository, and no look at the network for what a clone lacks."""
    env = {name: value for name, value in os.environ.items() if name not in _LEAKS}
    return env | {"GIT_NO_LAZY_FETCH": "1"}


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt(TERMINATED)
