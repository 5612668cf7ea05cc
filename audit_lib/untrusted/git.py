"""What git knows of a target, without believing what the target says to git.

A repository's configuration can name programs (`core.fsmonitor`, filters, transports), and a folder of a target can
look like a repository. So git never sees the target's own git directory. It gets a private one, which lasts for one
question: an empty configuration but for a few plain values, a copy of the index, and the way to the objects. Which
commit is checked out is read without git. A library in its place would have to know every form of index and of objects,
and those that do run filters too.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audit_lib.untrusted.files import TEXT_LIMIT, read_bytes, walk
from audit_lib.untrusted.processes import Done, find_program, run, safe_path

SECONDS = 60.0
"""What one question may take: an index of a million files takes some seconds."""

INDEX_LIMIT = 1 << 30
"""Bytes of an index that are copied."""

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_BOOLEAN = ("true", "false")
# What decides whether a file counts as changed, and can name neither a program nor a file.
_VALUES: Mapping[str, tuple[str, ...]] = {
    "core.filemode": _BOOLEAN,
    "core.symlinks": _BOOLEAN,
    "core.ignorecase": _BOOLEAN,
    "core.autocrlf": (*_BOOLEAN, "input"),
    "core.eol": ("lf", "crlf", "native"),
    "extensions.objectformat": ("sha1", "sha256"),
}


class CannotTellError(Exception):
    """Git cannot tell; `str(error)` is the reason, as a clause."""


@dataclass(frozen=True)
class Repository:
    """A working tree: its top, its git directory, and the one that has the objects (another for linked worktrees)."""

    top: Path
    folder: Path
    common: Path


@dataclass(frozen=True)
class Tracked:
    """What git tracks below a folder, all relative to it: every file, those with changes that are not committed, and
    those of which only a clean filter (git-lfs) could tell, since they are not what was committed byte for byte."""

    files: frozenset[str]
    changed: tuple[str, ...]
    unknown: tuple[str, ...]


def find(folder: Path) -> Repository | None:
    """The repository that a folder is in: the nearest folder above it, itself included, that has a `.git`.

    A folder that is laid out like a bare repository is none. Raises `CannotTellError` for a `.git` that is a link, or
    that names a git directory which does not name it in turn.
    """
    real = Path(os.path.realpath(folder))
    for top in (real, *real.parents):
        dot = top / ".git"
        if dot.is_symlink():
            raise CannotTellError(f"{dot} is a link")
        if dot.is_dir():
            if (dot / "HEAD").exists() and (dot / "objects").exists():
                return Repository(top, dot, dot)
        elif dot.exists():
            return _linked(top)
    return None


def commit(folder: Path) -> str:
    """The commit that is checked out in the repository of a folder; empty where there is none or it cannot be told."""
    try:
        found = find(folder)
        return _commit(found) if found is not None else ""
    except CannotTellError:
        return ""


def tracked(folder: Path) -> Tracked | None:
    """What git tracks below a folder; `None` where it is in no repository or there is no git.

    Raises `CannotTellError`.
    """
    found = find(folder)
    program = find_program("git", not_in=(folder,))
    if found is None or program is None:
        return None
    real = Path(os.path.realpath(folder))
    with _asked(found, str(program)) as ask:
        files = _names(ask(real, "ls-files", "-z"))
        if not files:
            return Tracked(frozenset(), (), ())
        status = ("status", "--porcelain", "-z", "--untracked-files=no", "--ignore-submodules=all", "--no-renames")
        lines = _names(ask(real, *status, "--", "."))
        prefix = "" if real == found.top else f"{real.relative_to(found.top).as_posix()}/"
        changed = {line[3:].removeprefix(prefix): line[:2] for line in lines}
        # Of what is staged the index tells; only what differs in the working tree may differ by a filter.
        asked = sorted(name for name, state in changed.items() if state == " M")
        unknown = _filtered(ask, real, asked) if asked else frozenset()
    return Tracked(frozenset(files), tuple(sorted(changed.keys() - unknown)), tuple(sorted(unknown)))


def _linked(top: Path) -> Repository:
    """The repository of a linked worktree or a submodule, whose `.git` is a file that names its git directory."""
    doubt = f"{top / '.git'} names a git directory that is not its own"
    text = _text(top, ".git")
    if not text.startswith("gitdir: "):
        raise CannotTellError(f"{top / '.git'} names no git directory")
    folder = Path(os.path.realpath(top / text.removeprefix("gitdir: ").strip()))
    if not folder.is_dir():
        raise CannotTellError(doubt)
    if (folder / "commondir").is_file():  # a worktree: its git directory names it in turn
        back = Path(os.path.realpath(folder / _text(folder, "gitdir").strip()))
        if back != Path(os.path.realpath(top / ".git")):
            raise CannotTellError(doubt)
        return Repository(top, folder, Path(os.path.realpath(folder / _text(folder, "commondir").strip())))
    # A submodule: its git directory lies in that of the repository around it.
    around = next((above for above in top.parents if (above / ".git").is_dir()), None)
    if around is None or not folder.is_relative_to(around / ".git" / "modules"):
        raise CannotTellError(doubt)
    return Repository(top, folder, folder)


def _commit(found: Repository) -> str:
    """The commit by HEAD: written there, or in the file of the branch that it names, or among the packed ones."""
    head = _text(found.folder, "HEAD").strip()
    for _ in range(5):  # as git: a branch may name another
        if not head.startswith("ref: "):
            return head if _COMMIT.fullmatch(head) else ""
        name = head.removeprefix("ref: ").strip()
        if not name.startswith("refs/") or ".." in name:
            return ""
        head = next((text for place in (found.folder, found.common) if (text := _ref(place, name))), "")
        head = head or _packed(found.common, name)
    return ""


def _ref(folder: Path, name: str) -> str:
    try:
        return read_bytes(folder, name, TEXT_LIMIT).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _packed(folder: Path, name: str) -> str:
    try:
        lines = read_bytes(folder, "packed-refs").decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(" ")[0] for line in lines if line.partition(" ")[2] == name), "")


def _text(folder: Path, name: str) -> str:
    try:
        return read_bytes(folder, name, TEXT_LIMIT).decode("utf-8", "surrogateescape")
    except OSError as error:
        raise CannotTellError(f"{folder / name}: {error.strerror}") from error


class _Ask:
    """Runs git on a private git directory."""

    def __init__(self, program: str, env: Mapping[str, str]) -> None:
        self._program, self._env = program, env

    def __call__(self, folder: Path, *arguments: str, stdin: bytes = b"") -> bytes:
        try:
            done = run([self._program, *arguments], env=self._env, cwd=folder, stdin=stdin, seconds=SECONDS)
        except OSError as error:
            raise CannotTellError(f"{self._program}: {error.strerror}") from error
        if done.cut or done.returncode != 0:
            raise CannotTellError(_why(done))
        return done.stdout


def _why(done: Done) -> str:
    if done.cut:
        return f"it did not end within {SECONDS:.0f} s" if done.cut == "time" else "it printed too much"
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return said[0].removeprefix("fatal: ") if said else f"exit code {done.returncode}"


@contextmanager
def _asked(found: Repository, program: str) -> Iterator[_Ask]:
    """A way to ask git about a repository, for as long as the block lasts."""
    _refuse_odd_objects(found.common)
    with tempfile.TemporaryDirectory(prefix="ctxaudit-git-") as name:
        private = Path(name)
        for folder in ("objects", "refs"):
            (private / folder).mkdir()
        (private / "HEAD").write_text(_commit(found) or "ref: refs/heads/none", encoding="ascii")
        _copy_index(found.folder, private)
        env = _environment(found, private)
        values = _values(found.common, private, program, env)
        # From here on `config` is the repository's configuration; an old git knows no `extensions` without the version.
        version = 1 if any(key.startswith("extensions.") for key in values) else 0
        text = f"[core]\n\trepositoryformatversion = {version}\n\tbare = false\n\tfsmonitor = false\n"
        for key, value in values.items():
            section, _, word = key.partition(".")
            text += f"[{section}]\n\t{word} = {value}\n"
        (private / "config").write_text(text, encoding="ascii")
        yield _Ask(program, env)


def _environment(found: Repository, private: Path) -> dict[str, str]:
    """Nothing of the user's git configuration either: its filters and monitors would run in this working tree."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return env | {
        "GIT_DIR": str(private),
        "GIT_WORK_TREE": str(found.top),
        "GIT_INDEX_FILE": str(private / "index"),
        "GIT_OBJECT_DIRECTORY": str(found.common / "objects"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "PATH": safe_path(not_in=(found.top,)),
        "HOME": str(private),
        "XDG_CONFIG_HOME": str(private),
        "LC_ALL": "C",
    }


