"""What gofacts prints, read as records: nothing but facts is taken, and what is none is one clear error."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest

from audit_lib.config import GoOptions
from audit_lib.errors import ToolchainError
from audit_lib.read import gotool
from audit_lib.read.facts import Facts, Func, Module, Origin, Param, Place, TypedSite, Use, decode, decode_wide
from audit_lib.read.gofacts import read

LINES = (
    b'["module",{"path":"example.org/shop","dir":".","go":"1.22"}]\n',
    b'["func",{"id":"example.org/shop.load","name":"load","package":"example.org/shop",'
    b'"params":[{"name":"ctx","type":"context.Context","role":"context"}]}]\n',
    b'["source",{"expr":"r.Context()","name":"r","from":10,"to":90,"declared":8,"param":true}]\n',
    b'["site",{"kind":"root","callee":"context.TODO","place":{"file":"a.go","line":3,"column":7,"start":30,"end":44},'
    b'"uses":[{"kind":"arg","target":"example.org/shop.query","line":3}]}]\n',
)


def test_lines_become_records() -> None:
    facts = decode(LINES)
    assert facts.modules == (Module("example.org/shop", ".", "1.22"),)
    ctx = Param("ctx", "context.Context", "context")
    assert facts.funcs == (Func("example.org/shop.load", "load", "example.org/shop", params=(ctx,)),)
    assert facts.sources == (Origin("r.Context()", name="r", start=10, stop=90, declared=8, param=True),)
    place = Place("a.go", 3, 7, 30, 44)
    assert facts.sites == (
        TypedSite("root", "context.TODO", place=place, uses=(Use("arg", "example.org/shop.query", line=3),)),
    )


def test_no_lines_are_no_facts() -> None:
    assert decode([]) == Facts()


def test_the_order_of_lines_is_kept() -> None:
    names = ["b", "a", "c"]
    lines = [b'["problem",' + msgspec.json.encode({"where": name}) + b"]\n" for name in names]
    assert [problem.where for problem in decode(lines).problems] == names


def test_what_a_newer_helper_adds_is_passed_over() -> None:
    line = b'["dispatch",{"id":"example.org/shop.Store.Get","params":["ctx"],"colour":"red"}]'
    assert decode([line]).dispatch[0].id == "example.org/shop.Store.Get"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"panic: runtime error\n",
        b'["module",{"path":"example.org/shop"\n',
        b'["module",{"path":1}]\n',
        b'["module",null]\n',
        b'["func",{"name":"without an id"}]\n',
        b'["call",{"caller":"a","callee":"b","kind":"telepathy"}]\n',
        b'["mystery",{}]\n',
        b'["site"]\n',
    ],
    ids=["empty", "panic", "cut", "type", "null", "missing", "literal", "kind", "short"],
)
def test_a_line_that_is_no_fact_is_one_clear_error(line: bytes) -> None:
    with pytest.raises(ToolchainError) as caught:
        decode([*LINES, line])
    message = str(caught.value)
    assert "gofacts" in message
    assert "cannot be read" in message
    assert "\n" not in message


def _helper(folder: Path, script: str) -> Path:
    helper = folder / "gofacts"
    helper.write_text(f"#!/bin/sh\n{script}\n")
    helper.chmod(helper.stat().st_mode | stat.S_IXUSR)
    return helper


@pytest.fixture
def go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A toolchain that is never run: the helper is a script."""
    tool = gotool.GoTool(Path("go"), "1.26", tmp_path, "linux", "amd64")
    monkeypatch.setattr(gotool, "find_go", lambda not_in: tool)


@pytest.mark.usefixtures("go")
def test_a_helper_that_fails_is_an_error_with_its_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    helper = _helper(tmp_path, 'echo "gofacts: no modules" >&2\necho "and no packages" >&2\nexit 1')
    monkeypatch.setattr(gotool, "build_helper", lambda _: helper)
    with pytest.raises(ToolchainError) as caught:
        read(tmp_path, GoOptions())
    message = str(caught.value)
    assert "(no modules; and no packages)" in message
    assert "\n" not in message


@pytest.mark.usefixtures("go")
def test_options_reach_the_helper(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    helper = _helper(tmp_path, f'echo "$@" > {tmp_path}/arguments')
    monkeypatch.setattr(gotool, "build_helper", lambda _: helper)
    assert read(tmp_path, GoOptions(tags=("debug", "linux"), mod="vendor", modfile="tools.mod")) == Facts()
    arguments = (tmp_path / "arguments").read_text().split()
    assert f"-dir {tmp_path}" in " ".join(arguments)
    assert "-tags debug,linux -mod vendor -modfile tools.mod" in " ".join(arguments)


def test_what_only_a_change_needs_is_kept_apart() -> None:
    far = b'["+func",{"id":"example.org/shop.far","name":"far"}]\n'
    near, whole = decode_wide([*LINES, far])
    assert near == decode(LINES)
    assert {func.id for func in whole.funcs} == {func.id for func in near.funcs} | {"example.org/shop.far"}
