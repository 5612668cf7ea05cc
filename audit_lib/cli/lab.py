"""`ctxaudit lab`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from audit_lib.cli.output import PROGRAM
from audit_lib.errors import UsageError


def lab(
    notebooks: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Notebooks; by default the checkout's.")
    ] = None,
) -> None:
    """Open JupyterLab on the notebooks."""
    folder = notebooks or Path(__file__).resolve().parents[2] / "notebooks"
    if not folder.is_dir():
        raise UsageError(f"{folder}: no folder of notebooks; name one: {PROGRAM} lab DIR")
    sys.stdout.flush()
    # From a folder of our own: Python and Jupyter look for modules and configuration where they are started, and that
    # may be a target. Kernels that are started from there do not do so either.
    notebooks = folder.resolve()
    os.environ["PYTHONSAFEPATH"] = "1"
    os.chdir(sys.prefix)
    os.execv(sys.executable, [sys.executable, "-P", "-m", "jupyterlab", f"--notebook-dir={notebooks}"])
