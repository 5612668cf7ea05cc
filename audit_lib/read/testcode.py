"""Which files are test code though their names do not say so: those that are mostly about tests."""

from __future__ import annotations

import re
from collections.abc import Collection

from ast_grep_py import SgNode

from audit_lib.read.functions import receiver_of
from audit_lib.read.imports import DOT
from audit_lib.read.tree import Tree

_FUNCTIONS = frozenset({"function_declaration", "method_declaration"})
_TESTING = "testing"


def is_mostly_tests(tree: Tree) -> bool:
    """Whether most functions of a file are about tests, as in a file of helpers; gofacts decides in the same way.

    A program may import `testing` for one of many functions, or to ask whether it is being tested.
    """
    names = tree.imports.names(_TESTING, _TESTING)
    if not names or DOT in names:
        return bool(names)
    mention = re.compile(rf"\b(?:{'|'.join(sorted(names))})\.(?!Testing\b)")
    top = tree.root.children()
    holders = {name for node in top if node.kind() == "type_declaration" for name in _holders(node, mention)}
    functions = [node for node in top if node.kind() in _FUNCTIONS]
    tests = sum(mention.search(node.text()) is not None or _belongs(node, holders) for node in functions)
    return 2 * tests >= len(functions)


def _holders(declaration: SgNode, mention: re.Pattern[str]) -> list[str]:
    """The types of a declaration that have something of package testing in them, as suites do."""
    named = [(spec.field("name"), spec.text()) for spec in declaration.children() if spec.kind() == "type_spec"]
    return [name.text() for name, text in named if name is not None and mention.search(text)]


def _belongs(function: SgNode, holders: Collection[str]) -> bool:
    """Whether a function is a method of one of some types."""
    receiver = receiver_of(function)
    return receiver is not None and receiver[0] in holders
