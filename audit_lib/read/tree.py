"""A Go file as a tree, with what a scan asks of it, most of it made only when it is asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from ast_grep_py import SgNode, SgRoot

from audit_lib.read.functions import Functions
from audit_lib.read.imports import Imports
from audit_lib.read.limits import REPARSE_LIMIT, check_places
from audit_lib.read.positions import Positions
from audit_lib.read.queries import FUNCTION_KINDS, Query, any_of, calls_of, errors_in, find_all, of_kinds
from audit_lib.read.scopes import Scopes

_NEW, _MASK = "new(", "neW("
_CALL = "call_expression"


class Tree:
    """One parsed file. `calls` are those of something with one of the names that were asked for.

    Raises `LimitError` for a file that would take too long; so does what is asked of it.
    """

    def __init__(self, text: str, names: Iterable[str] = ()) -> None:
        self.text = text
        root = SgRoot(text, "go").root()
        self.imports = Imports(root)
        wanted = sorted(names)
        calls = [calls_of(wanted, plain=self.imports.any_dot())] if wanted else []
        self.root, nodes = _query(text, root, any_of((*errors_in(text), *of_kinds(FUNCTION_KINDS), *calls)))
        self.calls = nodes.calls
        self._nodes = nodes
        check_places(text, len(nodes.calls) + len(nodes.functions))

    @property
    def broken(self) -> int | None:
        """The character offset of the first syntax error, `None` where there is none."""
        return next((node.range().start.index for node in self._nodes.errors), None)

    @cached_property
    def positions(self) -> Positions:
        """The positions of the text."""
        return Positions(self.text)

    @cached_property
    def scopes(self) -> Scopes:
        """The names declared inside the functions of the file."""
        return Scopes(self.root, self.text)

    @cached_property
    def functions(self) -> Functions:
        """The functions of the file."""
        return Functions(self._nodes.functions)


@dataclass
class _Nodes:
    """What one query found, by what it is."""

    calls: list[SgNode] = field(default_factory=list)
    functions: list[SgNode] = field(default_factory=list)
    errors: list[SgNode] = field(default_factory=list)


def _find(root: SgNode, query: Query) -> _Nodes:
    nodes = _Nodes()
    for node in find_all(root, query):
        kind = node.kind()
        if kind == _CALL:
            nodes.calls.append(node)
        elif kind in FUNCTION_KINDS:
            nodes.functions.append(node)
        else:
            nodes.errors.append(node)
    return nodes


def _query(text: str, root: SgNode, query: Query) -> tuple[SgNode, _Nodes]:
    """The nodes that a query finds in a text, and the root that it found them in.

    The grammar takes the argument of `new` for a type and stumbles over `new("a")`, which is Go since 1.26. There the
    call is given another name of the same length: no offset moves, and no rule asks for `new`.
    """
    nodes = _find(root, query)
    for _ in range(REPARSE_LIMIT if nodes.errors else 0):
        if _NEW not in text:
            break
        check_places(text, len(nodes.errors))
        masked = _mask_new(text, nodes.errors)
        if masked == text:
            break
        again = SgRoot(masked, "go").root()
        found = _find(again, query)
        if len(found.errors) >= len(nodes.errors):
            break
        text, root, nodes = masked, again, found
        if not nodes.errors:
            break
    return root, nodes


def _mask_new(text: str, errors: list[SgNode]) -> str:
    """The text in which, for each error, the last call of `new` that ends before its end and has its name is masked."""
    calls = _places(text, _NEW)
    free = list(range(len(calls) + 1))  # of each number of calls, how many are left when those masked are left out
    for node in errors:
        count = bisect_right(calls, node.range().end.index - len(_NEW))
        left = count
        while free[left] != left:
            left = free[left]
        while free[count] != left:  # so that the next one finds it at once
            free[count], count = left, free[count]
        if left:
            free[left] = left - 1
    pieces, done = [], 0
    for number, at in enumerate(calls, 1):
        if free[number] != number:
            pieces += [text[done:at], _MASK]
            done = at + len(_NEW)
    return "".join([*pieces, text[done:]])


def _places(text: str, part: str) -> list[int]:
    places = []
    at = text.find(part)
    while at >= 0:
        places.append(at)
        at = text.find(part, at + len(part))
    return places
