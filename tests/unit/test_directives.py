"""Directives: which comments are a person's word, why, and on which line."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit_lib.config import Config
from audit_lib.read.directives import parse_comment
from audit_lib.read.scan import scan
from audit_lib.read.syntax import Directive


def directives(folder: Path, code: str) -> tuple[Directive, ...]:
    (folder / "a.go").write_bytes(code.encode())
    return scan(folder, Config()).directives


NONE = [
    "// keeps the context",
    "//nolint",
    "//nolint // all of it",
    "//nolint:all",
    "//nolint:errcheck // contextcheck is fine here",
    "//nolint:contextchecker",
    "//ctxaudit:keeper",
    "//ctxaudit",
    "// see ctxaudit:keep",
    "/*ctxaudit:keep in a block*/",
]


@pytest.mark.parametrize("comment", NONE)
def test_other_comments_say_nothing_of_contexts(comment: str) -> None:
    assert parse_comment(comment) is None


SAID = {
    "//ctxaudit:keep the poller outlives requests": ("keep", "the poller outlives requests"),
    "// ctxaudit:keep the poller outlives requests": ("keep", "the poller outlives requests"),
    "//ctxaudit:keep": ("keep", ""),
    "//ctxaudit:keep // flushes at exit": ("keep", "flushes at exit"),
    "//nolint:contextcheck // flushes at exit": ("nolint", "flushes at exit"),
    "// nolint:contextcheck // flushes at exit": ("nolint", "flushes at exit"),
    "//nolint:contextcheck": ("nolint", ""),
    "//nolint:errcheck,contextcheck // best effort": ("nolint", "best effort"),
    "//nolint:contextcheck, errcheck": ("nolint", ""),
    "//nolint:contextcheck flushes at exit": ("nolint", "flushes at exit"),
    "//ctxaudit:keep the poller\r": ("keep", "the poller"),
}


@pytest.mark.parametrize(("comment", "said"), SAID.items())
def test_a_directive_and_its_reason(comment: str, said: tuple[str, str]) -> None:
    assert parse_comment(comment) == said


def test_in_a_string_it_is_no_directive(tmp_path: Path) -> None:
    assert (
        directives(tmp_path, 'package a\n\nvar help = "//ctxaudit:keep why"\nvar raw = `\n//ctxaudit:keep\n`\n') == ()
    )


def test_at_the_end_of_a_line_it_covers_that_line(tmp_path: Path) -> None:
    code = 'package a\n\nimport "context"\n\nvar ctx = context.Background() //ctxaudit:keep process\nvar y = 1\n'
    (word,) = directives(tmp_path, code)
    assert (word.form, word.reason, word.covers) == ("keep", "process", 5)
    assert code.encode()[word.span.start : word.span.end] == b"//ctxaudit:keep process"
    assert (word.span.line, word.span.column) == (5, 32)


def test_alone_it_covers_the_next_line_of_code(tmp_path: Path) -> None:
    code = (
        "package a\n\nfunc f() {\n\t//nolint:contextcheck // outlives the request\n\n"
        "\t// more words\n\t/* and\n\tmore */\n\tgo poll()\n}\n"
    )
    (word,) = directives(tmp_path, code)
    assert (word.span.line, word.covers) == (4, 9)


def test_after_a_block_comment_only_it_is_still_alone(tmp_path: Path) -> None:
    (word,) = directives(tmp_path, "package a\n\n/* why */ //ctxaudit:keep\nvar x = 1\n")
    assert word.covers == 4


def test_with_no_code_below_it_covers_its_own_line(tmp_path: Path) -> None:
    (word,) = directives(tmp_path, "package a\n\n//ctxaudit:keep nothing here\n")
    assert word.covers == 3


def test_every_directive_of_a_file_is_given_in_order(tmp_path: Path) -> None:
    code = "package a\r\n\r\n//ctxaudit:keep größe\r\nvar x = 1\r\nvar y = 2 //nolint:contextcheck\r\n"
    words = directives(tmp_path, code)
    assert [(word.form, word.reason, word.covers) for word in words] == [("keep", "größe", 4), ("nolint", "", 5)]
