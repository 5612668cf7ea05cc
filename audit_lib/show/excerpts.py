"""Before and after, side by side, as a notebook shows it: code that is readable in light and in dark."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from audit_lib.model import Audit, Finding
from audit_lib.show.sidebyside import Cell, FileDiff, Hunk, Pair, at
from audit_lib.untrusted import pages
from audit_lib.untrusted.text import one_line

STYLE = Path(__file__).parent / "templates" / "sides.css"
MIME = "application/vnd.ctxaudit.excerpt+json"
_TOKEN = re.compile(
    r"(?P<comment>//.*|/\*.*?(?:\*/|$))"
    r'|(?P<string>"(?:\\.|[^"\\])*"?|`[^`]*`?|\'(?:\\.|[^\'\\])*\'?)'
    r"|(?P<word>\b(?:break|case|chan|const|continue|default|defer|else|fallthrough|for|func|go|goto|if|import"
    r"|interface|map|package|range|return|select|struct|switch|type|var)\b)"
)


class SideBySide:
    """Hunks of a diff under a title. Text of a target is escaped."""

    def __init__(self, title: str, hunks: Sequence[tuple[str, Hunk]]) -> None:
        self._title, self._hunks = title, hunks

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        shown = [{"file": file, **msgspec.to_builtins(hunk)} for file, hunk in self._hunks]
        tables = "".join(html(hunk, file) for file, hunk in self._hunks)
        head = f"<p><strong>{pages.text(self._title)}</strong></p>"
        return {
            "text/html": f"{head}<style>{STYLE.read_text(encoding='utf-8')}</style>{tables}",
            "text/plain": one_line(self._title),
            MIME: {"title": self._title, "hunks": shown},
        }


def examples(audit: Audit, found: Sequence[FileDiff], each: int = 1) -> list[SideBySide]:
    """For each kind of fix the most urgent sites, at most `each`: the site, and the way of its context to it."""
    findings = {finding.fingerprint: finding for finding in audit.findings}
    by_kind: dict[str, list[Finding]] = {}
    for change in audit.changes:
        by_kind.setdefault(change.fix_kind, []).append(findings[change.fingerprint])
    shown = []
    for kind in sorted(by_kind):
        for finding in sorted(by_kind[kind], key=_urgency)[:each]:
            span = finding.site.span
            title = f"{kind} · {span.file}:{span.line} · {finding.reason}"
            shown.append(SideBySide(title, hunks_of(finding, found)))
    return shown


def hunks_of(finding: Finding, found: Sequence[FileDiff]) -> list[tuple[str, Hunk]]:
    """The hunks that show a finding's path and its site, from the source on; each once."""
    span = finding.site.span
    places = [*((step.file, step.line) for step in finding.path), (span.file, span.line)]
    shown: dict[int, tuple[str, Hunk]] = {}
    for file, line in places:
        hunk = at(found, file, line)
        if hunk is not None:
            shown[id(hunk)] = file, hunk
    return list(shown.values())


def html(hunk: Hunk, title: str) -> str:
    """A hunk as a table of two columns; `STYLE` colours it, in light and in dark."""
    head = f"<caption>{pages.text(title)}</caption><thead><tr><th></th><th>before</th><th></th><th>after</th></tr>"
    body = "".join(_row(pair) for pair in hunk.rows)
    return f"<div class='sides'><table>{head}</thead><tbody>{body}</tbody></table></div>"


def _urgency(finding: Finding) -> tuple[int, int, str, int]:
    span = finding.site.span
    ranks = ("critical", "high", "medium", "low")
    return ranks.index(finding.priority), -len(finding.path), span.file, span.line


def _row(pair: Pair) -> str:
    return f"<tr>{_side(pair, pair.before, 'gone', '-')}{_side(pair, pair.after, 'come', '+')}</tr>"


def _side(pair: Pair, cell: Cell | None, name: str, mark: str) -> str:
    if cell is None:
        return "<td class='number none'></td><td class='none'></td>"
    if pair.kind == "same":
        return f"<td class='number'>{cell.line}</td><td><code>{_code(cell.text)}</code></td>"
    text, start, end = cell.text, cell.start, cell.end
    parts = (
        _code(text[:start]),
        f"<mark>{pages.code(text[start:end])}</mark>" if end > start else "",
        _code(text[end:]),
    )
    return f"<td class='number {name}'>{mark} {cell.line}</td><td class='{name}'><code>{''.join(parts)}</code></td>"


def _code(text: str) -> str:
    """A line of Go as HTML, with comments, strings and keywords told apart."""
    pieces, done = [], 0
    for token in _TOKEN.finditer(text):
        pieces.append(pages.code(text[done : token.start()]))
        pieces.append(f"<span class='{token.lastgroup}'>{pages.code(token[0])}</span>")
        done = token.end()
    return "".join((*pieces, pages.code(text[done:])))
