"""Whether an audit of the result tells the same story as the plan: what was to go has gone, and the sums are right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from audit_lib.change.planned import Component, Plan, edits_of
from audit_lib.change.rewrite import edited
from audit_lib.model import DOCUMENT, Change, Finding, Refusal, Totals, Verification

_Key = tuple[str, str, str]


@dataclass(frozen=True)
class Rescan:
    """What the second audit says: the step's record, and the findings whose sites are still there."""

    step: Verification
    missed: frozenset[str]


def rescanned(
    before: Sequence[Finding],
    after: Sequence[Finding],
    plan: Plan,
    seconds: float,
    tests: Collection[str] = (),
) -> Rescan:
    """Compare the findings of a target with those of the result of a plan.

    Outside tests (`tests` names their files) each site that the plan changes must have gone from its function, and
    roots after = roots before - fixed - detached + moved.
    """
    changed = removed(change for component in plan.components for change in component.changes)
    moved = sum(component.moved for component in plan.components)
    gone = [finding for finding in before if finding.fingerprint in changed and _production(finding, tests)]
    missed = _missed(before, after, gone, moved)
    went = sum(1 for finding in gone if finding.site.kind == "root")
    roots = _roots(before, tests), went, moved, _roots(after, tests)
    balanced = roots[0] - roots[1] + roots[2] == roots[3]
    sums = f"{roots[0]} root{'s' * (roots[0] != 1)} - {roots[1]} fixed or detached + {roots[2]} moved"
    detail = f"{sums} = {roots[3]} left"
    if not balanced:
        detail = f"{sums} should leave {roots[0] - roots[1] + roots[2]}, but {roots[3]} are there"
    elif missed:
        places = ", ".join(_place(finding) for finding in gone if finding.fingerprint in missed)
        detail = f"still there: {places}"
    return Rescan(Verification("rescan", balanced and not missed, round(seconds, 3), detail), missed)


def unbalanced(
    findings: Sequence[Finding],
    components: Iterable[Component],
    before: Mapping[str, bytes | None],
    roots: Callable[[str, bytes], int],
    tests: Collection[str] = (),
) -> frozenset[str]:
    """The findings of components that, each done alone, leave another number of roots than they say.

    `before` holds the files that they edit, `roots` counts those of a file outside tests.
    """
    counted = {one.fingerprint for one in findings if one.site.kind == "root" and _production(one, tests)}
    wrong: set[str] = set()
    for component in components:
        result = edited({file: before[file] for file in component.files}, edits_of([component]), None)
        had = sum(roots(file, data) for file, data in result.before.items() if data is not None)
        has = sum(roots(file, data) for file, data in result.after.items())
        if has != had - len(counted & removed(component.changes)) + component.moved:
            wrong |= component.fingerprints
    return frozenset(wrong)


def removed(changes: Iterable[Change]) -> frozenset[str]:
    """The findings whose sites go with these changes."""
    return frozenset(change.fingerprint for change in changes if change.fix_kind != DOCUMENT)


def settled(
    findings: Sequence[Finding], changes: Sequence[Change], refusals: Sequence[Refusal], moved: int, read: Totals
) -> Totals:
    """The totals after a fix: `fixed` and `detached` count what was changed, each other such finding was refused."""
    gone = removed(changes)
    refused = {refusal.fingerprint for refusal in refusals}
    counts: Counter[str] = Counter()
    for finding in findings:
        wanted = finding.verdict in ("fix", "detach")
        if wanted and finding.fingerprint not in gone:
            assert finding.fingerprint in refused, f"{finding.fingerprint} has neither a change nor a refusal"
            counts["refused"] += 1
        else:
            counts[finding.verdict] += 1
    return Totals(
        sites=read.sites,
        roots=read.roots,
        bare_calls=read.bare_calls,
        fixed=counts["fix"],
        detached=counts["detach"],
        kept=counts["keep"],
        review=counts["review"],
        refused=counts["refused"],
        moved=moved,
        files=read.files,
        lines=read.lines,
        packages=read.packages,
    )


def _missed(before: Sequence[Finding], after: Sequence[Finding], gone: Sequence[Finding], moved: int) -> frozenset[str]:
    """Findings of which a function has more sites left than it should; as many as moved may stand there anew."""
    had, has = Counter(map(_key, before)), Counter(map(_key, after))
    goes = Counter(map(_key, gone))
    surplus = {key: has[key] - (had[key] - count) for key, count in goes.items()}
    if sum(count for count in surplus.values() if count > 0) <= moved:
        return frozenset()
    return frozenset(finding.fingerprint for finding in gone if surplus[_key(finding)] > 0)


def _key(finding: Finding) -> _Key:
    # A literal's number changes when another goes: the declaration around it counts.
    site = finding.site
    return site.span.file, site.function.partition(".func")[0], site.callee


def _production(finding: Finding, tests: Collection[str]) -> bool:
    # By the file: whether only tests call a function may change with the fix.
    file = finding.site.span.file
    return file not in tests and not file.endswith("_test.go")


def _roots(findings: Sequence[Finding], tests: Collection[str]) -> int:
    return sum(1 for finding in findings if finding.site.kind == "root" and _production(finding, tests))


def _place(finding: Finding) -> str:
    return f"{finding.site.span.file}:{finding.site.span.line}"
