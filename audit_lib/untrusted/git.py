"""What git knows of a target, without believing what the target says to git.

A repository's configuration can name programs (`core.fsmonitor`, filters, transports), and a folder of a target can
look like a repository. So git never sees the target's own git directory. It gets a private one, which lasts for one
question: an empty configuration but for a few plain values, a copy of the index, and the way to the objects. A library
in its place would have to know every form of index and of objects, and those that do run filters too.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audit_lib.untrusted.checkout import CannotTellError, Repository, commit_of, find, text_of
from audit_lib.untrusted.files import read_bytes, walk
from audit_lib.untrusted.processes import Done, find_program, run, safe_path

SECONDS = 60.0
"""What one question may take: an index of a million files takes some seconds."""

INDEX_LIMIT = 256 << 20
"""Bytes of an index that are copied, its shared parts included: one of a million files has a hundred million."""

_MEMORY = "1g"
"""What git may ask the system for at once: an object of a few bytes can say that it is as large as the machine."""

_SUBMODULE = "160000"
_OUT = frozenset({"", ".", "..", ".git"})

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


@dataclass(frozen=True)
class Tracked:
    """What git tracks below a folder, all relative to it: every file, those with changes that are not committed, and
    those of which only a clean filter (git-lfs) could tell, since they are not what was committed byte for byte."""

    files: frozenset[str]
    changed: tuple[str, ...]
    unknown: tuple[str, ...]


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
        prefix = "" if real == found.top else f"{real.relative_to(found.top).as_posix()}/"
        files = [name.removeprefix(prefix) for name in _indexed(ask, found.top) if name.startswith(prefix)]
        if not files:
            return Tracked(frozenset(), (), ())
        status = ("status", "--porcelain", "-z", "--untracked-files=no", "--ignore-submodules=all", "--no-renames")
        lines = _names(ask(real, *status, "--", "."))
        changed = {line[3:].removeprefix(prefix): line[:2] for line in lines}
        # Of what is staged the index tells; only what differs in the working tree may differ by a filter.
        asked = sorted(name for name, state in changed.items() if state == " M")
        unknown = _filtered(ask, real, asked) if asked else frozenset()
    return Tracked(frozenset(files), tuple(sorted(changed.keys() - unknown)), tuple(sorted(unknown)))


def _indexed(ask: _Ask, top: Path) -> list[str]:
    """What an index names, relative to the top of the working tree.

    Git opens what it names, so all must lie in there. It would read submodules by what is in them: those are passed by.
    Raises `CannotTellError`.
    """
    entries = [entry.partition("\t") for entry in _names(ask(top, "ls-files", "--stage", "-z"))]
    for _, _, name in entries:
        if not _OUT.isdisjoint(name.lower().split("/")):
            raise CannotTellError(f"its index names {name!r}, which is not in the working tree")
    if inner := [name for kind, _, name in entries if kind.startswith(_SUBMODULE)]:
        ask(top, "update-index", "--assume-unchanged", "-z", "--stdin", stdin=_asked_for(inner))
    return [name for _, _, name in entries]


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
        (private / "HEAD").write_text(commit_of(found) or "ref: refs/heads/none", encoding="ascii")
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
        "GIT_ALLOC_LIMIT": _MEMORY,
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
    left = INDEX_LIMIT
    for name in ("index", *sorted(path.name for path in folder.glob("sharedindex.*"))):
        try:
            data = read_bytes(folder, name, left)
            (private / name).write_bytes(data)
            left -= len(data)
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
    text = text_of(common, "config") if (common / "config").exists() else ""
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
    said = ask(folder, "check-attr", "-z", "--stdin", "filter", stdin=_asked_for(names)).split(b"\0")
    triples = zip(said[::3], said[2::3], strict=False)  # file, attribute, value, and an end
    return frozenset(os.fsdecode(name) for name, value in triples if value not in (b"unspecified", b"unset"))


def _asked_for(names: list[str]) -> bytes:
    return b"".join(os.fsencode(name) + b"\0" for name in names)


def _names(printed: bytes) -> list[str]:
    return [os.fsdecode(part) for part in printed.split(b"\0") if part]
