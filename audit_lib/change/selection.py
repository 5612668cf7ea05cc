"""Which findings a fix is to carry out, and what becomes of those that it leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from audit_lib.config import REST, Config
from audit_lib.errors import UsageError
from audit_lib.fixed import NOT_ASKED
from audit_lib.model import CATEGORIES, Finding, Refusal


@dataclass(frozen=True)
class Selection:
    """Fingerprints, phases and categories; one that is empty lets all pass, a finding must pass each of them."""

    only: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    def check(self, config: Config) -> None:
        """Raise `UsageError` for a phase or a category that there is not; before anything is read."""
        known = [*config.phases, REST]
        for phase in self.phases:
            if phase not in known:
                raise UsageError(f"there is no phase {phase!r}; the phases are {', '.join(known)}")
        for category in self.categories:
            if category not in CATEGORIES:
                raise UsageError(f"there is no category {category!r}; the categories are {', '.join(CATEGORIES)}")

    def chosen(self, findings: Sequence[Finding]) -> tuple[Finding, ...]:
        """The findings that pass, in their order. Raises `UsageError` for a fingerprint that no finding has."""
        known = {finding.fingerprint for finding in findings}
        for fingerprint in self.only:
            if fingerprint not in known:
                raise UsageError(
                    f"there is no finding {fingerprint!r}; `ctxaudit scan DIR --out OUT` writes OUT/findings.jsonl"
                )
        return tuple(finding for finding in findings if not self._against(finding))

    def left_out(self, findings: Iterable[Finding]) -> tuple[Refusal, ...]:
        """A refusal for each finding that wants a change and is not chosen, with the option that leaves it out."""
        return tuple(
            Refusal(finding.fingerprint, NOT_ASKED + option, f"{finding.site.span.file}:{finding.site.span.line}")
            for finding in findings
            if finding.verdict in ("fix", "detach") and (option := self._against(finding))
        )

    def _against(self, finding: Finding) -> str:
        if self.only and finding.fingerprint not in self.only:
            return "--only names others"
        if self.phases and finding.phase not in self.phases:
            return f"--phase {' '.join(self.phases)}"
        if self.categories and finding.category not in self.categories:
            return f"--category {' '.join(self.categories)}"
        return ""
