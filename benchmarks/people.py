"""`make people REPOS=DIR`: what `ctxaudit fix` makes of real repositories, held against what people's commits made.

DIR holds clones, each in a folder of its repository's name. Exit codes: 0 all goals met, 1 a goal missed, 2 wrong
usage, 3 a clone or a commit is missing or a target cannot be read.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from audit_lib.model import Finding
from benchmarks import cases as labels
from benchmarks import checkouts, commits, errors, labelled, people_report, processes, report, scoring, signatures
from benchmarks.building import built, worse
from benchmarks.cases import Case, CommitCase
from benchmarks.commits import Edited
from benchmarks.errors import InputError, UsageError
from benchmarks.people_report import Beside, Compared, Proof, Unchanged
from benchmarks.planning import Planned, Target
from benchmarks.scoring import CHANGES, Share
from benchmarks.tools import find_go


def main() -> int:
    """Run the chosen cases, print and write the results; the exit code."""
    options = _options(sys.argv[1:])
    if options.verify and options.checkouts is not None:
        raise UsageError("--verify changes a worktree for a while; leave --checkouts out")
    chosen = labels.choose(known(options.labels), options.case)
    clones = labelled.clones_of(options.repos, chosen)
    report.check(options.out)
    compared = []
    with checkouts.workspace() as root:
        for case in chosen:
            with labelled.version_of(options.checkouts, clones[case.name], case, root) as folder:
                one, patch = compare(case, clones[case.name], folder, options.verify)
            (options.out / f"{_plain(case.name)}.patch").write_bytes(patch)
            compared.append(one)
            print(people_report.line(one), flush=True)
    print(people_report.totals_text(compared))
    files = report.write(
        options.out, "people", people_report.as_json(compared), people_report.as_markdown(compared, options.names)
    )
    print(f"report: {files[1]}")
    return int(bool(people_report.missed(compared)))


def known(folder: Path) -> list[Case]:
    """The cases that have a commit of people. Raises `InputError` where there is none."""
    found = [case for case in labels.load(folder) if isinstance(case.labels, CommitCase)]
    if not found:
        raise InputError(f"{folder}: no commits of people in it; they are files commits/*.json")
    return found


def compare(case: Case, clone: Path, folder: Path, level: str = "") -> tuple[Compared, bytes]:
    """A case at its base, and the tool's diff for people's rows; with a `level`, a fix from end to end as well."""
    assert isinstance(case.labels, CommitCase)
    theirs = commits.edited(clone, case.labels.base, case.labels.commit)
    target = Target(folder)
    whole = target.plan()
    found = target.audit.findings
    rows = {(row.file, row.line) for row in case.labels.rows if row.decision == "fixed"}
    asked = [one.fingerprint for one in found if one.verdict in CHANGES and _place(one) in rows]
    narrow = target.plan(asked) if asked else None
    result = Compared(
        case=case,
        read_seconds=target.read_seconds,
        plan_seconds=whole.plan_seconds,
        rewrite_seconds=whole.rewrite_seconds,
        shares=shares(case, found, whole),
        unchanged=tuple(unchanged(case.labels, found, whole)),
        beside=beside(narrow, theirs),
        proof=prove(folder, level, case, found) if level else None,
    )
    return result, narrow.patch if narrow is not None else b""


def shares(case: Case, findings: Sequence[Finding], planned: Planned) -> dict[str, Share]:
    """Found, recall and respect as `parity` counts them, and of the fixed rows those that have a change."""
    assert isinstance(case.labels, CommitCase)
    roots = (one for one in findings if one.site.kind == "root")
    known = scoring.score(
        case,
        [scoring.Found(one.site.kind, *_place(one), one.category, one.verdict, one.reason) for one in roots],
    ).shares
    done = {change.fingerprint for component in planned.plan.components for change in component.changes}
    return {"changed": changed(case.labels, findings, done), **known}


def changed(case: CommitCase, findings: Sequence[Finding], done: set[str]) -> Share:
    """The fixed rows that have a change at their file and line."""
    there = {_place(one) for one in findings if one.fingerprint in done and one.site.kind == "root"}
    fixed = [row for row in case.rows if row.decision == "fixed"]
    return Share(sum((row.file, row.line) in there for row in fixed), len(fixed))


def unchanged(case: CommitCase, findings: Sequence[Finding], planned: Planned) -> list[Unchanged]:
    """The fixed rows without a change, each with what the tool says of it."""
    refusals = {one.fingerprint: one for one in planned.plan.refusals}
    done = {change.fingerprint for component in planned.plan.components for change in component.changes}
    at: dict[tuple[str, int], list[Finding]] = {}
    for one in findings:
        if one.site.kind == "root":
            at.setdefault(_place(one), []).append(one)
    result = []
    for row in case.rows:
        here = at.get((row.file, row.line), [])
        if row.decision != "fixed" or any(one.fingerprint in done for one in here):
            continue
        said = [
            f"refused: {refusal.reason} ({refusal.where})"
            if (refusal := refusals.get(one.fingerprint)) is not None
            else f"{one.verdict}: {one.reason}"
            for one in here
        ]
        result.append(Unchanged(row.file, row.line, row.function, "; ".join(said) or "no finding"))
    return result


def beside(planned: Planned | None, theirs: Edited) -> Beside:
    """The tool's result for people's rows against people's commit: files, lines, signatures."""
    files = planned.files.after if planned is not None else {}
    before = planned.files.before if planned is not None else {}
    old = {file: data for file, data in before.items() if data is not None}
    ours = signatures.gained(old, files)
    wanted = signatures.gained(theirs.before, theirs.after)
    left = signatures.declared(theirs.before) - signatures.declared(theirs.after)
    return Beside(
        files=frozenset(files),
        their_files=theirs.files,
        lines=planned.lines if planned is not None else 0,
        their_lines=theirs.lines,
        signatures=ours,
        their_signatures=wanted,
        opened=ours & signatures.altered(theirs.before, theirs.after),
        gone=ours & left,
    )


