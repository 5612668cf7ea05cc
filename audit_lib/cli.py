"""`ctxaudit`: options in, one call of the library, text out.

Only what parses options is imported at the top, so that `--help` and `--version` answer at once; each command imports
what it needs.
"""

from __future__ import annotations

import io
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from audit_lib import __version__
from audit_lib.errors import AuditError, GateError, OutputError, TargetError, Terminated, UsageError

if TYPE_CHECKING:
    from audit_lib.progress import Progress

PROGRAM = "ctxaudit"
READER_LEFT = 141  # what a shell reports for a program that SIGPIPE ended
INTERRUPTED, TERMINATED = 130, 143  # and for SIGINT and SIGTERM

app = typer.Typer(
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Target = Annotated[Path, typer.Argument(metavar="DIR", help="The Go code: a module, a workspace, a repository.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Configuration, in place of DIR/ctxaudit.toml.")
]
Phases = Annotated[list[str] | None, typer.Option("--phase", metavar="NAME", help="Only this phase; may be repeated.")]
Tags = Annotated[str, typer.Option("--tags", metavar="A,B", help="Build tags the packages are loaded with.")]
Mod = Annotated[Literal["mod", "readonly", "vendor"] | None, typer.Option("--mod", help="The go command's -mod.")]
ModFile = Annotated[str, typer.Option("--modfile", metavar="FILE", help="The go command's -modfile.")]
SyntaxOnly = Annotated[bool, typer.Option("--syntax-only", help="Read without a Go toolchain: every site is review.")]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="FINGERPRINT", help="Only these findings; may be repeated, or be a list A,B."),
]
Categories = Annotated[
    list[str] | None,
    typer.Option("--category", metavar="NAME", help="Only request, background, init or test; may be repeated."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No tables and no progress: files and the exit code.")]


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


@app.command()
def scan(
    target: Target,
    out: Annotated[Path | None, typer.Option("--out", metavar="OUT", help="Folder for the results.")] = None,
    formats: Annotated[
        str, typer.Option("--format", metavar="LIST", help="What to write into OUT: jsonl, csv, xlsx, parquet.")
    ] = "jsonl",
    config: ConfigFile = None,
    phase: Phases = None,
    tags: Tags = "",
    mod: Mod = None,
    modfile: ModFile = "",
    syntax_only: SyntaxOnly = False,
    every: Annotated[bool, typer.Option("--all", help="List every site, not only the pressing ones.")] = False,
    quiet: Quiet = False,
) -> None:
    """Find every context root and bare call, and judge each."""
    started = time.monotonic()
    chosen = split(formats)
    check_output(out, chosen)
    recover(target)
    from audit_lib import api
    from audit_lib.phases import narrowed

    with progress(quiet) as report:
        audit = api.audit(
            target,
            config=config,
            tags=split(tags),
            mod=mod or "",
            modfile=modfile,
            syntax_only=syntax_only,
            progress=report,
        )
    audit = narrowed(audit, phase or ())
    if out is not None:
        from audit_lib.show import export

        export.write(audit, out, chosen)
    if not quiet:
        from audit_lib.show import terminal

        seconds = time.monotonic() - started
        emit(terminal.scan_text(audit, color=in_color(), width=width(), all=every, seconds=seconds))


@app.command()
def explain(
    place: Annotated[str, typer.Argument(metavar="FILE:LINE", help="A line that has a site.")],
    target: Annotated[
        Path | None, typer.Option("--target", metavar="DIR", help="What to audit; by default what FILE belongs to.")
    ] = None,
    config: ConfigFile = None,
    tags: Tags = "",
    mod: Mod = None,
    modfile: ModFile = "",
    quiet: Quiet = False,
) -> None:
    """Show how a context reaches the sites of a line.

    Prints the path from the source, function by function, and the rule that decided.
    """
    from audit_lib import api, places
    from audit_lib.show import terminal

    file, line = places.parse(place, target)
    base = target or places.target_of(file)
    recover(base)
    name = places.relative(file, base)
    with progress(quiet) as report:
        audit = api.audit(base, config=config, tags=split(tags), mod=mod or "", modfile=modfile, progress=report)
    findings = api.explain(audit, name, line)
    if not findings:
        raise UsageError(f"{file}:{line}: no site on this line; {places.nearest(audit, name, line)}")
    emit("\n".join(map(terminal.explain_text, findings)))


@app.command()
def fix(
    target: Target,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="OUT", help="Folder for patches, a summary and records.")
    ] = None,
    only: Only = None,
    phase: Phases = None,
    category: Categories = None,
    verify: Annotated[
        Literal["build", "test", "race"], typer.Option("--verify", help="How far the result is proved.")
    ] = "test",
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=1, help="What a package's tests may take.")
    ] = 300,
    document: Annotated[
        bool, typer.Option("--document", help="Write the reason beside each root that is kept.")
    ] = False,
    generate: Annotated[
        bool,
        typer.Option("--generate/--no-generate", help="Generate mocks again, where their tool is at hand."),
    ] = True,
    write: Annotated[bool, typer.Option("--write", help="Write the result to DIR, when it is proved.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over what git could not bring back.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print the diff.")] = False,
    config: ConfigFile = None,
    tags: Tags = "",
    mod: Mod = None,
    modfile: ModFile = "",
    quiet: Quiet = False,
) -> None:
    """Give lost contexts back to their callers, and prove the result.

    The work is done in a copy: without --write DIR stays as it is. What cannot be changed is refused, with the reason.
    """
    started = time.monotonic()
    check_output(out, ())
    recover(target)
    if write and not force:
        check_committed(target)
    from audit_lib import api
    from audit_lib.change.selection import Selection
    from audit_lib.show import changes, fix_text

    names = tuple(name for names in only or () for name in split(names))
    with progress(quiet) as report:
        fixed = api.fix(
            target,
            selection=Selection(names, tuple(phase or ()), tuple(category or ())),
            level=verify,
            timeout=timeout,
            document=document,
            generate=generate,
            config=config,
            tags=split(tags),
            mod=mod or "",
            modfile=modfile,
            progress=report,
        )
    writing = write and fixed.ok

    def apply() -> None:
        if writing:
            api.apply(target, fixed, force=force)

    if out is not None:
        changes.write(fixed, out, then=apply)
    else:
        apply()
    if diff and fixed.patch:
        emit(fix_text.diff_text(fixed.patch, color=in_color()))
    if not quiet:
        seconds = time.monotonic() - started
        emit(
            fix_text.fix_text(
                fixed,
                color=in_color(),
                width=width(),
                seconds=seconds,
                target=str(target),
                out=str(out or ""),
                written=writing,
            )
        )
    if not fixed.ok:
        failed = next(step for step in fixed.audit.verification if not step.ok)
        first = (failed.detail.splitlines() or [""])[0]
        raise GateError(f"{target}: the verification failed at {failed.step} ({first}); nothing was written")


