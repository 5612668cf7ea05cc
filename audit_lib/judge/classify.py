"""From facts and syntax to findings: each site becomes a case, and the first rule that decides gives its verdict."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import msgspec

from audit_lib.config import Config
from audit_lib.errors import ExhaustedError
from audit_lib.judge.ancestry import Ancestry
from audit_lib.judge.case import Case, Decision
from audit_lib.judge.category import settled
from audit_lib.judge.findings import numbered, typed_finding, untyped_finding
from audit_lib.judge.graph import Graph
from audit_lib.judge.lifetime import Lifetimes
from audit_lib.judge.reach import Reach
from audit_lib.judge.rules import ORDER
from audit_lib.judge.rules.starting import settled_starts, start_of, starts_commands
from audit_lib.judge.trail import trail_of
from audit_lib.judge.variables import Variables
from audit_lib.judge.versions import Versions
from audit_lib.model import Degradation, Finding
from audit_lib.read.facts import Dispatch, Facts, Func, Skipped, TypedSite
from audit_lib.read.syntax import Directive, Syntax, SyntaxSite

AGAIN = frozenset({"origin", "radius", "test", "threaded", "unused"})
"""The rules whose decisions may change with what is decided of siblings."""


NO_TYPES = "it was read without types"
NOT_LOADED = "its package could not be loaded, or build constraints leave its file out"


@dataclasses.dataclass(frozen=True)
class Judgement:
    """All findings of a target, sorted by file and position, and what was not judged as far as it should be."""

    findings: tuple[Finding, ...]
    degradations: tuple[Degradation, ...] = ()


def judge(syntax: Syntax, facts: Facts | None, config: Config) -> tuple[Finding, ...]:
    """All findings of a target, sorted by file and position. Without facts every site is for review."""
    return judge_until(None, syntax, facts, config).findings


def judge_until(deadline: float | None, syntax: Syntax, facts: Facts | None, config: Config) -> Judgement:
    """What `judge` finds, until a time of `time.monotonic`: sites that are not judged by then are for review.

    So are those that would take more work than a target of its size may (see `effort`). The degradation says which.
    """
    tests = frozenset(fact.file for fact in syntax.files if fact.test)

    def unjudged(site: SyntaxSite, why: str) -> Finding:
        return untyped_finding(site, config, test=site.span.file in tests, why=why)

    degradations: list[Degradation] = []
    if facts is None:
        found = [unjudged(site, NO_TYPES) for site in syntax.sites]
    else:
        try:
            court = Court(syntax, facts, config, deadline)
            found = court.judge_all()
        except ExhaustedError as error:
            found = [unjudged(site, str(error)) for site in syntax.sites]
            degradations.append(Degradation("judging", f"{error}; every site is for review"))
        else:
            found += [unjudged(site, why) for site, why in court.unseen()]
            degradations += court.given_up()
    return Judgement(numbered(sorted(found, key=lambda finding: finding.site.span)), tuple(degradations))


def idle_directives(syntax: Syntax, findings: Iterable[Finding]) -> list[Degradation]:
    """The `//ctxaudit:keep` comments that keep nothing: their site is gone, or they stand in the wrong place."""
    every = (one for finding in findings for one in (finding, *finding.uses))
    covered = {(one.site.span.file, one.site.span.line) for one in every}
    return [
        Degradation(
            f"{word.span.file}:{word.span.line}",
            "//ctxaudit:keep keeps nothing: there is no site on the line that it speaks for; move or remove it",
        )
        for word in syntax.directives
        if word.form == "keep" and covered.isdisjoint(_lines_of(word))
    ]


def _lines_of(word: Directive) -> list[tuple[str, int]]:
    return [(word.span.file, line) for line in range(word.covers, word.through + 1)]


def _by_line(words: Iterable[Directive]) -> dict[tuple[str, int], Directive]:
    """Directives by the lines that they speak for; one nearer to a line goes before one above its statement."""
    found: dict[tuple[str, int], Directive] = {}
    for word in sorted(words, key=lambda word: word.covers):
        found.update(dict.fromkeys(_lines_of(word), word))
    return found


class Court:
    """What all cases share: the graph, the reach of sources, and the directives by line."""

    def __init__(self, syntax: Syntax, facts: Facts, config: Config, deadline: float | None = None) -> None:
        self._syntax, self._facts, self._config = syntax, facts, config
        generated = frozenset(file.file for file in syntax.files if file.generator)
        self._graph = Graph(facts, generated, deadline=deadline)
        self._lifetimes = Lifetimes(self._graph)
        self._reach = Reach(self._graph, self._lifetimes, stored=config.policy.stored == "fix")
        self._ancestry = Ancestry(self._graph, self._reach)
        self._directives = _by_line(syntax.directives)
        self._listed = {
            (site.span.file, site.span.start, site.span.end) for site in syntax.sites if site.kind == "bare_call"
        }
        self._remarks = {(site.span.file, site.span.start): site.remark for site in syntax.sites if site.remark}
        self._versions = Versions(facts)
        self._start = start_of(self._graph)
        self._logs_contexts = _logs_contexts(facts, config)
        self._test_contexts = syntax.prefers_test_contexts(config.policy.tests)
        self._exhausted: dict[tuple[str, int, int], str] = {}  # sites that were given up, and why
        self._doubtful: dict[str, str] = {}  # variables of which a use was given up

    def judge_all(self) -> list[Finding]:
        """The findings of all typed sites, judged twice: the second time with what the first says of their siblings.

        Interfaces that open for one site open for their siblings too; and where most methods of a type are not worth
        a context's price, the others do not go alone: only with a method of another type that they stand for too.
        """
        first: list[tuple[Case, Decision]] = []
        for site in self._facts.sites:
            with self._given_up_alone(site):
                case = self._case(site)
                if case is not None:
                    first.append((case, _decide(case)))
        first = settled_starts(first)
        costly = _costly(first)
        taking: list[tuple[Dispatch, bool]] = []
        for case, decision in first:
            if decision.rule == "threaded":
                with self._given_up_alone(case.site):
                    taking += [(node, case.top.receiver in costly) for node in self._opened_by(case)]
        opened = frozenset(node.id.rpartition(".")[0] for node, _ in taking)
        carrying = {node.id: node for node, alone in taking if not alone}
        carried = frozenset(target for node in carrying.values() for target in node.targets)
        variables, found = Variables(), []
        for case, decision in first:
            with self._given_up_alone(case.site):
                if decision.rule in AGAIN and not case.site.test:
                    decision = _decide(dataclasses.replace(case, opened=opened, costly=costly, carried=carried))
                finding = typed_finding(case, decision)
                if case.used:
                    variables.add_use(case.site.variable, finding)
                else:
                    found.append((finding, case.site))
        for site in (site for _, site in found if site.variable in self._doubtful):
            self._exhausted[_key(site)] = self._doubtful[site.variable]
        return [
            variables.judged(finding, site.variable) for finding, site in found if _key(site) not in self._exhausted
        ]

    def given_up(self) -> list[Degradation]:
        """What is said of the sites on which too much work would have been."""
        counts = Counter(self._exhausted.values())
        return [
            Degradation("judging", f"{why}; {'1 site is' if count == 1 else f'{count} sites are'} for review")
            for why, count in counts.items()
        ]

    @contextmanager
    def _given_up_alone(self, site: TypedSite) -> Iterator[None]:
        """Work on a site that is for review where it is too much, as is the variable that it is a use of."""
        try:
            with self._graph.effort.for_one_site():
                yield
        except ExhaustedError as error:
            if site.kind == "use":
                self._doubtful[site.variable] = str(error)
            else:
                self._exhausted[_key(site)] = str(error)

    def _opened_by(self, case: Case) -> Iterator[Dispatch]:
        """The methods of the module's interfaces that get a context when a case is fixed."""
        for way in case.trail.ways:
            nodes = [*self._graph.interfaces_of(way.callee), *([way.edge.through] if way.edge.through else [])]
            self._graph.effort.spend(len(nodes))
            for node in nodes:
                if node.kind == "interface" and not node.external:
                    yield node

    def unseen(self) -> list[tuple[SyntaxSite, str]]:
        """The sites that only syntax saw, and why: not loaded, left out of the build, or given up.

        Calls that need types to be told are left out where types say that they are something else.
        """
        skipped: dict[str, list[Skipped]] = defaultdict(list)
        for part in self._facts.skipped:
            skipped[part.place.file].append(part)
        seen = {_key(site) for site in self._facts.sites} - self._exhausted.keys()
        read = {package.dir for package in self._facts.packages if package.files}
        constrained = {fact.file for fact in self._syntax.files if fact.build}
        found = []
        for site in self._syntax.sites:
            span = site.span
            if (span.file, span.start, span.end) not in seen:
                why = self._exhausted.get((span.file, span.start, span.end), "")
                why = why or next((part.reason for part in skipped[span.file] if part.covers(span.start)), "")
                if why or site.certain or site.package not in read or span.file in constrained:
                    found.append((site, why or NOT_LOADED))
        return found

    def _case(self, site: TypedSite) -> Case | None:
        """The case of a site, or None for a call with a sibling to which no context could be given anyway.

        Such calls count in any module where a context is near; those that a rule of the scan lists count everywhere.
        """
        used = site.kind == "use"
        if used:  # it stands for the root that its variable holds
            site = msgspec.structs.replace(site, kind="root")
        self._graph.effort.spend(100)
        trail = trail_of(self._graph, self._lifetimes, self._reach, site)
        listed = site.kind == "root" or _key(site) in self._listed or starts_commands(site)
        if not listed and (trail.supply is None or site.test):
            return None
        chain = self._graph.chain(site.function)
        func = chain[0] if chain else Func(id=site.function, place=site.place, test=site.test)
        top = chain[-1] if chain else func
        radius, moved = self._reach.radius(top.id) if trail.ways else (None, 0)
        return Case(
            site=site,
            used=used,
            func=func,
            top=top,
            trail=trail,
            radius=radius,
            moved=moved,
            graph=self._graph,
            reach=self._reach,
            ancestry=self._ancestry,
            config=self._config,
            directive=self._directives.get((site.place.file, site.place.line)),
            remark=self._remarks.get((site.place.file, site.place.start), ""),
            go_version=self._versions.of(func.package),
            test_contexts=self._test_contexts,
            logs_contexts=self._logs_contexts,
            start=self._start,
        )


def _key(site: TypedSite) -> tuple[str, int, int]:
    return site.place.file, site.place.start, site.place.end


def _logs_contexts(facts: Facts, config: Config) -> bool:
    """Whether calls of loggers are to take a context: by policy, or since most of them do."""
    if config.policy.logging != "auto":
        return config.policy.logging == "fix"
    plain = sum(site.values and site.kind == "bare_call" and not site.test for site in facts.sites)
    return plain <= sum(package.logs for package in facts.packages)


def _costly(decided: list[tuple[Case, Decision]]) -> frozenset[str]:
    """The types of which more methods were found too costly to thread a context into than worth it."""
    too_costly = Counter(case.top.receiver for case, decision in decided if decision.rule == "radius")
    worth_it = Counter(case.top.receiver for case, decision in decided if decision.rule == "threaded")
    return frozenset(name for name, count in too_costly.items() if name and count > max(worth_it[name], 1))


def _decide(case: Case) -> Decision:
    return settled(case, next(decision for rule in ORDER if (decision := rule(case)) is not None))
