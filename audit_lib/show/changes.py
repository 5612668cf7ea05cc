"""A fix as files that people and programs read: changes, refusals, patches, and a pull request's text.

The same fix gives the same bytes, but for the times of the verification in `audit.json` and `summary.md`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from audit_lib.fixed import Fixed
from audit_lib.model import Record, encode
from audit_lib.show.export import jsonl
from audit_lib.show.staging import staged
from audit_lib.show.summary import summary

PATCH = "fix.patch"
_PHASE_PATCH = re.compile(r"fix-\d+-.*\.patch")


def write(fixed: Fixed, out: Path, then: Callable[[], None] | None = None) -> tuple[Path, ...]:
    """Write a fix into `out`: gives the files, sorted.

    `audit.json`, `findings.jsonl`, `changes.jsonl`, `refusals.jsonl`, `fix.patch`, `fix-<number>-<phase>.patch` and
    `summary.md`. `then` is called when all of them are written, and before any is in its place: what it raises leaves
    `out` as it was. Raises `OutputError` when `out` cannot be written; then it is as it was too.
    """
    files = contents(fixed)
    # A phase that an earlier run had and this one has not: its patch would not apply any more.
    with staged(out, stale=lambda name: _PHASE_PATCH.fullmatch(name) is not None) as stage:
        for name, data in files.items():
            (stage / name).write_bytes(data)
        if then is not None:
            then()
    return tuple(out / name for name in sorted(files))


def contents(fixed: Fixed) -> dict[str, bytes]:
    """The files of a fix, by name."""
    audit = fixed.audit
    return {
        "audit.json": encode(audit) + b"\n",
        "findings.jsonl": jsonl(audit),
        "changes.jsonl": _lines(audit.changes),
        "refusals.jsonl": _lines(audit.refusals),
        PATCH: fixed.patch,
        **{phase.name: phase.patch for phase in fixed.phases},
        "summary.md": summary(fixed).encode(),
    }


def _lines(records: Iterable[Record]) -> bytes:
    return b"".join(encode(record) + b"\n" for record in records)
