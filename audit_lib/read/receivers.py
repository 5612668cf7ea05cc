"""What a file shows of the receivers of methods, without types: the names that it declares as one.

`Get` is a method of many types in a package that imports net/http. A rule that names its `receivers` only takes a call
on a name that the package declares as one: a field, parameter, variable or result, or what a literal is assigned to.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from ast_grep_py import SgNode

from audit_lib.read.limits import NAME_LIMIT, ancestors, check_places
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
    found = find_all(tree.root, {"kind": "qualified_type"})
    check_places(tree.text, len(found))
    for node in found:
        if _is_receiver(tree, node, rule):
            yield from _named_by(node)


def last_name(node: SgNode) -> str:
    """The name that an expression ends in: `client` of `s.client`, `clientFor` of `s.clientFor(url)`."""
    while node.kind() == "call_expression" and (called := node.field("function")) is not None:
        node = node.field("field") or called
    last = node.field("field") or node.field("function") or node
    extent = last.range()
    # Nobody declares a name of this length: the text of an expression, for each call in it, is not made.
    return last.text() if extent.end.index - extent.start.index <= NAME_LIMIT else ""


def _is_receiver(tree: Tree, node: SgNode, rule: Rule) -> bool:
    package, name = node.field("package"), node.field("name")
    if package is None or name is None or name.text() not in rule.receivers:
        return False
    return any(package.text() in tree.imports.names(path, rule.package_name) for path in rule.packages)


def _named_by(node: SgNode) -> Iterator[str]:
    """The names that a type, or a literal of it, is given where it stands."""
    around = iter(ancestors(node))
    parent = next((outer for outer in around if outer.kind() not in _AROUND), None)
    if parent is not None and parent.kind() == "expression_list":
        parent = next(around, None)
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
        # A parameter declaration without a name may be among the results of a function.
        function = next(islice(around, 1, None), None)
        yield from names or _name_of(function if function is not None and function.kind() in _FUNCTIONS else None)


def _name_of(function: SgNode | None) -> Iterator[str]:
    name = function.field("name") if function is not None else None
    if name is not None:
        yield name.text()
