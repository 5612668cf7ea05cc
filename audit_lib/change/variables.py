"""A package's variable that holds a root: what is planned for each of its uses becomes one change, and it goes.

A use that a context is planned for is like any other root. The variable goes with the last of them; where one must
stay, the root stays for it, which counts as moved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ast_grep_py import SgNode

from audit_lib.change.edits import OverlapError, by_file
from audit_lib.change.gotext import COMMENT, GoText, named_children
from audit_lib.change.imports import of_context
from audit_lib.change.planned import Component, Plan, Planner
from audit_lib.change.problem import Problem, where
from audit_lib.change.roots import declared_by, names_in
from audit_lib.model import Change, Edit, Finding, Refusal

_KINDS = ("thread-interface", "thread", "detach", "in-scope", "test-context")
"""Kinds of fixes: that of several uses is the first of theirs."""


def expanded(findings: Iterable[Finding]) -> list[Finding]:
    """What is to be planned one by one: findings, and for a variable's root those of its uses that may change."""
    every = (one for finding in findings for one in (finding.uses or (finding,)))
    return [one for one in every if one.verdict in ("fix", "detach") or is_optional(one)]


def is_optional(use: Finding) -> bool:
    """Whether a use follows others where its function gets a context for them, and is no reason for that: a log's."""
    return use.verdict == "keep" and use.rule == "values"


@dataclass(frozen=True)
class _Kept:
    """Why a use of a variable stays as it is."""

    use: Finding
    reason: str


class Variables:
    """A planner of whole variables, over one that plans their uses."""

    def __init__(self, problem: Problem, findings: Sequence[Finding], planner: Planner) -> None:
        self._problem = problem
        self._planner = planner
        self._variables = {finding.fingerprint: finding for finding in findings if finding.uses}
        self._places = {one.fingerprint: number for number, one in enumerate(findings)}
        self._parents = {use.fingerprint: one for one in self._variables.values() for use in one.uses}

    def __call__(self, *, guarded: frozenset[str], refused: Mapping[str, str]) -> Plan:
        """The other's plan, in which the uses of a variable are one change, or one refusal."""
        if not self._variables:
            return self._planner(guarded=guarded, refused=refused)
        guards = frozenset(name for one in guarded for name in self._planned_as(one))
        stopped = {name: reason for one, reason in refused.items() for name in self._planned_as(one)}
        plan = self._planner(guarded=guards, refused=stopped)
        while clash := self._clashing(plan):
            stopped |= clash
            plan = self._planner(guarded=guards, refused=stopped)
        refusals = {refusal.fingerprint: refusal for refusal in plan.refusals}
        done = {change.fingerprint for component in plan.components for change in component.changes}
        idle = {one.fingerprint for one in self._variables.values() if not _is_worth(one, done)}
        components = [self._merged(members, idle, refusals) for members in self._joined(plan.components)]
        kept = [refusal for refusal in plan.refusals if refusal.fingerprint not in self._parents]
        kept += [self._refusal(self._variables[name], refusals) for name in sorted(idle)]
        kept.sort(key=lambda refusal: self._places[refusal.fingerprint])
        return Plan(tuple(one for one in components if one is not None), tuple(kept))

    def _clashing(self, plan: Plan) -> dict[str, str]:
        """The uses whose edits cannot be done together with those of others of their variables, and why."""
        changes: dict[str, list[Change]] = defaultdict(list)
        clash: dict[str, str] = {}
        for change in (change for component in plan.components for change in component.changes):
            if change.fingerprint in self._parents:
                others = changes[self._parent(change.fingerprint)]
                try:
                    by_file(edit for one in (*others, change) for edit in one.edits)
                except OverlapError:
                    clash[change.fingerprint] = "another use in its statement is given a context of its own"
                else:
                    others.append(change)
        return clash

    def _planned_as(self, fingerprint: str) -> list[str]:
        variable = self._variables.get(fingerprint)
        return [use.fingerprint for use in variable.uses] if variable is not None else [fingerprint]

    def _parent(self, fingerprint: str) -> str:
        variable = self._parents.get(fingerprint)
        return variable.fingerprint if variable is not None else fingerprint

    def _joined(self, components: Sequence[Component]) -> list[list[Component]]:
        """Components by the variables whose uses they change, in the order of the first ones."""
        groups: list[list[Component]] = []
        for component in components:
            names = {self._parent(name) for name in component.fingerprints}
            near = [one for one in groups if any(names & {self._parent(f) for c in one for f in c.fingerprints})]
            joined = [member for group in near for member in group]
            groups = [group for group in groups if not any(group is one for one in near)]
            groups.append([*joined, component])
        return groups

    def _merged(
        self, members: Sequence[Component], idle: set[str], refusals: Mapping[str, Refusal]
    ) -> Component | None:
        """One component of several, with one change for each variable; None where nothing of it is left."""
        changes: list[Change] = []
        uses: dict[str, list[Change]] = defaultdict(list)
        for change in (change for component in members for change in component.changes):
            variable = self._parents.get(change.fingerprint)
            if variable is None:
                changes.append(change)
            elif variable.fingerprint not in idle:
                uses[variable.fingerprint].append(change)
        ends = [self._ending(self._variables[name], own, refusals) for name, own in uses.items()]
        changes += [end.change for end in ends]
        if not changes:
            return None
        first = members[0]
        return replace(
            first,
            title=first.title if len(members) == 1 else f"{first.title} and {len(members) - 1} more",
            changes=tuple(changes),
            moved=sum(one.moved for one in members) + sum(1 for end in ends if end.note),
            notes=(*(note for one in members for note in one.notes), *(end.note for end in ends if end.note)),
            guardable=any(one.guardable for one in members),
        )

    def _ending(self, variable: Finding, changes: Sequence[Change], refusals: Mapping[str, Refusal]) -> _Ending:
        """The one change of a variable's uses: with it, or with a note of who still needs it."""
        changed = {change.fingerprint for change in changes}
        others = [use for use in variable.uses if use.fingerprint not in changed]
        tests = [use for use in others if use.category == "test"]
        spec = self._declaration(variable)
        name = names_in(spec)[0] if spec is not None else ""
        stays = [_Kept(use, _why(use, refusals)) for use in others if use not in tests]
        needed = [f"{where(one.use.site.span)} ({one.reason})" for one in stays]
        needed += self._unseen(variable, name)
        edits = [edit for change in changes for edit in change.edits]
        if not needed and spec is not None:
            edits += [self._in_test(use) for use in tests]
            edits += _without(self._problem.texts[variable.site.span.file], spec)
        by = by_file(edits)
        change = Change(
            fingerprint=variable.fingerprint,
            fix_kind=min((change.fix_kind for change in changes), key=_KINDS.index),
            files=tuple(sorted(by)),
            edits=tuple(edit for file in by.values() for edit in file),
        )
        note = f"{where(variable.site.span)}: {name} stays for {', '.join(needed)}" if needed else ""
        return _Ending(change, note)

    def _declaration(self, variable: Finding) -> SgNode | None:
        """The spec of a variable that is alone in it."""
        span = variable.site.span
        root = self._problem.texts[span.file].root_at(span.start, span.end)
        spec = declared_by(root) if root is not None else None
        return spec if spec is not None and len(names_in(spec)) == 1 else None

    def _unseen(self, variable: Finding, name: str) -> list[str]:
        """Who may need a variable that is not seen to use it."""
        package = self._problem.package_in(variable.site.span.file.rpartition("/")[0])
        file = self._problem.unread_word(package, variable.site.span.file, name)
        if not name:
            return ["what is declared with it"]
        if name[:1].isupper() and self._problem.is_frozen(package):
            return ["others, since a library exports it"]
        return [file] if file else []

    def _in_test(self, use: Finding) -> Edit:
        """A test's use, where the variable goes and no context of its own is there: the root itself."""
        text = self._problem.texts[use.site.span.file]
        start, end = use.site.span.start, use.site.span.end
        return text.edit(start, end, f"{of_context(text, 'Background', start)}()")

    def _refusal(self, variable: Finding, refusals: Mapping[str, Refusal]) -> Refusal:
        first = next(refusals[use.fingerprint] for use in variable.uses if use.fingerprint in refusals)
        return Refusal(variable.fingerprint, first.reason, first.where)


