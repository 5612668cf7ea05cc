"""A person's word on a line: `//ctxaudit:keep reason` and `//nolint:contextcheck // reason`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from ast_grep_py import SgNode

from audit_lib.read.limits import check_places
from audit_lib.read.queries import any_of, find_all, of_kinds
from audit_lib.read.syntax import Directive
from audit_lib.read.tree import Tree

_KEEP = "ctxaudit:keep"
_NOLINT = "nolint:"
_LINTER = "contextcheck"
_STATEMENTS = (
    "short_var_declaration",
    "assignment_statement",
    "expression_statement",
    "return_statement",
    "defer_statement",
    "go_statement",
    "var_declaration",
)
HINTS = (_KEEP, _LINTER)
"""A text without one of these has no directive."""


def directives_of(tree: Tree, file: str) -> Iterator[Directive]:
    """The directives among the comments of a file, in order."""
    text, positions = tree.text, tree.positions
    found = tree.root.find_all(kind="comment")
    check_places(text, len(found))
    extents = sorted((node.range().start.index, node.range().end.index) for node in found)
    comments = dict(extents)
    statements: dict[int, SgNode] | None = None
    for start, end in extents:
        said = parse_comment(text[start:end])
        if said is None:
            continue
        form, reason = said
        own = _code_before(text, positions.line_start(start), start, comments)
        covered = start if own else _next_code(text, end, comments, otherwise=start)
        first = positions.line(covered)
        last = first
        if not own:
            statements = _statements(tree) if statements is None else statements
            last = max(first, positions.line(_end_of_statement(statements.get(covered), covered)))
        yield Directive(form, reason, positions.span(file, start, end), first, last)


def _statements(tree: Tree) -> dict[int, SgNode]:
    """The statements of a file by where they begin; of several that begin together the outermost."""
    found = find_all(tree.root, any_of(of_kinds(_STATEMENTS)))
    check_places(tree.text, len(found))
    return {node.range().start.index: node for node in reversed(found)}


def _end_of_statement(statement: SgNode | None, at: int) -> int:
    """The last offset of the statement that begins at one, or of its part before the body of a literal in it."""
    if statement is None:
        return at
    block = statement.find(kind="block")
    end = statement.range().end.index - 1
    return end if block is None else min(block.range().start.index, end)


def parse_comment(comment: str) -> tuple[Literal["keep", "nolint"], str] | None:
    """The form and the reason of a directive, or `None` for any other comment.

    `nolint` counts where its list names contextcheck: a bare `nolint` says nothing of contexts.
    """
    if not comment.startswith("//"):
        return None
    said = comment.removeprefix("//").strip()
    if said == _KEEP or said.startswith((_KEEP + " ", _KEEP + "\t")):
        return "keep", _reason(said.removeprefix(_KEEP))
    if not said.startswith(_NOLINT):
        return None
    linters, slashes, after = said.removeprefix(_NOLINT).partition("//")
    names, trailing = _linters(linters)
    return ("nolint", _reason(after if slashes else trailing)) if _LINTER in names else None


def _linters(text: str) -> tuple[list[str], str]:
    """The linters of a list, and words after the last one, which people mean as a reason though `//` is missing."""
    *first, last = text.split(",")
    name, _, trailing = last.strip().partition(" ")
    return [linter.strip().lower() for linter in (*first, name)], trailing


def _reason(text: str) -> str:
    return text.strip().removeprefix("//").strip().lstrip("-:").strip()


def _code_before(text: str, line_start: int, comment: int, comments: dict[int, int]) -> bool:
    at = _skip(text, line_start, comments)
    return at < comment


def _next_code(text: str, at: int, comments: dict[int, int], otherwise: int) -> int:
    """Where the next code begins; at the end of a file there is none."""
    at = _skip(text, at, comments)
    return at if at < len(text) else otherwise


def _skip(text: str, at: int, comments: dict[int, int]) -> int:
    """The first offset from `at` on that is neither space nor comment. What is passed is passed once for all.

    `comments` says for where each comment begins what comes behind it: its end, or the code that was found there.
    """
    passed = []
    while at < len(text):
        if at in comments:
            passed.append(at)
            at = comments[at]
        elif text[at].isspace() or text[at] == "\ufeff":
            at += 1
        else:
            break
    comments.update(dict.fromkeys(passed, at))
    return at
