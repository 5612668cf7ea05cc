"""The saved audits that the tests of `show` and `runs` read, and the Go sources that they speak of.

`python -m tests.saved_audits` writes `data/saved/*.json` anew; a test holds that what is committed is what this makes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import msgspec

from audit_lib.change.edits import splice
from audit_lib.change.patch import patch
from audit_lib.config import Config
from audit_lib.model import (
    Audit,
    Change,
    Degradation,
    Edit,
    Finding,
    Radius,
    Refusal,
    Site,
    Source,
    Span,
    Step,
    Verification,
    decode_audit,
    encode,
    totals_of,
)
from tests.saved_shapes import FILES, NOUNS, SHAPES, Shape

SAVED = Path(__file__).parent.parent / "data" / "saved"
PHASES = Config()


def sources() -> dict[str, str]:
    """The Go files of the made-up module, by their path; what the findings' positions point into."""
    return {file: text for file, text, _ in _files()}


def write_sources(folder: Path) -> Path:
    """Write the Go files under `folder`, and give it back."""
    for file, text in sources().items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def shop(target: str = "example.org/shop") -> Audit:
    """An audit as a scan gives it: every verdict, category, priority and phase, paths, radius, degradations."""
    findings = tuple(finding for _, _, found in _files() for finding in found)
    return Audit(
        tool="ctxaudit 0.1.0",
        target=target,
        commit="0123456789abcdef0123456789abcdef01234567",
        config={"phases": {name: list(patterns) for name, patterns in PHASES.phases.items()}},
        findings=findings,
        totals=totals_of(findings, files=len(FILES), lines=81_204, packages=len({f.rsplit("/", 1)[0] for f in FILES})),
        degradations=(
            Degradation("storage/legacy", "does not compile (undefined: driver.Conn): its sites are left to review"),
            Degradation("tools/gen.go", "left out by its build constraint `ignore`: read by syntax alone"),
        ),
    )


def fixed() -> Audit:
    """An audit after a fix: changes of each kind, refusals and the proof, with totals that still reconcile.

    Critical sites of a file share an edit, as those do that need the same parameter; one kept root is documented.
    """
    audit = shop()
    wanted = [f for f in audit.findings if f.verdict in ("fix", "detach")]
    refused, carried = wanted[:3], wanted[3:]
    noted = next(f for f in audit.findings if f.verdict == "keep" and f.site.kind == "root" and f.category != "test")
    totals = audit.totals
    detached = sum(f.verdict == "detach" for f in carried)
    closed = "http.Handler is not this module's to change"
    return msgspec.structs.replace(
        audit,
        changes=tuple(_change(f) for f in audit.findings if f in (*carried, noted)),
        refusals=(
            *(Refusal(f.fingerprint, closed, "api/server.go:12") for f in refused[:2]),
            Refusal(refused[2].fingerprint, "not asked for: --only names others", "api/server.go:12"),
        ),
        verification=(
            Verification("gofmt", True, 0.2),
            Verification("compile", True, 4.1, "7 packages"),
            Verification("test", False, 12.5, "TestOrders fails as it did before"),
        ),
        totals=msgspec.structs.replace(totals, fixed=len(carried) - detached, detached=detached, refused=len(refused)),
    )


def fixed_patch() -> bytes:
    """The diff of that fix, of the files that `write_sources` writes."""
    before = {file: text.encode() for file, text in sources().items()}
    edits = [edit for change in fixed().changes for edit in change.edits]
    after = {file: splice(data, [e for e in edits if e.span.file == file]) for file, data in before.items()}
    return patch(before, after)


def _change(finding: Finding) -> Change:
    span, file = finding.site.span, finding.site.span.file
    call = Edit(span, "ctx" if finding.site.kind == "root" else "s.db.QueryContext(ctx, ")
    if finding.verdict == "keep":
        above = msgspec.structs.replace(span, start=_line_start(span), end=_line_start(span), column=1)
        return Change(finding.fingerprint, "document", (file,), (Edit(above, f"\t//ctxaudit:keep {finding.reason}\n"),))
    if finding.verdict == "detach":
        return Change(finding.fingerprint, "detach", (file,), (Edit(span, "context.WithoutCancel(ctx)"),))
    if finding.priority == "critical" and finding.site.kind == "root":
        top = Edit(Span(file, 0, 0, 1, 1), "// Contexts are handed down here.\n")
        return Change(finding.fingerprint, "thread-interface", (file,), (top, call))
    kind = (
        "test-context" if finding.category == "test" else "upgrade" if finding.site.kind == "bare_call" else "in-scope"
    )
    return Change(finding.fingerprint, kind, (file,), (call,))


def _line_start(span: Span) -> int:
    return span.start - span.column + 1