def prove(folder: Path, level: str, case: Case, findings: Sequence[Finding]) -> Proof:
    """A fix of all findings through the command line, up to its proof, and what the go command builds with its patch.

    The target is as before in the end. Raises `InputError` where it cannot be changed.
    """
    assert isinstance(case.labels, CommitCase)
    with tempfile.TemporaryDirectory(prefix="ctxaudit-people-") as out:
        command = [sys.executable, "-m", "audit_lib", "fix", folder, "--out", out, "--verify", level, "--quiet"]
        usage = processes.run(command)
        last = (usage.said.splitlines() or [""])[-1]
        if usage.code not in (0, 1) or not Path(out, "audit.json").is_file():
            return Proof(False, usage.seconds, Share(), (), last or f"ended with {usage.code}", 0)
        audit: dict[str, Any] = msgspec.json.decode(Path(out, "audit.json").read_bytes())
        broken = broken_by(Path(out, "fix.patch"), folder)
    done = {change["fingerprint"] for change in audit["changes"]}
    rolled_back = sum(refusal["reason"].startswith("rolled back") for refusal in audit["refusals"])
    steps = tuple((step["step"], bool(step["ok"])) for step in audit["verification"])
    ok = usage.code == 0 and not broken
    return Proof(ok, usage.seconds, changed(case.labels, findings, done), steps, last, rolled_back, broken)


def broken_by(patch: Path, folder: Path) -> tuple[str, ...]:
    """What builds in a folder and does not build with a patch, with the reasons; the folder is as before then."""
    if not patch.is_file() or not patch.stat().st_size:
        return ()
    go = find_go()
    before = built(folder, go)
    _apply(patch, folder)
    try:
        return tuple(worse(before, built(folder, go)))
    finally:
        _apply(patch, folder, "--reverse")


def _apply(patch: Path, folder: Path, *how: str) -> None:
    done = checkouts.git(folder, "apply", "--whitespace=nowarn", *how, str(patch.resolve()))
    if done.returncode != 0:
        raise InputError(f"{folder.name}: {patch.name} cannot be applied ({done.stderr.strip()})")


def _place(finding: Finding) -> tuple[str, int]:
    return finding.site.span.file, finding.site.span.line


def _plain(name: str) -> str:
    return name.rpartition("/")[2]


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = labelled.parser("people", __doc__)
    parser.add_argument(
        "--verify", choices=("build", "test"), default="", help="run `ctxaudit fix` as well, up to this proof"
    )
    parser.add_argument("--names", type=int, default=40, metavar="N", help="name up to N signatures in people.md")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    errors.run("people", main)
