"""The records that pass between the rooms: frozen, ordered, and the same as JSON.

Positions are 0-based byte offsets, with 1-based line and 1-based byte column beside them. They are converted once,
where a reader takes them in. Files are relative to the target and `/`-separated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal, TypeVar

import msgspec

from audit_lib.untrusted.text import valid

Kind = Literal["root", "bare_call"]
Category = Literal["request", "background", "init", "test"]
Verdict = Literal["fix", "detach", "keep", "review"]
Priority = Literal["critical", "high", "medium", "low"]
Lifetime = Literal["request", "command", "worker", "process", "test"]
CallKind = Literal["source", "static", "interface", "value", "closure", "go", "defer", "site"]

CATEGORIES: tuple[Category, ...] = ("request", "background", "init", "test")
VERDICTS: tuple[Verdict, ...] = ("fix", "detach", "keep", "review")
PRIORITIES: tuple[Priority, ...] = ("critical", "high", "medium", "low")


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base of every record: frozen, compared by value, strict about unknown fields when read back."""


AnyRecord = TypeVar("AnyRecord", bound=Record)


class Span(Record, frozen=True, order=True):
    """A stretch of a file: byte offsets `[start, end)`, and the line and byte column (from 1) of its start."""

    file: str
    start: int
    end: int
    line: int
    column: int


class Source(Record, frozen=True):
    """An expression that gives a context where it stands, and how long what it stands for lives."""

    expr: str
    lifetime: Lifetime
    span: Span


class Site(Record, frozen=True):
    """A call that loses a context: a root, or a bare call. `callee` is as people read it, `context.TODO`."""

    kind: Kind
    callee: str
    span: Span
    function: str


class Step(Record, frozen=True):
    """One stop on the way from a source to a site: a function, where, and how it is reached (`kind`).

    `detail` says more for people: the source's expression, or an interface and how many implement it.
    """

    function: str
    file: str
    line: int
    kind: CallKind
    detail: str = ""


class Radius(Record, frozen=True):
    """What changes with a finding when its context is threaded: counts of functions, interfaces, calls, files."""

    functions: int = 0
    interfaces: int = 0
    calls: int = 0
    files: int = 0


class Finding(Record, frozen=True):
    """What a site is, what to do about it, and why. `rule` names the section of docs/rules.md that decided.

    The root that a package's variable holds has `uses`: what is to be done in each place where the variable is used.
    """

    fingerprint: str
    site: Site
    category: Category
    verdict: Verdict
    priority: Priority
    phase: str
    reason: str
    recommendation: str
    rule: str
    source: Source | None = None
    path: tuple[Step, ...] = ()
    radius: Radius | None = None
    notes: tuple[str, ...] = ()
    uses: tuple[Finding, ...] = ()


class Edit(Record, frozen=True):
    """Replace the bytes of `span` by `text`; an empty span inserts."""

    span: Span
    text: str


DOCUMENT = "document"
"""The kind of a change that gives a kept root its reason as a comment: its site stays."""


class Change(Record, frozen=True):
    """The edits that carry out a finding's verdict, and the kind of fix they are."""

    fingerprint: str
    fix_kind: str
    files: tuple[str, ...]
    edits: tuple[Edit, ...]


class Refusal(Record, frozen=True):
    """Why a finding's verdict was not carried out, and the place that stands in the way (`file:line`)."""

    fingerprint: str
    reason: str
    where: str


class Verification(Record, frozen=True):
    """One step of the proof: what was run, whether it passed, the seconds it took, and what it said."""

    step: str
    ok: bool
    seconds: float
    detail: str = ""


class Degradation(Record, frozen=True):
    """Something that was read only in part, named: what (`where`), and what follows from it (`reason`)."""

    where: str
    reason: str


