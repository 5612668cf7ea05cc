"""A package's variable that holds a root, `var ctx = context.Background()`: one site, judged by where it is used."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from audit_lib.model import PRIORITIES, VERDICTS, Finding, Step

_PERSONS = "directive"


class Variables:
    """The findings of the uses of variables, each judged as if the root stood there."""

    def __init__(self) -> None:
        self._uses: dict[str, list[Finding]] = defaultdict(list)

    def add_use(self, variable: str, finding: Finding) -> None:
        """Remember what is said of a use of a variable, `path.name`."""
        self._uses[variable].append(finding)

    def judged(self, finding: Finding, variable: str) -> Finding:
        """The finding of a root, told by its uses where a variable holds it.

        A context for one use is one for the root, whose other uses stay. Tests are no reason for a change, nor is what
        nothing calls; and a person's word about the variable is one about all of its uses.
        """
        uses = tuple(sorted(self._uses[variable], key=lambda use: use.site.span)) if variable else ()
        telling = [use for use in uses if use.category != "test" and use.rule != "unused" and use.verdict != "keep"]
        if not telling or finding.category == "test" or finding.rule == _PERSONS:
            return msgspec.structs.replace(finding, uses=uses)
        lead = min(telling, key=_rank)
        name = variable.rpartition(".")[2]
        alike = sum(1 for use in telling if use.verdict == lead.verdict)
        return msgspec.structs.replace(
            finding,
            category=lead.category,
            verdict=lead.verdict,
            priority=lead.priority,
            reason=f"{_share(name, alike, len(uses))}: {lead.reason}",
            recommendation=f"where {name} is used, {lead.recommendation}",
            rule=lead.rule,
            source=lead.source,
            path=_path(finding, lead, name),
            radius=lead.radius,
            notes=tuple(_notes(uses, name)),
            uses=uses,
        )


def numbered_uses(finding: Finding) -> Finding:
    """A finding whose uses have fingerprints of their own, made of its own."""
    if not finding.uses:
        return finding
    uses = (
        msgspec.structs.replace(use, fingerprint=f"{finding.fingerprint}.{number}")
        for number, use in enumerate(finding.uses, 1)
    )
    return msgspec.structs.replace(finding, uses=tuple(uses))


def _rank(use: Finding) -> tuple[int, int]:
    return VERDICTS.index(use.verdict) if use.verdict != "review" else len(VERDICTS), PRIORITIES.index(use.priority)


def _share(name: str, alike: int, uses: int) -> str:
    if uses == 1:
        return f"in the one place where {name} is used"
    return f"in {f'{alike} of the' if alike < uses else 'all'} {uses} places where {name} is used"


def _path(finding: Finding, lead: Finding, name: str) -> tuple[Step, ...]:
    """The way to a use, and from there to the variable."""
    if not lead.path:
        return ()
    use, span = lead.path[-1], finding.site.span
    used = Step(use.function, use.file, use.line, "value", name)
    return (*lead.path[:-1], used, Step(name, span.file, span.line, "site", finding.site.callee))


def _notes(uses: Iterable[Finding], name: str) -> Iterable[str]:
    for use in uses:
        span, function = use.site.span, use.site.function or "another variable"
        yield f"{span.file}:{span.line}: {name} in {function}: {use.verdict}, {use.reason}"
