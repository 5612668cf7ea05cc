"""A fix as tables for people, beside the records and patches that `show.changes` writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pandas as pd

from audit_lib.fixed import Fixed, Group
from audit_lib.model import Audit, encode, readable
from audit_lib.show import changes, fix_frames, frames, spreadsheet
from audit_lib.show.staging import staged

GROUPS = "components.jsonl"
WORKBOOK = "fix.xlsx"
RECORDS = ("audit.json", "changes.jsonl", "findings.jsonl", "refusals.jsonl", changes.PATCH, "summary.md")
FILES = tuple(sorted((*RECORDS, GROUPS, WORKBOOK)))
"""What a fix always leaves; patches of phases come with it."""


def write(fixed: Fixed, out: Path, then: Callable[[], None] | None = None) -> tuple[Path, ...]:
    """Write a fix into `out`: records, patches, a pull request's text, and tables; gives the files, sorted.

    `then` is called when all is ready and before anything is in its place: what it raises leaves `out` as it was.
    Raises `OutputError` when `out` cannot be written.
    """
    tables = contents(fixed.audit, fixed.groups)
    with staged(out) as stage:
        for name, data in tables.items():
            (stage / name).write_bytes(data)
        records = changes.write(fixed, out, then)
    return tuple(sorted({*records, *(out / name for name in tables)}))


def contents(audit: Audit, groups: Sequence[Group]) -> dict[str, bytes]:
    """The tables of a fix, by name, and its groups as records."""
    audit, groups = readable(audit), [readable(group) for group in groups]
    return {
        GROUPS: b"".join(encode(group) + b"\n" for group in groups),
        WORKBOOK: spreadsheet.frames_book(_tables(audit, groups), f"Fix of {audit.target}"),
    }


def read_groups(path: Path) -> tuple[Group, ...]:
    """The groups that a fix left; raises `msgspec.DecodeError` for what are none."""
    return tuple(msgspec.json.decode(line, type=Group) for line in path.read_bytes().splitlines())


def _tables(audit: Audit, groups: Sequence[Group]) -> dict[str, pd.DataFrame]:
    return {
        "Outcomes": fix_frames.outcomes(audit, groups),
        "Changes": fix_frames.changes(audit, groups),
        "Refusals": fix_frames.refusals(audit),
        "Components": fix_frames.components(audit, groups),
        "Kept": fix_frames.kept(audit),
        "Verification": frames.verification(audit),
    }