@app.command()
def run(
    notebook: Annotated[Literal["audit", "fix"], typer.Argument(metavar="NOTEBOOK", help="Which: audit or fix.")],
    target: Annotated[Path, typer.Option("--target", metavar="DIR", help="The Go code.")] = Path(),
    out: Annotated[
        Path | None, typer.Option("--out", metavar="OUT", help="Folder for the results; out/NOTEBOOK by default.")
    ] = None,
    config: ConfigFile = None,
    phase: Phases = None,
    each: Annotated[
        bool, typer.Option("--each-phase", help="fix: one phase after the other, in a copy of DIR that OUT gets.")
    ] = False,
    policy: Annotated[
        str,
        typer.Option("--policy", metavar="LIST", help="fix: decide otherwise, as in exported:variant,workers:keep."),
    ] = "",
    verify: Annotated[
        Literal["build", "test", "race"], typer.Option("--verify", help="fix: how far the result is proved.")
    ] = "test",
    document: Annotated[
        bool, typer.Option("--document", help="fix: write reasons beside roots that are kept.")
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="fix: write the result to DIR, when all gates hold.")] = False,
    force: Annotated[bool, typer.Option("--force", help="fix: write over what git could not bring back.")] = False,
    quiet: Quiet = False,
) -> None:
    """Run a notebook in batch.

    Leaves the executed notebook, an offline dashboard and the tables in OUT.
    """
    folder = out or Path("out") / notebook
    asked = {"--each-phase": each, "--policy": policy, "--document": document, "--write": write, "--force": force}
    if notebook == "audit" and (wrong := [name for name, given in asked.items() if given]):
        raise UsageError(f"{wrong[0]} is for the notebook fix; audit changes nothing")
    if each and write:
        raise UsageError("--each-phase works in a copy of DIR, and --write in DIR: choose one of them")
    check_output(folder, ())
    recover(target)
    from audit_lib.runs import papermill, phased

    with progress(quiet) as report:
        if notebook == "audit":
            runs = [papermill.run_audit(target, folder, config=config, phases=tuple(phase or ()), progress=report)]
        else:
            options = papermill.FixOptions(config, tuple(phase or ()), policy, verify, document, write, force)
            if each:
                runs = [one.result for one in phased.run_phases(target, folder, options, progress=report)]
            else:
                runs = [papermill.run_fix(target, folder, options, progress=report)]
    if not quiet:
        for result in runs:
            how = "all of it was there already, from the same inputs" if result.resumed else "done"
            names = (f"  {file.name}" for file in sorted({*result.files, result.manifest}))
            emit("\n".join([f"{result.out}: {how}", *names]))


