"""Runs one notebook through papermill, in a kernel of the Python that runs this."""

from __future__ import annotations

import logging
import os
import socket
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from papermill.exceptions import PapermillExecutionError

from audit_lib import errors
from audit_lib.errors import AuditError, GateError, UsageError
from audit_lib.progress import Progress

LOG = "kernel.log"
Scalar = str | int | float | bool | None

for _name in ("asyncio", "papermill"):  # a kernel that ends with us is no news; else the error says it
    logging.getLogger(_name).addHandler(logging.NullHandler())

_TYPES: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (float, int), "bool": (bool,)}


class RunningPython(AsyncKernelManager):
    """Starts the ipykernel of this interpreter, whatever kernels are installed under whatever name.

    Where the system has them, it is spoken to over sockets in a folder that only this user can enter: over TCP any
    user of the machine could listen.
    """

    folder = ""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        if hasattr(socket, "AF_UNIX") and os.name == "posix":
            self.transport = "ipc"
            self.ip = str(Path(self.folder) / "kernel")

    async def _async_pre_start_kernel(self, **settings: Any) -> tuple[list[str], dict[str, Any]]:
        command, options = await super()._async_pre_start_kernel(**settings)
        # What a kernel says of itself is for its own log; what cells print is in the notebook.
        self._log = (Path(self.folder) / LOG).open("wb")  # open as long as the manager is
        options["stdout"] = options["stderr"] = self._log
        return command, options

    @property
    def kernel_spec(self) -> KernelSpec:
        """The specification of that kernel."""
        argv = [sys.executable, "-P", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python", language="python")


@dataclass(frozen=True)
class Executed:
    """A notebook with its outputs, and the error that ended it, if one did."""

    notebook: Any
    error: AuditError | None


def check_parameters(notebook: Path, given: Mapping[str, Scalar]) -> None:
    """Raise `UsageError` for a parameter that the notebook's `parameters` cell does not name, or of another type."""
    known = papermill.inspect_notebook(str(notebook))
    for name, value in given.items():
        if name not in known:
            names = ", ".join(known) or "none"
            raise UsageError(f"{notebook.name}: no parameter is named {name}; there are: {names}")
        wanted = known[name]["inferred_type_name"]
        wrong = isinstance(value, bool) and wanted != "bool"
        if wanted in _TYPES and (wrong or not isinstance(value, _TYPES[wanted])):
            raise UsageError(f"{notebook.name}: parameter {name} is {wanted}, not {type(value).__name__}")


def execute(notebook: Path, executed: Path, parameters: Mapping[str, Scalar], progress: Progress) -> Executed:
    """Run a copy of a notebook; `executed` gets the copy, cell by cell, so that it is there whatever happens.

    Errors of cells and a dead kernel come back in the result, as the error that the library raised in the cell or as
    `GateError`. Raises `UsageError` for parameters that the notebook does not have.
    """
    check_parameters(notebook, parameters)
    cells = len(_read(notebook).cells) + 1  # papermill adds the one with the parameters

    def started(cell: object, cell_index: int) -> None:
        progress(notebook.stem, cell_index, cells)

    error: AuditError | None = None
    # A folder of its own: Python looks for modules where it is started, and a target must not be asked for them.
    with tempfile.TemporaryDirectory(prefix="ctxaudit-kernel-") as folder:
        try:
            papermill.execute_notebook(
                str(notebook),
                str(executed),
                parameters=dict(parameters),
                kernel_name="python3",
                progress_bar=False,
                cwd=folder,
                kernel_manager_class=type("RunningPython", (RunningPython,), {"folder": folder}),
                on_cell_start=started,
            )
        except PapermillExecutionError as failed:
            error = _as_ours(notebook.stem, failed)
        except RuntimeError as failed:  # nbclient's DeadKernelError, and a kernel that does not start
            said = _last_line(Path(folder) / LOG)
            words = f"{failed}; its last words: {said}" if said else f"{failed}"
            error = GateError(f"{notebook.stem}: the kernel died ({words}); run it again, with more memory free")
    return Executed(_read(executed), error)


def _as_ours(name: str, failed: PapermillExecutionError) -> AuditError:
    """An error that the library raised stays the same error, with its exit code; any other is a gate not met."""
    kind = getattr(errors, str(failed.ename), None)
    if isinstance(kind, type) and issubclass(kind, AuditError) and kind is not AuditError:
        return kind(str(failed.evalue))
    what = " ".join(f"{failed.ename}: {failed.evalue}".split())
    return GateError(f"{name}: cell {failed.exec_count} failed with {what}")


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _read(notebook: Path) -> Any:
    return nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
