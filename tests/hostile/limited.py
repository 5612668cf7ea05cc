"""Work on hostile input in a process of its own, which is ended when it takes too long."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECONDS = 30
"""Far more than any of it takes, and far less than what is exponential or quadratic."""


def limited(code: str, *arguments: str, seconds: float = SECONDS) -> str:
    """What a Python program prints. Fails where it ends with an error, or has not ended after so many seconds."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
        env=environment,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
