"""The reason why a root is kept, written beside it: `//ctxaudit:keep reason`, on a line of its own above."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from audit_lib.change.edits import span_of, splice
from audit_lib.change.planned import Component, Plan, Planner
from audit_lib.change.reconcile import DOCUMENT
from audit_lib.model import Change, Edit, Finding
from audit_lib.read.directives import directives_of
from audit_lib.read.positions import decode
from audit_lib.read.tree import Tree

_DIRECTIVE = "directive"
"""The rule of findings that a person's word has decided."""


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
    """A component for each file that has kept roots without a word of why, tests and generated files left out.

    Left out too is a root where a comment above its line would be none, for instance inside of a string of many lines.
    """
    wanted = sorted((one for one in findings if _wanted(one, generated)), key=lambda one: one.site.span)
    components = []
    for file, group in groupby(wanted, key=lambda one: one.site.span.file):
        changes = _changes(file, (target / file).read_bytes(), group)
        if changes:
            components.append(Component(f"reasons in {file}", changes))
    return tuple(components)


def _wanted(finding: Finding, generated: Collection[str]) -> bool:
    return (
        finding.verdict == "keep"
        and finding.site.kind == "root"
        and finding.rule != _DIRECTIVE
        and finding.category != "test"
        and finding.site.span.file not in generated
    )


def _changes(file: str, data: bytes, findings: Iterable[Finding]) -> tuple[Change, ...]:
    changes = []
    for line, group in groupby(findings, key=lambda one: one.site.span.line):
        own = list(group)
        edit = _note(file, data, own)
        if _covers(data, edit, line):
            changes += [Change(one.fingerprint, DOCUMENT, (file,), (edit,)) for one in own]
    return tuple(changes)


def _note(file: str, data: bytes, findings: Sequence[Finding]) -> Edit:
    """One comment for all roots of a line."""
    at = data.rfind(b"\n", 0, findings[0].site.span.start) + 1
    rest = data[at:]
    indent = rest[: len(rest) - len(rest.lstrip(b" \t"))].decode()
    reasons = dict.fromkeys(" ".join(finding.reason.split()) for finding in findings)
    return Edit(span_of(data, file, at, at), f"{indent}//ctxaudit:keep {'; '.join(reasons)}\n")


def _covers(data: bytes, edit: Edit, line: int) -> bool:
    """Whether the comment is one, and speaks for the root's line, which has moved down by one."""
    tree = Tree(decode(splice(data, [edit]))[0])
    return any(word.covers == line + 1 and word.span.line == line for word in directives_of(tree, edit.span.file))
