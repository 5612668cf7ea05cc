"""A Go file as a tree, with what a scan asks of it, most of it made only when it is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from ast_grep_py import SgNode, SgRoot

from audit_lib.read.functions import Functions
from audit_lib.read.imports import Imports
from audit_lib.read.positions import Positions
from audit_lib.read.queries import FUNCTION_KINDS, Query, any_of, calls_of, errors_in, find_all, of_kinds
from audit_lib.read.scopes import Scopes

_NEW, _MASK = "new(", "neW("
_CALL = "call_expression"


class Tree:
    """One parsed file. `calls` are those of something with one of the names that were asked for."""

    def __init__(self, text: str, names: Iterable[str] = ()) -> None:
        self.text = text
        root = SgRoot(text, "go").root()
        self.imports = Imports(root)
        wanted = sorted(names)
        calls = [calls_of(wanted, plain=self.imports.any_dot())] if wanted else []
        self.root, nodes = _query(text, root, any_of((*errors_in(text), *of_kinds(FUNCTION_KINDS), *calls)))
        self.calls = nodes.calls
        self._nodes = nodes

    @property
    def broken(self) -> int | None:
        """The character offset of the first syntax error, `None` where there is none."""
        return min((node.range().start.index for node in self._nodes.errors), default=None)

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
    while nodes.errors:
        masked = _mask_new(text, nodes.errors)
        if masked == text:
            break
        again = SgRoot(masked, "go").root()
        found = _find(again, query)
        if len(found.errors) >= len(nodes.errors):
            break
        text, root, nodes = masked, again, found
    return root, nodes


def _mask_new(text: str, errors: list[SgNode]) -> str:
    for node in errors:
        at = text.rfind(_NEW, 0, node.range().end.index)
        if at >= 0:
            text = text[:at] + _MASK + text[at + len(_NEW) :]
    return text
