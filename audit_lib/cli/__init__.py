"""`ctxaudit`: options in, one call of the library, text out. A file for each command.

Only what parses options is imported at the top, so that `--help` and `--version` answer at once; each command imports
what it needs.
"""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from audit_lib import __version__
from audit_lib.cli.doctor import doctor
from audit_lib.cli.explain import explain
from audit_lib.cli.fix import fix
from audit_lib.cli.lab import lab
from audit_lib.cli.output import PROGRAM, complain, emit, unexpected
from audit_lib.cli.run import run
from audit_lib.cli.scan import scan
from audit_lib.errors import AuditError, OutputError, Terminated, UsageError

INTERRUPTED, TERMINATED = 130, 143  # what a shell reports for a program that SIGINT or SIGTERM ended

app = typer.Typer(
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (scan, explain, fix, run, lab, doctor):
    app.command()(command)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Find the contexts that a Go program loses, say what each should be, and why.

    Exit codes: 0 done, 1 a gate or a verification failed, 2 wrong usage or configuration, 3 the target could not be
    read or the results not written.
    """
    if version:
        emit(f"{PROGRAM} {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help(), file=sys.stderr)
        raise typer.Exit(UsageError.exit_code)


def execute(arguments: Sequence[str]) -> int:
    """Run one command; the exit code. Whatever goes wrong is one line on standard error."""
    try:
        return app(arguments, prog_name=PROGRAM, standalone_mode=False) or 0
    except KeyboardInterrupt:  # before a command has begun
        return INTERRUPTED
    except Terminated:
        return TERMINATED
    except typer.TyperException as error:
        return complain(f"{error.format_message()} See {PROGRAM} --help.", UsageError.exit_code)
    except AuditError as error:
        return complain(str(error), error.exit_code)
    except OSError as error:
        return complain(f"{error.filename or 'input or output'}: {error.strerror or error}", OutputError.exit_code)


def main() -> NoReturn:
    """The program: exits with 0 done, 1 a gate or verification failed, 2 wrong usage, 3 unreadable target."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file's name can hold bytes that are no characters
            stream.reconfigure(errors="backslashreplace")
    sys.excepthook = unexpected
    signal.signal(signal.SIGTERM, _terminate)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:  # not under nohup
        signal.signal(signal.SIGHUP, _terminate)
    sys.exit(execute(sys.argv[1:]))


def _terminate(number: int, frame: object) -> NoReturn:
    """End as on Ctrl-C: copies go, and what was half written comes back."""
    raise Terminated
