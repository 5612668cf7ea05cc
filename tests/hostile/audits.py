"""Audits and fixes in which every text of every record is what a test wants it to be.

They are made from the records' own fields, so that a field that is added is attacked too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import inspect
from msgspec.structs import replace

from audit_lib.change.patch import patch
from audit_lib.fixed import Fixed, Group, PhasePatch
from audit_lib.model import Audit, Change, Finding, Record, Refusal, Verification, totals_of
from tests.hostile import strings

COUNT = 6

AnyRecord = TypeVar("AnyRecord", bound=Record)


def made(kind: type[AnyRecord], text: str) -> AnyRecord:
    """A record whose every text, at any depth, is `text`."""
    return msgspec.convert(_made(inspect.type_info(kind), text, 0), type=kind)


def audit(texts: Sequence[str]) -> Audit:
    """An audit with a finding for each text; a third of them changed, a third refused."""
    findings = tuple(_finding(text, number) for number, text in enumerate(texts))
    changes = tuple(
        replace(made(Change, f.reason), fingerprint=f.fingerprint, fix_kind="thread", edits=()) for f in findings[::3]
    )
    refusals = tuple(replace(made(Refusal, f.reason), fingerprint=f.fingerprint) for f in findings[1::3])
    whole = made(Audit, texts[0])
    done, refused, rest = len(changes), len(refusals), len(findings) - len(changes) - len(refusals)
    totals = totals_of(findings, files=1, lines=1, packages=1)
    return replace(
        whole,
        config={"phases": {text: [text] for text in texts}},
        findings=findings,
        changes=changes,
        refusals=refusals,
        verification=tuple(made(Verification, text) for text in texts),
        degradations=tuple(replace(whole.degradations[0], where=text, reason=text) for text in texts),
        totals=replace(totals, fixed=done, refused=refused, review=rest, detached=0, kept=0),
    )


def fix(texts: Sequence[str]) -> Fixed:
    """A fix of that audit, with a group, a phase and a patch for each text."""
    whole = audit(texts)
    findings = {finding.fingerprint: finding for finding in whole.findings}
    changed = [change.fingerprint for change in whole.changes]
    groups = tuple(
        replace(made(Group, text), phase=findings[name].phase, fingerprints=(name,), roots=1, signatures=number % 2)
        for number, (name, text) in enumerate((name, findings[name].reason) for name in changed)
    )
    # A file's name may hold any byte but one, and Python reads those that are no UTF-8 as some halves of characters.
    names = [text.replace("\0", "").replace("\ud800", "") for text in texts]
    files = [f"{number}{name}" for number, name in enumerate(names)]
    before: dict[str, bytes | None] = dict.fromkeys(files, b"a\n")
    after = {file: f"{file}\n".encode("utf-8", "surrogateescape") for file in files}
    return Fixed(
        audit=whole,
        groups=groups,
        patch=patch(before, after),
        phases=tuple(PhasePatch(group.phase, f"fix-{n}-x.patch", b"") for n, group in enumerate(groups)),
        before=before,
        after=after,
        unbuilt=tuple(texts),
    )


@cache
def benign() -> Fixed:
    """A fix whose texts are harmless: what the others are compared with."""
    return fix([strings.BENIGN] * COUNT)


@cache
def hostile(text: str) -> Fixed:
    """The same fix, with this text."""
    return fix([text] * COUNT)


def _finding(text: str, number: int) -> Finding:
    one = made(Finding, text)
    span = replace(one.site.span, line=number + 1, start=10 * number, end=10 * number + 1)
    site = replace(one.site, span=span)
    verdict = ("fix", "fix", "review")[number % 3]
    return replace(one, fingerprint=f"{number:08}", site=site, uses=(), verdict=verdict, priority="critical")


def _made(kind: Any, text: str, depth: int) -> object:
    match kind:
        case inspect.StrType():
            return text
        case inspect.BoolType():
            return True
        case inspect.IntType():
            return 1
        case inspect.FloatType():
            return 1.0
        case inspect.LiteralType():
            return kind.values[0]
        case inspect.StructType():
            return {field.name: _made(field.type, text, depth + 1) for field in kind.fields}
        case inspect.VarTupleType():
            # A finding may hold findings: one in another is enough.
            return [] if depth > 4 else [_made(kind.item_type, text, depth + 1)]
        case inspect.UnionType():
            return _made(next(one for one in kind.types if not isinstance(one, inspect.NoneType)), text, depth + 1)
        case inspect.DictType():
            return {text: text}
    raise AssertionError(f"a field of a kind that no test attacks: {kind}")
