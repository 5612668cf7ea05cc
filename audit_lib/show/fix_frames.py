"""Typed pandas frames of a fix: what became of each site, components, kept roots, and counts per phase.

A saved `audit.json` is enough for all of them. Where the fix's groups are at hand too, components have the names and
counts that the planner gave them; without, they are told by the edits that changes share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from audit_lib.fixed import NOT_ASKED, Group
from audit_lib.model import CATEGORIES, DOCUMENT, PRIORITIES, VERDICTS, Audit, Change, Finding
from audit_lib.show.frames import frame_of, ordered, phases

FIX_KINDS = ("in-scope", "thread", "thread-interface", "upgrade", "variant", "test-context")
"""The kinds of a fix, in the order in which they are shown; a kind that is not among them comes behind."""
DIRECTIVE = "directive"
OUTCOMES = ("fixed", "detached", "kept", "refused", "not asked for", "review")

CHANGES_SHOWN = ("place", "function", "phase", "category", "fix_kind", "component", "files", "edits")
COMPONENTS_SHOWN = ("component", "phase", "sites", "roots", "signatures", "files", "moved", "kinds", "guarded")
"""What a notebook's table shows of changes (`place` is file and line), and of components."""

_OUTCOMES = {
    "fingerprint": "str",
    "file": "str",
    "line": "int64",
    "function": "str",
    "callee": "str",
    "kind": "category",
    "phase": "category",
    "category": "category",
    "priority": "category",
    "production": "bool",
    "verdict": "category",
    "outcome": "category",
    "fix_kind": "str",
    "component": "str",
    "reason": "str",
    "where": "str",
}
_CHANGES = {
    "fingerprint": "str",
    "file": "str",
    "line": "int64",
    "function": "str",
    "phase": "category",
    "category": "category",
    "fix_kind": "str",
    "component": "str",
    "files": "int64",
    "edits": "int64",
    "touched": "str",
}
_REFUSALS = {
    "fingerprint": "str",
    "file": "str",
    "line": "int64",
    "function": "str",
    "phase": "category",
    "category": "category",
    "asked": "bool",
    "reason": "str",
    "where": "str",
}
_COMPONENTS = {
    "component": "str",
    "phase": "category",
    "sites": "int64",
    "roots": "int64",
    "signatures": "Int64",
    "files": "int64",
    "moved": "Int64",
    "kinds": "str",
    "guarded": "bool",
    "notes": "str",
}
_KEPT = {
    "fingerprint": "str",
    "file": "str",
    "line": "int64",
    "function": "str",
    "phase": "category",
    "production": "bool",
    "documented": "category",
    "reason": "str",
}
_ROOTS = {"phase": "category", "before": "int64", "gone": "int64", "left": "int64"}


def outcomes(audit: Audit, groups: Sequence[Group] = ()) -> pd.DataFrame:
    """One row a site: what became of it (`outcome`), how (`fix_kind`), or why not (`reason`), and where that stands.

    `fix_kind` and `component` are empty for a site without a change. `where` is the place that stands in the way of a
    refused one, else the site's own.
    """
    made, refused = _by_name(audit), {refusal.fingerprint: refusal for refusal in audit.refusals}
    titles = _titles(_components(audit, groups))
    rows = []
    for finding in audit.findings:
        change, refusal = made.get(finding.fingerprint), refused.get(finding.fingerprint)
        site = finding.site
        place = f"{site.span.file}:{site.span.line}"
        rows.append(
            (
                finding.fingerprint,
                site.span.file,
                site.span.line,
                site.function,
                site.callee,
                site.kind,
                finding.phase,
                finding.category,
                finding.priority,
                finding.category != "test",
                finding.verdict,
                _outcome(finding, change, refusal.reason if refusal else None),
                change.fix_kind if change else "",
                titles.get(finding.fingerprint, ""),
                refusal.reason if refusal else finding.reason,
                refusal.where if refusal else place,
            )
        )
    frame = _dressed(frame_of(_OUTCOMES, rows), audit)
    frame["outcome"] = ordered(frame["outcome"], OUTCOMES)
    return frame


