"""What a fix gives: the audit with its changes, what reviewers are told of them, patches, and the files."""

from __future__ import annotations

from typing import Literal

from audit_lib.model import Audit, Record

Level = Literal["build", "test", "race"]
NOT_ASKED = "not asked for: "
"""How the refusals of findings begin that options left out."""


class Group(Record, frozen=True):
    """Changes that stand and fall together, as a reviewer reads them.

    `signatures` is the number of functions, methods and literals that get a context parameter for them, `roots` of the
    roots that go, `moved` of those that are written at callers in their place. `guarded`: a nil guard was put in after
    a test had failed.
    """

    title: str
    phase: str
    fingerprints: tuple[str, ...]
    kinds: tuple[str, ...]
    files: tuple[str, ...]
    roots: int
    signatures: int
    moved: int = 0
    guarded: bool = False
    notes: tuple[str, ...] = ()


class PhasePatch(Record, frozen=True):
    """The diff of one phase, on top of those before it; `name` is its file's."""

    phase: str
    name: str
    patch: bytes


class Fixed(Record, frozen=True):
    """A fix: `before` and `after` hold the files that change, as they were and as they are to be.

    `ok` tells whether the verification passed; only then may it be written. `unbuilt` are changed files that no build
    here has seen, `level` what was asked of the verification.
    """

    audit: Audit
    groups: tuple[Group, ...]
    patch: bytes
    phases: tuple[PhasePatch, ...]
    before: dict[str, bytes | None]
    after: dict[str, bytes]
    unbuilt: tuple[str, ...] = ()
    level: Level = "test"
    ok: bool = True
