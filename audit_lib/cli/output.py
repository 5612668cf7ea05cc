"""What commands print, and how: results to standard output, progress and errors to standard error."""

from __future__ import annotations

import os
import shutil
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

import typer

from audit_lib.errors import OutputError
from audit_lib.untrusted.text import guarded, one_line

if TYPE_CHECKING:
    from audit_lib.progress import Progress

PROGRAM = "ctxaudit"
READER_LEFT = 141  # what a shell reports for a program that SIGPIPE ended


@contextmanager
def progress(quiet: bool) -> Iterator[Progress]:
    """Bars where somebody can see them: on standard error, when it is a terminal. A limit is told in a line anyway."""
    from audit_lib.progress import LIMIT, bars, silent

    def telling(report: Progress) -> Progress:
        def told(what: str, done: int, total: int) -> None:
            if what.startswith(LIMIT):
                remark(what.replace(" · ", ": ", 1))
            else:
                report(what, done, total)

        return told

    if quiet:
        yield silent
    elif not sys.stderr.isatty():
        yield telling(silent)
    else:
        with bars() as report:
            yield telling(report)


def in_color() -> bool:
    """Whether standard output shows colours (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def width() -> int:
    """The terminal's columns; where there is no terminal, what a wide one has."""
    return shutil.get_terminal_size((120, 24)).columns


def emit(text: str) -> None:
    """Print a result to standard output, whole. A reader who has left (`| head`) is no error, a full disk is one.

    Whoever made the text has made the values in it safe; what they forgot is spelled out here.
    """
    try:
        sys.stdout.write(guarded(text.rstrip("\n")) + "\n")
        sys.stdout.flush()
    except OSError as error:
        # Python flushes once more when it ends: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise typer.Exit(READER_LEFT) from None
        raise OutputError(f"standard output: {error.strerror}; use --quiet, or send it elsewhere") from error


def remark(message: str) -> None:
    """Print what is to be known besides the result, as one line on standard error."""
    print(guarded(f"{PROGRAM}: {one_line(message)}"), file=sys.stderr)


def complain(message: str, code: int) -> int:
    """Print an error as one line on standard error; gives the code back."""
    remark(message)
    return code


def unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an error that nobody expected as Python does; its words may be a target's, and are made safe."""
    sys.stderr.write(guarded("".join(traceback.format_exception(kind, error, trace))))
