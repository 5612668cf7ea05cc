"""Where in a Go file a name means something local: a variable, parameter or type that hides an imported package."""

from __future__ import annotations

from ast_grep_py import SgNode

from audit_lib.read.prefilter import stands_alone
from audit_lib.read.queries import FUNCTION_KINDS, declarations_of, find_all

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
            nodes = find_all(self._root, declarations_of(name)) if stands_alone(self._text, name) else []
            found = (_scope_of(node) for node in nodes)
            self._hidden[name] = [scope for scope in found if scope is not None]
        return any(start <= char < end for start, end in self._hidden[name])


def _scope_of(node: SgNode) -> tuple[int, int] | None:
    """The scope of the declaration that a name stands in, if it is one: from where to where it holds."""
    declaration = _declaration_of(node)
    if declaration is None:
        return None
    switch = declaration.field("value") if declaration.kind() == "type_switch_statement" else None
    scope = declaration if switch is not None else declaration.parent()
    while scope is not None and scope.kind() not in _SCOPES:
        # The parameters of a function type or of an interface's method hold nowhere.
        if scope.kind() in ("function_type", "method_elem", "method_spec"):
            return None
        scope = scope.parent()
    if scope is None:
        return None
    # What is declared does not hold in its own declaration: `context := context.Background()`.
    begins = switch or declaration
    return begins.range().end.index, scope.range().end.index


def _declaration_of(node: SgNode) -> SgNode | None:
    parent = node.parent()
    if parent is None:
        return None
    kind = parent.kind()
    if kind in _PARAMETERS:
        # A type that has the name is no declaration of it.
        return parent if node.kind() == "identifier" else None
    if kind in _SPECS:
        return parent if _is_declared_by(parent, node) else None
    if kind != "expression_list":
        return None
    holder = parent.parent()
    if holder is None or holder.kind() not in _LISTS:
        return None
    names = holder.field("alias") or holder.field("left")
    return holder if names is not None and names.range().start.index == parent.range().start.index else None


def _is_declared_by(spec: SgNode, node: SgNode) -> bool:
    """Whether a name is declared by a `var`, `const` or `type`, and not its type."""
    named = spec.field("type")
    return named is None or named.range().start.index != node.range().start.index
