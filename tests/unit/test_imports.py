"""Imports point one way: read, judge, change; show sees records alone; api, runs and the command line lie on top."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "audit_lib"
GROUND = {"", "untrusted", "model", "config", "globs", "errors", "progress", "phases", "places", "fixed"}

# A room, and the rooms it may import from besides itself.
ALLOWED: dict[str, set[str]] = {
    **dict.fromkeys(GROUND, GROUND),
    "untrusted": {"errors"},
    "read": GROUND,
    "judge": GROUND | {"read"},
    "change": GROUND | {"read", "judge"},
    "show": GROUND,
    "unchanged": GROUND | {"read"},
    "reading": GROUND | {"read", "judge"},
    "fixing": GROUND | {"read", "judge", "change", "reading"},
    "api": GROUND | {"change", "unchanged", "reading", "fixing"},
    "doctor": GROUND | {"read"},
    "runs": GROUND | {"read", "judge", "change", "show", "api"},
    "cli": GROUND | {"read", "judge", "change", "show", "api", "doctor", "runs"},
    "__main__": {"cli"},
}
FILES = sorted(PACKAGE.rglob("*.py"))

# What a command may load when it runs, but `--help` must not.
HEAVY = (
    "pandas",
    "numpy",
    "pyarrow",
    "plotly",
    "ast_grep_py",
    "papermill",
    "msgspec",
    "tqdm",
    "pydantic",
    "rich.console",
)


def room_of(module: str) -> str:
    """The room of `audit_lib.read.facts` is `read`, that of `audit_lib.api` is `api`, of the package itself ``."""
    return [*module.split("."), ""][1]


def module_of(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(file: Path) -> Iterator[tuple[int, str]]:
    """The modules of ours that a file imports, wherever in it, with the line."""
    package = module_of(file) if file.name == "__init__.py" else module_of(file).rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name.split(".")[0] == "audit_lib")
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            if base.split(".")[0] == "audit_lib":
                yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def is_module(name: str) -> bool:
    path = PACKAGE.parent.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_a_file_imports_only_from_rooms_below(file: Path) -> None:
    room = room_of(module_of(file))
    assert room in ALLOWED, f"{room} has no place in the order of rooms: give it one here"
    wrong = [
        f"{file.name}:{line}: {room or 'audit_lib'} imports {name}"
        for line, name in imported(file)
        if (target := room_of(name if is_module(name) else name.rpartition(".")[0])) != room
        and target not in ALLOWED[room]
    ]
    assert wrong == []


def test_imports_inside_functions_and_relative_ones_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = PACKAGE / "read" / "facts.py"
    monkeypatch.setattr(Path, "read_text", lambda self, encoding: "def f():\n    from ..judge import graph\n")
    assert list(imported(file)) == [(2, "audit_lib.judge.graph")]


def test_help_loads_nothing_that_only_a_command_needs() -> None:
    code = f"import sys, audit_lib.cli as cli; cli.execute(['--help']); print([m for m in {HEAVY} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "[]"
