"""Text of a target inside Markdown as forges read it: it stays text, whatever it holds.

Nothing of it becomes markup, HTML or a link, mentions somebody, or names an issue that merging would close. Forges look
for mentions and issues in the text that readers see, where a backslash is gone: a blank of no width parts those.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from itertools import pairwise

from audit_lib.untrusted.text import one_line, shown

LIMIT = 500
"""Characters of one value; a pull request's text has room for many."""

_MARKUP = re.compile(r"[\\`*_\[\]|#~$]")
_PARTED = "&#8203;"
_FIRST = re.compile(r"[-+>]|\d{1,9}(?=[.)])")
# Where forges and GitHub's Markdown would make a link of plain text.
_LINKED = re.compile(
    r"""
    (?<=@)(?=[\w\[{"'])                # @somebody, somebody@example.org
    | (?<=[#!%~$&^])(?=["']?\d)        # #1, !1, %1: issues, requests, milestones
    | (?<=~)(?=\w)                     # ~label
    | (?<=\b[Gg][Hh]-)(?=\d)           # GH-1
    | (?<=[A-Za-z])(?=://)             # https://, ftp://
    | (?<=\b[wW]{3})(?=\.)             # www.
    """,
    re.VERBOSE,
)
_COMMIT = re.compile(r"\b[0-9a-f]{7,40}\b")
_COMMIT_PART = 6  # digits: with one more, forges look for a commit


def text(value: str) -> str:
    """A value as plain text of one line; it may stand in a paragraph, an item, a heading or a table's cell."""
    return _as_text(one_line(value, LIMIT))


def html_text(value: str) -> str:
    """A value as plain text inside an element of HTML, where Markdown is not read."""
    return _guarded(one_line(value, LIMIT), lambda part: escape(part, quote=True))


def code(value: str) -> str:
    """A value as code, in more backticks than it holds; not for a table, whose bars end cells inside code too."""
    return _fenced(shown(value, LIMIT))


def code_cell(value: str) -> str:
    """A value as code in a table's cell."""
    # Readers differ on whether a backslash before `\\|` takes its meaning away: such a bar is spelled out.
    return _fenced(re.sub(r"(\\?)\|", lambda bar: f"{bar[1]}\\x7c" if bar[1] else "\\|", shown(value, LIMIT)))


def _fenced(line: str) -> str:
    longest = max(map(len, re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    # A blank that stands on both sides belongs to the fence: one more is read where the code has its own.
    inner = line.strip(" ")
    pad = " " if inner and (longest or inner != line) else ""
    return f"{fence}{pad}{line or ' '}{pad}{fence}"


def _as_text(line: str) -> str:
    first = _FIRST.match(line)
    head = ""
    if first:
        head = f"{first[0]}\\" if first[0].isdigit() else f"\\{first[0]}"
        line = line[first.end() :]
    return head + _guarded(line, _escaped)


def _escaped(part: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", part).replace("&", "&amp;").replace("<", "&lt;")


def _guarded(line: str, escaped: Callable[[str], str]) -> str:
    places = {match.start() for match in _LINKED.finditer(line)}
    for commit in _COMMIT.finditer(line):
        places.update(range(commit.start() + _COMMIT_PART, commit.end(), _COMMIT_PART))
    bounds = [0, *sorted(places), len(line)]
    return _PARTED.join(escaped(line[start:end]) for start, end in pairwise(bounds))
