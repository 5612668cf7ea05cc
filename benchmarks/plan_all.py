"""What it takes to plan a fix of a folder and to carry it out in memory, once all is read.

Run as a program: `python -m benchmarks.plan_all DIR`; it says the seconds of both on standard error.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks import errors
from benchmarks.errors import InputError
from benchmarks.planning import Target

SAID = "planned and rewritten in"


def main() -> int:
    """Plan, and say how long it took."""
    planned = Target(Path(sys.argv[1])).plan()
    print(f"{SAID} {planned.plan_seconds + planned.rewrite_seconds:.4f} s", file=sys.stderr)
    return 0


def seconds(said: str) -> float:
    """The seconds out of what the program said. Raises `InputError` where it said none."""
    last = (said.splitlines() or [""])[-1]
    if not last.startswith(SAID):
        raise InputError(last or "the plan was not made, without a word why")
    return float(last.removeprefix(SAID).removesuffix("s"))


if __name__ == "__main__":
    errors.run("plan_all", main)