@dataclass(frozen=True)
class _Ending:
    """What becomes of a variable: the change of its uses, and why it stays; no note where it goes."""

    change: Change
    note: str


def _is_worth(variable: Finding, done: set[str]) -> bool:
    """Whether a use outside tests is changed: tests are no reason to."""
    return any(use.fingerprint in done and use.category != "test" for use in variable.uses)


def _why(use: Finding, refusals: Mapping[str, Refusal]) -> str:
    refusal = refusals.get(use.fingerprint)
    return refusal.reason if refusal is not None else use.reason


def _without(text: GoText, spec: SgNode) -> Iterator[Edit]:
    """The edits that remove a variable's declaration, with the comment above it, and what it was alone in."""
    gone: SgNode = spec
    listed = spec.parent()
    if listed is not None and listed.kind() == "var_spec_list" and len(named_children(listed)) > 1:
        yield from _comments(text, spec)
    else:
        while gone.kind() != "var_declaration":
            parent = gone.parent()
            assert parent is not None, "a spec is in a declaration"
            gone = parent
        yield from _comments(text, gone)
    yield text.without_lines(text.start(gone), text.end(gone))


def _comments(text: GoText, node: SgNode) -> Iterator[Edit]:
    """The edits that remove the comment that is right above a declaration."""
    line = text.line_of(text.start(node))
    above = node.prev()
    while above is not None and above.kind() == COMMENT and text.line_of(text.end(above)) == line - 1:
        line = text.line_of(text.start(above))
        if text.data[text.line_start(text.start(above)) : text.start(above)].strip():
            return  # it stands behind something else
        yield text.without_lines(text.start(above), text.end(above))
        above = above.prev()