def _refuse_odd_objects(common: Path) -> None:
    """Git opens what is there by name, so it must be plain files, and of this repository."""
    if (common / "objects" / "info" / "alternates").exists():
        raise CannotTellError("its objects lie in another repository too, by objects/info/alternates")
    if (common / "objects").is_symlink():
        raise CannotTellError("its objects are a link")
    for folder in walk(common / "objects", lambda name: True):
        if odd := (*folder.links, *folder.others):
            raise CannotTellError(f"objects/{folder.inside(odd[0])} is not a regular file")


def _copy_index(folder: Path, private: Path) -> None:
    """The index, and the part of a split one that is shared; both lie in the git directory."""
    for name in ("index", *sorted(path.name for path in folder.glob("sharedindex.*"))):
        try:
            (private / name).write_bytes(read_bytes(folder, name, INDEX_LIMIT))
        except FileNotFoundError:
            continue  # nothing was ever added
        except OSError as error:
            raise CannotTellError(f"{folder / name}: {error.strerror}") from error


def _values(common: Path, private: Path, program: str, env: Mapping[str, str]) -> dict[str, str]:
    """Plain values that the repository's configuration has, else the user's: read by git as text, from a copy.

    Includes of the repository's are not followed; the user's are their own.
    """
    found: dict[str, str] = {}
    copy = private / "config.told"
    text = _text(common, "config") if (common / "config").exists() else ""
    copy.write_bytes(text.encode("utf-8", "surrogateescape"))
    theirs = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    theirs |= {"GIT_DIR": str(private), "LC_ALL": "C"}
    sources = ((["--global", "--includes"], theirs), (["--file", str(copy), "--no-includes"], env))
    for options, environment in sources:
        done = run([program, "config", *options, "--list", "-z"], env=environment, cwd=private, seconds=SECONDS)
        for line in _names(done.stdout) if done.returncode == 0 else ():
            key, _, value = line.partition("\n")
            if value.lower() in _VALUES.get(key.lower(), ()):
                found[key.lower()] = value.lower()
    return found


def _filtered(ask: _Ask, folder: Path, names: list[str]) -> frozenset[str]:
    """Those of some files that are committed through a filter, by the attributes of the working tree."""
    asked = b"".join(os.fsencode(name) + b"\0" for name in names)
    said = ask(folder, "check-attr", "-z", "--stdin", "filter", stdin=asked).split(b"\0")
    triples = zip(said[::3], said[2::3], strict=False)  # file, attribute, value, and an end
    return frozenset(os.fsdecode(name) for name, value in triples if value not in (b"unspecified", b"unset"))


def _names(printed: bytes) -> list[str]:
    return [os.fsdecode(part) for part in printed.split(b"\0") if part]
