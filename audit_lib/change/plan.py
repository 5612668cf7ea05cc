"""From findings to changes: each `fix` and `detach` becomes edits, or a refusal that names what stands in the way.

The plan is pure: it reads the target's files and the facts, and writes nothing. Changes that share a signature group,
or an edit, are one component.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from audit_lib.change.apart import cut_off
from audit_lib.change.bare import Upgrade, upgraded
from audit_lib.change.beforehand import read_before
from audit_lib.change.calls import lifetime_of, naming
from audit_lib.change.components import Fix, components_of, nilable_in
from audit_lib.change.contexts import Contexts, Given
from audit_lib.change.detaching import detached
from audit_lib.change.imports import of_context
from audit_lib.change.obstacle import Obstacle
from audit_lib.change.planned import Plan, Planner
from audit_lib.change.problem import Problem, where
from audit_lib.change.roots import replaced
from audit_lib.change.supplies import Supplies
from audit_lib.change.threading import Opened, Threading
from audit_lib.change.variables import Variables, expanded, is_optional
from audit_lib.config import Config
from audit_lib.judge.timing import apart, left_by
from audit_lib.judge.trail import is_left_above
from audit_lib.model import Edit, Finding, Refusal
from audit_lib.read.facts import Facts, TypedSite
from audit_lib.read.syntax import Syntax

ROUNDS = 12
"""How often a plan is made again with what the one before has shown to be in the way."""

_BOUNDS = frozenset({"WithTimeout", "WithDeadline", "WithTimeoutCause", "WithDeadlineCause", "WithCancel"})


def planner(
    target: Path, config: Config, syntax: Syntax, wide: Facts, findings: Iterable[Finding], *, document: bool = False
) -> Planner:
    """A planner for those of the findings that are to be changed; with the reason beside roots that move, if asked."""
    wanted = [finding for finding in findings if finding.verdict in ("fix", "detach")]
    problem = Problem(target, config, syntax, wide, expanded(wanted), document=document)
    return Variables(problem, wanted, ContextPlanner(problem))


class ContextPlanner:
    """Plans for one target, as often as is asked for."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._supplies = Supplies(problem)

    def __call__(self, *, guarded: frozenset[str], refused: Mapping[str, str]) -> Plan:
        """A plan in which the sources of `guarded` findings have nil guards, and `refused` ones become refusals."""
        stops = {fingerprint: Obstacle(reason, "") for fingerprint, reason in refused.items()}
        attempt = self._settled(stops, frozenset())
        guards = attempt.nilable(guarded) if guarded else frozenset()
        if guards:
            attempt = self._settled(dict(attempt.stops), guards)
        refusals = [
            Refusal(f.fingerprint, stop.reason, stop.where or where(f.site.span))
            for f in self._problem.findings
            if (stop := attempt.stops.get(f.fingerprint)) is not None
        ]
        return Plan(attempt.components, tuple(refusals))

    def _settled(self, stops: dict[str, Obstacle], guards: frozenset[tuple[str, int]]) -> _Attempt:
        """The plan that comes of trying until nothing new comes to light."""
        avoid: frozenset[str] = frozenset()
        opened = Opened()
        attempt = _Attempt(self._problem, self._supplies, stops, avoid, guards, opened)
        for _ in range(ROUNDS):
            clashes = avoid | attempt.clashes
            if (clashes, attempt.opened) == (avoid, opened) and attempt.stops.keys() == stops.keys():
                break
            avoid, opened, stops = clashes, attempt.opened, dict(attempt.stops)
            attempt = _Attempt(self._problem, self._supplies, stops, avoid, guards, opened)
        return attempt


