"""Every regular expression of the package, on a megabyte of the worst that can be made for it, from the expression.

They are found in the source, those too that are put together when they are used: none can be forgotten.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "audit_lib"
WORST = Path(__file__).parent / "worst.py"
SECONDS = 5
"""For one input: what is linear takes some hundredths of one."""

USES = {"search", "match", "fullmatch", "finditer", "findall", "sub", "subn", "split"}


@dataclass(frozen=True)
class Used:
    """An expression, where it stands, its flags, and the ways in which it is used."""

    place: str
    pattern: str | bytes
    flags: str
    ways: tuple[str, ...]


def expressions(source: str, name: str) -> Iterator[Used]:
    """The expressions in a module. Raises `ValueError` for one that cannot be told from the source."""
    tree = ast.parse(source)
    compiled: dict[str, ast.Call] = {}
    ways: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _function_of_re(node.value) == "compile":
            for target in node.targets:
                assert isinstance(node.value, ast.Call)
                compiled[ast.unparse(target)] = node.value
        if isinstance(node, ast.Attribute) and node.attr in USES:
            ways.setdefault(ast.unparse(node.value), set()).add(node.attr)
    held = {id(call): variable for variable, call in compiled.items()}
    for node in ast.walk(tree):
        function = _function_of_re(node)
        if isinstance(node, ast.Call) and function in USES | {"compile"}:
            used = ways.get(held.get(id(node), ""), {"search", "finditer"}) if function == "compile" else {function}
            yield Used(f"{name}:{node.lineno}", _text(node.args[0]), _flags(node, function), tuple(sorted(used)))


def _function_of_re(node: ast.AST) -> str:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "re":
        return node.func.attr
    return ""


def _flags(call: ast.Call, function: str) -> str:
    where = {"compile": 1, "sub": 4, "subn": 4, "split": 3}.get(function, 2)
    given = [keyword.value for keyword in call.keywords if keyword.arg == "flags"] + call.args[where : where + 1]
    return ast.unparse(given[0]) if given else "0"


def _text(node: ast.expr) -> str | bytes:
    """The text of an expression; for what is only known when it is used stands a name."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "name" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        form = _text(node.left)
        if isinstance(form, bytes):
            return form.replace(b"%s", b"name").replace(b"%%", b"%")
        return form.replace("%s", "name").replace("%%", "%")
    raise ValueError(f"line {node.lineno}: write the expression where it is used, so that this test sees it")


FOUND = [
    used
    for file in sorted(PACKAGE.rglob("*.py"))
    for used in expressions(file.read_text(encoding="utf-8"), file.relative_to(PACKAGE).as_posix())
]


def run(used: Used) -> str:
    """What is said of an expression: nothing, or the input that took too long."""
    try:
        done = subprocess.run(
            [sys.executable, str(WORST), repr(used.pattern), used.flags, str(SECONDS), *used.ways],
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
    except subprocess.TimeoutExpired:
        return "took too long, and did not hear"
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("used", FOUND, ids=lambda used: used.place)
def test_an_expression_ends_soon_on_its_worst_megabyte(used: Used) -> None:
    assert run(used) == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    "pattern",
    [
        rb"(?:[ \t]*/\*[^\n]*?\*/)*[ \t]*(?://[^\n]*)?\r?\n\s*|[ \t]*x",
        rb"\{\{-?\s*(?!/\*)(.*?)\}\}",
        r"^//go:generate[ \t]+(.+?)\s*$",
        r"(a|a)*b",
        r"(\w+\s?)*;",
        r"\s+$",
        r"x*x*y",
    ],
)
def test_expressions_that_are_slow_are_told(pattern: str | bytes) -> None:
    assert "took too long" in run(Used("here", pattern, "re.DOTALL | re.MULTILINE", ("finditer",)))


def test_every_import_of_re_is_of_the_module_itself() -> None:
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.ImportFrom) and node.module == "re"), file
            if isinstance(node, ast.Import):
                assert all(alias.name != "re" or alias.asname is None for alias in node.names), file


def test_expressions_are_found_wherever_they_stand() -> None:
    source = """
import re
A = re.compile(rb"a", re.DOTALL)
class C:
    B = re.compile("b" "c")
def f(name, text):
    if A.search(text) or A.match(text):
        return re.sub(rf"\\b{re.escape(name)}", "", text, flags=re.M)
    return re.findall(rb"%s%%" % name, text)
"""
    assert sorted(
        (used.pattern if isinstance(used.pattern, str) else used.pattern.decode(), used.flags, used.ways)
        for used in expressions(source, "m")
    ) == [
        ("\\bname", "re.M", ("sub",)),
        ("a", "re.DOTALL", ("match", "search")),
        ("bc", "0", ("finditer", "search")),
        ("name%", "0", ("findall",)),
    ]
    with pytest.raises(ValueError, match="line 2"):
        list(expressions("import re\nre.match(made(), text)", "m"))
