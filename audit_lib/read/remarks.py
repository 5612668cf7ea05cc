"""What people say beside a root of why it does not end with its caller, in plain words."""

from __future__ import annotations

import re

from ast_grep_py import SgNode

from audit_lib.read.limits import COMMENT_LIMIT, ancestors
from audit_lib.read.queries import BLOCKS

_CONTEXT = re.compile(r"\b(context|ctx)\b", re.IGNORECASE)
_NAMED = re.compile(r"context\.(background|todo)\b", re.IGNORECASE)
_ANOTHER = (
    re.compile(r"\b(background|new|fresh|separate|own|different|detached|clean|independent|another)\b", re.IGNORECASE),
    (30, _CONTEXT),
)
"""A context that is not the one there. Each expression stands so many characters behind the one before it, at most."""

_NOT_ENDED = re.compile(
    r"\beven (if|when|though|after)\b|\b(regardless|independen|irrespective|whether or not|no matter)"
    r"|\b(outlive|survive|guarantee)",
    re.IGNORECASE,
)
_NOT = (
    re.compile(r"(\bnot|n't|\bnever|\bwithout|\bavoid\w*|\bprevent\w*)\b", re.IGNORECASE),
    (60, re.compile(r"\b(cancel|abort|interrupt|time[sd]? ?out|expire)", re.IGNORECASE)),
)
"""That it is not to end with the one there."""

_SINCE = (
    re.compile(r"\b(because|since|as|in case)\b", re.IGNORECASE),
    (60, re.compile(r"\b(context|ctx|request)\b", re.IGNORECASE)),
    (40, re.compile(r"\b(may|might|could|can|will|would|has|is|was|been|already)\b", re.IGNORECASE)),
    (25, re.compile(r"\b(done|cancell?ed|expired|closed|ended|gone|timed out)\b", re.IGNORECASE)),
)
"""Since the one there has ended."""

_ON_PURPOSE = (
    re.compile(
        r"\b(background|fresh|separate|own|different|detached|independent|another)\b"
        r"|(\bnot|\bnever|n't) (be )?(us|pass|deriv|inherit|tie|shar|propagat|b[io]und)",
        re.IGNORECASE,
    ),
    (40, _CONTEXT),
)
_REASON = re.compile(
    r"\b(because|since|so|therefore|deliberate(ly)?|intentional(ly)?|on purpose|in order|must|should still)\b"
    r"|\bto (ensure|make sure|avoid|prevent|let|allow|not)\b|\b(for the (duration|life|lifetime)|as long as)\b",
    re.IGNORECASE,
)
"""That one is taken on purpose, and why."""

_LACKING = (
    re.compile(r"(\b(no|without|lacks?|not have|missing)|n't have)\b", re.IGNORECASE),
    (30, _CONTEXT),
)
_FOR_NOW = re.compile(r"\b(for now|not yet|yet|temporar(y|ily)|workaround|eventually|later)\b", re.IGNORECASE)
"""That there is none, or that it is to change: no reason against one that is there."""

_TO_DO = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def remark_at(text: str, root: SgNode) -> str:
    """The words of the comment at a root, on its line or right above its statement, that say why it is one.

    Empty where they do not say it: they must name another context, and that it is not to end with the one there, or why
    it is taken. A note of what is still to be done says nothing.
    """
    for words in (_behind(text, root.range().end.index), _above(text, _statement(root).range().start.index)):
        says_why = (says_another(words) and says_not_ended(words)) or says_reason(words)
        if says_why and not _TO_DO.search(words):
            return words
    return ""


def says_another(words: str) -> bool:
    """Whether words name another context than the one there."""
    return _NAMED.search(words) is not None or _says(words, *_ANOTHER)


def says_not_ended(words: str) -> bool:
    """Whether words say that a context is not to end with the one there, or that that one has ended."""
    return _NOT_ENDED.search(words) is not None or _says(words, *_NOT) or _says(words, *_SINCE)


def says_reason(words: str) -> bool:
    """Whether words say that another context is taken on purpose, and why; that there is none here is no reason."""
    named = _NAMED.search(words) is not None or _says(words, *_ON_PURPOSE)
    lacking = _says(words, *_LACKING) or _FOR_NOW.search(words) is not None
    return named and _REASON.search(words) is not None and not lacking


def _says(words: str, first: re.Pattern[str], *others: tuple[int, re.Pattern[str]]) -> bool:
    """Whether some expressions are found one behind the other in one sentence, each near the one before it.

    One expression for all would try each with each: so each is looked for once.
    """
    ends = [match.end() for match in first.finditer(words)]
    for gap, pattern in others:
        ends = _behind_these(words, ends, gap, pattern)
    return bool(ends)


def _behind_these(words: str, ends: list[int], gap: int, pattern: re.Pattern[str]) -> list[int]:
    """The ends of what a pattern finds in the same sentence, at most `gap` characters behind one of some offsets."""
    found = []
    number = 0
    for match in pattern.finditer(words) if ends else ():
        while number < len(ends) and ends[number] <= match.start():
            number += 1
        last = ends[number - 1] if number else -1 - gap
        if match.start() - last <= gap and "." not in words[last : match.start()]:
            found.append(match.end())
    return found


def _statement(node: SgNode) -> SgNode:
    for outer in ancestors(node):
        if outer.kind() in (*BLOCKS, "source_file"):
            break
        node = outer
    return node


def _behind(text: str, at: int) -> str:
    end = text.find("\n", at, at + COMMENT_LIMIT)
    _, slashes, words = text[at : end if end >= 0 else at + COMMENT_LIMIT].partition("//")
    return words.strip() if slashes else ""


def _above(text: str, at: int) -> str:
    lines: list[str] = []
    first = max(0, at - COMMENT_LIMIT)
    end = text.rfind("\n", first, at)
    while end > first:
        start = text.rfind("\n", first, end) + 1 or first
        line = text[start:end].strip()
        if not line.startswith("//"):
            break
        lines.append(line.removeprefix("//").strip())
        end = start - 1
    return " ".join(reversed(lines))
