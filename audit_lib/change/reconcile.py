"""Whether an audit of the result tells the same story as the plan: each root of both is looked for by its place.

Edits tell where each byte of a changed file comes from. So every root of the result was there before, or a component
wrote it; and every root that has gone went with a change. What a component says of the roots that it moves is held
against what it wrote; the sums only tell of it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from audit_lib.change.passes import origins_of
from audit_lib.change.planned import Component, Plan, edits_of
from audit_lib.change.rewrite import Rewritten
from audit_lib.model import DOCUMENT, Change, Degradation, Edit, Finding, Refusal, Totals, Verification

_Place = tuple[str, int, str]
"""A file, an offset in it as it was, and what is called there."""

WHERE = "rescan"


@dataclass(frozen=True)
class Rescan:
    """What the second audit says: the step's record, if it was made, and the plan with the roots that really moved.

    `taken_back` are refusals of the components that the result has something of which they do not explain;
    `degradations` name what belongs to no component.
    """

    steps: tuple[Verification, ...]
    plan: Plan
    taken_back: tuple[Refusal, ...] = ()
    degradations: tuple[Degradation, ...] = ()


def rescanned(
    before: Sequence[Finding],
    after: Sequence[Finding],
    plan: Plan,
    rewritten: Rewritten,
    seconds: float,
    tests: Collection[str] = (),
) -> Rescan:
    """Compare the findings of a target with those of the result of a plan, place by place.

    Outside tests (`tests` names their files) each site that the plan changes must have gone, each root that goes must
    have a change, and each new one must be among those that its component moves.
    """
    account = _Account(plan, rewritten, tests)
    account.compare(before, after)
    counted = tuple(
        replace(one, moved=account.moved(number)) if account.moved(number) != one.moved else one
        for number, one in enumerate(plan.components)
    )
    taken_back = tuple(account.refusals())
    degradations = tuple(Degradation(place, f"{WHERE}: {reason}") for place, reason in account.nobodys)
    detail = account.sums(before, after, counted)
    if taken_back:
        detail = "\n".join(dict.fromkeys(refusal.reason for refusal in taken_back))
    step = Verification(WHERE, not taken_back, round(seconds, 3), detail)
    return Rescan((step,), Plan(counted, plan.refusals), taken_back, degradations)


@dataclass
class _Account:
    """What becomes of each root, and which component answers for it, by its number in the plan."""

    plan: Plan
    rewritten: Rewritten
    tests: Collection[str]
    wrong: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Components that do not explain what they did: where, and why."""
    nobodys: list[tuple[str, str]] = field(default_factory=list)
    gone: int = 0
    new: int = 0

    def __post_init__(self) -> None:
        components = self.plan.components
        edits = edits_of(components)
        self._origins = origins_of(self.rewritten.before, edits, self.rewritten.after)
        self._owners: dict[tuple[str, int, int, str], list[int]] = defaultdict(list)
        self._edits: dict[str, list[tuple[Edit, int]]] = defaultdict(list)
        self._of_finding: dict[str, int] = {}
        for number, component in enumerate(components):
            self._of_finding |= dict.fromkeys(removed(component.changes), number)
            for edit in {edit: None for change in component.changes for edit in change.edits}:
                self._owners[_known_by(edit)].append(number)
                self._edits[edit.span.file].append((edit, number))
        self._written: dict[int, list[Finding]] = defaultdict(list)
        self._stayed: Counter[int] = Counter()

    def moved(self, number: int) -> int:
        """How many roots a component wrote, or left for others that need them."""
        return len(self._written[number]) + self._stayed[number]

    def compare(self, before: Sequence[Finding], after: Sequence[Finding]) -> None:
        """Find for each site what became of it, and for each root of the result where it comes from."""
        old = {_place_before(one): one for one in before if self._counts(one)}
        rest = dict(old)
        written: list[Finding] = []
        stays: list[Finding] = []
        for finding in filter(self._counts, after):
            place = self._origin(finding)
            twin = rest.pop(place, None) if place is not None else None
            if twin is not None:
                stays.append(twin)
            elif finding.site.kind == "root":
                written.append(finding)
        gone = [one for one in rest.values() if one.site.kind == "root" and one.fingerprint not in self._of_finding]
        written = self._without_rewritten(written, gone)
        for finding in written:
            self._note_written(finding)
        for finding in stays:
            self._note_stay(finding)
        for finding in gone:
            self._note_gone(finding)
        self._weigh()

    def refusals(self) -> Iterator[Refusal]:
        """A refusal for each finding of a component that does not explain what it did."""
        for number, (where, reason) in sorted(self.wrong.items()):
            for name in sorted(self.plan.components[number].fingerprints):
                yield Refusal(name, f"rolled back, {WHERE}: {reason}", where)

    def sums(self, before: Sequence[Finding], after: Sequence[Finding], counted: Sequence[Component]) -> str:
        """The roots in one line: as many as were there, less what went, and what moved, are left."""
        had, has = (sum(one.site.kind == "root" for one in filter(self._counts, some)) for some in (before, after))
        went = sum(
            1 for one in filter(self._counts, before) if one.site.kind == "root" and one.fingerprint in self._of_finding
        )
        moved = sum(one.moved for one in counted)
        said = f"{had} root{'s' * (had != 1)} - {went} fixed or detached + {moved} moved"
        said += f" - {self.gone} gone without a change" if self.gone else ""
        said += f" + {self.new} that nobody wrote" if self.new else ""
        said += f" = {has} left"
        off = [
            f"{is_now.title} was to move {was.moved} root{'s' * (was.moved != 1)}, and moved {is_now.moved}"
            for was, is_now in zip(self.plan.components, counted, strict=True)
            if was.moved != is_now.moved
        ]
        return "\n".join([said, *off])

    def _counts(self, finding: Finding) -> bool:
        # By the file: whether only tests call a function may change with the fix.
        file = finding.site.span.file
        return file not in self.tests and not file.endswith("_test.go")

    def _origin(self, finding: Finding) -> _Place | None:
        """Where a site of the result was before; None where it was not."""
        span = finding.site.span
        origins = self._origins.get(span.file)
        start = origins.back(span.start) if origins is not None else span.start
        return (span.file, start, finding.site.callee) if start is not None else None

    def _without_rewritten(self, written: list[Finding], gone: list[Finding]) -> list[Finding]:
        """The written roots but for those that stood in what an edit replaced, and that it has written again.

        Where formatting leaves no byte in its place, roots of one function are the same that are called the same.
        """
        left = []
        for finding in written:
            origins = self._origins.get(finding.site.span.file)
            edit = origins.writer(finding.site.span.start) if origins is not None else None
            near = (one for one in gone if one.site.callee == finding.site.callee and _same_function(one, finding))
            twin = next((one for one in near if edit is None or _holds(edit, one)), None)
            if twin is None:
                left.append(finding)
            else:
                gone.remove(twin)
        return left

    def _note_written(self, finding: Finding) -> None:
        number = self._writer(finding)
        if number is not None:
            self._written[number].append(finding)
            return
        self.new += 1
        self.nobodys.append((_where(finding), f"{_named(finding)} is there now, and no change wrote it"))

    def _writer(self, finding: Finding) -> int | None:
        """The component that wrote a root: the one whose edit it stands in, else one of those that edit its file."""
        span = finding.site.span
        origins = self._origins.get(span.file)
        edit = origins.writer(span.start) if origins is not None else None
        owners = self._owners.get(_known_by(edit), []) if edit is not None else []
        owners = owners or list(dict.fromkeys(number for _, number in self._edits.get(span.file, ())))
        spare = [number for number in owners if self.moved(number) < self.plan.components[number].moved]
        return next(iter([*spare, *owners]), None)

    def _note_stay(self, finding: Finding) -> None:
        """A site that is where it was: right, unless its change was to remove it and did not say that it stays."""
        number = self._of_finding.get(finding.fingerprint)
        if number is None:
            return
        if finding.site.kind == "root" and self.moved(number) < self.plan.components[number].moved:
            self._stayed[number] += 1
            return
        self.wrong.setdefault(number, (_where(finding), f"{_named(finding)} is still there"))

    def _note_gone(self, finding: Finding) -> None:
        """A root that is gone without a change of its own: whoever's edit took it is to blame."""
        reason = f"{_named(finding)} has gone, and no change of it was planned"
        number = next((number for edit, number in self._edits[finding.site.span.file] if _holds(edit, finding)), None)
        if number is not None:
            self.wrong.setdefault(number, (_where(finding), reason))
            return
        self.gone += 1
        self.nobodys.append((_where(finding), reason))

    def _weigh(self) -> None:
        """Who has written more roots than it moves has written one that nobody asked for."""
        for number, component in enumerate(self.plan.components):
            if self.moved(number) > component.moved:
                names = ", ".join(f"{_named(one)} at {_where(one)}" for one in self._written[number])
                moved = f"{component.moved} root{'s' * (component.moved != 1)}"
                reason = f"it moves {moved}, and {self.moved(number)} are there anew: {names}"
                self.wrong.setdefault(number, (_where(self._written[number][-1]), reason))


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


def _known_by(edit: Edit) -> tuple[str, int, int, str]:
    # An edited file has its own line ends in what is written.
    return edit.span.file, edit.span.start, edit.span.end, edit.text.replace("\r\n", "\n")


def _place_before(finding: Finding) -> _Place:
    return finding.site.span.file, finding.site.span.start, finding.site.callee


def _same_function(one: Finding, other: Finding) -> bool:
    # A literal's number changes when another goes: the declaration around it counts.
    a, b = one.site, other.site
    return (a.span.file, a.function.partition(".func")[0]) == (b.span.file, b.function.partition(".func")[0])


def _holds(edit: Edit, finding: Finding) -> bool:
    span = finding.site.span
    return edit.span.start <= span.start and span.end <= edit.span.end


def _named(finding: Finding) -> str:
    return f"{finding.site.callee} in {finding.site.function}"


def _where(finding: Finding) -> str:
    return f"{finding.site.span.file}:{finding.site.span.line}"