@app.command()
def lab(
    notebooks: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Notebooks; by default the checkout's.")
    ] = None,
) -> None:
    """Open JupyterLab on the notebooks."""
    folder = notebooks or Path(__file__).resolve().parent.parent / "notebooks"
    if not folder.is_dir():
        raise UsageError(f"{folder}: no folder of notebooks; name one: {PROGRAM} lab DIR")
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", f"--notebook-dir={folder}"])


@app.command()
def doctor() -> None:
    """Say what is installed, and what works without the rest."""
    from audit_lib import doctor as checks

    found = checks.examine()
    emit(checks.text(found))
    raise typer.Exit(0 if checks.can_scan(found) else TargetError.exit_code)


def split(names: str) -> tuple[str, ...]:
    """The names of a list like `a,b`."""
    return tuple(name.strip() for name in names.split(",") if name.strip())


def check_output(out: Path | None, formats: Sequence[str]) -> None:
    """Refuse before the work what could not be written after it."""
    if formats not in ((), ("jsonl",)):
        from audit_lib.show.export import FORMATS

        unknown = [name for name in formats if name not in FORMATS]
        if unknown:
            raise UsageError(f"--format {','.join(unknown)} is not known; choose from {', '.join(FORMATS)}")
        if out is None:
            raise UsageError("--format writes files; say where with --out OUT")
    if out is not None and out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is not a folder; name another with --out")


def recover(target: Path) -> None:
    """Bring back a target whose last write was interrupted, and say so."""
    from audit_lib.change import journal

    said = journal.recover(target)
    if said is not None:
        print(f"{PROGRAM}: {said}", file=sys.stderr)


def check_committed(target: Path) -> None:
    """Refuse before the work what `--write` would refuse after it."""
    if target.is_dir():
        from audit_lib.change.repository import refuse_dirty

        refuse_dirty(target, ())


@contextmanager
def progress(quiet: bool) -> Iterator[Progress]:
    """Bars where somebody can see them: on standard error, when it is a terminal."""
    from audit_lib.progress import bars, silent

    if quiet or not sys.stderr.isatty():
        yield silent
        return
    with bars() as report:
        yield report


def in_color() -> bool:
    """Whether standard output shows colours (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def width() -> int:
    """The terminal's columns; where there is no terminal, what a wide one has."""
    return shutil.get_terminal_size((120, 24)).columns


def emit(text: str) -> None:
    """Print a result to standard output, whole. A reader who has left (`| head`) is no error, a full disk is one."""
    try:
        sys.stdout.write(text.rstrip("\n") + "\n")
        sys.stdout.flush()
    except OSError as error:
        # Python flushes once more when it ends: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise typer.Exit(READER_LEFT) from None
        raise OutputError(f"standard output: {error.strerror}; use --quiet, or send it elsewhere") from error


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


def complain(message: str, code: int) -> int:
    """Print an error as one line; gives the code back."""
    print(f"{PROGRAM}: {' '.join(message.split())}", file=sys.stderr)
    return code


def main() -> NoReturn:
    """The program: exits with 0 done, 1 a gate or verification failed, 2 wrong usage, 3 unreadable target."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file's name can hold bytes that are no characters
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(execute(sys.argv[1:]))


def _terminate(number: int, frame: object) -> NoReturn:
    """End as on Ctrl-C: copies go, and what was half written comes back."""
    raise Terminated