def hostile() -> Audit:
    """An audit of a module whose names attack what shows them: markup, formulas, terminal codes, odd characters."""
    texts = (
        "<script>alert('x')</script>",
        "</script><img src=x onerror=alert(1)>",
        '=HYPERLINK("http://example.org","x")',
        "+1+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1:A9)",
        "\t=1+1",
        "\x1b[31mred\x1b[0m\r\nnext\u202egnp.exe",
        "<b>bold</b> & <a href='javascript:alert(1)'>here</a> {{ 7*7 }} ${1}",
        "naïve 名前 \U0001f600",
    )
    findings = tuple(_hostile_finding(text, index) for index, text in enumerate(texts))
    return Audit(
        tool="ctxaudit 0.1.0",
        target=texts[1],
        commit="",
        config={"phases": {name: list(patterns) for name, patterns in PHASES.phases.items()}},
        findings=tuple(sorted(findings, key=lambda f: f.site.span)),
        totals=totals_of(findings, files=len(texts), lines=100, packages=3),
        degradations=(Degradation(texts[0], texts[7]),),
        typed=False,
    )


def large(rows: int) -> Audit:
    """An audit of `rows` findings: the shop's again and again, in packages of their own."""
    small = shop()
    findings = []
    for index, finding in zip(range(rows), itertools.cycle(small.findings), strict=False):
        copy = index // len(small.findings)
        span = finding.site.span
        moved = msgspec.structs.replace(span, file=f"{span.file.rsplit('/', 1)[0]}/v{copy}/{Path(span.file).name}")
        site = msgspec.structs.replace(finding.site, span=moved)
        findings.append(msgspec.structs.replace(finding, site=site, fingerprint=f"{index:016x}"))
    ordered = tuple(sorted(findings, key=lambda f: f.site.span))
    return msgspec.structs.replace(small, findings=ordered, totals=totals_of(ordered, files=900, lines=494_000))


def load(name: str) -> Audit:
    """A committed audit read back: `shop`, `fixed`, `hostile`."""
    return decode_audit((SAVED / f"{name}.json").read_bytes())


def _files() -> Iterator[tuple[str, str, list[Finding]]]:
    for file in sorted(FILES):
        text = f'package {file.split("/")[-2]}\n\nimport "context"\n'
        found = []
        for index, name in enumerate(FILES[file].split()):
            shape, noun = SHAPES[name], NOUNS[index % len(NOUNS)] + ("" if index < len(NOUNS) else "s")
            function = shape.function.replace("{}", noun)
            text += f"\n// {noun} is part of the shop; größer als ASCII.\nfunc {function}() error {{\n\t"
            start = len(text.encode())
            body = shape.body.replace("{}", noun)
            text += f"{body}\n}}\n"
            found.append(_finding(file, text, start, shape, noun, index))
        yield file, text, found


def _finding(file: str, text: str, start: int, shape: Shape, noun: str, index: int) -> Finding:
    data = text.encode()
    name = shape.callee.rsplit(".", 1)[1]
    call = f"context.{name}()" if shape.kind == "root" else f"s.db.{name}("
    at = data.index(call.encode(), start)
    line = data.count(b"\n", 0, at) + 1
    span = Span(file, at, at + len(call), line, at - data.rfind(b"\n", 0, at))
    function = shape.function.replace("{}", noun)
    source = None
    if shape.lifetime:
        expr = {"request": "r.Context()", "worker": "ctx", "test": "t.Context()"}.get(shape.lifetime, "ctx")
        source = Source(expr, shape.lifetime, Span("api/orders.go", 90, 101, 8, 2))
    return Finding(
        fingerprint=f"{file}:{function}:{index}",
        site=Site(shape.kind, shape.callee, span, function),
        category=shape.category,
        verdict=shape.verdict,
        priority=shape.priority,
        phase=PHASES.phase_of(file),
        reason=shape.reason,
        recommendation=shape.recommendation,
        rule=shape.rule,
        source=source,
        path=_path(span, function, shape, source),
        radius=Radius(3, 1, 19, 11) if shape.priority == "critical" else None,
        notes=("the interface Store is opened",) if shape.priority == "critical" else (),
    )


def _path(span: Span, function: str, shape: Shape, source: Source | None) -> tuple[Step, ...]:
    here = Step(function, span.file, span.line, "site", f"{shape.callee}()")
    if source is None:
        return ()
    first = Step("(*Server).handleOrder", "api/orders.go", 7, "source", source.expr)
    if shape.priority != "critical":
        return (first, here)
    between = Step("(*Service).Parse", "core/bus.go", 7, "static")
    return (first, between, Step("Storage.Get", "storage/sqlite_users.go", 7, "interface", "7 implementers"), here)


def _hostile_finding(text: str, index: int) -> Finding:
    span = Span(f"api/{text.replace('/', '_')}.go", 10, 30, 3, 2)
    return Finding(
        fingerprint=f"{index:04x}",
        site=Site("root", "context.Background", span, text),
        category="request",
        verdict="fix",
        priority="critical",
        phase="api",
        reason=text,
        recommendation=text,
        rule="request-source",
        source=Source(text, "request", span),
        path=(Step(text, span.file, 3, "site", text),),
    )


def main() -> None:
    """Write the saved audits."""
    SAVED.mkdir(parents=True, exist_ok=True)
    for audit, name in ((shop(), "shop"), (fixed(), "fixed"), (hostile(), "hostile")):
        (SAVED / f"{name}.json").write_bytes(encode(audit) + b"\n")


if __name__ == "__main__":
    main()
