"""Why a root is left, written on a line of its own above it: `//ctxaudit:keep reason`, or what a person must decide."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from audit_lib.change.edits import span_of, splice
from audit_lib.change.gotext import GoText
from audit_lib.change.planned import Component, Plan, Planner
from audit_lib.model import DOCUMENT, Change, Edit, Finding
from audit_lib.read.directives import directives_of
from audit_lib.read.positions import decode
from audit_lib.read.tree import Tree
from audit_lib.untrusted.files import on_disk, read_bytes
from audit_lib.untrusted.text import comment

_DIRECTIVE = "directive"
"""The rule of findings that a person's word has decided."""

_REVIEW = "// ctxaudit: for review: "
"""How the comment above a root begins about which a person must decide: it keeps nothing."""


@dataclass(frozen=True)
class Documenting:
    """A planner whose plans hold `notes` besides what another plans."""

    planner: Planner
    notes: tuple[Component, ...]

    def __call__(self, *, guarded: frozenset[str], refused: Mapping[str, str]) -> Plan:
        """The other's plan, with the notes behind: where both want the same place, the note gives way."""
        plan = self.planner(guarded=guarded, refused=refused)
        notes = tuple(note for note in self.notes if note.fingerprints.isdisjoint(refused))
        return Plan((*plan.components, *notes), plan.refusals)


def notes(target: Path, findings: Sequence[Finding], generated: Collection[str]) -> tuple[Component, ...]:
    """A component for each file with roots that are left without a word of why, but for tests and generated files.

    Left out too is a root where a comment above its line would be none, for instance inside of a string of many lines.
    """
    wanted = sorted((one for one in findings if _wanted(one, generated)), key=lambda one: one.site.span)
    components = []
    for file, group in groupby(wanted, key=lambda one: one.site.span.file):
        changes = _changes(file, read_bytes(target, on_disk(file)), group)
        if changes:
            components.append(Component(f"reasons in {file}", changes))
    return tuple(components)


def said_above(text: GoText, at: int, function: str, own: str) -> Edit | None:
    """The comment on a root which is written at an offset of a function; None where a line above would be no comment.

    `own` is the context that the function's receiver keeps, if it does: whether that is right there is not known.
    """
    words = f"//ctxaudit:keep nothing hands a context to {comment(function)}"
    if own:
        words = f"{_REVIEW}nothing hands a context to {comment(function)}; {comment(own)} may be right, or have ended"
    edit = _above(text.file, text.data, at, words)
    return edit if _covers(text.data, edit, text.line_of(at)) else None


def _wanted(finding: Finding, generated: Collection[str]) -> bool:
    return (
        finding.verdict in ("keep", "review")
        and finding.site.kind == "root"
        and finding.rule != _DIRECTIVE
        and finding.category != "test"
        and finding.site.span.file not in generated
    )


def _changes(file: str, data: bytes, findings: Iterable[Finding]) -> tuple[Change, ...]:
    changes = []
    for line, group in groupby(findings, key=lambda one: one.site.span.line):
        own = list(group)
        at = own[0].site.span.start
        edit = _above(file, data, at, _said(own))
        if not _is_said(data, edit.span.start) and _covers(data, edit, line):
            changes += [Change(one.fingerprint, DOCUMENT, (file,), (edit,)) for one in own]
    return tuple(changes)


def _said(findings: Sequence[Finding]) -> str:
    """One comment for all roots of a line."""
    reasons = dict.fromkeys(comment(finding.reason) for finding in findings)
    kept = all(finding.verdict == "keep" for finding in findings)
    return f"{'//ctxaudit:keep ' if kept else _REVIEW}{'; '.join(reasons)}"


def _above(file: str, data: bytes, at: int, words: str) -> Edit:
    """The edit that writes a comment on a line of its own above the one of an offset."""
    start = data.rfind(b"\n", 0, at) + 1
    rest = data[start:]
    indent = rest[: len(rest) - len(rest.lstrip(b" \t"))].decode()
    return Edit(span_of(data, file, start, start), f"{indent}{words}\n")


def _is_said(data: bytes, start: int) -> bool:
    """Whether the line above one that begins at an offset asks a person already."""
    above = data[data.rfind(b"\n", 0, max(start - 1, 0)) + 1 : start]
    return above.strip().startswith(_REVIEW.strip().encode())


def _covers(data: bytes, edit: Edit, line: int) -> bool:
    """Whether what is written is a comment, and stands for the root's line, which has moved down by one."""
    as_kept = Edit(edit.span, f"{_blanks(edit.text)}//ctxaudit:keep it\n")
    tree = Tree(decode(splice(data, [as_kept]))[0])
    return any(word.covers == line + 1 and word.span.line == line for word in directives_of(tree, edit.span.file))


def _blanks(text: str) -> str:
    return text[: len(text) - len(text.lstrip(" \t"))]
