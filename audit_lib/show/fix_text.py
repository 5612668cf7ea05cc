"""A fix as text for a terminal, and its diff in colours."""

from __future__ import annotations

from collections import Counter

from audit_lib.config import REST
from audit_lib.fixed import NOT_ASKED, Fixed
from audit_lib.model import Verification
from audit_lib.show.summary import grouped
from audit_lib.show.terminal import DEGRADATIONS_SHOWN, read_in_part
from audit_lib.show.wording import count, listed
from audit_lib.untrusted.text import (
    NAME_LIMIT,
    VALUE_LIMIT,
    code_line,
    command_word,
    cut,
    lines_of,
    one_line,
    padded,
    painted,
    shortened,
    shown,
    width_of,
)

REASONS_SHOWN = 12
PLACES_SHOWN = 3
_GOOD, _BAD = "32", "31"
_DIFF = (("+++", "1"), ("---", "1"), ("@@", "36"), ("+", "32"), ("-", "31"), ("diff ", "1"))


def fix_text(fixed: Fixed, *, color: bool, width: int, seconds: float, target: str, out: str, written: bool) -> str:
    """What `fix` prints: counts, phases, what was refused and why, the proof, and the next step.

    Lines of refusals are cut to `width` columns. Ends with a line break.
    """
    parts = [
        *_head(fixed, seconds),
        *_phases(fixed),
        *_refused(fixed, width),
        *read_in_part(fixed.audit, DEGRADATIONS_SHOWN, "a scan with --all shows them"),
        *_proof(fixed, color),
        *_next(fixed, target, out, written),
    ]
    return "\n".join(parts) + "\n"


def diff_text(patch: bytes, *, color: bool) -> str:
    """A unified diff for a terminal: what would steer it is spelled out, added and removed lines are coloured."""
    lines = []
    for line in patch.decode("utf-8", "backslashreplace").split("\n"):
        safe = code_line(line.removesuffix("\r"))
        code = next((code for mark, code in _DIFF if line.startswith(mark)), "")
        lines.append(painted(safe, code) if color and code else safe)
    return "\n".join(lines)


def _head(fixed: Fixed, seconds: float) -> list[str]:
    totals = fixed.audit.totals
    done = totals.fixed + totals.detached
    wanted = done + totals.refused
    facts = [f"{done} of {count(wanted, 'site')} changed", count(len(fixed.after), "file")]
    facts += [f"{totals.moved} moved to callers"] if totals.moved else []
    return [f"{shown(fixed.audit.target)} · {seconds:.1f} s", " · ".join(facts)]


def _phases(fixed: Fixed) -> list[str]:
    findings = {finding.fingerprint: finding for finding in fixed.audit.findings}
    cells: Counter[tuple[str, str]] = Counter()
    for change in fixed.audit.changes:
        finding = findings[change.fingerprint]
        column = {"fix": "fixed", "detach": "detached"}.get(finding.verdict, "documented")
        cells[finding.phase, column] += 1
    for refusal in fixed.audit.refusals:
        column = "not asked" if refusal.reason.startswith(NOT_ASKED) else "refused"
        cells[findings[refusal.fingerprint].phase, column] += 1
    if not cells:
        return ["", "nothing to change: no context is lost that a caller could give"]
    phases = fixed.audit.config.get("phases")
    order = [*(phases if isinstance(phases, dict) else {}), REST]
    names = sorted({phase for phase, _ in cells}, key=lambda name: (order.index(name) if name in order else 99, name))
    columns = [name for name in ("fixed", "detached", "documented", "refused", "not asked") if _sum(cells, name)]
    wide = max(10, *(width_of(shown(name, NAME_LIMIT)) for name in names))
    lines = ["", f"{'':{wide}}" + "".join(f"{name:>12}" for name in columns)]
    for name in names:
        lines.append(
            padded(shown(name, NAME_LIMIT), wide) + "".join(f"{cells[name, column]:>12}" for column in columns)
        )
    return lines


def _sum(cells: Counter[tuple[str, str]], column: str) -> int:
    return sum(number for (_, name), number in cells.items() if name == column)


def _refused(fixed: Fixed, width: int) -> list[str]:
    found = grouped(fixed.audit.refusals)
    if not found:
        return []
    lines = ["", "refused"]
    for reason, refusals in found[:REASONS_SHOWN]:
        lines.append(cut(f"{len(refusals):>5}  {one_line(reason)}", width))
        lines.append(cut(f"{'':7}{listed([one_line(one.where) for one in refusals], PLACES_SHOWN)}", width))
    more = len(found) - REASONS_SHOWN
    return lines + ([f"       … and {count(more, 'reason')} more: OUT/summary.md has all"] if more > 0 else [])


def _proof(fixed: Fixed, color: bool) -> list[str]:
    return (
        ["", "verified", *(_step(step, color) for step in fixed.audit.verification)] if fixed.audit.verification else []
    )


def _step(step: Verification, color: bool) -> str:
    mark = _painted("✓", _GOOD, color) if step.ok else _painted("✗", _BAD, color)
    said = [shortened(line, VALUE_LIMIT) for line in lines_of(step.detail.replace("\r\n", "\n").rstrip("\n"))]
    lines = [f"  {mark} {shown(step.step):8} {step.seconds:>6.1f} s  {said[0]}"]
    return "\n".join([*lines, *(f"{'':22}{line}" for line in said[1:])])


def _next(fixed: Fixed, target: str, out: str, written: bool) -> list[str]:
    name = shown(target)
    if not fixed.ok:
        return ["", f"{name} is as it was"]
    if not fixed.after:
        return []
    if written:
        return ["", f"written: {count(len(fixed.after), 'file')}; next: git diff"]
    word = command_word(target)
    where = f"review {shown(out)}/summary.md" if out else f"ctxaudit fix {word} --diff"
    return ["", f"{name} is as it was; next: {where} · ctxaudit fix {word} --write"]


def _painted(text: str, code: str, color: bool) -> str:
    return painted(text, code) if color else text
