"""The results of `people` for people and programs: lines, tables, Markdown, JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from benchmarks import report
from benchmarks.cases import Case, CommitCase
from benchmarks.comparison import Goal
from benchmarks.scoring import Share
from benchmarks.signatures import Signature

# In percent, over all cases together; the files are a ratio, the tool's to people's. What has no goal is told.
GOALS = {"changed": 98.0, "respect": 80.0, "signatures": 90.0}
FILES = Goal(1.25)


@dataclass(frozen=True)
class Unchanged:
    """A root that people fixed and the plan does not: what the tool says of it."""

    file: str
    line: int
    function: str
    why: str


@dataclass(frozen=True)
class Beside:
    """The tool's result for people's rows alone, and people's commit: files, lines, and signatures that got a context.

    Of the tool's signatures, `opened` are those whose parameters people changed as well, be it for a context or for
    something that has one; `gone` are those whose function people removed or renamed.
    """

    files: frozenset[str]
    their_files: frozenset[str]
    lines: int
    their_lines: int
    signatures: frozenset[Signature]
    their_signatures: frozenset[Signature]
    opened: frozenset[Signature] = frozenset()
    gone: frozenset[Signature] = frozenset()

    @property
    def share(self) -> Share:
        """The tool's signatures that are people's too."""
        return Share(len(self.signatures & self.their_signatures), len(self.signatures))

    @property
    def opened_share(self) -> Share:
        """The tool's signatures that people changed too, in whichever way."""
        return Share(len(self.opened), len(self.signatures))

    @property
    def ratio(self) -> float:
        """The tool's files for one of people's."""
        return len(self.files) / len(self.their_files) if self.their_files else float(len(self.files))


@dataclass(frozen=True)
class Proof:
    """A fix from end to end: whether it verified, its steps, the rows changed, and how many findings it rolled back.

    `broken` is what the go command built before and does not build with the patch, with the reasons.
    """

    ok: bool
    seconds: float
    changed: Share
    steps: tuple[tuple[str, bool], ...]
    said: str
    rolled_back: int
    broken: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compared:
    """A case: the plan for all findings against people's decisions, the one for their rows against their commit."""

    case: Case
    read_seconds: float
    plan_seconds: float
    rewrite_seconds: float
    shares: dict[str, Share]
    unchanged: tuple[Unchanged, ...]
    beside: Beside
    proof: Proof | None = None


def line(one: Compared) -> str:
    """A case in one line."""
    beside = one.beside
    proof = "" if one.proof is None else f"  {'verified' if one.proof.ok else 'NOT VERIFIED'}"
    return (
        f"{one.case.name:28} {one.read_seconds:6.1f} s  changed {share_text(one.shares['changed'])}"
        f"  respect {share_text(one.shares['respect'])}  files {len(beside.files)}/{len(beside.their_files)}"
        f" {beside.ratio:.2f}  lines {beside.lines}/{beside.their_lines}  signatures {share_text(beside.share)}{proof}"
    )


def share_text(share: Share) -> str:
    """Hits of rows and percent."""
    return f"{share.hits}/{share.rows}" if share.percent is None else f"{share.hits}/{share.rows} {share.percent:.1f} %"


def totals(compared: Sequence[Compared]) -> dict[str, Share]:
    """The shares over all cases."""
    shares = {name: sum((one.shares[name] for one in compared), Share()) for name in ("changed", "respect")}
    shares["signatures"] = sum((one.beside.share for one in compared), Share())
    return {**shares, "opened": sum((one.beside.opened_share for one in compared), Share())}


def files(compared: Sequence[Compared]) -> tuple[int, int]:
    """The files of the tool and of people, over all cases."""
    return sum(len(one.beside.files) for one in compared), sum(len(one.beside.their_files) for one in compared)


def missed(compared: Sequence[Compared]) -> list[str]:
    """The goals that are missed, over all cases together; a fix that did not verify is one."""
    shares = totals(compared)
    found = [name for name, goal in GOALS.items() if not shares[name].meets(goal)]
    ours, theirs = files(compared)
    if not FILES.met(ours / max(theirs, 1)):
        found.append("files")
    return found + ["verified"] * any(one.proof is not None and not one.proof.ok for one in compared)


def totals_text(compared: Sequence[Compared]) -> str:
    """The totals with their goals, for a terminal."""
    return report.columns([("measure", "value", "goal", ""), *_rows(compared)])


def as_json(compared: Sequence[Compared]) -> dict[str, Any]:
    """Everything, for programs."""
    ours, theirs = files(compared)
    return {
        "met": not missed(compared),
        "missed": missed(compared),
        "totals": {name: {**_share(share), "goal": GOALS.get(name)} for name, share in totals(compared).items()}
        | {"files": {"tool": ours, "people": theirs, "goal": FILES.limit}},
        "cases": [_case(one) for one in compared],
    }


def as_markdown(compared: Sequence[Compared], names: int) -> str:
    """Totals, cases, and where they differ, for people; of each list up to `names`."""
    head = (
        "case",
        "changed",
        "respect",
        "files",
        "",
        "files of both",
        "lines",
        "signatures",
        "opened",
        "tool's, people's",
    )
    parts = [
        "# Fixes beside people's",
        report.table(("measure", "value", "goal", ""), _rows(compared)),
        HOW,
        report.table(head, map(_row, compared)),
    ]
    proofs = [_proof_row(one) for one in compared if one.proof is not None]
    if proofs:
        parts.append(report.table(("case", "verified", "changed", "rolled back", "broken", "steps", "seconds"), proofs))
        broken = [f"- {one.case.name}: {text}" for one in compared if one.proof for text in one.proof.broken]
        parts += ["\n".join(broken)] if broken else []
    for one in compared:
        parts += _sections(one, names)
    return "\n\n".join(parts)


