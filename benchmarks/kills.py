"""Ends writes with SIGKILL at random moments: what is there then, or after the next command, is all old or all new.

    make kills ARGS="--kills 200"

Half of the kills of `fix --write` come at any moment of it, half once it has begun to write. The seed is printed, so
that a run can be done again.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from audit_lib.change.journal import recover, write_all
from audit_lib.read.gotool import cache_root

Files = dict[str, bytes]

SOURCE = """package p{number}

import (
	"context"
	"net/http"
)

func handle(w http.ResponseWriter, r *http.Request) {{ load() }}

func load() {{ wait(context.TODO()) }}

func wait(ctx context.Context) {{ <-ctx.Done() }}
"""
_JUST_WRITING = 0.02


class KilledError(AssertionError):
    """A target that is neither as before nor as after."""


def kill_writes(folder: Path, kills: int, chance: random.Random) -> Counter[str]:
    """Kill `write_all` on thirty files so often; how often it was as before, as after, or brought back.

    Raises `KilledError` for a target that is something else after the next command.
    """
    before = {f"d{number % 5}/f{number}.go": b"old %d\n" % number * 2000 for number in range(30)}
    after = {file: data.replace(b"old", b"new") for file, data in before.items()}
    target = folder / "writes"
    seconds = 60.0
    for _ in range(5):  # the shortest: of a busy machine, the others would kill too late
        _put(target, before)
        start = time.monotonic()
        write_all(target, before, after)
        seconds = min(seconds, time.monotonic() - start)
    ends: Counter[str] = Counter()
    for number in range(kills):
        _put(target, before)
        child = os.fork()
        if child == 0:
            write_all(target, before, after)
            os._exit(0)
        time.sleep(chance.uniform(0, 1.3 * seconds))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        ends[_end(target, before, after, lambda: recover(target) or "", f"write {number}")] += 1
    return ends


def kill_fixes(folder: Path, kills: int, chance: random.Random) -> Counter[str]:
    """Kill `fix --write --verify build` so often; see `kill_writes`. The last one is not killed, and must succeed."""
    before = {"go.mod": b"module example.org/killed\n\ngo 1.24\n"}
    before |= {f"p{number}/p.go": SOURCE.format(number=number).encode() for number in range(6)}
    target = folder / "fixes"
    _put(target, before)
    start = time.monotonic()
    _finished(_fix(target))
    seconds = time.monotonic() - start
    after = _files(target)
    if after == before:
        raise KilledError("the fix changes nothing: there is nothing to kill")
    ends: Counter[str] = Counter()
    for number in range(kills):
        _put(target, before)
        process = _fix(target)
        if number % 2 == 0:
            time.sleep(chance.uniform(0, seconds))
        else:
            _wait_for_journal(process)
            time.sleep(chance.uniform(0, _JUST_WRITING))
        process.kill()
        process.wait()
        ends[_end(target, before, after, lambda: _next_command(target), f"fix {number}")] += 1
    _put(target, before)
    _finished(_fix(target))
    if _files(target) != after:
        raise KilledError(f"{target}: a fix after all kills gives something else")
    left = [path for path in (cache_root() / "scratch").iterdir() if path.is_dir()]
    if left:
        raise KilledError(f"{left[0]}: a copy was left")
    return ends


def _end(target: Path, before: Files, after: Files, bring_back: Callable[[], str], what: str) -> str:
    torn = _files(target) not in (before, after)
    said = bring_back()
    now = _files(target)
    if now not in (before, after):
        wrong = sorted(file for file in {*now, *before} if now.get(file) not in (before.get(file), after.get(file)))
        raise KilledError(f"{what}: {target} is neither as before nor as after: {', '.join(wrong) or 'mixed'}; {said}")
    return "brought back" if torn else "as after" if now == after else "as before"


def _put(target: Path, files: Files) -> None:
    for file, data in files.items():
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        (target / file).write_bytes(data)


def _files(target: Path) -> Files:
    return {path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()}


def _fix(target: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "audit_lib", "fix", str(target), "--write", "--verify", "build", "--quiet"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def _finished(process: subprocess.Popen[bytes]) -> None:
    _, said = process.communicate()
    if process.returncode:
        raise KilledError(f"a fix that nobody kills fails: {said.decode(errors='replace').strip()}")


def _wait_for_journal(process: subprocess.Popen[bytes]) -> None:
    """Wait until something is being written, or the process has ended."""
    writes = cache_root() / "writes"
    while process.poll() is None and not any(path.is_dir() for path in writes.glob("*")):
        time.sleep(0.0005)


def _next_command(target: Path) -> str:
    command = [sys.executable, "-m", "audit_lib", "scan", str(target), "--syntax-only", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise KilledError(f"the next command fails: {done.stderr.strip()}")
    return done.stderr.strip()


def main() -> None:
    """Kill, count, and print; exit code 1 for a target that was torn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="of `fix --write`, and as many of the writing alone")
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    os.environ.setdefault("GOCACHE", str(Path("~/.cache/go-build").expanduser()))
    with tempfile.TemporaryDirectory(prefix="ctxaudit-kills-") as name:
        os.environ["XDG_CACHE_HOME"] = str(Path(name, "cache"))
        for what, kill in (("write_all", kill_writes), ("fix --write", kill_fixes)):
            start = time.monotonic()
            try:
                ends = kill(Path(name), given.kills, random.Random(seed))
            except KilledError as error:
                print(f"{what}: {error}", file=sys.stderr)
                raise SystemExit(1) from None
            told = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
            print(f"{what}: {given.kills} kills in {time.monotonic() - start:.0f} s: {told}", flush=True)


if __name__ == "__main__":
    main()
