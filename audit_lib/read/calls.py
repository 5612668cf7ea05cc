"""The calls in a tree that a set of rules means, each with the rule and whether syntax alone proves it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from ast_grep_py import SgNode

from audit_lib.read.imports import DOT
from audit_lib.read.limits import NAME_LIMIT, name_of
from audit_lib.read.queries import find_configured
from audit_lib.read.receivers import last_name
from audit_lib.read.rules import Rule
from audit_lib.read.tree import Tree

_CALL = "call_expression"
_NAMES = frozenset({"identifier", "field_identifier", "type_identifier"})
_UNSAID = "(…)"


@dataclass(frozen=True)
class Match:
    """A node that a rule means: what it calls, what to call instead, and whether types still have a say."""

    rule: Rule
    node: SgNode
    callee: str
    replacement: str
    certain: bool


Receivers = Callable[[Rule], Collection[str]]
"""The names that a rule's methods are called on."""


def names_in(rules: Iterable[Rule], methods: Iterable[Rule]) -> set[str]:
    """The names whose calls a tree must find for `matches_in`."""
    return {name for rule in methods for name in rule.methods} | {name for rule in rules for name in rule.functions}


def matches_in(tree: Tree, rules: Iterable[Rule], methods: Iterable[Rule], receivers: Receivers) -> Iterator[Match]:
    """The matches of `rules` by their functions and patterns, and of `methods` by their methods."""
    functions = [rule for rule in rules if rule.functions and _imports(tree, rule)]
    methods = tuple(methods)
    for call in tree.calls:
        match = _function_call(tree, call, functions) or _method_call(tree, call, methods, receivers)
        if match is not None:
            yield match
    for rule in rules:
        if rule.rule is not None and (not rule.packages or _imports(tree, rule)):
            for node in find_configured(tree.root, rule.matcher()):
                yield Match(rule, node, rule.callee or callee_text(node), rule.replacement, rule.certain)


def _imports(tree: Tree, rule: Rule) -> bool:
    return any(path in tree.imports for path in rule.packages)


def _called(call: SgNode) -> tuple[SgNode | None, str]:
    """What a call selects from, if anything, and the name that it calls."""
    function = _bare(call.field("function"))
    if function is None:
        return None, ""
    field = function.field("field")
    return (function.field("operand"), field.text()) if field is not None else (None, function.text())


def _bare(node: SgNode | None) -> SgNode | None:
    while node is not None and node.kind() == "parenthesized_expression":
        node = next(iter(node.named_children()), None)
    return node


def _function_call(tree: Tree, call: SgNode, rules: list[Rule]) -> Match | None:
    operand, name = _called(call)
    local = DOT if operand is None else operand.text() if operand.kind() in _NAMES else _UNSAID
    for rule in rules:
        if name not in rule.functions or not any(
            local in tree.imports.names(path, rule.package_name) for path in rule.packages
        ):
            continue
        if not tree.scopes.hides(name if operand is None else local, call.range().start.index):
            return Match(rule, call, f"{rule.package_name}.{name}", rule.functions[name], rule.certain)
    return None


def _method_call(tree: Tree, call: SgNode, rules: Iterable[Rule], receivers: Receivers) -> Match | None:
    operand, name = _called(call)
    if operand is None or _is_package(tree, operand):
        return None
    arguments = call.field("arguments")
    count = sum(node.kind() != "comment" for node in arguments.named_children()) if arguments else 0
    for rule in rules:
        method = rule.methods.get(name)
        if method is None or not method.takes(count):
            continue
        if not rule.receivers or last_name(operand) in receivers(rule):
            return Match(rule, call, callee_text(call), method.replacement, certain=False)
    return None


def _is_package(tree: Tree, operand: SgNode) -> bool:
    """Whether `x` in `x.Name()` is an imported package, which has functions and no methods."""
    if operand.kind() != "identifier" or operand.text() not in tree.imports.all_names:
        return False
    return not tree.scopes.hides(operand.text(), operand.range().start.index)


def callee_text(node: SgNode) -> str:
    """What is called, as people read it, without arguments and line breaks: `s.db.Query`, `s.handle().Exec`.

    Of a chain that is longer than people read, its end.
    """
    part = _bare(node.field("function")) if node.kind() == _CALL else node
    said = ""
    while part is not None and len(said) <= NAME_LIMIT:
        kind, operand, field = part.kind(), _bare(part.field("operand")), part.field("field")
        if kind == _CALL:
            said, part = f"(){said}", _bare(part.field("function"))
        elif kind == "selector_expression" and operand is not None and field is not None:
            said, part = f".{name_of(field)}{said}", operand
        else:
            return (name_of(part) if kind in _NAMES else _UNSAID) + said
    return _UNSAID + said