def changes(audit: Audit, groups: Sequence[Group] = ()) -> pd.DataFrame:
    """One row a change, in the audit's order: its site, kind and component, and how many files and edits it takes.

    `touched` names the files. Edits that other changes need too count for each of them.
    """
    findings = {finding.fingerprint: finding for finding in audit.findings}
    titles = _titles(_components(audit, groups))
    rows = []
    for change in audit.changes:
        finding = findings[change.fingerprint]
        counts = (len(change.files), len(change.edits), ", ".join(change.files))
        rows.append((*_site(finding), change.fix_kind, titles.get(change.fingerprint, ""), *counts))
    return _dressed(frame_of(_CHANGES, rows), audit)


def refusals(audit: Audit) -> pd.DataFrame:
    """One row a finding whose verdict was not carried out: why, and the place that stands in the way (`where`).

    `asked` is false for those that options left out.
    """
    findings = {finding.fingerprint: finding for finding in audit.findings}
    rows = [
        (*_site(findings[one.fingerprint]), not one.reason.startswith(NOT_ASKED), one.reason, one.where)
        for one in audit.refusals
    ]
    return _dressed(frame_of(_REFUSALS, rows), audit)


def reasons(audit: Audit) -> pd.DataFrame:
    """What was asked for and refused, by reason: how many sites, and the first places; most first."""
    frame = refusals(audit)
    table = frame[frame["asked"]].groupby("reason").agg(sites=("where", "size"), where=("where", _first_places))
    table = table.reset_index().sort_values(["sites", "reason"], ascending=[False, True], kind="stable")
    return table[["sites", "reason", "where"]].reset_index(drop=True)


def components(audit: Audit, groups: Sequence[Group] = ()) -> pd.DataFrame:
    """One row a set of changes that stand and fall together; `signatures` and `moved` are known from groups alone."""
    frame = frame_of(_COMPONENTS, [component.row() for component in _components(audit, groups)])
    frame["phase"] = ordered(frame["phase"], phases(audit))
    return frame


def kept(audit: Audit) -> pd.DataFrame:
    """One row a root that is kept: `documented` says where its reason can be read, in the code or in this report.

    It is empty (missing) for a root that has a reason in neither.
    """
    noted = {change.fingerprint for change in audit.changes if change.fix_kind == DOCUMENT}
    rows = []
    for finding in audit.findings:
        if finding.verdict == "keep" and finding.site.kind == "root":
            in_code = finding.fingerprint in noted or finding.rule == DIRECTIVE
            place = "in the code" if in_code else ("in the report" if finding.reason.strip() else None)
            name, file, line, function, phase, category = _site(finding)
            rows.append((name, file, line, function, phase, category != "test", place, finding.reason))
    frame = frame_of(_KEPT, rows)
    frame["phase"] = ordered(frame["phase"], phases(audit))
    frame["documented"] = ordered(frame["documented"], ("in the code", "in the report"))
    return frame


def roots(audit: Audit) -> pd.DataFrame:
    """Roots in production code per phase: `before`, `gone` with this fix, and `left`; all phases, in their order.

    Roots that moved to callers (`audit.totals.moved`) are in none of the phases.
    """
    frame = outcomes(audit)
    frame = frame[(frame["kind"] == "root") & frame["production"]]
    gone = frame[frame["outcome"].isin(["fixed", "detached"])]
    before, less = (part.groupby("phase", observed=False).size() for part in (frame, gone))
    rows = [(name, int(before[name]), int(less[name]), int(before[name] - less[name])) for name in phases(audit)]
    table = frame_of(_ROOTS, rows)
    table["phase"] = ordered(table["phase"], phases(audit))
    return table


def by_phase(frame: pd.DataFrame) -> pd.DataFrame:
    """Sites of an outcomes frame per phase and part: what was fixed by its kind, then the other outcomes.

    Only parts that occur, and kinds in the order of `FIX_KINDS`; rows are all phases.
    """
    part = frame["outcome"].astype("object").where(frame["outcome"] != "fixed", frame["fix_kind"])
    table = pd.crosstab(frame["phase"].astype("object"), part.astype("object"))
    others = [name for name in OUTCOMES if name != "fixed"]
    strange = sorted(set(table.columns) - {*FIX_KINDS, *others})
    columns = [name for name in (*FIX_KINDS, *strange, *others) if name in table.columns]
    names = pd.Index(list(frame["phase"].cat.categories), name="phase", dtype="str")
    counts = table.reindex(index=names, columns=pd.Index(columns, dtype="str"), fill_value=0)
    return counts.astype("int64")


