"""What can stop a measurement: one line, and the exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

INTERRUPTED = 130  # what a shell reports for a program that Ctrl-C ended
TERMINATED = 143  # and for one that was told to end


class MeasureError(Exception):
    """The base: `str(error)` is one line that says what, where, and what to do."""

    exit_code = 2


class UsageError(MeasureError):
    """Wrong options, or no such case."""

    exit_code = 2


class InputError(MeasureError):
    """A clone, a commit or a tool is missing or cannot be read; or results cannot be written."""

    exit_code = 3


def run(program: str, work: Callable[[], int]) -> NoReturn:
    """Run a program's work and exit with its code; an error or an interruption is one line on standard error."""
    try:
        code = work()
    except MeasureError as error:
        print(f"{program}: {' '.join(str(error).split())}", file=sys.stderr)
        code = error.exit_code
    except OSError as error:
        print(f"{program}: {error.filename or 'input or output'}: {error.strerror or error}", file=sys.stderr)
        code = InputError.exit_code
    except KeyboardInterrupt as error:
        code = error.args[0] if error.args and isinstance(error.args[0], int) else INTERRUPTED
        print(f"{program}: interrupted; what was made is removed again", file=sys.stderr)
    sys.exit(code)
