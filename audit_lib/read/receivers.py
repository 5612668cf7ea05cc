"""What a file shows of the receivers of methods, without types: the names that it declares as one.

`Get` is a method of many types in a package that imports net/http. A rule that names its `receivers` only takes a call
on a name that the package declares as one: a field, parameter, variable or result, or what a literal is assigned to.
"""

from __future__ import annotations

from collections.abc import Iterator

from ast_grep_py import SgNode

from audit_lib.read.queries import find_all
from audit_lib.read.rules import Rule
from audit_lib.read.tree import Tree

_AROUND = frozenset(
    {"pointer_type", "composite_literal", "unary_expression", "parenthesized_expression", "literal_element"}
)
_NAMES = frozenset({"identifier", "field_identifier"})
_FUNCTIONS = frozenset({"function_declaration", "method_declaration"})


def declared_in(tree: Tree, rule: Rule) -> Iterator[str]:
    """The names that a file declares as one of a rule's receivers."""
    for node in find_all(tree.root, {"kind": "qualified_type"}):
        if _is_receiver(tree, node, rule):
            yield from _named_by(node)


def last_name(node: SgNode) -> str:
    """The name that an expression ends in: `client` of `s.client`, `clientFor` of `s.clientFor(url)`."""
    inner = node.field("field") or node.field("function")
    if inner is not None and node.kind() == "call_expression":
        return last_name(inner)
    return (inner or node).text()


def _is_receiver(tree: Tree, node: SgNode, rule: Rule) -> bool:
    package, name = node.field("package"), node.field("name")
    if package is None or name is None or name.text() not in rule.receivers:
        return False
    return any(package.text() in tree.imports.names(path, rule.package_name) for path in rule.packages)


def _named_by(node: SgNode) -> Iterator[str]:
    """The names that a type, or a literal of it, is given where it stands."""
    parent = node.parent()
    while parent is not None and parent.kind() in _AROUND:
        node, parent = parent, parent.parent()
    if parent is not None and parent.kind() == "expression_list":
        node, parent = parent, parent.parent()
    if parent is None:
        return
    if parent.kind() == "keyed_element":
        yield from (key.text() for key in parent.named_children()[:1])
    elif parent.kind() in _FUNCTIONS:
        yield from _name_of(parent)
    elif (left := parent.field("left")) is not None:
        yield from (last_name(name) for name in left.named_children())
    else:
        names = [child.text() for child in parent.named_children() if child.kind() in _NAMES]
        yield from names or _name_of(_function_of_result(parent))


def _function_of_result(parameter: SgNode) -> SgNode | None:
    """The function that has this parameter declaration, without a name, among its results."""
    results = parameter.parent()
    function = results.parent() if results is not None else None
    return function if function is not None and function.kind() in _FUNCTIONS else None


def _name_of(function: SgNode | None) -> Iterator[str]:
    name = function.field("name") if function is not None else None
    if name is not None:
        yield name.text()
