"""No text of a target steers a terminal, makes lines of its own, or hides what stands beside it."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit_lib import doctor
from audit_lib.change import document
from audit_lib.cli import output
from audit_lib.fixed import Fixed
from audit_lib.show import fix_text, summary, terminal
from audit_lib.untrusted import text
from tests.hostile import audits, strings

PACKAGE = Path(__file__).parents[2] / "audit_lib"
TEXT_OF_RECORD = re.compile(
    r"[\w.\[\]]*\.(file|function|callee|reason|recommendation|rule|detail|target|where|title|phase|step|tool|found)"
)
OURS = re.compile(r"\x1b\[\d{1,2}m")
TEXTS = pytest.mark.parametrize("hostile", strings.ALL, ids=lambda value: ascii(value)[:30])


def steering(said: str, allowed: str = "\n") -> set[str]:
    return {char for char in said if char not in allowed and (not char.isprintable() or text._HIDDEN.match(char))}


def outputs(fix: Fixed, name: str, *, color: bool = False) -> Iterator[str]:
    """All that commands print of a fix, but for its diff."""
    yield terminal.scan_text(fix.audit, color=color, width=100, all=True, seconds=1)
    yield from map(terminal.explain_text, fix.audit.findings)
    yield fix_text.fix_text(fix, color=color, width=100, seconds=1, target=name, out="", written=False)
    yield fix_text.fix_text(fix, color=color, width=100, seconds=1, target=name, out=name, written=False)
    yield doctor.text((doctor.Check("Go", True, name), doctor.Check("cache", False, name, "scans start anew")))


@TEXTS
def test_every_value_of_every_output_stays_in_its_line(hostile: str) -> None:
    benign = audits.benign()
    fix = audits.hostile(hostile)
    steps = hostile.replace("\r\n", "\n").rstrip("\n").count("\n") * audits.COUNT  # what a proof says may have lines
    pairs = zip(outputs(fix, hostile), outputs(benign, strings.BENIGN), strict=True)
    for said, wanted in pairs:
        assert not steering(said)
        more = steps if "\nverified\n" in wanted else 0
        assert said.count("\n") == wanted.count("\n") + more
        # A command holds a file's name whole, which file systems bound.
        assert max(len(line) for line in said.split("\n") if "next: " not in line) < 3 * text.VALUE_LIMIT


@TEXTS
def test_colours_are_ours_alone(hostile: str) -> None:
    fix = audits.hostile(hostile)
    for plain, coloured in zip(outputs(fix, hostile), outputs(fix, hostile, color=True), strict=True):
        assert OURS.sub("", coloured) == plain


def test_a_verdict_is_coloured_where_it_stands_and_not_in_a_name() -> None:
    said = terminal.scan_text(audits.audit(["a fix b"] * 3), color=True, width=200, all=True)
    assert "a fix b:1    a fix b    \x1b[31mfix\x1b[0m" in said


def test_a_long_name_leaves_the_other_columns_in_sight() -> None:
    fix = audits.audit(["short", "y" * 5000, "other"])
    said = terminal.scan_text(fix, color=False, width=500, all=True)
    assert re.search(r"\n  short:1 +short +fix +short → here\n", said) or "short:1" in said.split("findings")[1]
    assert "short:1" in next(line for line in said.split("\n") if " fix" in line and "short" in line)


@TEXTS
def test_a_diff_of_hostile_code_is_spelled_out(hostile: str) -> None:
    patch = audits.fix([hostile]).patch + b"+" + hostile.encode("utf-8", "surrogatepass") + b"\n+\xff\x9b31m\n"
    for color in (False, True):
        assert not steering(OURS.sub("", fix_text.diff_text(patch, color=color)), "\n\t")


@TEXTS
def test_an_error_is_one_line(hostile: str, capsys: pytest.CaptureFixture[str]) -> None:
    output.complain(f"{hostile}: cannot be read ({hostile})", 2)
    output.remark(hostile)
    said = capsys.readouterr().err
    assert said.count("\n") == 2
    assert not steering(said)


def test_what_a_writer_forgot_is_spelled_out_when_it_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    output.emit("\x1b[32mok\x1b[0m\t\x1b[2J\x1b]0;t\x07 \u202e\x9b31m\r\n")
    assert capsys.readouterr().out == "\x1b[32mok\x1b[0m\t\\x1b[2J\\x1b]0;t\\x07 \\u202e\\x9b31m\\r\n"


def test_the_traceback_of_an_error_that_nobody_expected_is_safe() -> None:
    hook = "import sys; from audit_lib.cli import output; sys.excepthook = output.unexpected"
    code = f"{hook}; raise OSError('\\x1b]0;x')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert b"OSError: \\x1b]0;x" in done.stderr


@TEXTS
def test_a_command_that_is_proposed_is_pasted_as_one_word(hostile: str) -> None:
    word = text.command_word(hostile)
    assert not steering(word, "")
    if word.startswith("$'"):
        if "\0" in hostile:
            return  # no word of a shell holds one
        done = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True)
        assert done.stdout.decode("utf-8", "surrogateescape").endswith(hostile[-1:] if len(hostile) < 9 else "")
    elif hostile:
        assert [part.removeprefix("./-") for part in shlex.split(word)] == [hostile.removeprefix("-")]


def test_words_that_need_no_quotes_have_none() -> None:
    for name in ("core/übersicht.go:12", "shop", "./a", "../x.y/z_1", "~/go/src"):
        assert text.command_word(name) == name
    assert text.command_word("a b") == "'a b'"
    assert text.command_word("-x") == "./-x"
    assert text.command_word("\x1b\xff'") == "$'\\x1b\\xc3\\xbf\\x27'"


def test_honest_text_of_all_scripts_is_shown_as_it_is() -> None:
    for name in ("(*Store).Get", "größe", "名前", "имя", "สวัสดี", "नमस्ते", "naïve", "e\u0301te\u0301", "😀", "שָׁלוֹם"):
        assert text.printable(name) == name
        assert text.shown(name) == name
    assert text.one_line("a  b\n\tc") == "a b c"


def test_columns_are_as_wide_as_what_is_drawn() -> None:
    assert text.width_of("名前ab") == 6
    assert text.padded("名前", 6) == "名前  "
    assert text.cut("名前名前", 6) == "名前…"
    assert text.cut("abc", 3) == "abc"
    assert text.width_of("e\u0301") == 1


@TEXTS
def test_a_comment_that_is_written_into_code_ends_with_its_line(hostile: str) -> None:
    finding = audits.audit([hostile]).findings[0]
    said = document._said([finding])
    assert not steering(said, "")
    assert "*/" not in said
    assert said.startswith("// ctxaudit: for review: ")
    assert len(said) < 600


def test_only_the_one_place_prints() -> None:
    """By the code itself: who else printed would not be checked by the tests above."""
    # `confined.py` is a program of its own: it prints to who has started it.
    allowed = {"cli/output.py", "cli/__init__.py", "read/gotool.py", "untrusted/confined.py"}
    for file in PACKAGE.rglob("*.py"):
        name = file.relative_to(PACKAGE).as_posix()
        source = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "print",
                "sys.stdout.write",
                "sys.stderr.write",
                "typer.echo",
                "warnings.warn",
            ):
                assert name in allowed, f"{name}:{node.lineno} prints by itself: use cli.output"
        if name != "untrusted/text.py":
            assert "\\x1b[" not in source, f"{name} writes codes of a terminal: use untrusted.text.painted"


def test_every_text_of_a_record_goes_through_the_one_place() -> None:
    """By the code itself: a value in an f-string is made safe, a number, or one of ours."""
    safe = {"command_word", "shown", "one_line", "plain", "code", "code_cell"}
    for module in (terminal, fix_text, summary, doctor):
        assert module.__file__ is not None
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) in safe]
        inside = {id(below) for call in calls for argument in call.args for below in ast.walk(argument)}
        for node in ast.walk(tree):
            if isinstance(node, ast.FormattedValue) and id(node) not in inside:
                inner = ast.unparse(node.value)
                assert not TEXT_OF_RECORD.fullmatch(inner), f"{module.__name__}:{node.lineno}: {inner}"


@pytest.mark.parametrize(
    "said", ["::set-output name=a::b", "##[add-mask]a", "##vso[task.setvariable]a", "##teamcity[a]"]
)
@pytest.mark.parametrize("before", ["", "  ", "\t", "a line\n", "a line\n \x1b[31m", "a\r"])
def test_a_machine_that_runs_a_command_obeys_nothing_in_what_it_prints(said: str, before: str) -> None:
    """GitHub looks for `::` where a line begins, for `##[` anywhere in it."""
    for line in text.guarded(before + said).split("\n"):
        plain = re.sub(r"\x1b\[\d+m", "", line)
        assert not plain.strip().startswith("::")
        assert not re.search(r"##\w*\[", plain)


@pytest.mark.parametrize("said", ["a::b", "x ::= y", "## Heading [link]", "# [link]", "std::string"])
def test_what_is_no_command_stays(said: str) -> None:
    assert text.guarded(said) == said


def test_a_remark_is_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    output.remark("a: ##[add-mask]b")
    assert capsys.readouterr().err == "ctxaudit: a: \\x23#[add-mask]b\n"
