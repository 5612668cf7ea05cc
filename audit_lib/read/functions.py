"""The name of the function around a place in a Go file, as the Go runtime and gofacts name it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from ast_grep_py import SgNode

from audit_lib.read.limits import NESTING_LIMIT, LimitError, name_of

_WRAPPERS = frozenset({"pointer_type", "parenthesized_type", "generic_type"})


@dataclass
class _Function:
    node: SgNode
    end: int
    parent: int
    number: int  # of a literal, from 1 among those of its parent; 0 for a declaration
    depth: int  # how many functions are around it
    literals: int = 0
    name: str = ""  # once it was asked for


class Functions:
    """The functions of one file, from their declarations and literals.

    Literals are numbered in the order of the source: in `F` they are `F.func1` and `F.func2`, in `F.func1` they are
    `F.func1.1` and `F.func1.2`; in initialisers of the package's variables `glob..func1`.
    """

    def __init__(self, declarations: Iterable[SgNode]) -> None:
        self._functions: list[_Function] = []
        self._globals = 0
        # From each of these offsets on, up to the next, the innermost function is the one beside it; -1 is none.
        self._bounds: list[int] = []
        self._inner: list[int] = []
        around = -1
        for node in sorted(declarations, key=lambda found: found.range().start.index):
            around = self._add(node, self._left(around, node.range().start.index))
        self._left(around, None)

    def name_at(self, char: int) -> str:
        """The name of the innermost function around a character offset; empty at the level of the package."""
        index = bisect_right(self._bounds, char) - 1
        around = self._inner[index] if index >= 0 else -1
        return self._name(around) if around >= 0 else ""

    def _add(self, node: SgNode, parent: int) -> int:
        extent = node.range()
        number = self._next_number(parent) if node.kind() == "func_literal" else 0
        depth = self._functions[parent].depth + 1 if parent >= 0 else 0
        self._functions.append(_Function(node, extent.end.index, parent, number, depth))
        return self._bound(extent.start.index, len(self._functions) - 1)

    def _left(self, around: int, char: int | None) -> int:
        """The innermost function around an offset, of those around the one before it; all end where there is none."""
        while around >= 0 and (char is None or self._functions[around].end <= char):
            around = self._bound(self._functions[around].end, self._functions[around].parent)
        return around

    def _bound(self, char: int, inner: int) -> int:
        self._bounds.append(char)
        self._inner.append(inner)
        return inner

    def _next_number(self, parent: int) -> int:
        if parent < 0:
            self._globals += 1
            return self._globals
        self._functions[parent].literals += 1
        return self._functions[parent].literals

    def _name(self, index: int) -> str:
        """The name of a function: that of the one around it, and its number."""
        if self._functions[index].depth > NESTING_LIMIT:
            raise LimitError(f"more than {NESTING_LIMIT} functions in each other")
        unnamed = []
        while not self._functions[index].name and self._functions[index].number and self._functions[index].parent >= 0:
            unnamed.append(index)
            index = self._functions[index].parent
        outermost = self._functions[index]
        if not outermost.name:
            number = outermost.number
            outermost.name = f"glob..func{number}" if number else declared_name(outermost.node)
        name = outermost.name
        for inner in map(self._functions.__getitem__, reversed(unnamed)):
            around = self._functions[inner.parent]
            inner.name = name = f"{name}.{'' if around.number else 'func'}{inner.number}"
        return name


def declared_name(declaration: SgNode) -> str:
    """`handle`, `(*Store).Get` or `Store.Get`; type parameters are left out."""
    name_node = declaration.field("name")
    name = name_of(name_node) if name_node else "_"
    receiver = receiver_of(declaration)
    if receiver is None:
        return name
    base, pointer = receiver
    return f"(*{base}).{name}" if pointer else f"{base}.{name}"


def receiver_of(declaration: SgNode) -> tuple[str, bool] | None:
    """The name of the type that a method belongs to, without type parameters, and whether it is a pointer; or None."""
    receiver = declaration.field("receiver")
    kinds = (one.field("type") for one in receiver.named_children()) if receiver is not None else ()
    return next((_receiver_type(kind) for kind in kinds if kind is not None), None)


def _receiver_type(node: SgNode) -> tuple[str, bool]:
    pointer = False
    while node.kind() in _WRAPPERS:
        pointer = pointer or node.kind() == "pointer_type"
        inner = node.field("type") or next(iter(node.named_children()), None)
        if inner is None:
            break
        node = inner
    return name_of(node), pointer
