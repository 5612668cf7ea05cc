"""What people say beside a root of why it does not end with its caller, in plain words."""

from __future__ import annotations

import re

from ast_grep_py import SgNode

from audit_lib.read.queries import BLOCKS

_ANOTHER = re.compile(
    r"\b(background|new|fresh|separate|own|different|detached|clean|independent|another)\b[^.]{0,30}\b(context|ctx)\b"
    r"|context\.(background|todo)\b",
    re.IGNORECASE,
)
"""A context that is not the one there."""

_NOT_ENDED = re.compile(
    r"\beven (if|when|though|after)\b|\b(regardless|independen|irrespective|whether or not|no matter)"
    r"|\b(outlive|survive|guarantee)"
    r"|(\bnot|n't|\bnever|\bwithout|\bavoid\w*|\bprevent\w*)\b[^.]{0,60}"
    r"\b(cancel|abort|interrupt|time[sd]? ?out|expire)"
    r"|\b(because|since|as|in case)\b[^.]{0,60}\b(context|ctx|request)\b[^.]{0,40}"
    r"\b(may|might|could|can|will|would|has|is|was|been|already)\b[^.]{0,25}"
    r"\b(done|cancell?ed|expired|closed|ended|gone|timed out)\b",
    re.IGNORECASE,
)
"""That it is not to end with the one there."""

_TO_DO = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def remark_at(text: str, root: SgNode) -> str:
    """The words of the comment at a root, on its line or right above its statement, that say why it is one.

    Empty where they do not say it: they must name another context, and that it is not to end with the one there. A note
    of what is still to be done says nothing.
    """
    for words in (_behind(text, root.range().end.index), _above(text, _statement(root).range().start.index)):
        if _ANOTHER.search(words) and _NOT_ENDED.search(words) and not _TO_DO.search(words):
            return words
    return ""


def _statement(node: SgNode) -> SgNode:
    parent = node.parent()
    while parent is not None and parent.kind() not in (*BLOCKS, "source_file"):
        node, parent = parent, parent.parent()
    return node


def _behind(text: str, at: int) -> str:
    end = text.find("\n", at)
    _, slashes, words = text[at : end if end >= 0 else len(text)].partition("//")
    return words.strip() if slashes else ""


def _above(text: str, at: int) -> str:
    lines: list[str] = []
    end = text.rfind("\n", 0, at)
    while end > 0:
        start = text.rfind("\n", 0, end) + 1
        line = text[start:end].strip()
        if not line.startswith("//"):
            break
        lines.insert(0, line.removeprefix("//").strip())
        end = start - 1
    return " ".join(lines)
