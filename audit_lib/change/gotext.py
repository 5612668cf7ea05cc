"""A Go file by bytes and as a tree: the stretches that edits are made of, found at positions that facts name.

All offsets are bytes, as in facts; ast-grep counts characters, and only this module knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ast_grep_py import SgNode, SgRoot

from audit_lib.change.edits import span_of
from audit_lib.model import Edit
from audit_lib.read.imports import Imports
from audit_lib.read.positions import decode
from audit_lib.read.queries import BLOCKS

DECLARATIONS = ("function_declaration", "method_declaration")
FUNCTIONS = (*DECLARATIONS, "func_literal")
CALLS = ("call_expression", "type_conversion_expression")
COMMENT = "comment"
ROOTS = ("call_expression", "selector_expression", "identifier")
_BEHIND_OPENING = re.compile(rb"(?:[ \t]*/\*[^\n]*?\*/)*[ \t]*(?://[^\n]*)?\r?\n\s*|[ \t]*")


@dataclass(frozen=True)
class Listed:
    """What stands in parentheses: where that begins and ends, between them, and its items without comments."""

    start: int
    end: int
    items: list[SgNode]


class GoText:
    """One Go file, parsed when it is first asked for."""

    def __init__(self, file: str, data: bytes) -> None:
        self.file = file
        self.data = data
        self.text, _ = decode(data)
        self._plain = self.text.isascii()

    @cached_property
    def root(self) -> SgNode:
        """The tree."""
        return SgRoot(self.text, "go").root()

    @cached_property
    def imports(self) -> Imports:
        """What the file imports."""
        return Imports(self.root)

    def start(self, node: SgNode) -> int:
        """Where a node begins."""
        return self._byte(node.range().start.index)

    def end(self, node: SgNode) -> int:
        """Where a node ends."""
        return self._byte(node.range().end.index)

    def edit(self, start: int, end: int, text: str) -> Edit:
        """The edit that replaces bytes by a text."""
        return Edit(span_of(self.data, self.file, start, end), text)

    def insert(self, at: int, text: str) -> Edit:
        """The edit that inserts a text."""
        return self.edit(at, at, text)

    def replace(self, node: SgNode, text: str) -> Edit:
        """The edit that replaces a node by a text."""
        return self.edit(self.start(node), self.end(node), text)

    def said(self, start: int, end: int) -> str:
        """What stands in a stretch; bytes that are no UTF-8 come through (see `edits`)."""
        return self.data[start:end].decode("utf-8", "surrogateescape")

    def find(self, start: int, end: int, *kinds: str) -> SgNode | None:
        """The node of one of these kinds that takes exactly these bytes, or None."""
        for node in self._path(start, end):
            if node.kind() in kinds and self.start(node) == start and self.end(node) == end:
                return node
        return None

    def root_at(self, start: int, end: int) -> SgNode | None:
        """The expression that takes exactly these bytes and is a root, or a variable that stands for one."""
        return self.find(start, end, *ROOTS)

    def around(self, start: int, *kinds: str) -> SgNode | None:
        """The innermost node of one of these kinds around a position, or None."""
        found = None
        for node in self._path(start, start + 1):
            if node.kind() in kinds:
                found = node
        return found

    def listed(self, node: SgNode) -> Listed:
        """The items of a list of parameters or arguments."""
        return Listed(self.start(node) + 1, self.end(node) - 1, named_children(node))

    def arguments(self, call: SgNode) -> Listed | None:
        """The arguments of a call; `f[int](x)` too, which the grammar takes for a conversion."""
        arguments = call.field("arguments")
        if arguments is not None:
            return self.listed(arguments)
        opening = next((child for child in call.children() if child.kind() == "("), None)
        if call.kind() != CALLS[1] or opening is None:
            return None
        return Listed(self.end(opening), self.end(call) - 1, named_children(call)[1:])

    def first_in(self, listed: Listed, written: str, before: str = "") -> Edit:
        """The edit that puts something first into a list, on a line of its own where the others have theirs.

        `before` goes with it, in front of what was first. A comment stays with what it stands before.
        """
        if not listed.items:
            return self.insert(listed.start, written)
        behind = _BEHIND_OPENING.match(self.data, listed.start, self.start(listed.items[0]))
        first = behind.end() if behind is not None else listed.start
        if b"\n" in self.data[listed.start : first]:
            return self.insert(first, f"{written},\n{self.indent(first)}{before}")
        return self.insert(first, f"{written}, {before}")

    def line_start(self, at: int) -> int:
        """Where the line of a position begins."""
        return self.data.rfind(b"\n", 0, at) + 1

    def line_end(self, at: int) -> int:
        """Where the line of a position ends, behind its newline."""
        found = self.data.find(b"\n", at)
        return len(self.data) if found < 0 else found + 1

    def line_of(self, at: int) -> int:
        """The line of a position, from 1."""
        return self.data.count(b"\n", 0, at) + 1

    def indent(self, at: int) -> str:
        """The blanks that the line of a position begins with."""
        start = self.line_start(at)
        line = self.data[start : self.line_end(at)]
        return line[: len(line) - len(line.lstrip(b" \t"))].decode()

    def has_word(self, start: int, end: int, word: str) -> bool:
        """Whether a name stands in a stretch, be it in code, a comment or a string."""
        return re.search(rb"\b%s\b" % re.escape(word.encode()), self.data[start:end]) is not None

    def without_lines(self, start: int, end: int) -> Edit:
        """The edit that removes a statement, with its line where nothing else stands on it.

        A blank line that followed the first statement of a block goes too.
        """
        first, last = self.line_start(start), self.line_end(end)
        if self.data[first:start].strip() or self.data[end:last].strip():
            follows = re.match(rb"[ \t]*;[ \t]*", self.data[end:last])
            return self.edit(start, end + (follows.end() if follows else 0), "")
        before = self.data[:first].rstrip(b" \t\r\n")
        blank = re.match(rb"[ \t]*\r?\n", self.data[last:])
        if blank and (before.endswith(b"{") or self.data[:first].endswith((b"\n\n", b"\n\r\n"))):
            last += blank.end()
        return self.edit(first, last, "")

    def _path(self, start: int, end: int) -> Iterator[SgNode]:
        """The nodes around some bytes, from the root inwards."""
        low, high = self._char(start), self._char(end)
        node: SgNode | None = self.root
        while node is not None:
            yield node
            node = next(
                (c for c in node.children() if c.range().start.index <= low and high <= c.range().end.index), None
            )

    def _byte(self, char: int) -> int:
        return char if self._plain else len(self.text[:char].encode())

    def _char(self, byte: int) -> int:
        if self._plain:
            return byte
        # `decode` gives one byte for each that is not UTF-8, so the text's own bytes are the file's.
        return len(self.text.encode()[:byte].decode("utf-8", "ignore"))


def named_children(node: SgNode) -> list[SgNode]:
    """The children of a node that are code: no punctuation and no comments."""
    return [child for child in node.children() if child.is_named() and child.kind() != COMMENT]


def names_of(declaration: SgNode) -> list[str]:
    """The names that a parameter's or variable's declaration gives; none where it only says a type."""
    return [name.text() for name in declaration.field_children("name") if name.is_named()]


def block_around(node: SgNode) -> tuple[SgNode | None, SgNode]:
    """The block or case around a node, and the statement in it that holds the node."""
    child = node
    parent = node.parent()
    while parent is not None and parent.kind() not in BLOCKS:
        child, parent = parent, parent.parent()
    return parent, child


def function_around(node: SgNode) -> SgNode | None:
    """The declared function or literal around a node."""
    parent = node.parent()
    while parent is not None and parent.kind() not in FUNCTIONS:
        parent = parent.parent()
    return parent
