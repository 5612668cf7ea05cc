"""An audit, or one finding, as text for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from audit_lib.config import REST
from audit_lib.model import VERDICTS, Audit, Finding, Radius, Step
from audit_lib.show.palette import VERDICT_CODES
from audit_lib.show.wording import count, printable

CRITICAL_SHOWN = 10
DEGRADATIONS_SHOWN = 5


def scan_text(audit: Audit, *, color: bool, width: int, all: bool = False, seconds: float | None = None) -> str:  # noqa: A002
    """What `scan` prints: head, counts, phases by verdicts, the critical findings (`all`: every one), the next step.

    Lines of findings are cut to `width` columns. Ends with a line break.
    """
    parts = [_head(audit, seconds), "", *_table(audit, color)]
    shown = audit.findings if all else _critical(audit)
    if shown:
        parts += ["", "findings" if all else "critical", *_lines(shown, color, width, None if all else CRITICAL_SHOWN)]
    if not audit.typed:
        parts += ["", "read by syntax alone: callers were not followed, and what needs types is left to review"]
    parts += read_in_part(audit, None if all else DEGRADATIONS_SHOWN)
    step = _next_step(audit)
    return "\n".join([*parts, *([step] if step else [])]) + "\n"


def explain_text(finding: Finding) -> str:
    """What `explain` prints: the verdict and why, the path from source to site, what a fix touches, and the rule."""
    head = f"{finding.verdict} · {finding.category} · {finding.priority}"
    parts = [f"{head} – {printable(finding.reason)}"]  # noqa: RUF001
    stops = [(f"{printable(s.file)}:{s.line}", printable(s.function), _how(s)) for s in finding.path]
    if not stops:
        span = finding.site.span
        stops = [(f"{printable(span.file)}:{span.line}", printable(finding.site.function), finding.site.callee)]
    parts += [f"  {line}" for line in _columns(stops)]
    if finding.radius:
        parts.append(f"threading it changes {_radius(finding.radius)}")
    parts.append(f"do: {printable(finding.recommendation)}")
    parts += [f"note: {printable(note)}" for note in finding.notes]
    parts.append(f"rule: {finding.rule} (docs/rules.md#{finding.rule})")
    return "\n".join(parts) + "\n"


def _head(audit: Audit, seconds: float | None) -> str:
    totals = audit.totals
    facts = [printable(audit.target)]
    if totals.packages:
        facts.append(count(totals.packages, "package"))
    if totals.lines:
        facts.append(f"{_thousands(totals.lines)} lines of Go")
    if seconds is not None:
        facts.append(f"{seconds:.1f} s")
    kinds = Counter((f.site.kind, f.category == "test") for f in audit.findings)
    production, tests = kinds["root", False], kinds["root", True]
    bare = kinds["bare_call", False] + kinds["bare_call", True]
    counts = f"{count(production, 'root')} in production code, {tests} in tests, {count(bare, 'bare call')}"
    return f"{' · '.join(facts)}\n{counts}"


def _table(audit: Audit, color: bool) -> list[str]:
    """Phases of production code by verdicts, a row for tests, and a sum that is the number of sites."""
    if not audit.findings:
        return ["no context is lost here"]
    cells = Counter((_row(f), f.verdict) for f in audit.findings)
    phases = audit.config.get("phases")
    order = [*(phases if isinstance(phases, dict) else {}), REST, "tests"]
    names = sorted({row for row, _ in cells}, key=lambda row: (order.index(row) if row in order else len(order), row))
    verdicts = Counter(f.verdict for f in audit.findings)
    rows = [(name, [cells[name, verdict] for verdict in VERDICTS]) for name in names]
    rows.append(("all", [verdicts[verdict] for verdict in VERDICTS]))
    wide = max(10, *(len(printable(name)) for name in names))
    heads = "".join(_paint(f"{verdict:>8}", verdict, color) for verdict in VERDICTS)
    lines = [f"{'':{wide}}{heads}{'sites':>8}"]
    return lines + [
        f"{printable(name):{wide}}{''.join(f'{n:>8}' for n in counts)}{sum(counts):>8}" for name, counts in rows
    ]


def _row(finding: Finding) -> str:
    return "tests" if finding.category == "test" else finding.phase


def _critical(audit: Audit) -> tuple[Finding, ...]:
    return tuple(f for f in audit.findings if f.priority == "critical" and f.verdict != "keep")


def _lines(findings: Sequence[Finding], color: bool, width: int, limit: int | None) -> list[str]:
    shown = findings[:limit]
    cells = [(_place(f), printable(f.site.function), f.verdict, _route(f)) for f in shown]
    lines = []
    for finding, line in zip(shown, _columns(cells), strict=True):
        cut = f"  {line}" if len(line) + 2 <= width else f"  {line[: max(width - 3, 1)]}…"
        place, _, rest = cut.partition(f" {finding.verdict} ")
        lines.append(f"{place} {_paint(finding.verdict, finding.verdict, color)} {rest}" if rest else cut)
    if len(findings) > len(shown):
        lines.append(f"  … and {len(findings) - len(shown)} more: --all shows them")
    return lines


def _route(finding: Finding) -> str:
    stops = [printable(step.function) for step in finding.path if step.kind != "site"]
    if len(stops) > 3:
        stops = [stops[0], "…", stops[-1]]
    return " → ".join([*stops, "here"]) if stops else printable(finding.reason)


def _how(step: Step) -> str:
    words = {"source": "source:", "interface": "interface,", "site": "", "go": "in a goroutine", "defer": "deferred"}
    word = words.get(step.kind, f"{step.kind} call")
    return " ".join(part for part in (word, printable(step.detail)) if part).rstrip(",")


def _radius(radius: Radius) -> str:
    counts = ((radius.functions, "function"), (radius.interfaces, "interface"), (radius.calls, "call"))
    return ", ".join(count(n, what) for n, what in (*counts, (radius.files, "file")) if n)


def read_in_part(audit: Audit, limit: int | None, all_of_it: str = "--all shows them") -> list[str]:
    """What was not read or not whole, at most so many lines of it; `all_of_it` says where the others are."""
    found = audit.degradations
    if not found:
        return []
    lines = [f"  {printable(d.where)}: {printable(d.reason)}" for d in found[:limit]]
    more = len(found) - len(lines)
    return ["", "read in part", *lines, *([f"  … and {more} more: {all_of_it}"] if more else [])]


def _next_step(audit: Audit) -> str:
    todo = _critical(audit) or tuple(f for f in audit.findings if f.verdict in ("fix", "detach", "review"))
    return f"next: ctxaudit explain {_place(todo[0])}" if todo else ""


def _place(finding: Finding) -> str:
    return f"{printable(finding.site.span.file)}:{finding.site.span.line}"


def _columns(rows: Iterable[Sequence[str]]) -> list[str]:
    table = list(rows)
    widths = [max((len(row[i]) for row in table), default=0) for i in range(len(table[0]))] if table else []
    return ["    ".join(f"{cell:{w}}" for cell, w in zip(row, widths, strict=True)).rstrip() for row in table]


def _paint(text: str, verdict: str, color: bool) -> str:
    return f"\x1b[{VERDICT_CODES[verdict]}m{text}\x1b[0m" if color else text


def _thousands(n: int) -> str:
    return f"{n}" if n < 10_000 else f"{round(n / 1000)}k"
