"""The name of the function around a place in a Go file, as the Go runtime and gofacts name it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from ast_grep_py import SgNode

_WRAPPERS = frozenset({"pointer_type", "parenthesized_type", "generic_type"})


@dataclass
class _Function:
    node: SgNode
    end: int
    parent: int
    number: int  # of a literal, from 1 among those of its parent; 0 for a declaration
    literals: int = 0


class Functions:
    """The functions of one file, from their declarations and literals.

    Literals are numbered in the order of the source: in `F` they are `F.func1` and `F.func2`, in `F.func1` they are
    `F.func1.1` and `F.func1.2`; in initialisers of the package's variables `glob..func1`.
    """

    def __init__(self, declarations: Iterable[SgNode]) -> None:
        self._starts: list[int] = []
        self._functions: list[_Function] = []
        self._globals = 0
        for node in sorted(declarations, key=lambda found: found.range().start.index):
            self._add(node)

    def name_at(self, char: int) -> str:
        """The name of the innermost function around a character offset; empty at the level of the package."""
        around = self._around(char)
        return self._name(self._functions[around]) if around >= 0 else ""

    def _add(self, node: SgNode) -> None:
        extent = node.range()
        parent = self._around(extent.start.index)
        number = self._next_number(parent) if node.kind() == "func_literal" else 0
        self._starts.append(extent.start.index)
        self._functions.append(_Function(node, extent.end.index, parent, number))

    def _next_number(self, parent: int) -> int:
        if parent < 0:
            self._globals += 1
            return self._globals
        self._functions[parent].literals += 1
        return self._functions[parent].literals

    def _name(self, function: _Function) -> str:
        if not function.number:
            return declared_name(function.node)
        if function.parent < 0:
            return f"glob..func{function.number}"
        around = self._functions[function.parent]
        return f"{self._name(around)}.{'' if around.number else 'func'}{function.number}"

    def _around(self, char: int) -> int:
        index = bisect_right(self._starts, char) - 1
        while index >= 0 and self._functions[index].end <= char:
            index = self._functions[index].parent
        return index


def declared_name(declaration: SgNode) -> str:
    """`handle`, `(*Store).Get` or `Store.Get`; type parameters are left out."""
    name_node, receiver = declaration.field("name"), declaration.field("receiver")
    name = name_node.text() if name_node else "_"
    if receiver is None:
        return name
    for parameter in receiver.named_children():
        kind = parameter.field("type")
        if kind is not None:
            base, pointer = _receiver_type(kind)
            return f"(*{base}).{name}" if pointer else f"{base}.{name}"
    return name


def _receiver_type(node: SgNode) -> tuple[str, bool]:
    pointer = False
    while node.kind() in _WRAPPERS:
        pointer = pointer or node.kind() == "pointer_type"
        inner = node.field("type") or next(iter(node.named_children()), None)
        if inner is None:
            break
        node = inner
    return node.text(), pointer