class _Attempt:
    """One plan, under assumptions: which findings are refused, where the usual name is not free, and which interfaces
    open, or functions that optional findings are in.

    `stops`, `clashes` and `opened` afterwards hold what has come to light; where they differ, a new attempt is due.
    """

    def __init__(
        self,
        problem: Problem,
        supplies: Supplies,
        stops: Mapping[str, Obstacle],
        avoid: frozenset[str],
        guards: frozenset[tuple[str, int]],
        opened: Opened,
    ) -> None:
        self._problem = problem
        self._supplies = supplies
        self.stops = dict(stops)
        following = frozenset(filter(None, (self._follows(one) for one in problem.findings if is_optional(one))))
        going = [finding for finding in problem.findings if self._goes(finding, opened)]
        roots = frozenset((f.site.span.file, f.site.span.start) for f in going if f.site.kind == "root")
        self._contexts = Contexts(problem, roots, avoid, guards)
        self._known = opened.groups
        threading = Threading(problem, self._contexts, supplies, opened)
        self._fixes: list[Fix] = []
        for finding in going:
            fix = self._fixed(finding, threading)
            if isinstance(fix, Fix):
                self._fixes.append(fix)
            elif not is_optional(finding):
                self.stops[finding.fingerprint] = fix
        self.components, blocked = components_of(problem, self._fixes)
        self.stops |= blocked
        self.clashes = frozenset(self._contexts.clashes)
        reasons = (fix for fix in self._fixes if fix.finding.fingerprint not in self.stops)
        openings = (one for fix in reasons if not is_optional(fix.finding) for one in fix.openings)
        groups = {opening.group.key: opening.group for opening in openings}
        self.opened = Opened(
            groups=frozenset(groups),
            interfaces=frozenset(name for group in groups.values() for name in group.declared_by),
            followed=frozenset(name for group in groups.values() for name in group.functions if name in following),
        )

    def _goes(self, finding: Finding, opened: Opened) -> bool:
        if finding.fingerprint in self.stops:
            return False
        return not is_optional(finding) or self._follows(finding) in opened.followed

    def _follows(self, finding: Finding) -> str:
        """The function that may get a context for others' sake, of which an optional one then makes use."""
        site = self._problem.site_of(finding)
        return self._supplies.opener(site.function) if site is not None else ""

    def nilable(self, fingerprints: Collection[str]) -> frozenset[tuple[str, int]]:
        """The declarations, by file and offset, whose contexts these findings' fixes write, and may be nil."""
        return nilable_in(fix for fix in self._fixes if fix.finding.fingerprint in fingerprints)

    def _fixed(self, finding: Finding, threading: Threading) -> Fix | Obstacle:
        site = self._problem.site_of(finding)
        if site is None:
            return Obstacle("its package was read without types", "")
        generator = self._problem.generators.get(site.place.file)
        if generator:
            return Obstacle(f"its file is generated by {generator}: change what it is made from", "")
        given = self._given(finding, site)
        if isinstance(given, Obstacle):
            return given
        edits = self._edits(finding, site, given)
        if isinstance(edits, Obstacle):
            return edits
        openings = threading.needed([given.opens] if given.opens else [])
        obstacle = next((opening.obstacle for opening in openings if opening.obstacle is not None), None)
        return obstacle or Fix(finding, (*edits, *naming(self._problem, given)), given, openings)

    def _given(self, finding: Finding, site: TypedSite) -> Given | Obstacle:
        """The context that a site is to have."""
        if site.test:
            return Given(finding.source.expr if finding.source else "t.Context()", "test")
        detaches = finding.verdict == "detach"
        found = self._contexts.in_scope(site.function, site.place, but=site.place.start, to_detach=detaches)
        if found is not None:
            inside = self._supplies.opened_inside(site.function, found.source, self._known)
            return self._contexts.by_parameter(site.function, site.place, inside) if inside else found
        top = self._problem.graph.top(site.function)
        opener = self._supplies.opener(site.function)
        if not opener and finding.rule == "sibling" and self._supplies.is_open(top):
            opener = top
        if opener:
            return self._contexts.by_parameter(site.function, site.place, opener)
        return self._supplies.obstacle(site.function) or Obstacle("no context can be brought to it from above", "")

    def _edits(self, finding: Finding, site: TypedSite, given: Given) -> tuple[Edit, ...] | Obstacle:
        text = self._problem.text_of(site.place)
        span = finding.site.span

        def write(written: str) -> Upgrade:
            if site.kind == "bare_call":
                return upgraded(text, site, written)
            return replaced(text, span, written, given.text)

        def sure(written: str) -> tuple[Edit, ...]:
            edits = write(written)
            assert not isinstance(edits, Obstacle), "what can be written with one context can be with another"
            return edits

        plain = write(given.text)
        if finding.verdict != "detach" or isinstance(plain, Obstacle):
            return plain if isinstance(plain, Obstacle) else self._with_late_uses(site, given, plain)
        bounded, left = bool(_BOUNDS & set(site.wraps)), left_by(self._problem.graph, site)
        values, node = given.text, text.root_at(span.start, span.end)
        early = read_before(self._problem, text, node, given, bounded=True) if node is not None else None
        if early is not None:
            values = early.name
        elif not (given.opens and self._is_left_above(site, given.opens)):
            values = f"{of_context(text, 'WithoutCancel', span.start)}({given.text})"
        edits = detached(text, span, values, sure, bounded=bounded, left=left)
        return edits if early is None or isinstance(edits, Obstacle) else (*edits, early.edit)

    def _with_late_uses(self, site: TypedSite, given: Given, edits: tuple[Edit, ...]) -> tuple[Edit, ...] | Obstacle:
        """The edits of a fix, and those for the uses of its context that outlive the others."""
        late = apart(self._problem.graph, site, lifetime_of(self._problem, given) or "request")
        cut = cut_off(self._problem.text_of(site.place), late)
        return cut if isinstance(cut, Obstacle) else (*edits, *cut)

    def _is_left_above(self, site: TypedSite, opener: str) -> bool:
        problem = self._problem
        return is_left_above(problem.graph, problem.lifetimes, problem.reach, site, opener)
