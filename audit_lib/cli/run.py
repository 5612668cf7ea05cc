"""`ctxaudit run`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from audit_lib.cli.before import check_output, recover
from audit_lib.cli.options import ConfigFile, FixTime, Level, Phases, Quiet
from audit_lib.cli.output import emit, progress
from audit_lib.errors import UsageError
from audit_lib.untrusted.text import shown

if TYPE_CHECKING:
    from audit_lib.model import Degradation


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
    verify: Annotated[Level, typer.Option("--verify", help="fix: how far the result is proved.")] = "test",
    max_time: FixTime = None,
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
    asked |= {"--max-time": max_time is not None}
    if notebook == "audit" and (wrong := [name for name, given in asked.items() if given]):
        raise UsageError(f"{wrong[0]} is for the notebook fix; audit changes nothing")
    if each and write:
        raise UsageError("--each-phase works in a copy of DIR, and --write in DIR: choose one of them")
    check_output(folder, (), target)
    recover(target)
    from audit_lib.runs import papermill, phased

    left_out: tuple[Degradation, ...] = ()
    with progress(quiet) as report:
        if notebook == "audit":
            runs = [papermill.run_audit(target, folder, config=config, phases=tuple(phase or ()), progress=report)]
        else:
            options = papermill.FixOptions(config, tuple(phase or ()), policy, verify, document, write, force, max_time)
            if each:
                phases = phased.run_phases(target, folder, options, progress=report)
                runs, left_out = [one.result for one in phases], phases[0].left_out if phases else ()
            else:
                runs = [papermill.run_fix(target, folder, options, progress=report)]
    if not quiet:
        for one in left_out:
            emit(f"{shown(one.where)}: {shown(one.reason)}")
        for result in runs:
            how = "all of it was there already, from the same inputs" if result.resumed else "done"
            names = (f"  {shown(file.name)}" for file in sorted({*result.files, result.manifest}))
            emit("\n".join([f"{shown(str(result.out))}: {how}", *names]))
