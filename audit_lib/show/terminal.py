"""An audit, or one finding, as text for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from audit_lib.config import REST
from audit_lib.model import VERDICTS, Audit, Finding, Radius, Step
from audit_lib.show.palette import VERDICT_CODES
from audit_lib.show.wording import count
from audit_lib.untrusted.text import NAME_LIMIT, command_word, cut, padded, painted, shown, width_of

CRITICAL_SHOWN = 10
DEGRADATIONS_SHOWN = 5


def scan_text(audit: Audit, *, color: bool, width: int, all: bool = False, seconds: float | None = None) -> str:  # noqa: A002
    """What `scan` prints: head, counts, phases by verdicts, the critical findings (`all`: every one), the next step.

    Lines of findings are cut to `width` columns. Ends with a line break.
    """
    parts = [_head(audit, seconds), "", *_table(audit, color)]
    told = audit.findings if all else _critical(audit)
    if told:
        parts += ["", "findings" if all else "critical", *_lines(told, color, width, None if all else CRITICAL_SHOWN)]
    if not audit.typed:
        parts += ["", "read by syntax alone: callers were not followed, and what needs types is left to review"]
    parts += read_in_part(audit, None if all else DEGRADATIONS_SHOWN)
    step = _next_step(audit)
    return "\n".join([*parts, *([step] if step else [])]) + "\n"


def explain_text(finding: Finding) -> str:
    """What `explain` prints: the verdict and why, the path from source to site, what a fix touches, and the rule."""
    head = f"{finding.verdict} · {finding.category} · {finding.priority}"
    parts = [f"{head} – {shown(finding.reason)}"]  # noqa: RUF001
    stops = [(_at(s.file, s.line), _name(s.function), _how(s)) for s in finding.path]
    if not stops:
        stops = [(_place(finding), _name(finding.site.function), _name(finding.site.callee))]
    parts += [f"  {line}" for line in _columns(stops)]
    if finding.radius:
        parts.append(f"threading it changes {_radius(finding.radius)}")
    parts.append(f"do: {shown(finding.recommendation)}")
    parts += [f"note: {shown(note)}" for note in finding.notes]
    rule = _name(finding.rule)
    parts.append(f"rule: {rule} (docs/rules.md#{rule})")
    return "\n".join(parts) + "\n"


def _head(audit: Audit, seconds: float | None) -> str:
    totals = audit.totals
    facts = [shown(audit.target)]
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
    wide = max(10, *(width_of(_name(name)) for name in names))
    heads = "".join(_paint(f"{verdict:>8}", verdict, color) for verdict in VERDICTS)
    lines = [f"{'':{wide}}{heads}{'sites':>8}"]
    return lines + [
        f"{padded(_name(name), wide)}{''.join(f'{n:>8}' for n in counts)}{sum(counts):>8}" for name, counts in rows
    ]


def _row(finding: Finding) -> str:
    return "tests" if finding.category == "test" else finding.phase


def _critical(audit: Audit) -> tuple[Finding, ...]:
    return tuple(f for f in audit.findings if f.priority == "critical" and f.verdict != "keep")


def _lines(findings: Sequence[Finding], color: bool, width: int, limit: int | None) -> list[str]:
    told = findings[:limit]
    before = _columns([(_place(f), _name(f.site.function)) for f in told], last=True)
    verdicts = max((len(f.verdict) for f in told), default=0)
    lines = []
    for finding, places in zip(told, before, strict=True):
        head, verdict = f"  {places}    ", finding.verdict
        line = cut(f"{head}{verdict:{verdicts}}    {_route(finding)}".rstrip(), width)
        # Coloured by its place, and where it is whole: a name could hold the same word.
        painting = color and line.startswith(head + verdict)
        rest = line[len(head) + len(verdict) :]
        lines.append(f"{head}{painted(verdict, VERDICT_CODES[verdict])}{rest}" if painting else line)
    if len(findings) > len(told):
        lines.append(f"  … and {len(findings) - len(told)} more: --all shows them")
    return lines


def _route(finding: Finding) -> str:
    stops = [_name(step.function) for step in finding.path if step.kind != "site"]
    if len(stops) > 3:
        stops = [stops[0], "…", stops[-1]]
    return " → ".join([*stops, "here"]) if stops else shown(finding.reason)


def _how(step: Step) -> str:
    words = {"source": "source:", "interface": "interface,", "site": "", "go": "in a goroutine", "defer": "deferred"}
    word = words.get(step.kind, f"{step.kind} call")
    return " ".join(part for part in (word, _name(step.detail)) if part).rstrip(",")


def _radius(radius: Radius) -> str:
    counts = ((radius.functions, "function"), (radius.interfaces, "interface"), (radius.calls, "call"))
    return ", ".join(count(n, what) for n, what in (*counts, (radius.files, "file")) if n)


def read_in_part(audit: Audit, limit: int | None, all_of_it: str = "--all shows them") -> list[str]:
    """What was not read or not whole, at most so many lines of it; `all_of_it` says where the others are."""
    found = audit.degradations
    if not found:
        return []
    lines = [f"  {shown(d.where)}: {shown(d.reason)}" for d in found[:limit]]
    more = len(found) - len(lines)
    return ["", "read in part", *lines, *([f"  … and {more} more: {all_of_it}"] if more else [])]


def _next_step(audit: Audit) -> str:
    todo = _critical(audit) or tuple(f for f in audit.findings if f.verdict in ("fix", "detach", "review"))
    if not todo:
        return ""
    span = todo[0].site.span
    return f"next: ctxaudit explain {command_word(f'{span.file}:{span.line}')}"


def _name(text: str) -> str:
    """A name of the target that stands in a table, or between other words."""
    return shown(text, NAME_LIMIT)


def _place(finding: Finding) -> str:
    return _at(finding.site.span.file, finding.site.span.line)


def _at(file: str, line: int) -> str:
    return f"{_name(file)}:{line}"


def _columns(rows: Iterable[Sequence[str]], *, last: bool = False) -> list[str]:
    """Rows as lines, each column as wide as its widest cell; `last` tells whether the last is filled up too."""
    table = list(rows)
    widths = [max((width_of(row[i]) for row in table), default=0) for i in range(len(table[0]))] if table else []
    lines = ["    ".join(padded(cell, w) for cell, w in zip(row, widths, strict=True)) for row in table]
    return lines if last else [line.rstrip() for line in lines]


def _paint(text: str, verdict: str, color: bool) -> str:
    return painted(text, VERDICT_CODES[verdict]) if color else text


def _thousands(n: int) -> str:
    return f"{n}" if n < 10_000 else f"{round(n / 1000)}k"
