"""What is installed, and what works without the rest."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from audit_lib.errors import ToolchainError
from audit_lib.read import gotool
from audit_lib.untrusted.processes import find_program
from audit_lib.untrusted.text import shown

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Check:
    """One thing that was looked for: whether it is there, what was found, and what does not work without it."""

    name: str
    ok: bool
    found: str
    without: str = ""
    needed: bool = False


def examine() -> tuple[Check, ...]:
    """All checks, in the order in which they are shown. Nothing is installed, built or downloaded."""
    python = sys.version_info >= (3, 11)
    return (
        Check("Python", python, platform.python_version(), "nothing works: 3.11 or newer is needed", needed=True),
        _package("ast-grep-py", "nothing works: run make setup", needed=True),
        *_go(),
        _writable(gotool.cache_root()),
        _program("git", ("git",), "audits do not name the commit they were made from"),
        _package("jupyterlab", "`ctxaudit lab` does not open; scan and run work"),
        _package("papermill", "`ctxaudit run` does not work; scan and the notebooks do"),
        _program("Chromium", BROWSERS, "the browser tests do not run; dashboards are made all the same"),
    )


def can_scan(checks: tuple[Check, ...]) -> bool:
    """Whether `ctxaudit scan` can work, if only from syntax."""
    return all(check.ok for check in checks if check.needed)


def text(checks: tuple[Check, ...]) -> str:
    """The checks as lines for a terminal, and what they come to."""
    widest = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        without = "" if check.ok or not check.without else f"; without it {check.without}"
        found = shown(check.found)
        lines.append(f"{'ok     ' if check.ok else 'missing'}  {check.name:{widest}}  {found}{without}")
    return "\n".join([*lines, "", _sum(checks)])


def _sum(checks: tuple[Check, ...]) -> str:
    missing = {check.name for check in checks if not check.ok}
    if not can_scan(checks):
        return "ctxaudit scan cannot work here"
    if missing & {"Go", "facts helper"}:
        return "ctxaudit scan works from syntax alone: every site is for review"
    return "ctxaudit scan works" if missing else "everything is there"


def _go() -> tuple[Check, Check]:
    without = "scan reads syntax alone, and every site is for review"
    try:
        go = gotool.find_go()
        helper = gotool.helper_path(go)
    except ToolchainError as error:
        return Check("Go", ok=False, found=str(error), without=without), Check("facts helper", False, "not built")
    built = f"{helper}" if helper.is_file() else "not built yet; the first scan builds it"
    return Check("Go", True, f"{go.version}, {go.path}"), Check("facts helper", True, built)


def _package(name: str, without: str, *, needed: bool = False) -> Check:
    try:
        return Check(name, True, version(name), without, needed)
    except PackageNotFoundError:
        return Check(name, False, "not installed", without, needed)


def _program(name: str, commands: tuple[str, ...], without: str) -> Check:
    paths = [path for path in map(find_program, commands) if path]
    return Check(name, bool(paths), str(paths[0]) if paths else "not on PATH", without)


def _writable(folder: Path) -> Check:
    """Whether files can be made in a folder, or in the nearest one above that exists: looked at, and tried."""
    existing = next(above for above in (folder, *folder.parents) if above.exists())
    without = "every scan starts from nothing, and without types; name another in XDG_CACHE_HOME"
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            os.write(file.fileno(), b"\0" * 4096)
    except OSError as error:
        return Check("cache", False, f"{folder}: {error.strerror}", without)
    return Check("cache", True, str(folder), without)
