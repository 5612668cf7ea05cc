"""How a program starts its commands: without a context, what they hand on never ends, however well it is handed on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from audit_lib.judge.case import Case, Decision
from audit_lib.judge.graph import Graph
from audit_lib.judge.lifetime import COMMANDS
from audit_lib.read.facts import TypedSite

APPS = frozenset({"github.com/urfave/cli/v2.App"})
"""Types that start commands and are none themselves."""


def starts_commands(site: TypedSite) -> bool:
    """Whether a call without a context starts a program's commands: `root.Execute()`, beside `ExecuteContext`."""
    if site.kind != "bare_call" or site.test or not site.uses:
        return False
    return site.uses[0].target.rpartition(".")[0] in COMMANDS | APPS


def start_of(graph: Graph) -> str:
    """Where the target's commands are started without a context: `main.go:30`; empty where none are."""
    return next((f"{s.place.file}:{s.place.line}" for s in graph.facts.sites if starts_commands(s)), "")


def decide(case: Case) -> Decision | None:
    """A command's start is one decision, on which all its sites rest: it changes what an interrupt does."""
    if case.trail.supply is not None or not starts_commands(case.site):
        return None
    return Decision(
        "init",
        "review",
        "the program's commands are started without a context: those that they hand on never end",
        "decide what an interrupt is to end: ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt), "
        f"{case.site.sibling}(ctx), and stop as soon as it has come, so that a second one ends the process",
        "worth",
    )


def settled_starts(decided: Sequence[tuple[Case, Decision]]) -> list[tuple[Case, Decision]]:
    """Decisions without those on starts that nothing rests on; the others say how many sites do."""
    rest = sum(_rests_on_a_start(case, decision) for case, decision in decided)
    found = []
    for case, decision in decided:
        if decision.rule != "worth" or not starts_commands(case.site):
            found.append((case, decision))
        elif rest:
            sites = "one site rests" if rest == 1 else f"{rest} sites rest"
            found.append((case, dataclasses.replace(decision, reason=f"{decision.reason} ({sites} on it)")))
    return found


def _rests_on_a_start(case: Case, decision: Decision) -> bool:
    supply = case.trail.supply
    return decision.verdict == "fix" and supply is not None and supply.lifetime == "command"
