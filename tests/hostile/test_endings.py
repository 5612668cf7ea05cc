"""However a command ends, what it has started ends with it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audit_lib.read import gotool
from tests.hostile.command import PROGRAM, shop

PATIENCE = 240.0


@pytest.fixture
def hanging(tmp_path: Path) -> Path:
    """A Go, chosen by the user, that answers and builds as the real one does, and else hangs with a child."""
    real = gotool.find_go()
    gotool.build_helper(real)
    root = tmp_path / "goroot"
    (root / "bin").mkdir(parents=True)
    go = root / "bin" / "go"
    go.write_text(
        "#!/bin/sh\n"
        'case "$1" in\n'
        f'env) GOROOT= exec {real.path} "$@" ;;\n'
        f'build|mod|work) GOROOT={real.root} exec {real.path} "$@" ;;\n'
        "esac\n"
        f"echo $$ >> {tmp_path}/pids\nsleep 600 &\necho $! >> {tmp_path}/pids\nwait\n"
    )
    go.chmod(0o755)
    wrapper = tmp_path / "go"
    wrapper.write_text(f'#!/bin/sh\n{go} "$@" | sed "s|{real.root}\\"|{root}\\"|"\n')
    wrapper.chmod(0o755)
    return wrapper


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


def pids(tmp_path: Path) -> Iterator[int]:
    note = tmp_path / "pids"
    if note.exists():
        yield from map(int, note.read_text().split())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "number"),
    [
        *(("scan", number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL)),
        *(("fix", number) for number in (signal.SIGTERM, signal.SIGKILL)),
        *(("run", number) for number in (signal.SIGTERM, signal.SIGKILL)),
    ],
)
def test_no_go_command_outlives_us(tmp_path: Path, hanging: Path, command: str, number: signal.Signals) -> None:
    target = shop(tmp_path / "shop")
    arguments = {
        "scan": ["scan", target],
        "fix": ["fix", target],
        "run": ["run", "audit", "--target", target, "--out", tmp_path / "out"],
    }[command]
    environment = os.environ | {gotool.OVERRIDE: str(hanging)}
    process = subprocess.Popen(
        [*PROGRAM, *map(str, arguments)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert until(lambda: len(list(pids(tmp_path))) >= 2 or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        process.send_signal(number)
        _, said = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    # A shell's number for the signal; what has no chance to say anything is told by the system.
    codes = {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGHUP: 143, signal.SIGKILL: -signal.SIGKILL}
    assert process.returncode == codes[number], said
    assert "Traceback" not in said
    started = list(pids(tmp_path))
    assert until(lambda: not any(map(alive, started))), [pid for pid in started if alive(pid)]
