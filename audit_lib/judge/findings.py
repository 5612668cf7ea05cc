"""How a decision becomes a finding: priority, source, path and fingerprint."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable

import msgspec

from audit_lib.config import Config
from audit_lib.judge.case import Case, Decision
from audit_lib.judge.variables import numbered_uses
from audit_lib.judge.ways import Supply, Way
from audit_lib.model import CallKind, Finding, Kind, Priority, Site, Source, Span, Step
from audit_lib.read.facts import Place
from audit_lib.read.syntax import SyntaxSite

_CHANGES = ("fix", "detach", "review")
_PURE = ("context", "errors", "fmt")


def typed_finding(case: Case, decision: Decision) -> Finding:
    """The finding of a case; its fingerprint still lacks the ordinal among equals (see `numbered`)."""
    site = case.site
    kind: Kind = "root" if site.kind == "root" else "bare_call"
    shows_source = decision.verdict in _CHANGES and case.trail.supply is not None and not site.test
    source = _source(case.trail.supply) if shows_source else None
    if site.test and decision.verdict == "fix" and case.test_source is not None:
        source = _source(Supply(case.test_source, "test"))
    return Finding(
        fingerprint=f"{case.func.package}|{case.func.name}|{kind}|{site.callee}",
        site=Site(kind, site.callee, _span(site.place), case.func.name),
        category=decision.category,
        verdict=decision.verdict,
        priority=_priority(case, decision),
        phase=case.config.phase_of(site.place.file),
        reason=decision.reason,
        recommendation=decision.recommendation,
        rule=decision.rule,
        source=source,
        path=_path(case) if shows_source else (),
        radius=case.radius if shows_source else None,
    )


def untyped_finding(site: SyntaxSite, config: Config, *, test: bool, why: str) -> Finding:
    """The finding of a site that only syntax saw, and `why`: never dropped, never guessed."""
    return Finding(
        fingerprint=f"{site.package}|{site.function}|{site.kind}|{site.callee}",
        site=Site(site.kind, site.callee, site.span, site.function),
        category="test" if test else "background",
        verdict="review",
        priority="low" if test else "medium",
        phase=config.phase_of(site.span.file),
        reason=f"what is above it is not known: {why}",
        recommendation="read it with types (ctxaudit doctor tells what is missing; --tags sets build tags), or by eye",
        rule="untyped",
    )


def numbered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings, in their order, with fingerprints that tell equals apart by their ordinal.

    Package path, function, kind and callee do not change with line shifts, moves within the package or reformatting.
    """
    counts: Counter[str] = Counter()
    found = []
    for finding in findings:
        counts[finding.fingerprint] += 1
        key = f"{finding.fingerprint}|{counts[finding.fingerprint]}"
        digest = hashlib.sha256(key.encode()).hexdigest()[:16]
        found.append(numbered_uses(msgspec.structs.replace(finding, fingerprint=digest)))
    return tuple(found)


def _span(place: Place) -> Span:
    return Span(place.file, place.start, place.end, place.line, place.column)


def _priority(case: Case, decision: Decision) -> Priority:
    if decision.category == "test" or decision.verdict == "keep":
        return "low"
    if decision.category != "request":
        return "medium"
    if case.only_values:
        return "high"
    return "critical" if case.site.io or _waits(case) else "high"


def _waits(case: Case) -> bool:
    """Whether what the context is given to waits for something outside the process, with this context or its own."""
    seen: set[str] = set()
    queue = [use.target for use in case.site.uses if use.kind == "arg" and use.target and not use.values]
    while queue:
        target = queue.pop()
        if target in seen:
            continue
        seen.add(target)
        case.graph.effort.spend(10)
        if target in case.graph.waiting:
            return True
        if not case.graph.owns(target):
            if target.partition(".")[0] not in _PURE:
                return True
            continue
        node = case.graph.dispatch.get(target)
        queue += node.targets if node else ()
        queue += [to for kind, to in case.graph.forwards(target) if kind == "arg" and to]
    return False


def _source(supply: Supply | None) -> Source | None:
    if supply is None:
        return None
    origin = supply.source
    span = Span(origin.file, origin.declared, origin.declared + len(origin.name.encode()), origin.line, origin.column)
    return Source(origin.expr, supply.lifetime, span)


def _path(case: Case) -> tuple[Step, ...]:
    """The steps from the source's function down to the site."""
    supply = case.trail.supply
    if supply is None:
        return ()
    owner = case.graph.funcs.get(supply.source.owner)
    name = owner.name if owner else supply.source.name
    steps = [Step(name, supply.source.file, supply.source.line, "source", supply.source.expr)]
    steps += [_step(case, way) for way in reversed(case.trail.ways)]
    place = case.site.place
    return (*steps, Step(case.func.name, place.file, place.line, "site", case.callee))


def _step(case: Case, way: Way) -> Step:
    call, through = way.edge.call, way.edge.through
    callee = case.graph.funcs.get(way.callee)
    kind: CallKind = "go" if call.go else "defer" if call.defer else way.edge.kind
    detail = ""
    if through is not None and through.kind == "interface":
        count = len(through.targets)
        detail = f"{through.name}, {count} implementer{'s' if count != 1 else ''}"
    return Step(callee.name if callee else way.callee, call.place.file, call.place.line, kind, detail)