@dataclass(frozen=True)
class _Component:
    """A component as the frame shows it."""

    title: str
    phase: str
    fingerprints: tuple[str, ...]
    roots: int
    signatures: int | None
    files: int
    moved: int | None
    kinds: tuple[str, ...]
    guarded: bool
    notes: tuple[str, ...]

    def row(self) -> tuple[object, ...]:
        """Its row."""
        counts = (len(self.fingerprints), self.roots, self.signatures, self.files, self.moved)
        return (self.title, self.phase, *counts, ", ".join(self.kinds), self.guarded, "\n".join(self.notes))


def _components(audit: Audit, groups: Sequence[Group]) -> list[_Component]:
    if groups:
        return [
            _Component(
                g.title,
                g.phase,
                g.fingerprints,
                g.roots,
                g.signatures,
                len(g.files),
                g.moved,
                g.kinds,
                g.guarded,
                g.notes,
            )
            for g in groups
        ]
    findings = {finding.fingerprint: finding for finding in audit.findings}
    rank = {name: number for number, name in enumerate(phases(audit))}
    return [_of_changes(own, findings, rank) for own in _sharing(audit.changes)]


def _of_changes(own: Sequence[Change], findings: Mapping[str, Finding], rank: Mapping[str, int]) -> _Component:
    sites = [findings[change.fingerprint] for change in own]
    span = sites[0].site.span
    more = f" and {len(own) - 1} more" if len(own) > 1 else ""
    gone = [finding for change, finding in zip(own, sites, strict=True) if change.fix_kind != DOCUMENT]
    return _Component(
        title=f"{span.file}:{span.line}{more}",
        phase=min((finding.phase for finding in sites), key=rank.__getitem__),
        fingerprints=tuple(change.fingerprint for change in own),
        roots=sum(1 for finding in gone if finding.site.kind == "root"),
        signatures=None,
        files=len({file for change in own for file in change.files}),
        moved=None,
        kinds=tuple(sorted({change.fix_kind for change in own})),
        guarded=False,
        notes=(),
    )


def _sharing(changes: Sequence[Change]) -> list[list[Change]]:
    """Changes in groups that share an edit, directly or through others; in the order of each group's first."""
    leader = list(range(len(changes)))

    def top(number: int) -> int:
        while leader[number] != number:
            leader[number] = leader[leader[number]]
            number = leader[number]
        return number

    first: dict[object, int] = {}
    for number, change in enumerate(changes):
        for edit in change.edits:
            one, other = sorted((top(first.setdefault(edit, number)), top(number)))
            leader[other] = one
    found: dict[int, list[Change]] = {}
    for number, change in enumerate(changes):
        found.setdefault(top(number), []).append(change)
    return [found[number] for number in sorted(found)]


def _titles(found: Iterable[_Component]) -> dict[str, str]:
    return {name: component.title for component in found for name in component.fingerprints}


def _outcome(finding: Finding, change: Change | None, refused: str | None) -> str | None:
    if finding.verdict in ("keep", "review"):
        return "kept" if finding.verdict == "keep" else "review"
    if change is not None and change.fix_kind != DOCUMENT:
        return "detached" if finding.verdict == "detach" else "fixed"
    if refused is None:
        return None  # an audit before any change: nothing has become of it yet
    return "not asked for" if refused.startswith(NOT_ASKED) else "refused"


def _by_name(audit: Audit) -> dict[str, Change]:
    return {change.fingerprint: change for change in audit.changes}


def _site(finding: Finding) -> tuple[str, str, int, str, str, str]:
    site = finding.site
    return finding.fingerprint, site.span.file, site.span.line, site.function, finding.phase, finding.category


def _first_places(places: pd.Series) -> str:
    shown = [str(place) for place in places[:3]]
    more = len(places) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _dressed(frame: pd.DataFrame, audit: Audit) -> pd.DataFrame:
    orders: dict[str, Iterable[str]] = {
        "kind": ("root", "bare_call"),
        "phase": phases(audit),
        "category": CATEGORIES,
        "priority": PRIORITIES,
        "verdict": VERDICTS,
    }
    for name, order in orders.items():
        if name in frame:
            frame[name] = ordered(frame[name], order)
    return frame
