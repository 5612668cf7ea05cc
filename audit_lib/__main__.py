"""`python -m audit_lib` is `ctxaudit`."""

import os
import sys

# Python looks for modules where it is started, and first: a typer.py of a target there is not meant.
if not sys.flags.safe_path:
    try:  # noqa: SIM105 -- contextlib would be looked for there too
        sys.path[:] = [folder for folder in sys.path if folder not in ("", os.curdir, os.getcwd())]  # noqa: PTH109
    except FileNotFoundError:  # the working folder is gone
        pass

from audit_lib.cli import main

if __name__ == "__main__":
    main()
