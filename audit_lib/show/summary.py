"""A fix as the text of a pull request: what changed and why, what was refused, what to look at, and the proof."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from audit_lib.fixed import NOT_ASKED, Fixed, Group
from audit_lib.model import Finding, Refusal
from audit_lib.show.wording import count, listed
from audit_lib.untrusted.markdown import code, code_cell, html_text
from audit_lib.untrusted.markdown import text as plain

LIMIT = 60_000
"""Characters: GitHub takes 65,536."""
SITES_SHOWN = (1000, 40, 20, 10, 5, 3, 0)
"""How many sites of a change are told of, each if the text is too long with the one before."""
PLACES_SHOWN = 12
_MORE = "\nThe text ends here, as far as a pull request takes it; `changes.jsonl` and `refusals.jsonl` hold all.\n"
_KINDS_TO_SEE = {
    "detach": "Detached: these go on when their caller has gone. Is the time that bounds each of them right?",
    "variant": "New functions beside exported ones: are their names what you want callers to see?",
}


def summary(fixed: Fixed) -> str:
    """The text, in Markdown, no longer than a pull request's may be. Ends with a line break."""
    for sites in SITES_SHOWN:
        text = _text(fixed, sites)
        if len(text) <= LIMIT:
            return text
    lines = text[: LIMIT - len(_MORE)].rpartition("\n")[0]  # no table of sites is left that could stand open
    return f"{lines}\n{_MORE}"


def _text(fixed: Fixed, sites: int) -> str:
    parts = [*_head(fixed), *_changed(fixed, sites), *_to_look_at(fixed), *_refused(fixed), *_proof(fixed)]
    return "\n".join(parts).rstrip("\n") + "\n"


def title(fixed: Fixed) -> str:
    """One line that says what was done."""
    totals = fixed.audit.totals
    done = totals.fixed + totals.detached
    if not done:
        return "No context was changed"
    said = "Pass callers' contexts on in " + count(totals.fixed, "place") if totals.fixed else ""
    detached = f"detach {totals.detached}" if totals.detached else ""
    text = " and ".join(part for part in (said, detached) if part)
    return text[0].upper() + text[1:]


def _head(fixed: Fixed) -> list[str]:
    audit, totals = fixed.audit, fixed.audit.totals
    where = code(audit.target) + (f" at {code(audit.commit[:12])}" if audit.commit else "")
    lines = [f"# {title(fixed)}", "", f"{where}, by {plain(audit.tool)}.", ""]
    if fixed.groups:
        lines += [
            "Each of these calls made a context of its own, or took none: the work behind it went on when the request, "
            "command or worker that had asked for it was gone, and no deadline reached it. Now it gets the context of "
            "its caller.",
            "",
        ]
    lines += [
        "| sites | fixed | detached | kept | refused | for review | roots moved to callers | files changed |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
        f"| {totals.sites} | {totals.fixed} | {totals.detached} | {totals.kept} | {totals.refused} | {totals.review} "
        f"| {totals.moved} | {len(fixed.after)} |",
        "",
    ]
    if not fixed.ok:
        lines += ["**The verification failed, and nothing of this is to be applied.**", ""]
    return lines


def _changed(fixed: Fixed, sites: int) -> list[str]:
    if not fixed.groups:
        return []
    findings = {finding.fingerprint: finding for finding in fixed.audit.findings}
    lines = ["## What changed", ""]
    for phase in fixed.phases:
        rows = _rows([group for group in fixed.groups if group.phase == phase.phase])
        lines += [f"### {plain(phase.phase)}", "", code(f"git apply {phase.name}"), ""]
        lines += [
            "| change | contexts | roots | signatures | files | moved | how |",
            "|---|---:|---:|---:|---:|---:|---|",
        ]
        lines += [_row(group) for group in rows]
        lines.append("")
        lines += [line for group in rows for line in _sites(group, findings, sites)]
    return lines


def _rows(groups: Sequence[Group]) -> list[Group]:
    """The groups, first those that change signatures; others of one file are told of together."""
    wide = [group for group in groups if group.signatures or group.moved or len(group.files) > 1]
    narrow: dict[str, list[Group]] = {}
    for group in groups:
        if group not in wide:
            narrow.setdefault(group.files[0] if group.files else group.title, []).append(group)
    wide.sort(key=lambda group: (-group.signatures, group.title))
    return [*wide, *(_together(file, own) for file, own in sorted(narrow.items()))]