HOW = """\
`changed` and `respect` are of a plan for all findings, the rest of one for the rows that people fixed, alone. Files are
the tool's to people's, lines those added or taken away in either diff, signatures the functions, methods and methods of
interfaces that get a context in the tool's result, and of these the ones that get one in people's commit too; `opened`
are those whose parameters people's commit changes at all, be it for something that has a context."""


def _rows(compared: Sequence[Compared]) -> list[tuple[str, str, str, str]]:
    unmet = missed(compared)
    word = {True: "missed", False: "met"}
    rows = [
        (
            name,
            share_text(share),
            f"{GOALS[name]:.0f} %" if name in GOALS else "",
            word[name in unmet] if name in GOALS else "",
        )
        for name, share in totals(compared).items()
    ]
    ours, theirs = files(compared)
    return [*rows, ("files", f"{ours} / {theirs} = {ours / max(theirs, 1):.2f}", str(FILES), word["files" in unmet])]


def _row(one: Compared) -> tuple[str, ...]:
    beside = one.beside
    return (
        one.case.name,
        share_text(one.shares["changed"]),
        share_text(one.shares["respect"]),
        f"{len(beside.files)} / {len(beside.their_files)}",
        f"{beside.ratio:.2f}",
        str(len(beside.files & beside.their_files)),
        f"{beside.lines} / {beside.their_lines}",
        share_text(beside.share),
        share_text(beside.opened_share),
        f"{len(beside.signatures)}, {len(beside.their_signatures)}",
    )


def _proof_row(one: Compared) -> tuple[str, ...]:
    proof = one.proof
    assert proof is not None
    steps = ", ".join(f"{name} {'passed' if ok else 'FAILED'}" for name, ok in proof.steps) or proof.said
    verified = "yes" if proof.ok else "no"
    counts = (str(proof.rolled_back), str(len(proof.broken)))
    return one.case.name, verified, share_text(proof.changed), *counts, steps, f"{proof.seconds:.0f}"


def _sections(one: Compared, names: int) -> Iterator[str]:
    beside = one.beside
    subject = one.case.labels.subject if isinstance(one.case.labels, CommitCase) else ""
    yield f"## {one.case.name}: {subject}"
    yield (
        f"Read in {one.read_seconds:.1f} s, planned in {one.plan_seconds:.1f} s, "
        f"rewritten in {one.rewrite_seconds:.1f} s."
    )
    if one.unchanged:
        yield "### Fixed by people, without a change"
        yield "\n".join(f"- {row.file}:{row.line} {row.function}: {row.why}" for row in one.unchanged)
    notes = dict.fromkeys(beside.opened, "people changed its parameters in another way")
    notes |= dict.fromkeys(beside.gone, "people removed or renamed it")
    for title, found in (
        ("Signatures only of the tool", beside.signatures - beside.their_signatures),
        ("Signatures only of people", beside.their_signatures - beside.signatures),
    ):
        if found:
            yield f"### {title} ({len(found)})"
            yield _list(found, names, notes)


def _list(found: Collection[Signature], names: int, notes: dict[Signature, str]) -> str:
    lines = [
        f"- {folder}: {name}" + (f" ({notes[folder, name]})" if (folder, name) in notes else "")
        for folder, name in sorted(found)
    ]
    more = [f"- and {len(lines) - names} more, in people.json"] if len(lines) > names else []
    return "\n".join(lines[:names] + more)


def _case(one: Compared) -> dict[str, Any]:
    beside = one.beside
    ours, theirs = beside.signatures, beside.their_signatures
    return {
        "case": one.case.name,
        "repository": one.case.labels.repository,
        "base": one.case.base,
        "seconds": {
            "read": round(one.read_seconds, 2),
            "plan": round(one.plan_seconds, 2),
            "rewrite": round(one.rewrite_seconds, 2),
        },
        "shares": {name: _share(share) for name, share in one.shares.items()},
        "unchanged": [msgspec.to_builtins(row) for row in one.unchanged],
        "files": {
            "ratio": round(beside.ratio, 3),
            "both": sorted(beside.files & beside.their_files),
            "tool": sorted(beside.files - beside.their_files),
            "people": sorted(beside.their_files - beside.files),
        },
        "lines": {"tool": beside.lines, "people": beside.their_lines},
        "signatures": {
            **_share(beside.share),
            "both": _names(ours & theirs),
            "tool": _names(ours - theirs),
            "people": _names(theirs - ours),
            "opened": _names(beside.opened),
            "gone": _names(beside.gone),
        },
        "proof": None if one.proof is None else _proof(one.proof),
    }


def _proof(proof: Proof) -> dict[str, Any]:
    return {
        "ok": proof.ok,
        "seconds": round(proof.seconds, 1),
        "changed": _share(proof.changed),
        "rolled_back": proof.rolled_back,
        "broken": list(proof.broken),
        "steps": dict(proof.steps),
        "said": proof.said,
    }


def _share(share: Share) -> dict[str, Any]:
    percent = None if share.percent is None else round(share.percent, 2)
    return {"hits": share.hits, "rows": share.rows, "percent": percent}


def _names(found: Collection[Signature]) -> list[str]:
    return [f"{folder}: {name}" for folder, name in sorted(found)]
