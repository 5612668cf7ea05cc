"""What the program and all that it starts really do, as the kernel saw it: what is executed, read and written.

Made with strace: `-y` writes behind each handle which file it is, so links and relative names are resolved already.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_CALLS = (
    "execve,execveat,open,openat,openat2,creat,truncate,"
    "rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,mknod,mknodat,"
    "link,linkat,symlink,symlinkat,chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,utimensat,setxattr"
)
_LINE = re.compile(r"^(?P<pid>\d+) +(?P<call>\w+)\((?P<rest>.*)$")
_NAME = re.compile(r'(?:(?P<at>AT_FDCWD|\d+)<(?P<folder>[^>]*)>, )?"(?P<name>(?:[^"\\]|\\.)*)"')
_OPENED = re.compile(r"= \d+<(?P<file>[^>]*)>")
_OPENING = ("open", "openat", "openat2", "creat")
_WRITING = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC")
_HANDLE = re.compile(r"^\d+<(?P<file>[^>]*)>")


@dataclass(frozen=True)
class Trace:
    """The exit code and output of a command, and the files that it and its children ran, read and changed, absolute."""

    code: int
    output: str
    executed: frozenset[str]
    read: frozenset[str]
    written: frozenset[str]


def traced(arguments: Sequence[object], folder: Path, env: Mapping[str, str], seconds: float = 240) -> Trace:
    """Run ctxaudit under strace, with `folder` as its working folder."""
    log = Path(env["TMPDIR"]) / "trace"
    strace = shutil.which("strace")
    assert strace is not None, "strace is needed; `make test` installs it"
    command = [strace, "-f", "-y", "-s", "4096", "-o", str(log), "-e", f"trace={_CALLS}", "-e", "signal=none"]
    command += [sys.executable, "-m", "audit_lib", *map(str, arguments)]
    done = subprocess.run(
        command,
        cwd=folder,
        env=dict(env),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds,
        check=False,
    )
    executed, read, written = set(), set(), set()
    for call, rest in _finished(log.read_text(encoding="utf-8", errors="replace").splitlines()):
        files = set(_files(call, rest, folder))
        if call.startswith("exec"):
            executed |= files
        elif call in _OPENING and not any(flag in rest for flag in _WRITING):
            read |= files
        else:
            written |= files
    log.unlink()
    return Trace(done.returncode, done.stdout + done.stderr, frozenset(executed), frozenset(read), frozenset(written))


def below(files: frozenset[str], *folders: Path | str) -> set[str]:
    """Those of some files that are in one of the folders, or are one of them."""
    return {file for file in files if any(Path(file).is_relative_to(folder) for folder in folders)}


def _finished(lines: list[str]) -> Iterator[tuple[str, str]]:
    """The calls that succeeded. One that another thread interrupted stands in two lines."""
    begun: dict[tuple[str, str], str] = {}
    for line in lines:
        if match := _LINE.match(line):
            pid, call, rest = match["pid"], match["call"], match["rest"]
            if rest.endswith("<unfinished ...>"):
                begun[pid, call] = rest.removesuffix("<unfinished ...>")
                continue
        elif match := re.match(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$", line):
            pid, call = match[1], match[2]
            rest = begun.pop((pid, call), "") + match[3]
        else:
            continue
        if re.search(r"= \d+(?:<[^>]*>)?$", rest):
            yield call, rest


def _files(call: str, rest: str, folder: Path) -> Iterator[str]:
    """The files that a call names. Old calls do not say what their names are relative to: to `folder`."""
    if call in _OPENING:
        if opened := _OPENED.search(rest):
            yield opened["file"].removesuffix("(deleted)")
        return
    if (handle := _HANDLE.match(rest)) and call in ("fchmod", "fchown"):
        yield handle["file"]
        return
    names = list(_NAME.finditer(rest))
    # Of exec the rest are arguments; of a link the first name is what it says, and nothing that is opened.
    names = names[:1] if call.startswith("exec") else names[1:] if call.startswith("symlink") else names
    for match in names:
        name = match["name"]
        yield os.path.normpath(name if name.startswith("/") else f"{match['folder'] or folder}/{name}")