def _together(file: str, groups: Sequence[Group]) -> Group:
    return Group(
        title=file,
        phase=groups[0].phase,
        fingerprints=tuple(name for group in groups for name in group.fingerprints),
        kinds=tuple(sorted({kind for group in groups for kind in group.kinds})),
        files=(file,),
        roots=sum(group.roots for group in groups),
        signatures=0,
        guarded=any(group.guarded for group in groups),
    )


def _row(group: Group) -> str:
    how = ", ".join(group.kinds) + (", guarded" if group.guarded else "")
    counts = (len(group.fingerprints), group.roots, group.signatures, len(group.files), group.moved)
    return f"| {code_cell(group.title)} | {' | '.join(str(number) for number in counts)} | {plain(how)} |"


def _sites(group: Group, findings: dict[str, Finding], limit: int) -> list[str]:
    """What each site of a group is, and why it changes; folded, since most reviewers want the table."""
    if not limit:
        return []
    lines = [f"<details><summary>{html_text(group.title)}: {count(len(group.fingerprints), 'site')}</summary>", ""]
    for name in group.fingerprints[:limit]:
        finding = findings[name]
        span = finding.site.span
        what = f"{code(f'{span.file}:{span.line}')} {code(finding.site.callee)} in {code(finding.site.function)}"
        lines.append(f"- {what}: {plain(finding.reason)}")
    more = len(group.fingerprints) - limit
    lines += [f"- … and {more} more, in `changes.jsonl`"] if more > 0 else []
    return [*lines, "", "</details>", ""]


def _to_look_at(fixed: Fixed) -> list[str]:
    lines: list[str] = []
    kinds = {change.fingerprint: change.fix_kind for change in fixed.audit.changes}
    for kind, question in _KINDS_TO_SEE.items():
        own = [finding for finding in fixed.audit.findings if kinds.get(finding.fingerprint) == kind]
        lines += [f"- {question} {_places(own)}"] if own else []
    guarded = [group for group in fixed.groups if group.guarded]
    if guarded:
        names = listed([code(group.title) for group in guarded])
        lines.append(f"- Guarded: a test gave no context here, so that nil becomes Background: {names}")
    moved = [group for group in fixed.groups if group.moved]
    if moved:
        names = listed([f"{code(group.title)} ({group.moved})" for group in moved])
        lines.append(f"- Moved: some callers have no context yet, and now make one themselves: {names}")
    notes = sorted({note for group in fixed.groups for note in group.notes if note.strip()})
    lines += [f"- {plain(note)}" for note in notes]
    if fixed.unbuilt:
        files = listed([code(file) for file in fixed.unbuilt], PLACES_SHOWN)
        lines.append(f"- Not built here, since they are for another system or build tag: {files}")
    return ["## What to look at", "", *lines, ""] if lines else []


def _refused(fixed: Fixed) -> list[str]:
    found = grouped(fixed.audit.refusals)
    others = [refusal for refusal in fixed.audit.refusals if refusal.reason.startswith(NOT_ASKED)]
    if not found and not others:
        return []
    lines = ["## What was refused, and why", ""]
    if found:
        lines += ["| sites | reason | where |", "|---:|---|---|"]
        for reason, refusals in found:
            places = listed([code_cell(refusal.where) for refusal in refusals], PLACES_SHOWN)
            lines.append(f"| {len(refusals)} | {plain(reason)} | {places} |")
        lines.append("")
    if others:
        lines += [f"{count(len(others), 'site')} more would be changed, but nobody asked for that.", ""]
    return lines


def _proof(fixed: Fixed) -> list[str]:
    steps = fixed.audit.verification
    if not steps:
        return []
    lines = ["## Verification", "", "| step | | seconds | |", "|---|---|---:|---|"]
    lines += [
        f"| {plain(step.step)} | {'✓' if step.ok else '✗'} | {step.seconds:.1f} | {plain(step.detail)} |"
        for step in steps
    ]
    return [*lines, "", "Only what fails now and did not fail before the change counts as a failure.", ""]


def grouped(refusals: Iterable[Refusal]) -> list[tuple[str, list[Refusal]]]:
    """Refusals by their reason, the most frequent first; without those that nobody asked for."""
    found: dict[str, list[Refusal]] = {}
    for refusal in refusals:
        if not refusal.reason.startswith(NOT_ASKED):
            found.setdefault(refusal.reason, []).append(refusal)
    return sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))


def _places(findings: Sequence[Finding]) -> str:
    return listed([code(f"{f.site.span.file}:{f.site.span.line}") for f in findings], PLACES_SHOWN)
