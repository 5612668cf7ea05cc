"""Commands that see a read-only file system and no network, where this machine can do that.

On Linux a command gets namespaces of its own (`confined`), or bubblewrap's; elsewhere, and where the system forbids
both, it runs as any other, and `Sandbox.reason` says why.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from audit_lib.untrusted import confined
from audit_lib.untrusted.processes import run

_LAUNCHER = Path(confined.__file__)
_SYSTEM = ("/usr/bin", "/bin", "/usr/local/bin", "/run/current-system/sw/bin")
_PROBE_SECONDS = 20.0
_KERNEL = ("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus")
"""What root may write without any capability: the kernel asks who it is."""


def private_folders() -> tuple[Path, ...]:
    """Folders in which people and services keep what is theirs: the home, temporary files, sockets."""
    places = {Path("/run"), Path("/tmp"), Path("/var/tmp"), Path(tempfile.gettempdir()), Path("~").expanduser()}
    return tuple(sorted({real for place in places if (real := place.resolve()) != Path("/") and real.is_dir()}))


@dataclass(frozen=True)
class Room:
    """What a command finds: `writable` folders, and everything else read-only.

    `hidden` folders are empty but for what is `visible` or `writable` in them. What is written in the first folder of
    each pair of `discarded` goes to the second. Without `network` there are only the machine's own names and itself.
    """

    writable: tuple[Path, ...]
    visible: tuple[Path, ...] = ()
    hidden: tuple[Path, ...] = field(default_factory=private_folders)
    discarded: tuple[tuple[Path, Path], ...] = ()
    network: bool = False


@dataclass(frozen=True)
class Sandbox:
    """What a command can be confined with here: `kind` is empty where nothing is at hand, and `reason` says why."""

    kind: Literal["namespaces", "bubblewrap", ""]
    reason: str = ""
    program: str = ""

    def command(self, command: Sequence[str], room: Room) -> list[str]:
        """The command line that runs a command in a room, for `processes.run`; the command itself without a sandbox.

        The folder to run in must be one that is seen in the room.
        """
        if self.kind == "namespaces":
            return [sys.executable, "-I", "-S", str(_LAUNCHER), json.dumps(_plan(room)), *command]
        if self.kind == "bubblewrap":
            return [self.program, *_options(room), "--", *command]
        return list(command)


@cache
def at_hand() -> Sandbox:
    """What this machine has to confine commands with; tried once in a process."""
    if sys.platform != "linux":
        return Sandbox("", "only Linux can confine it")
    reasons = []
    for one in (Sandbox("namespaces"), *(Sandbox("bubblewrap", program=path) for path in _bubblewraps())):
        failed = _failed(one)
        if not failed:
            return one
        reasons.append(failed)
    return Sandbox("", "; ".join(reasons))


def _bubblewraps() -> Iterable[str]:
    """Where the system has bubblewrap: not PATH, on which a target's own could be."""
    return [path for folder in _SYSTEM if os.access(path := f"{folder}/bwrap", os.X_OK)][:1]


def _failed(sandbox: Sandbox) -> str:
    """Why a command cannot be confined; empty where it can."""
    with tempfile.TemporaryDirectory(prefix="ctxaudit-") as folder:
        room = Room((Path(folder).resolve(),), hidden=())
        probe = [sys.executable, "-I", "-S", "-c", f"open({str(Path(folder, 'written'))!r}, 'w')"]
        try:
            done = run(sandbox.command(probe, room), env=_plain(os.environ), cwd=Path(folder), seconds=_PROBE_SECONDS)
        except OSError as error:
            return f"{sandbox.kind}: {error.strerror}"
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return "" if done.returncode == 0 else f"{sandbox.kind}: {said[-1] if said else f'exit code {done.returncode}'}"


def _plain(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: environment[name] for name in ("PATH", "LANG", "LC_ALL") if name in environment}


def _plan(room: Room) -> dict[str, object]:
    return {
        "writable": [str(path) for path in _real(room.writable)],
        "visible": [str(path) for path in _seen(room)],
        "hidden": [str(path) for path in room.hidden],
        "discarded": [[str(path.resolve()), str(own.resolve())] for path, own in room.discarded],
        "network": room.network,
    }


def _options(room: Room) -> list[str]:
    options = ["--unshare-user", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    options += ["--share-net"] if room.network else []
    options += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    for path in _KERNEL:
        options += ["--ro-bind-try", path, path]
    for folder in room.hidden:
        options += ["--tmpfs", str(folder)]
    for seen in _seen(room):
        options += ["--ro-bind-try", str(seen), str(seen)]
    for writable in _real(room.writable):
        options += ["--bind", str(writable), str(writable)]
    for folder, own in room.discarded:
        options += ["--bind", str(own.resolve()), str(folder.resolve())]
    return options


def _seen(room: Room) -> list[Path]:
    """What is visible in hidden folders: all else is anyway."""
    return [path for path in _real(room.visible) if any(path.is_relative_to(folder) for folder in room.hidden)]


def _real(paths: Iterable[Path]) -> list[Path]:
    """The paths with links followed, each folder before what is in it."""
    return sorted({path.resolve() for path in paths})
