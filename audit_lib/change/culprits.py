"""Which components are to blame for failures, found by trials: what has nothing in common is tried at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audit_lib.change import blame
from audit_lib.change.blame import Failures
from audit_lib.change.concern import independent
from audit_lib.change.planned import Component, edits_of
from audit_lib.change.rewrite import Rewritten
from audit_lib.change.trials import Trials


@dataclass(frozen=True)
class Fault:
    """A component that is to blame for failures; `seen` is the rewrite whose lines they name, where that is known."""

    component: Component
    why: Failures
    seen: Rewritten | None = None


def culprits(components: Sequence[Component], failures: Failures, trials: Trials) -> list[Fault]:
    """The components without which nothing fails, each with what fails for it.

    Those on whose edits failures stand are taken at their word, which costs one trial; who else it may be is searched.
    Raises `OutOfTimeError` where there is no time for a trial.
    """
    rest, accused, why = list(components), list[Fault](), failures
    while why:
        named = [Fault(one, said, trials.rewritten) for one, said in blame.accused(rest, why, trials.rewritten)]
        if not named:
            break
        accused += named
        rest = _without(rest, accused)
        why = trials.failures(edits_of(rest), candidates=len(rest))
    if not why:
        return accused
    found = _searched(rest, why, trials)
    # The fault that was searched for may have put others under suspicion.
    innocent = _without(rest, found)
    again = [*innocent, *(fault.component for fault in accused)]
    why = trials.failures(edits_of(again), candidates=len(accused)) if accused else ()
    return found + _halved(again, len(innocent), why, trials)


def _searched(components: Sequence[Component], why: Failures, trials: Trials) -> list[Fault]:
    """Who is to blame, each group of packages by itself that no component brings together: one trial serves all."""
    packages = {failure.package: tuple(one for one in why if one.package == failure.package) for failure in why}
    suspects = [
        (package, [number for number, one in enumerate(components) if blame.suspicion(one, said)])
        for package, said in packages.items()
    ]
    if why[0].step == "gofmt" or any(not numbers for _, numbers in suspects):
        return _by_suspicion(components, why, trials)
    groups = [
        _Group(names, [components[number] for number in numbers], tuple(one for one in why if one.package in names))
        for names, numbers in independent(components, suspects)
    ]
    if sum(len(group.units) for group in groups) < len(components):
        # What no failing package is built from may have a part in it all the same.
        groups = [
            _Group(group.names, group.units, said)
            for group, said in zip(groups, _tried(groups, [group.units for group in groups], trials), strict=True)
        ]
    open_groups = [group for group in groups if group.why]
    searches = [blame.search(group.sorted(), 0, group.why) for group in open_groups]
    results = blame.together(searches, lambda parts: _tried(open_groups, parts, trials))
    found = [Fault(one, said) for result in results for one, said in result]
    if len(open_groups) < len(groups):
        rest = _without(components, found)
        why = trials.failures(edits_of(rest), candidates=len(rest))
        found += _by_suspicion(rest, why, trials) if why else []
    return found


@dataclass(frozen=True)
class _Group:
    """Packages that fail, the components that they are built from, and how they fail with these alone."""

    names: set[str]
    units: list[Component]
    why: Failures

    def sorted(self) -> list[Component]:
        """The components, those last that are most under suspicion."""
        return sorted(self.units, key=lambda one: blame.suspicion(one, self.why))


def _tried(groups: Sequence[_Group], parts: Sequence[Sequence[Component]], trials: Trials) -> list[Failures]:
    """What fails of each group with a part of its components, all tried at once."""
    names = {name for group, part in zip(groups, parts, strict=True) if part for name in group.names}
    units = [one for part in parts for one in part]
    said = trials.failures(edits_of(units), names, candidates=len(units))
    return [tuple(one for one in said if one.package in group.names) for group in groups]


def _by_suspicion(components: Sequence[Component], why: Failures, trials: Trials) -> list[Fault]:
    ordered = sorted(components, key=lambda one: blame.suspicion(one, why))
    calm = sum(1 for one in ordered if not blame.suspicion(one, why))
    return _halved(ordered, calm, why, trials)


def _halved(components: Sequence[Component], calm: int, why: Failures, trials: Trials) -> list[Fault]:
    def trial(some: Sequence[Component]) -> Failures:
        return trials.failures(edits_of(some), candidates=len(some))

    return [Fault(one, said) for one, said in blame.culprits(components, calm, why, trial)]


def _without(components: Sequence[Component], faults: Sequence[Fault]) -> list[Component]:
    return [one for one in components if all(one is not fault.component for fault in faults)]
