"""The dashboard of a fix: before and after, the whole diff, what was not done and why; one file and its JSON twin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from audit_lib.fixed import Group
from audit_lib.model import CATEGORIES, PRIORITIES, Audit, Finding, json_bytes, readable
from audit_lib.show import dashboard, fix_figures, fix_frames, frames, palette
from audit_lib.show.excerpts import hunks_of
from audit_lib.show.sidebyside import FileDiff, diffs
from audit_lib.show.staging import staged

SCHEMA = 1


def write(
    audit: Audit, groups: Sequence[Group], patch: bytes, out: Path, *, written: bool = False
) -> tuple[Path, Path]:
    """Write `dashboard.html` and its twin `dashboard.json` into `out`, and give their paths.

    `patch` is the fix's whole diff, `groups` its components (none where only the audit was kept), `written` whether the
    target has the result. The same input gives the same bytes. Raises `OutputError`; then nothing is written.
    """
    audit, groups = readable(audit), [readable(group) for group in groups]
    shown = payload(audit, groups, patch, written=written)
    page = dashboard.render(shown, "fix", palette.OUTCOME_TINTS)
    with staged(out) as stage:
        (stage / dashboard.HTML_NAME).write_bytes(page.encode())
        (stage / dashboard.JSON_NAME).write_bytes(msgspec.json.format(json_bytes(shown), indent=1) + b"\n")
    return out / dashboard.HTML_NAME, out / dashboard.JSON_NAME


def payload(audit: Audit, groups: Sequence[Group], patch: bytes, *, written: bool = False) -> dict[str, Any]:
    """All that the dashboard shows, as JSON's own types."""
    found = diffs(patch)
    outcomes = fix_frames.outcomes(audit, groups)
    per_phase = fix_frames.by_phase(outcomes)
    return {
        "schema": SCHEMA,
        "target": audit.target,
        "commit": audit.commit,
        "tool": audit.tool,
        "written": written,
        "proved": bool(audit.verification) and all(step.ok for step in audit.verification),
        "totals": msgspec.to_builtins(audit.totals),
        "orders": {
            "outcome": fix_frames.OUTCOMES,
            "fix_kind": sorted({kind for kind in outcomes["fix_kind"] if kind}),
            "category": CATEGORIES,
            "priority": PRIORITIES,
            "phase": frames.phases(audit),
        },
        "parts": list(per_phase.columns),
        "phases": dashboard.records(per_phase.rename_axis(columns=None).reset_index()),
        "roots": dashboard.records(fix_frames.roots(audit)),
        "sites": _sites(audit, outcomes, found),
        "components": dashboard.records(fix_frames.components(audit, groups)),
        "not_done": _not_done(outcomes),
        "kept": _kept(audit),
        "verification": dashboard.records(frames.verification(audit)),
        "degradations": dashboard.records(frames.degradations(audit)),
        "diff": [msgspec.to_builtins(one) for one in found],
        "figures": [dashboard.drawn(name, figure) for name, figure in fix_figures.drawn(audit, groups).items()],
    }


def _sites(audit: Audit, outcomes: pd.DataFrame, found: Sequence[FileDiff]) -> list[dict[str, Any]]:
    """Every site with its outcome, and where in the diff its path and its call are: pairs of file and hunk."""
    findings = {finding.fingerprint: finding for finding in audit.findings}
    numbers = {id(hunk): (i, j) for i, one in enumerate(found) for j, hunk in enumerate(one.hunks)}
    rows = dashboard.records(outcomes)
    for row in rows:
        finding = findings[row["fingerprint"]]
        row |= _told(finding)
        row["hunks"] = [numbers[id(hunk)] for _, hunk in hunks_of(finding, found)] if row["fix_kind"] else []
    return sorted(rows, key=lambda row: (row["file"], row["line"], row["fingerprint"]))


def _told(finding: Finding) -> dict[str, Any]:
    steps = [f"{step.function} · {step.file}:{step.line}" for step in finding.path]
    return {"verdict_reason": finding.reason, "rule": finding.rule, "path": steps}


def _not_done(outcomes: pd.DataFrame) -> list[dict[str, Any]]:
    """What is left to people, by reason: refusals first, then what was not asked for and what is left to review."""
    rows: Mapping[tuple[str, str], pd.DataFrame]
    left = outcomes[outcomes["outcome"].isin(["refused", "not asked for", "review"])]
    rows = {
        (str(what), str(why)): part
        for (what, why), part in left.groupby([left["outcome"].astype("object"), "reason"], sort=False)
    }
    ranks = {name: number for number, name in enumerate(("refused", "review", "not asked for"))}
    order = sorted(rows, key=lambda key: (ranks[key[0]], -len(rows[key]), key[1]))
    return [
        {"what": what, "why": why, "sites": len(rows[what, why]), "where": [str(p) for p in rows[what, why]["where"]]}
        for what, why in order
    ]


def _kept(audit: Audit) -> list[dict[str, Any]]:
    """Kept roots in production code, by phase and where their reason is."""
    kept = fix_frames.kept(audit)
    kept = kept[kept["production"]]
    counts = kept.groupby(["phase", "documented"], observed=True).size().reset_index(name="roots")
    return dashboard.records(counts)
