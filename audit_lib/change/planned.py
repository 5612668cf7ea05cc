"""What a planner gives: changes by component, and what is refused; and what it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from audit_lib.change.edits import Edits, by_file
from audit_lib.model import Change, Refusal


@dataclass(frozen=True)
class Component:
    """Changes that share a signature group: weighed, verified, rolled back and put into a patch as a whole.

    `title` is what people call it: `Store.Get and 4 more`, or a place. The edits of a change are all that its finding
    needs, those that others need too included. `moved` counts the roots that are written at callers in place of those
    removed, outside tests; `notes` are for a reviewer. `guardable`: a source in it may be nil, and the planner can plan
    it again with a guard. `needs` are findings of other components, without whose changes it may not compile.
    """

    title: str
    changes: tuple[Change, ...]
    moved: int = 0
    notes: tuple[str, ...] = ()
    guardable: bool = False
    needs: frozenset[str] = frozenset()

    @property
    def fingerprints(self) -> frozenset[str]:
        """The findings that it carries out."""
        return frozenset(change.fingerprint for change in self.changes)

    @property
    def files(self) -> tuple[str, ...]:
        """The files that it edits, sorted."""
        return tuple(sorted({edit.span.file for change in self.changes for edit in change.edits}))


@dataclass(frozen=True)
class Plan:
    """All that is to be done, and what is not, with reasons. Two components share no edit."""

    components: tuple[Component, ...]
    refusals: tuple[Refusal, ...]


class Planner(Protocol):
    """Plans, as often as is asked for: pure and deterministic."""

    def __call__(self, *, guarded: frozenset[str], refused: Mapping[str, str]) -> Plan:
        """A plan in which the sources of `guarded` findings have nil guards, and `refused` ones become refusals.

        Both hold fingerprints; those of `refused` come with the reason.
        """


def edits_of(components: Iterable[Component]) -> dict[str, Edits]:
    """The edits of components, by file."""
    return by_file(edit for component in components for change in component.changes for edit in change.edits)
