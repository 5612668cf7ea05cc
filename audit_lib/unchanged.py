"""A target that has not changed is not read again: its audit is kept in the user's cache, under what it depends on.

As git does, a file counts as unchanged while its size, times and inode are. Dependencies are fixed by go.sum; where
they are not, since a module is replaced by a folder outside the target, nothing is kept.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

import audit_lib
from audit_lib.config import FILE_NAME, Config, GoOptions
from audit_lib.errors import ToolchainError
from audit_lib.model import Audit, decode_audit
from audit_lib.read import gotool
from audit_lib.read.conventions import LINTER_FILES
from audit_lib.read.modules import named_outside
from audit_lib.untrusted.files import leads_out, walk
from audit_lib.untrusted.writing import private_folder

_READ = (".go", ".mod", ".sum", ".work")
_SKIPPED = frozenset({"node_modules", "testdata"})
_ENVIRONMENT = ("CGO_ENABLED", "GOARCH", "GOENV", "GOEXPERIMENT", "GOFLAGS", "GOOS", "GOWORK", "GOPATH", "GOMODCACHE")


def signature(target: Path, settings: Config, options: GoOptions, *, syntax_only: bool) -> str:
    """A name for all that an audit depends on, or nothing where that cannot be told."""
    root = target.resolve()
    if not (root / "go.mod").is_file() and not (root / "go.work").is_file():
        return ""
    digest = hashlib.sha256()
    for part in (audit_lib.__version__, _own_sources(), str(root), repr(settings), repr(options), repr(syntax_only)):
        digest.update(f"{part}\0".encode())
    if not syntax_only:
        try:
            go = gotool.find_go(not_in=(root,))
        except ToolchainError:
            return ""
        if named_outside(root, options, go):
            return ""
        digest.update(f"{go.version}\0{gotool.helper_path(go).name}\0".encode())
    for name in _ENVIRONMENT:
        digest.update(f"{name}={os.environ.get(name, '')}\0".encode())
    for file in (*_files(root), *_rule_files(root, settings)):
        digest.update(f"{file}\0{_state(root / file)}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def recall(name: str) -> Audit | None:
    """The audit that was kept under a signature, if there is one that can be read."""
    if not name:
        return None
    try:
        return decode_audit(_place(name).read_bytes())
    except (OSError, msgspec.DecodeError):
        return None


def remember(name: str, audit: Audit) -> None:
    """Keep an audit, whole or not at all. One with something left unread is not kept: that may be mended outside."""
    if not name or audit.degradations:
        return
    place = _place(name)
    try:
        private_folder(place.parent, top=gotool.cache_root())
        with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
            file.write(msgspec.json.encode(audit))
        Path(file.name).replace(place)
    except OSError:
        return  # a cache that cannot be written is done without


def _place(name: str) -> Path:
    return gotool.cache_root() / "audits" / f"{name}.json"


def _own_sources() -> str:
    """The state of the tool's own code, so that a changed rule is not answered from the cache."""
    here = Path(audit_lib.__file__).parent
    states = [_state(path) for path in sorted(here.rglob("*")) if path.suffix in (".py", ".yml")]
    return hashlib.sha256("\0".join(states).encode()).hexdigest()


def _files(root: Path) -> Iterator[str]:
    for folder in walk(root, lambda name: not name.startswith((".", "_")) and name not in _SKIPPED):
        for name in (*folder.files, *folder.links, *folder.others):
            if name.endswith(_READ) or name in (FILE_NAME, "modules.txt", *LINTER_FILES):
                yield folder.inside(name)


def _rule_files(root: Path, settings: Config) -> Iterator[str]:
    """The files in which rules may be; those that lead out are refused when they are read."""
    for rule in settings.rules:
        if "\0" not in rule and not leads_out(root, rule):
            yield rule
            for folder in walk(root / rule, lambda name: False):
                yield from (f"{rule}/{name}" for name in (*folder.files, *folder.links, *folder.others))


def _state(path: Path) -> str:
    """What a file is known by; of a link, also what it leads to."""
    try:
        own = path.lstat()
        end = path.stat() if stat.S_ISLNK(own.st_mode) else own
    except (OSError, ValueError):
        return "missing"
    return " ".join(f"{one.st_size} {one.st_mtime_ns} {one.st_ctime_ns} {one.st_ino}" for one in (own, end))
