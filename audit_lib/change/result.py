"""What was carried out, as records that people and programs read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from audit_lib.change.bench import Carried
from audit_lib.change.patch import patch, phase_patches
from audit_lib.change.phased import Phase
from audit_lib.change.planned import Component
from audit_lib.change.reconcile import removed, settled
from audit_lib.fixed import Fixed, Group, Level, PhasePatch
from audit_lib.model import Audit, Change, Finding, Refusal
from audit_lib.untrusted.text import file_part

_PARAMETER = re.compile(r"\w (?:\w+\.)?Context\b(?!\()")
UNPLANNED = "no plan was made for it; run `ctxaudit explain` on it, and report this"


def fixed(
    audit: Audit,
    carried: Carried,
    phases: Sequence[Phase],
    left_out: Sequence[Refusal],
    *,
    below_top: bool,
    level: Level,
    notes: Mapping[str, str] = MappingProxyType({}),
) -> Fixed:
    """The audit with what was done and what was not, groups in the phases' order, and patches.

    `left_out` are findings that nobody asked for, `notes` what reviewers are told of files. With `below_top` the
    patches apply in a folder below the top of its repository.
    """
    by_name = {finding.fingerprint: finding for finding in audit.findings}
    done = carried.rewritten
    changes = _changes(audit.findings, carried) if carried.ok else ()
    refusals = _refusals(audit.findings, changes, [*left_out, *carried.refusals], carried)
    moved = sum(component.moved for component in carried.plan.components) if changes else 0
    diffs = phase_patches(done.before, [(phase.name, phase.state) for phase in phases], below_top=below_top)
    named = {name: f"fix-{number}-{file_part(name)}.patch" for number, name in enumerate(diffs, 1)}
    return Fixed(
        audit=msgspec.structs.replace(
            audit,
            changes=changes,
            refusals=refusals,
            verification=carried.steps,
            degradations=(*audit.degradations, *carried.degradations),
            totals=settled(audit.findings, changes, refusals, moved, audit.totals),
        ),
        groups=tuple(
            _group(component, phase.name, by_name, carried.guarded, notes)
            for phase in phases
            for component in phase.components
        ),
        patch=patch(done.before, done.after, below_top=below_top),
        phases=tuple(PhasePatch(name, named[name], diff) for name, diff in diffs.items()),
        before=done.before,
        after=done.after,
        unbuilt=carried.unbuilt,
        level=level,
        ok=carried.ok,
    )


def _changes(findings: Sequence[Finding], carried: Carried) -> tuple[Change, ...]:
    found = {change.fingerprint: change for component in carried.plan.components for change in component.changes}
    return tuple(found[finding.fingerprint] for finding in findings if finding.fingerprint in found)


def _refusals(
    findings: Sequence[Finding], changes: Sequence[Change], given: Sequence[Refusal], carried: Carried
) -> tuple[Refusal, ...]:
    """One refusal for each finding that wants a change and has none, in the findings' order."""
    done = removed(changes)
    known = {refusal.fingerprint: refusal for refusal in given}
    failed = "" if carried.ok else f"the verification failed at {carried.steps[-1].step}, and nothing was written"
    result = []
    for finding in findings:
        if finding.verdict in ("fix", "detach") and finding.fingerprint not in done:
            where = f"{finding.site.span.file}:{finding.site.span.line}"
            fallback = Refusal(finding.fingerprint, failed or UNPLANNED, where)
            result.append(known.get(finding.fingerprint, fallback))
    return tuple(result)


def _group(
    component: Component,
    phase: str,
    findings: Mapping[str, Finding],
    guarded: frozenset[str],
    notes: Mapping[str, str],
) -> Group:
    own = [findings[change.fingerprint] for change in component.changes]
    gone = removed(component.changes)
    return Group(
        title=component.title,
        phase=phase,
        fingerprints=tuple(change.fingerprint for change in component.changes),
        kinds=tuple(sorted({change.fix_kind for change in component.changes})),
        files=component.files,
        roots=sum(1 for finding in own if finding.site.kind == "root" and finding.fingerprint in gone),
        signatures=len({edit for change in component.changes for edit in change.edits if _PARAMETER.search(edit.text)}),
        moved=component.moved,
        guarded=not guarded.isdisjoint(component.fingerprints),
        notes=(*component.notes, *(f"{file}: {notes[file]}" for file in component.files if file in notes)),
    )
