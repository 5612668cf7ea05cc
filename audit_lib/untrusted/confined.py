"""Run a command that sees a read-only file system and no network: a program of its own, started by `sandbox.command`.

Usage: `python -I -S confined.py PLAN COMMAND...`, where PLAN is the JSON of a `sandbox.Room`. It needs Linux 5.12 and
leave to make user namespaces; exit code 125 and one line on stderr where the room cannot be made. The command has no
capabilities, and ends with this process.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

FAILED = 125

_NEW_USER, _NEW_MOUNTS, _NEW_NETWORK = 0x10000000, 0x00020000, 0x40000000
_NEW_PROCESSES, _NEW_IPC, _NEW_NAMES = 0x20000000, 0x08000000, 0x04000000
_BIND, _RECURSIVE, _PRIVATE = 4096, 16384, 1 << 18
_READ_ONLY, _NO_SUID, _NO_DEVICES, _NO_EXEC = 1, 2, 4, 8
_MOUNT_SETATTR = 442  # the same on every architecture
_AT_HERE, _AT_RECURSIVE = -100, 0x8000
_ATTRIBUTE_READ_ONLY, _ATTRIBUTE_NO_SUID = 1, 2
_DIE_WITH_PARENT, _DROP_BOUND, _NO_NEW_PRIVILEGES = 1, 24, 38
_CAPABILITIES = 64
_UP, _GET_FLAGS, _SET_FLAGS = 1, 0x8913, 0x8914
_DEVICES = ("null", "zero", "full", "random", "urandom")

_libc = ctypes.CDLL(None, use_errno=True)


def main(plan: str, command: list[str]) -> NoReturn:
    """Make the room, and run the command in it; ends with its exit code, 128 and more where a signal has ended it."""
    room = json.loads(plan)
    try:
        _own_namespaces(network=room["network"])
        _furnish(room)
    except OSError as error:
        print(f"confined: {error.filename or 'namespaces'}: {error.strerror}", file=sys.stderr)
        sys.exit(FAILED)
    sys.exit(_ran(lambda: _first(command)))


def _ran(child: Callable[[], NoReturn]) -> int:
    """Run a child to its end; its exit code, 128 and more where a signal has ended it."""
    number = os.fork()
    if number == 0:
        child()
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == number:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _first(command: list[str]) -> NoReturn:
    """The first process of a namespace: when it ends, all others do. It takes care of those without parents."""
    _libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    os._exit(_ran(lambda: _become(command)))


def _own_namespaces(*, network: bool) -> None:
    user, group = os.geteuid(), os.getegid()
    parts = _NEW_USER | _NEW_MOUNTS | _NEW_PROCESSES | _NEW_IPC | _NEW_NAMES | (0 if network else _NEW_NETWORK)
    _checked(_libc.unshare(parts), "namespaces")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    with suppress(OSError):  # read-only in some containers; it is one more lock, not the only one
        Path("/proc/sys/user/max_user_namespaces").write_text("0")
    if not network:
        _loopback_up()


def _loopback_up() -> None:
    """Programs may talk to themselves: tests do."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        asked = struct.pack("16sH22x", b"lo", 0)
        flags = struct.unpack("16sH22x", fcntl.ioctl(one, _GET_FLAGS, asked))[1]
        fcntl.ioctl(one, _SET_FLAGS, struct.pack("16sH22x", b"lo", flags | _UP))


def _furnish(room: dict[str, Any]) -> None:
    """Everything read-only, the hidden folders empty; and in them what is to be seen, and what can be written.

    Folders are held by handles from before they are hidden.
    """
    _mount(None, "/", None, _RECURSIVE | _PRIVATE)
    where = Path.cwd()
    writable = [(Path(path), _held(path)) for path in room["writable"]]
    visible = [(Path(path), _held(path)) for path in room["visible"] if Path(path).exists()]
    devices = [(path, _held(path)) for name in _DEVICES if (path := Path("/dev", name)).exists()]
    laid_over = [(Path(path), _held(path), _held(own)) for path, own in room["discarded"]]
    for folder in ["/dev", *sorted(room["hidden"])]:
        if Path(folder).is_dir():
            _mount("tmpfs", os.path.realpath(folder), "tmpfs", _NO_SUID | _NO_DEVICES | _NO_EXEC, "mode=0755,size=64m")
    for place, handle in (*devices, *visible, *writable):
        _bind(handle, place)
    for place, under, own in laid_over:
        _lay_over(place, under, own)
    _read_only("/", True)
    for place in [*(place for place, _ in writable), *(place for place, _, _ in laid_over)]:
        _read_only(str(place), False)
    os.chdir(where)


def _held(path: str | Path) -> int:
    return os.open(path, os.O_PATH)


def _by_handle(handle: int) -> Path:
    return Path(f"/proc/self/fd/{handle}")


def _lay_over(place: Path, under: int, own: int) -> None:
    """A folder whose changes go to another one; where the kernel cannot do that, the other one in its place."""
    changes, work = _by_handle(own) / "changes", _by_handle(own) / "work"
    for folder in (changes, work):
        folder.mkdir(exist_ok=True)
    _make_place(under, place)
    options = f"lowerdir={_by_handle(under)},upperdir={changes},workdir={work},userxattr"
    try:
        _mount("overlay", str(place), "overlay", _NO_SUID, options)
    except OSError:
        _bind(_held(changes), place)


def _bind(handle: int, place: Path) -> None:
    _make_place(handle, place)
    _mount(str(_by_handle(handle)), str(place), None, _BIND | _RECURSIVE)


def _make_place(handle: int, place: Path) -> None:
    """Something to mount on, where a folder above it is hidden."""
    if os.path.lexists(place):
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    if _by_handle(handle).is_dir():
        place.mkdir()
    else:
        place.touch(exist_ok=False)


def _read_only(path: str, wanted: bool) -> None:
    set_, clear = (_ATTRIBUTE_READ_ONLY | _ATTRIBUTE_NO_SUID, 0) if wanted else (0, _ATTRIBUTE_READ_ONLY)
    attributes = struct.pack("QQQQ", set_, clear, 0, 0)
    done = _libc.syscall(_MOUNT_SETATTR, _AT_HERE, os.fsencode(path), _AT_RECURSIVE, attributes, len(attributes))
    _checked(done, path)


def _become(command: list[str]) -> NoReturn:
    try:
        try:
            # Read-only: /proc/sys asks who root is, not what it may.
            _mount("proc", "/proc", "proc", _READ_ONLY | _NO_SUID | _NO_DEVICES | _NO_EXEC)
        except OSError as error:
            if error.errno != errno.EPERM:  # in a container that hides parts of it: the old one stays, read-only
                raise
        for number in range(_CAPABILITIES):
            _libc.prctl(_DROP_BOUND, number, 0, 0, 0)
        _checked(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "privileges")
        os.closerange(3, 1 << 12)
        os.execvp(command[0], command)
    except OSError as error:
        print(f"confined: {command[0]}: {error.strerror}", file=sys.stderr)
        os._exit(FAILED)


def _mount(what: str | None, path: str, kind: str | None, flags: int, options: str | None = None) -> None:
    texts = [None if text is None else os.fsencode(text) for text in (what, path, kind, options)]
    _checked(_libc.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3]), path)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
