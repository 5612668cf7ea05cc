"""Where in a Go file a name means something local: a variable, parameter or type that hides an imported package."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from operator import itemgetter

from ast_grep_py import SgNode

from audit_lib.read.limits import ancestors, check_places
from audit_lib.read.prefilter import stands_alone
from audit_lib.read.queries import FUNCTION_KINDS, declarations_of, find_all

_LARGE = 200_000  # characters: a smaller file cannot be so deep in so many places that it matters
_STATEMENTS = frozenset({"if_statement", "for_statement", "expression_switch_statement", "type_switch_statement"})
_CASES = frozenset({"expression_case", "type_case", "default_case", "communication_case"})
_SCOPES = _STATEMENTS | _CASES | {*FUNCTION_KINDS, "block"}
_PARAMETERS = frozenset({"parameter_declaration", "variadic_parameter_declaration", "type_parameter_declaration"})
_SPECS = frozenset({"var_spec", "const_spec", "type_spec", "type_alias"})
_LISTS = frozenset({"short_var_declaration", "range_clause", "receive_statement", "type_switch_statement"})


class Scopes:
    """The stretches of a file in which names are hidden by local declarations, found per name on demand."""

    def __init__(self, root: SgNode, text: str) -> None:
        self._root = root
        self._text = text
        self._hidden: dict[str, list[tuple[int, int]]] = {}

    def hides(self, name: str, char: int) -> bool:
        """Whether `name` at a character offset means something declared inside the function around it."""
        if name not in self._hidden:
            nodes = self._uses_of(name) if stands_alone(self._text, name) else []
            check_places(self._text, len(nodes))
            found = (_scope_of(node) for node in nodes)
            self._hidden[name] = _apart(scope for scope in found if scope is not None)
        stretches = self._hidden[name]
        index = bisect_right(stretches, char, key=itemgetter(0)) - 1
        return index >= 0 and char < stretches[index][1]

    def _uses_of(self, name: str) -> list[SgNode]:
        """Where a name stands on its own. Raises `LimitError` where one lies too deep."""
        if len(self._text) > _LARGE:
            # The query below looks for the parent of each, from the root on: that they are not deep is seen first.
            for node in find_all(self._root, {"kind": "identifier", "pattern": name}):
                ancestors(node)
        return find_all(self._root, declarations_of(name))


def _apart(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The stretches in order, those that overlap as one."""
    apart: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if apart and start <= apart[-1][1]:
            apart[-1] = apart[-1][0], max(end, apart[-1][1])
        else:
            apart.append((start, end))
    return apart


def _scope_of(node: SgNode) -> tuple[int, int] | None:
    """The scope of the declaration that a name stands in, if it is one: from where to where it holds."""
    around = ancestors(node)
    declared = _declaration_of(node, around)
    if declared is None:
        return None
    declaration = around[declared]
    switch = declaration.field("value") if declaration.kind() == "type_switch_statement" else None
    for scope in around[declared + (switch is None) :]:
        # The parameters of a function type or of an interface's method hold nowhere.
        if scope.kind() in ("function_type", "method_elem", "method_spec"):
            return None
        if switch is not None or scope.kind() in _SCOPES:
            # What is declared does not hold in its own declaration: `context := context.Background()`.
            begins = switch or declaration
            return begins.range().end.index, scope.range().end.index
    return None


def _declaration_of(node: SgNode, around: Sequence[SgNode]) -> int | None:
    """Which of the nodes around a name declares it."""
    if not around:
        return None
    parent = around[0]
    kind = parent.kind()
    if kind in _PARAMETERS:
        # A type that has the name is no declaration of it.
        return 0 if node.kind() == "identifier" else None
    if kind in _SPECS:
        return 0 if _is_declared_by(parent, node) else None
    if kind != "expression_list" or len(around) < 2 or around[1].kind() not in _LISTS:
        return None
    names = around[1].field("alias") or around[1].field("left")
    return 1 if names is not None and names.range().start.index == parent.range().start.index else None


def _is_declared_by(spec: SgNode, node: SgNode) -> bool:
    """Whether a name is declared by a `var`, `const` or `type`, and not its type."""
    named = spec.field("type")
    return named is None or named.range().start.index != node.range().start.index
