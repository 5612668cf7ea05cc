"""Where and how plans are tried, and what comes of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from audit_lib.change.budget import Budget
from audit_lib.change.edits import Edits
from audit_lib.change.planned import Plan
from audit_lib.change.reconcile import Rescan
from audit_lib.change.regenerate import Mocks
from audit_lib.change.rewrite import Rewritten, rewrite
from audit_lib.change.scratch import Scratch
from audit_lib.change.verify import Level
from audit_lib.config import GoOptions
from audit_lib.model import Degradation, Refusal, Verification
from audit_lib.progress import Progress, silent
from audit_lib.read.gotool import GoTool

Check = Callable[[Plan, Rewritten], Rescan]
"""A last step on the copy, as it is when all others have passed."""


@dataclass(frozen=True)
class Bench:
    """Where and how plans are tried. `scanned` holds digests of files as they were when they were read."""

    scratch: Scratch
    go: GoTool
    options: GoOptions = GoOptions()  # noqa: RUF009 -- frozen
    level: Level = "test"
    timeout: float = 300
    scanned: Mapping[str, str] = field(default_factory=dict)
    progress: Progress = silent
    mocks: Mocks | None = None
    budget: Budget = field(default_factory=Budget)

    def rewrite(self, edits: Mapping[str, Edits]) -> Rewritten:
        """The edits carried out in the copy, with the mocks among their files made again where that is asked for."""
        rewritten = rewrite(self.scratch, self.go, edits, self.scanned)
        return self.mocks.finish(rewritten) if self.mocks is not None else rewritten


@dataclass(frozen=True)
class Carried:
    """What came of a plan: the components that stay, the files that they change, the proof, and all refusals.

    `ok` tells whether the proof holds; where it does not, nothing of it is to be written. `guarded` are the findings
    whose sources got nil guards on the way. `rolled_back` are the refusals that came of failures.
    """

    plan: Plan
    rewritten: Rewritten
    steps: tuple[Verification, ...]
    refusals: tuple[Refusal, ...]
    guarded: frozenset[str] = frozenset()
    rolled_back: tuple[Refusal, ...] = ()
    unbuilt: tuple[str, ...] = ()
    degradations: tuple[Degradation, ...] = ()
    ok: bool = True
