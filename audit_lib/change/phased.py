"""A plan's components in phases: the order in which people review and apply them, and the files after each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from audit_lib.change.edits import Edits
from audit_lib.change.planned import Component, edits_of
from audit_lib.change.rewrite import Rewritten, edited
from audit_lib.config import REST
from audit_lib.read.gotool import GoTool


@dataclass(frozen=True)
class Phase:
    """A phase that has changes: its components, and the files that differ from the target once it is applied."""

    name: str
    components: tuple[Component, ...]
    state: Mapping[str, bytes | None]


def phased(
    components: Sequence[Component],
    phase_of: Mapping[str, str],
    order: Sequence[str],
    result: Rewritten,
    go: GoTool | None,
) -> tuple[Phase, ...]:
    """The components by phase, in the phases' order, the rest last; `result` is what all of them make of the files.

    A component comes as a whole, with the first phase that one of its sites is in: what its sites share must be there
    for any of them to compile. One that needs another does not come before it. `phase_of` tells the phase of a finding.
    Imports and format are those of each state. Files of the result that are joined come to what they are at once.
    """
    ranks = {name: number for number, name in enumerate([*order, REST])}
    groups: dict[str, list[Component]] = {}
    placed: dict[str, str] = {}
    for component in components:
        own = _first_phase(component, phase_of, ranks)
        name = max([own, *(placed[need] for need in component.needs if need in placed)], key=ranks.__getitem__)
        placed |= dict.fromkeys(component.fingerprints, name)
        groups.setdefault(name, []).append(component)
    whole = edits_of(components)
    done: list[Component] = []
    edits: dict[str, Edits] = {}
    state: dict[str, bytes] = {}
    phases = []
    for name in sorted(groups, key=ranks.__getitem__):
        done += groups[name]
        now = edits_of(done)
        fresh = {file: own for file, own in now.items() if own != edits.get(file)}
        # Most files are edited in one phase alone: what they come to is known.
        known_not = {file for file, own in fresh.items() if own != whole[file]} | result.joined
        partly = {file: own for file, own in fresh.items() if file in known_not and file in result.before}
        known = {file: result.after[file] for file in fresh if file in result.after and file not in partly}
        state = state | edited(result.before, partly, go).after | known
        edits = now
        phases.append(Phase(name, tuple(groups[name]), dict(sorted(state.items()))))
    return _overlaid(phases, {file: result.after[file] for file in result.joined})


def _overlaid(phases: Sequence[Phase], files: Mapping[str, bytes]) -> tuple[Phase, ...]:
    """The phases with these files as they are to be, from the last phase on that edits one of them."""
    edit = [any(not files.keys().isdisjoint(one.files) for one in phase.components) for phase in phases]
    start = max((number for number, edits in enumerate(edit) if edits), default=len(phases))
    late = (replace(phase, state=dict(sorted({**phase.state, **files}.items()))) for phase in phases[start:])
    return (*phases[:start], *late)


def _first_phase(component: Component, phase_of: Mapping[str, str], ranks: Mapping[str, int]) -> str:
    names = (phase_of.get(fingerprint, REST) for fingerprint in component.fingerprints)
    return min((name if name in ranks else REST for name in names), key=ranks.__getitem__)
