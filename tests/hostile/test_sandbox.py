"""A command in a sandbox writes only where it may, sees no private folder, reaches no network, and ends with us."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

import pytest

from audit_lib.untrusted.processes import Done, run
from audit_lib.untrusted.sandbox import Room, Sandbox, at_hand

ENV = {"PATH": os.environ["PATH"]}


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    """Folders with one file each: one to write in, one to see, one of no concern, and two of a cache."""
    folders = {name: tmp_path / name for name in ("writable", "visible", "private", "cache", "own")}
    for name, folder in folders.items():
        folder.mkdir()
        if name != "own":
            (folder / "file").write_text(f"of {name}")
    return folders


def confined(places: dict[str, Path], script: str, sandbox: Sandbox | None = None) -> Done:
    sandbox = sandbox or at_hand()
    room = Room((places["writable"],), (places["visible"],), discarded=((places["cache"], places["own"]),))
    # The interpreter may lie in the home, which is hidden: the shell does not.
    command = ["/bin/sh", "-c", script]
    return run(sandbox.command(command, room), env=ENV, cwd=places["writable"], seconds=60)


def is_confined() -> bool:
    """Where the system forbids namespaces, all that can be tested is that this is told."""
    sandbox = at_hand()
    assert sandbox.kind or sandbox.reason
    return bool(sandbox.kind)


def test_only_what_is_given_can_be_written(places: dict[str, Path]) -> None:
    if not is_confined():
        return
    outside = places["private"].parent
    script = f"""
    echo new > file
    for place in {places["visible"]} {outside} /etc /usr {Path.home()} /var/tmp /run /dev /proc/sys/kernel; do
        echo new > "$place/written" && echo "wrote in $place"
    done
    echo x > /proc/sys/kernel/core_pattern && echo wrote core_pattern
    echo kept > {places["cache"]}/file
    cat {places["visible"]}/file {places["cache"]}/file
    """
    core = Path("/proc/sys/kernel/core_pattern").read_text()
    done = confined(places, script)
    assert b"wrote" not in done.stdout
    assert done.stdout == b"of visiblekept\n"
    assert (places["writable"] / "file").read_text() == "new\n"
    assert (places["cache"] / "file").read_text() == "of cache", "what is written in a cache is thrown away"
    assert sorted(path.name for path in outside.iterdir()) == sorted(places)
    assert Path("/proc/sys/kernel/core_pattern").read_text() == core


def test_private_folders_are_empty(places: dict[str, Path]) -> None:
    if not is_confined():
        return
    done = confined(places, f"cat {places['private']}/file; ls -A {Path.home()} /run {places['private'].parent}")
    names = done.stdout.decode().split()
    assert "private" not in names
    assert {"writable", "visible", "cache"} <= set(names)
    assert b"of private" not in done.stdout


def test_what_is_read_only_cannot_be_made_writable_again(places: dict[str, Path]) -> None:
    if not is_confined():
        return
    private = places["visible"]
    script = f"""
    mount -o remount,bind,rw {private}
    unshare --user --map-root-user --mount sh -c "mount -o remount,bind,rw {private}; echo new > {private}/written"
    echo new > /proc/1/root{private}/written
    grep -c 'Cap[PEB].*:.*[1-9a-f]' /proc/self/status
    """
    assert confined(places, script).stdout.strip() == b"0", "no capabilities"
    assert not (private / "written").exists()


def test_there_is_no_network_but_itself(places: dict[str, Path]) -> None:
    if not is_confined():
        return
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = confined(places, "cat /proc/net/dev")
        bash = ["/bin/bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port} && echo reached"]
        by_bash = run(at_hand().command(bash, Room((places["writable"],))), env=ENV, cwd=places["writable"], seconds=60)
    assert b"reached" not in by_bash.stdout
    assert [line.split(b":")[0].strip() for line in done.stdout.splitlines()[2:]] == [b"lo"]


def test_what_it_has_started_ends_with_it(places: dict[str, Path]) -> None:
    if not is_confined():
        return
    script = "(setsid sh -c 'while :; do echo tick >> file; sleep 0.05; done' &); sleep 0.3"
    assert confined(places, script).returncode == 0
    size = (places["writable"] / "file").stat().st_size
    time.sleep(0.5)
    assert (places["writable"] / "file").stat().st_size == size


def test_an_exit_code_and_a_signal_come_through(places: dict[str, Path]) -> None:
    assert confined(places, "exit 7").returncode == 7
    assert confined(places, "kill -9 $$").returncode in (137, -9)


def test_a_room_that_cannot_be_made_is_told_and_nothing_runs(places: dict[str, Path]) -> None:
    if at_hand().kind != "namespaces":
        return
    room = Room((places["writable"] / "missing",))
    done = run(at_hand().command(["/bin/sh", "-c", "echo ran"], room), env=ENV, seconds=60)
    assert (done.returncode, done.stdout) == (125, b"")
    assert b"missing: No such file or directory" in done.stderr


def test_bubblewrap_is_told_the_same_room(places: dict[str, Path]) -> None:
    room = Room((places["writable"],), (places["visible"], Path("/usr")), hidden=(places["writable"].parent,))
    line = Sandbox("bubblewrap", program="/usr/bin/bwrap").command(["true"], room)
    text = " ".join(line)
    assert line[0] == "/usr/bin/bwrap" and line[-2:] == ["--", "true"]
    assert "--unshare-all" in line and "--share-net" not in line
    hidden = text.index(f"--tmpfs {places['writable'].parent}")
    assert text.index("--ro-bind / /") < hidden < text.index(f"--ro-bind-try {places['visible']}")
    assert text.index(f"--ro-bind-try {places['visible']}") < text.index(f"--bind {places['writable']}")
    assert "/usr /usr" not in text, "what is not hidden is seen anyway"


def test_without_a_sandbox_the_command_is_itself(places: dict[str, Path]) -> None:
    none = Sandbox("", "forbidden")
    assert none.command([sys.executable, "-V"], Room((places["writable"],))) == [sys.executable, "-V"]
