"""A context of which one use outlives the others: it is cut off from the end there, where it is handed over."""

from __future__ import annotations

from collections.abc import Iterable

from ast_grep_py import SgNode

from audit_lib.change.gotext import GoText
from audit_lib.change.imports import of_context
from audit_lib.change.obstacle import Obstacle
from audit_lib.model import Edit
from audit_lib.read.facts import Use

_NAMES = ("identifier", "package_identifier")
_PARTS = ("selector_expression", "call_expression")


def cut_off(text: GoText, uses: Iterable[Use]) -> tuple[Edit, ...] | Obstacle:
    """The edits that hand a context over without its end at these uses, or where that cannot be written."""
    edits: list[Edit] = []
    for at in sorted({use.at for use in uses}):
        node = text.around(at, *_NAMES)
        if node is None or text.start(node) != at:
            return Obstacle("where it is handed to what outlives it is written as this tool cannot edit it", text.file)
        value = _whole(text, node)
        edits.append(text.insert(at, f"{of_context(text, 'WithoutCancel', at)}("))
        edits.append(text.insert(text.end(value), ")"))
    return tuple(edits)


def _whole(text: GoText, name: SgNode) -> SgNode:
    """The expression that begins with a name: a variable, or a call that makes one context of another."""
    node = name
    while (parent := node.parent()) is not None and parent.kind() in _PARTS and text.start(parent) == text.start(name):
        node = parent
    return node
