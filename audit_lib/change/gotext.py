"""A Go file by bytes and as a tree: the stretches that edits are made of, found at positions that facts name.

All offsets are bytes, as in facts; ast-grep counts characters, and only this module knows.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from ast_grep_py import SgNode, SgRoot

from audit_lib.change.edits import EditError
from audit_lib.model import Edit, Span
from audit_lib.read.imports import Imports
from audit_lib.read.limits import LINES_LIMIT, LimitError, check_places
from audit_lib.read.positions import Positions, decode
from audit_lib.read.queries import BLOCKS, any_of, find_all, of_kinds
from audit_lib.read.scopes import Scopes

DECLARATIONS = ("function_declaration", "method_declaration")
FUNCTIONS = (*DECLARATIONS, "func_literal")
CALLS = ("call_expression", "type_conversion_expression")
COMMENT = "comment"
ROOTS = ("call_expression", "selector_expression", "identifier")
_BLANKS = re.compile(rb"[ \t]*")
_LINE_END = re.compile(rb"[ \t]*(?://[^\n]*)?\r?\n\s*")
_SEMICOLON = re.compile(rb"[ \t]*;[ \t]*")
_BLANK_LINE = re.compile(rb"[ \t]*\r?\n")


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
        self._positions = Positions(self.text)
        self._inside: dict[SgNode, tuple[list[SgNode], list[int]]] = {}
        self.beside: Callable[[], Iterable[GoText]] = tuple
        """The other files of its folder."""

    @cached_property
    def root(self) -> SgNode:
        """The tree. Raises `EditError` for a file in which places would take too long to tell."""
        root = SgRoot(self.text, "go").root()
        try:
            if len(self.text) ** 2 > LINES_LIMIT:
                check_places(self.text, len(find_all(root, any_of(of_kinds((*CALLS, COMMENT))))))
        except LimitError as error:
            raise EditError(f"{self.file}: {error}; name it in `exclude` in ctxaudit.toml") from error
        return root

    @cached_property
    def imports(self) -> Imports:
        """What the file imports."""
        return Imports(self.root)

    @cached_property
    def scopes(self) -> Scopes:
        """The names that are declared inside of the file's functions."""
        return Scopes(self.root, self.text)

    @cached_property
    def declared(self) -> frozenset[str]:
        """The names that the file declares for its package: those of variables, constants, types and functions."""
        return frozenset(name for node in self.root.children() for name in _declared_by(node))

    def hides(self, name: str, at: int) -> bool:
        """Whether a name at an offset means what is declared in the function around it."""
        return self.scopes.hides(name, self._char(at))

    def is_declared_in_package(self, name: str) -> bool:
        """Whether a file of its folder declares a name: then no file of the package can import something by it."""
        files = (self, *self.beside())
        return any(file.has_word(0, len(file.data), name) and name in file.declared for file in files)

    def start(self, node: SgNode) -> int:
        """Where a node begins."""
        return self.byte(node.range().start.index)

    def end(self, node: SgNode) -> int:
        """Where a node ends."""
        return self.byte(node.range().end.index)

    def edit(self, start: int, end: int, text: str) -> Edit:
        """The edit that replaces bytes by a text."""
        line = self.line_of(start)
        return Edit(Span(self.file, start, end, line, start - self._lines[line - 1] + 1), text)

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
        first = _behind_opening(self.data, listed.start, self.start(listed.items[0]))
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
        return bisect_right(self._lines, at)

    @cached_property
    def _lines(self) -> list[int]:
        """Where lines begin, also one behind the last newline."""
        return list(accumulate((len(line) + 1 for line in self.data.split(b"\n")), initial=0))[:-1]

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
            follows = _SEMICOLON.match(self.data, end, last)
            return self.edit(start, follows.end() if follows else end, "")
        before = self.data[:first].rstrip(b" \t\r\n")
        blank = _BLANK_LINE.match(self.data, last)
        if blank and (before.endswith(b"{") or self.data[:first].endswith((b"\n\n", b"\n\r\n"))):
            last = blank.end()
        return self.edit(first, last, "")

    def _path(self, start: int, end: int) -> Iterator[SgNode]:
        """The nodes around some bytes, from the root inwards."""
        low, high = self._char(start), self._char(end)
        node: SgNode | None = self.root
        while node is not None:
            yield node
            children, ends = self._children(node)
            first = bisect_left(ends, high)
            found = children[first] if first < len(children) else None
            node = found if found is not None and found.range().start.index <= low else None

    def _children(self, node: SgNode) -> tuple[list[SgNode], list[int]]:
        """The children of a node, and where they end; kept, since a function may have many statements."""
        known = self._inside.get(node)
        if known is None:
            children = node.children()
            known = children, [child.range().end.index for child in children]
            self._inside[node] = known
        return known

    def byte(self, char: int) -> int:
        """The byte offset of a character offset."""
        return self._positions.byte(char)

    def _char(self, byte: int) -> int:
        # `decode` gives one byte for each that is not UTF-8, so the text's own bytes are the file's.
        return self._positions.char(byte)


def _behind_opening(data: bytes, at: int, end: int) -> int:
    """Where a line begins that follows on what opens a list; or else where the first blanks end.

    Between `at` and `end` there are blanks and comments only. Comments that end on the opening's line are passed.
    """
    passed, newline = at, data.find(b"\n", at, end)
    while True:
        begins = _end_of(_BLANKS, data, passed, end)
        closes = data.find(b"*/", begins + 2, newline if newline >= 0 else end)
        if not data.startswith(b"/*", begins, end) or closes < 0:
            break
        passed = closes + 2
    line = _LINE_END.match(data, passed, end)
    return line.end() if line else _end_of(_BLANKS, data, at, end)


def _end_of(pattern: re.Pattern[bytes], data: bytes, at: int, end: int) -> int:
    match = pattern.match(data, at, end)
    return match.end() if match else at


def named_children(node: SgNode) -> list[SgNode]:
    """The children of a node that are code: no punctuation and no comments."""
    return [child for child in node.children() if child.is_named() and child.kind() != COMMENT]


def names_of(declaration: SgNode) -> list[str]:
    """The names that a parameter's or variable's declaration gives; none where it only says a type."""
    return [name.text() for name in declaration.field_children("name") if name.is_named()]


def _declared_by(node: SgNode) -> Iterator[str]:
    if node.kind() == "function_declaration":
        yield from names_of(node)
    elif node.kind() in ("var_declaration", "const_declaration", "type_declaration"):
        for spec in node.children():
            listed = spec.children() if spec.kind() == "var_spec_list" else [spec]
            yield from (name for one in listed for name in names_of(one))


def block_around(node: SgNode) -> tuple[SgNode | None, SgNode]:
    """The block or case around a node, and the statement in it that holds the node."""
    child = node
    for parent in node.ancestors():
        if parent.kind() in BLOCKS:
            return parent, child
        child = parent
    return None, child


def function_around(node: SgNode) -> SgNode | None:
    """The declared function or literal around a node."""
    return next((parent for parent in node.ancestors() if parent.kind() in FUNCTIONS), None)
