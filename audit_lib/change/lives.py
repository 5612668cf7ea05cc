"""Where a local context ends before its block does: what it belongs to was waited for."""

from __future__ import annotations

from ast_grep_py import SgNode

from audit_lib.change.gotext import GoText, block_around, named_children
from audit_lib.read.facts import Origin


def ended_at(text: GoText, source: Origin) -> int | None:
    """Where a statement of the same block waits for the group that a local context belongs to, or None."""
    group = _group_of(text, source)
    name = text.around(source.declared, "identifier") if group else None
    block, statement = block_around(name) if name is not None else (None, None)
    if block is None or statement is None:
        return None
    behind = False
    for sibling in named_children(block):
        behind = behind or sibling.range() == statement.range()
        if behind and _waits_for(sibling, group):
            return text.end(sibling)
    return None


def _group_of(text: GoText, source: Origin) -> str:
    """The group whose context a local is, `group, ctx := errgroup.WithContext(…)`: it ends when the group has."""
    names, statement = _declared_with(text, source)
    if len(names) != 2 or names[1] != source.name or statement is None or "WithContext(" not in statement.text():
        return ""
    return names[0]


def _waits_for(statement: SgNode, group: str) -> bool:
    return any(call.text() == f"{group}.Wait()" for call in statement.find_all(kind="call_expression"))


def _declared_with(text: GoText, source: Origin) -> tuple[list[str], SgNode | None]:
    """What a statement declares of which one is a local context, and the statement."""
    name = text.around(source.declared, "identifier")
    names = name.parent() if name is not None else None
    if names is None or names.kind() != "expression_list":
        return [], None
    return [node.text() for node in named_children(names)], names.parent()