class Totals(Record, frozen=True):
    """The counts that must reconcile: sites = fixed + detached + kept + refused + review (see `Totals.reconciles`).

    Before any change, `fixed` and `detached` count the findings with these verdicts. `files`, `lines` and `packages`
    tell how much Go was read.
    """

    sites: int
    roots: int
    bare_calls: int
    fixed: int
    detached: int
    kept: int
    review: int
    refused: int = 0
    moved: int = 0
    files: int = 0
    lines: int = 0
    packages: int = 0

    def reconciles(self) -> bool:
        """Whether every site is in exactly one of the outcomes, and every site is a root or a bare call."""
        outcomes = self.fixed + self.detached + self.kept + self.refused + self.review
        return self.sites == outcomes == self.roots + self.bare_calls


class Audit(Record, frozen=True):
    """One audit, whole: what was read, with which configuration, and all that was found, changed and proved."""

    tool: str
    target: str
    commit: str
    config: dict[str, object]
    findings: tuple[Finding, ...]
    totals: Totals
    changes: tuple[Change, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    verification: tuple[Verification, ...] = ()
    degradations: tuple[Degradation, ...] = ()
    typed: bool = True


class Row(Record, frozen=True):
    """One line of `findings.jsonl`: a finding, flat. This is a contract that other programs read."""

    fingerprint: str
    kind: Kind
    file: str
    line: int
    column: int
    function: str
    callee: str
    category: Category
    verdict: Verdict
    priority: Priority
    phase: str
    reason: str
    recommendation: str
    source: str
    path: tuple[str, ...]


def row_of(finding: Finding) -> Row:
    """The flat row of a finding; `source` is its expression (empty when there is none), `path` one string a step."""
    site = finding.site
    return Row(
        fingerprint=finding.fingerprint,
        kind=site.kind,
        file=site.span.file,
        line=site.span.line,
        column=site.span.column,
        function=site.function,
        callee=site.callee,
        category=finding.category,
        verdict=finding.verdict,
        priority=finding.priority,
        phase=finding.phase,
        reason=finding.reason,
        recommendation=finding.recommendation,
        source=finding.source.expr if finding.source else "",
        path=tuple(f"{step.file}:{step.line} {step.function} ({step.kind})" for step in finding.path),
    )


def totals_of(findings: Iterable[Finding], *, files: int = 0, lines: int = 0, packages: int = 0) -> Totals:
    """The totals of an audit before any change."""
    kinds: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    for finding in findings:
        kinds[finding.site.kind] += 1
        verdicts[finding.verdict] += 1
    return Totals(
        sites=kinds.total(),
        roots=kinds["root"],
        bare_calls=kinds["bare_call"],
        fixed=verdicts["fix"],
        detached=verdicts["detach"],
        kept=verdicts["keep"],
        review=verdicts["review"],
        files=files,
        lines=lines,
        packages=packages,
    )


def encode(record: Record) -> bytes:
    """A record as one line of JSON, keys in the order of the fields; always valid UTF-8 (see `readable`)."""
    return json_bytes(record)


def json_bytes(value: object) -> bytes:
    """Records, or what they are made of, as JSON in UTF-8: halves of characters are spelled out."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_readable(msgspec.to_builtins(value)))


def readable(record: AnyRecord) -> AnyRecord:
    """A record without halves of characters, as bytes that are no UTF-8 bring them: they are spelled out."""
    try:
        msgspec.json.encode(record)
    except UnicodeEncodeError:
        return msgspec.convert(_readable(msgspec.to_builtins(record)), type=type(record))
    return record


def _readable(value: object) -> object:
    if isinstance(value, str):
        return valid(value)
    if isinstance(value, dict):
        return {valid(str(key)): _readable(item) for key, item in value.items()}
    return [_readable(item) for item in value] if isinstance(value, list | tuple) else value


def decode_audit(data: bytes) -> Audit:
    """An audit read back from its JSON; raises `msgspec.ValidationError` for anything that is not one."""
    return msgspec.json.decode(data, type=Audit)
