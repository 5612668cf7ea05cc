"""Child processes end with the block that started them, and so do theirs."""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from audit_lib.untrusted.processes import Leash, run, started

_GRANDCHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1], "w").write(str(child.pid))
child.wait()
"""


def _is_there(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _ends(pid: int) -> bool:
    for _ in range(100):
        if not _is_there(pid):
            return True
        time.sleep(0.05)
    return False


def test_what_it_prints_and_reads_comes_back() -> None:
    copy = "import sys; data = sys.stdin.read(); print(data); print('no', file=sys.stderr); sys.exit(3)"
    done = run([sys.executable, "-c", copy], env=os.environ, stdin=b"hello")
    assert (done.returncode, done.stdout, done.stderr, done.cut) == (3, b"hello\n", b"no\n", "")


def test_input_that_nobody_reads_is_no_error() -> None:
    assert run([sys.executable, "-c", "pass"], env=os.environ, stdin=b"x" * (1 << 20)).returncode == 0


def test_a_command_that_takes_too_long_ends_with_its_children(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    done = run([sys.executable, "-c", _GRANDCHILD, str(note)], env=os.environ, seconds=2)
    assert done.cut == "time"
    assert _ends(int(note.read_text()))


def test_a_command_that_prints_without_end_is_ended() -> None:
    loop = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
    done = run([sys.executable, "-c", loop], env=os.environ, limit=1 << 20)
    assert done.cut == "output"
    assert len(done.stdout) <= 1 << 20


def test_children_end_when_the_block_is_left_by_an_error(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with (
        pytest.raises(KeyboardInterrupt),
        started([sys.executable, "-c", _GRANDCHILD, str(note)], env=os.environ) as process,
    ):
        while not (note.exists() and note.read_text()):
            time.sleep(0.02)
        raise KeyboardInterrupt
    assert process.returncode is not None
    assert _ends(int(note.read_text()))


def test_what_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run([str(tmp_path / "none")], env=os.environ)


def test_what_another_thread_has_started_ends_by_its_leash_and_nothing_more_is_started(tmp_path: Path) -> None:
    leash, note = Leash(), tmp_path / "pid"

    def work() -> int:
        with leash.held():
            code = run([sys.executable, "-c", _GRANDCHILD, str(note)], env=os.environ).returncode
            with pytest.raises(OSError, match="canceled"):
                run([sys.executable, "-c", "pass"], env=os.environ)
            return code

    with ThreadPoolExecutor(max_workers=1) as pool:
        done = pool.submit(work)
        while not (note.exists() and note.read_text()):
            time.sleep(0.02)
        leash.close()
        assert done.result(30) < 0
    assert _ends(int(note.read_text()))
    assert run([sys.executable, "-c", "pass"], env=os.environ).returncode == 0


def test_children_in_groups_of_their_own_end_too(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    apart = _GRANDCHILD.replace('sleep(600)"]', 'sleep(600)"], process_group=0')
    assert "process_group" in apart
    assert run([sys.executable, "-c", apart, str(note)], env=os.environ, seconds=5).cut == "time"
    assert _ends(int(note.read_text()))
