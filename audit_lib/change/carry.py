"""A plan carried out in a scratch copy until it holds: planned, rewritten, verified, and what fails taken out again.

What is to blame for a failure is rolled back alone, and becomes a refusal in the words of the compiler or of the test;
where a nil context may be the cause, its component is first planned again with a guard, and where mocks were made again
for it, first with edited ones. Then all of it begins anew, so that what is left is verified as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from audit_lib.change import blame
from audit_lib.change.aside import Aside
from audit_lib.change.bench import Bench, Carried, Check
from audit_lib.change.budget import OutOfTimeError, next_step
from audit_lib.change.concern import Concern
from audit_lib.change.culprits import Fault, culprits
from audit_lib.change.edits import OverlapError
from audit_lib.change.planned import Component, Plan, Planner, edits_of
from audit_lib.change.reconcile import Rescan
from audit_lib.change.rewrite import Rewritten, blocked, undo
from audit_lib.change.trials import SEARCHING, Trials
from audit_lib.change.verify import Failures, Outcome, Verifier, costs
from audit_lib.model import Change, Refusal

ROUNDS = 40


def carry(bench: Bench, planner: Planner, check: Check | None = None) -> Carried:
    """Carry a plan out on a scratch copy, which holds the result afterwards, and nothing of what was tried.

    Raises `TargetError` for files that have changed since they were read, `OutputError` where the copy has no room.
    """
    return _Carrying(bench, planner, check).done()


@dataclass(frozen=True)
class _Tried:
    """A plan, and what its verification said."""

    plan: Plan
    outcome: Outcome


class _Carrying:
    """The rounds: what is refused and guarded so far."""

    def __init__(self, bench: Bench, planner: Planner, check: Check | None) -> None:
        self._bench, self._planner, self._check = bench, planner, check
        self._budget = bench.budget
        self._refused: dict[str, Refusal] = {}
        self._guarded: frozenset[str] = frozenset()
        self._last: _Tried | None = None
        self._ended = False
        self._verifier = Verifier(
            bench.scratch,
            bench.go,
            bench.options,
            level=bench.level,
            timeout=bench.timeout,
            progress=bench.progress,
            budget=bench.budget,
        )
        self._aside = Aside(bench.budget, self._verifier.commands)

    def done(self) -> Carried:
        """Rounds until the proof holds, nothing is left, or there have been too many.

        Where there is no time for another, what stays is what the last verification has proved.
        """
        for number in range(1, ROUNDS + 1):
            plan = self._planned()
            if number == 1 and self._aside.begin(plan.components):
                plan = self._planned()
            over = self._ended or self._budget.is_over
            if over:
                plan = self._held(plan)
            rewritten = self._bench.rewrite(edits_of(plan.components))
            outcome = self._verified(plan, rewritten, over=over)
            holds = outcome.ok and not outcome.unproved
            may_grow = holds and not over and number < ROUNDS
            if may_grow and self._aside.grow(plan.components, sum(outcome.seconds.values())):
                undo(self._bench.scratch, rewritten)
                continue
            outcome, rescan = self._checked(plan, rewritten, outcome)
            if holds and (not rescan.taken_back or number == ROUNDS):
                return self._result(rescan, rewritten, outcome)
            undo(self._bench.scratch, rewritten)
            if number == ROUNDS:
                return self._result(rescan, Rewritten({}, {}), outcome)
            if rescan.taken_back:
                for refusal in rescan.taken_back:
                    self._refused.setdefault(refusal.fingerprint, refusal)
            elif outcome.failures:
                self._learn(plan, rewritten, outcome)
            else:
                self._take_back_unproved(plan, outcome)
        raise AssertionError("the last round returns")

    def _planned(self) -> Plan:
        """The plan without what is refused, whose components can be done together, in files that may be written."""
        while True:
            out = self._aside.refusals | self._refused
            reasons = {fingerprint: refusal.reason for fingerprint, refusal in out.items()}
            plan = self._planner(guarded=self._guarded, refused=reasons)
            wrong = [*self._unwritable(plan), *_overlapping(plan)]
            wrong = [(one, refusal) for one, refusal in wrong if one.fingerprints - set(out)]
            if not wrong:
                return plan
            for component, (reason, where) in wrong:
                self._refuse(component.fingerprints, reason, where)

    def _unwritable(self, plan: Plan) -> list[tuple[Component, tuple[str, str]]]:
        files = {file for component in plan.components for file in component.files}
        barred = blocked(self._bench.scratch, files)
        hit = ((one, next((file for file in one.files if file in barred), "")) for one in plan.components)
        return [(component, (f"{file}: {barred[file]}", file)) for component, file in hit if file]

    def _verified(self, plan: Plan, rewritten: Rewritten, *, over: bool) -> Outcome:
        """What the verifier says, or has said of this part of a plan."""
        if over:
            return self._part_of_last(plan, rewritten)
        outcome = self._verifier.verify(rewritten, plan.components)
        if outcome.proved or self._last is None:
            self._last = _Tried(plan, outcome)
        return outcome

    def _checked(self, plan: Plan, rewritten: Rewritten, outcome: Outcome) -> tuple[Outcome, Rescan]:
        """What the last check says, behind all others where these hold."""
        if not outcome.ok or outcome.unproved or self._check is None or not rewritten.after:
            return outcome, Rescan((), plan)
        rescan = self._check(plan, rewritten)
        return replace(outcome, steps=(*outcome.steps, *rescan.steps)), rescan

    def _held(self, plan: Plan) -> Plan:
        """What of a plan the last verification has proved; the rest is refused, since there is no time to prove it."""
        kept: list[Component] = []
        if self._last is not None:
            outcome = self._last.outcome
            kept = Concern(outcome.packages).held(plan.components, self._last.plan.components, outcome.proved)
        for component in plan.components:
            if component not in kept:
                self._refuse_for_time([component], "")
        return Plan(tuple(kept), plan.refusals)

    def _part_of_last(self, plan: Plan, rewritten: Rewritten) -> Outcome:
        if self._last is None:
            return Outcome((), ())
        concern = Concern(self._last.outcome.packages)
        packages = frozenset(path for component in plan.components for path in concern.of(component))
        return self._last.outcome.part(rewritten.after, packages)

    def _take_back_unproved(self, plan: Plan, outcome: Outcome) -> None:
        """Refuse the components of which something was not run to its end; if these are all, some smaller ones stay."""
        concern = Concern(outcome.packages)
        missing = set(outcome.unproved)
        if outcome.steps[-1].step != "test":
            proved = self._proved()
            if (outcome.needed or outcome.cold) and self._aside.shrink(plan.components, outcome, proved):
                return
            if proved:
                self._ended = True  # a smaller plan is
                return
        found = [(one, sorted(concern.of(one) & missing)) for one in plan.components]
        kept = [one for one, packages in found if not packages] if outcome.packages else []
        if outcome.packages and not kept:
            spent = sum(outcome.seconds.values())
            kept = concern.smaller(plan.components, min(0.5, self._budget.left / (self._budget.left + spent)))
        step = outcome.steps[-1].step
        for component, packages in found:
            if component not in kept:
                where = f" in {_few(packages)}" if step == "test" and packages else ""
                self._refuse_for_time([component], f": {step} was not run to its end{where}" if packages else "")

    def _proved(self) -> Sequence[Component]:
        """The components that the last verification has proved: they can stay as they are."""
        if self._last is None or not self._last.outcome.proved:
            return []
        tried, outcome = self._last.plan.components, self._last.outcome
        return Concern(outcome.packages).held(tried, tried, outcome.proved)

    def _refuse_for_time(self, components: Iterable[Component], why: str) -> None:
        reason = f"not proved within {self._budget.seconds:.0f} s{why}"
        for component in components:
            self._refuse(component.fingerprints, reason, blame.place_of((), component.changes[0]))

    def _learn(self, plan: Plan, rewritten: Rewritten, outcome: Outcome) -> None:
        """Refuse or guard what is to blame for failures; the copy is as it was made."""
        failures = outcome.failures
        top = [one for one in plan.components if blame.suspicion(one, failures) == 2]
        if blame.of_nil(failures) and top and all(map(self._may_guard, top)):
            self._guard(top)
            return
        again, trial = costs(outcome)
        accused = blame.accused(plan.components, failures, rewritten)
        plain = {failure for _, why in accused for failure in why}.issuperset(failures)
        step = next_step(self._budget.left, trial, again, proved=not plain and bool(self._proved()))
        if step == "search":
            try:
                self._search(plan, rewritten, outcome, again)
            except OutOfTimeError:
                step = "take back"
            finally:
                self._bench.progress(f"{SEARCHING}: {failures[0].step}", 1, 1)
        if step == "take back" and plain:
            for component, why in accused:
                part = blame.at_fault(component, why, rewritten) or component.fingerprints
                self._refuse(part, blame.reason_of(why), blame.place_of(why, component.changes[0]))
        elif step == "take back":
            self._take_back_suspects(plan, failures)
        self._ended = self._ended or step == "end"

    def _take_back_suspects(self, plan: Plan, failures: Failures) -> None:
        """Refuse all that may be to blame for failures: there is no time to tell which of them is."""
        near = [one for one in plan.components if blame.suspicion(one, failures)] or plan.components
        reason = f"{blame.reason_of(failures)}; what it comes from was not found within {self._budget.seconds:.0f} s"
        for component in near:
            self._refuse(component.fingerprints, reason, blame.place_of(failures, component.changes[0]))

    def _search(self, plan: Plan, rewritten: Rewritten, outcome: Outcome, again: float) -> None:
        """Look for who is to blame by trying; raises `OutOfTimeError` where that would leave less than `again`."""
        bench = self._bench
        trials = Trials(
            bench.scratch,
            self._verifier.commands,
            self._verifier.baseline,
            outcome.failures,
            outcome.packages,
            rewritten,
            level=bench.level,
            timeout=bench.timeout,
            rewrite=bench.rewrite,
            progress=bench.progress,
            hung=outcome.hung,
            again=again,
        )
        for fault in culprits(plan.components, outcome.failures, trials):
            if blame.of_nil(fault.why) and self._may_guard(fault.component):
                self._guard([fault.component])
            elif bench.mocks is not None and bench.mocks.may_give_up(fault.component.files):
                reason = blame.reason_of(fault.why).removeprefix("rolled back, ")
                bench.mocks.give_up(fault.component.files, f"with it, {reason}")
            else:
                self._roll_back(plan, fault, trials)

    def _may_guard(self, component: Component) -> bool:
        return component.guardable and not component.fingerprints <= self._guarded

    def _guard(self, components: Iterable[Component]) -> None:
        for component in components:
            self._guarded |= component.fingerprints

    def _roll_back(self, plan: Plan, fault: Fault, trials: Trials) -> None:
        """Refuse what of a component is to blame: a part of it, where a part can be told."""
        component, why = fault.component, fault.why
        part = blame.at_fault(component, why, fault.seen) if fault.seen is not None else frozenset()
        if not part or part == component.fingerprints:
            try:
                part = self._part(plan, component, trials)
            except OutOfTimeError:
                part = component.fingerprints
        self._refuse(part, blame.reason_of(why), blame.place_of(why, component.changes[0]))

    def _part(self, plan: Plan, component: Component, trials: Trials) -> frozenset[str]:
        """The findings of a component without which it does not fail; all, where it fails with any of them."""
        changes = component.changes
        if len(changes) < 2:
            return component.fingerprints
        everything = {one.fingerprint: "" for other in plan.components for one in other.changes}

        def trial(some: Sequence[Change]) -> Failures:
            wanted = {change.fingerprint for change in some}
            refused = {name: reason for name, reason in everything.items() if name not in wanted}
            reasons = {name: one.reason for name, one in (self._aside.refusals | self._refused).items()}
            narrowed = self._planner(guarded=self._guarded, refused=refused | reasons)
            return trials.failures(edits_of(narrowed.components), candidates=len(some))

        if trial(changes[:1]) and trial(changes[-1:]):
            return component.fingerprints
        why = trial(changes)
        found = blame.culprits(changes, 0, why, trial) if why else []
        return frozenset(change.fingerprint for change, _ in found) or component.fingerprints

    def _refuse(self, fingerprints: Iterable[str], reason: str, where: str) -> None:
        for fingerprint in sorted(fingerprints):
            self._refused.setdefault(fingerprint, Refusal(fingerprint, reason, where))

    def _result(self, rescan: Rescan, rewritten: Rewritten, outcome: Outcome) -> Carried:
        plan = rescan.plan
        self._refused = self._aside.refusals | self._refused
        done = {change.fingerprint for component in plan.components for change in component.changes}
        ours = {name: refusal for name, refusal in self._refused.items() if name not in done}
        theirs = {refusal.fingerprint: refusal for refusal in plan.refusals}
        refusals = tuple((theirs | ours)[name] for name in sorted({*theirs, *ours}))
        return Carried(
            plan=plan,
            rewritten=rewritten,
            steps=outcome.steps,
            refusals=refusals,
            guarded=self._guarded & done,
            rolled_back=tuple(ours[name] for name in sorted(ours)),
            unbuilt=outcome.unbuilt,
            degradations=rescan.degradations,
            ok=all(step.ok for step in outcome.steps),
        )


def _overlapping(plan: Plan) -> list[tuple[Component, tuple[str, str]]]:
    """The first component that cannot be done together with those before it, and why."""
    try:
        edits_of(plan.components)
    except OverlapError:
        pass
    else:
        return []
    for size in range(1, len(plan.components) + 1):
        try:
            edits_of(plan.components[:size])
        except OverlapError as error:
            span = error.second.span
            return [(plan.components[size - 1], (str(error), f"{span.file}:{span.line}"))]
    raise AssertionError("what overlaps in all overlaps in some beginning")


def _few(packages: Sequence[str]) -> str:
    more = f" and {len(packages) - 2} more" if len(packages) > 2 else ""
    return ", ".join(packages[:2]) + more
