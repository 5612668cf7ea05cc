"""A fix from end to end: read, judged, planned, proved in a copy, audited again, and told of."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from audit_lib.change.bench import Bench, Check
from audit_lib.change.budget import Budget
from audit_lib.change.carry import carry
from audit_lib.change.document import Documenting, notes
from audit_lib.change.edits import Edits, OverlapError
from audit_lib.change.entries import digest
from audit_lib.change.passes import Found, Later, carried_back, origins_of, twins
from audit_lib.change.phased import phased
from audit_lib.change.plan import planner
from audit_lib.change.planned import Component, Plan, Planner, edits_of
from audit_lib.change.reconcile import Rescan, rescanned
from audit_lib.change.regenerate import Mocks, edited_only
from audit_lib.change.repository import below_top
from audit_lib.change.result import fixed
from audit_lib.change.rewrite import Rewritten, blocked, rewrite, undo
from audit_lib.change.scratch import Scratch, scratch_copy
from audit_lib.change.selection import Selection
from audit_lib.config import Config, GoOptions
from audit_lib.errors import ToolchainError, UsageError
from audit_lib.fixed import Fixed, Level
from audit_lib.model import Audit, Finding
from audit_lib.progress import LIMIT, Progress
from audit_lib.read import gotool
from audit_lib.read.gofiles import find_go_files, read_go_file
from audit_lib.read.gotool import GoTool
from audit_lib.read.modules import trusted_outside
from audit_lib.reading import judged, read

PASSES = 4
"""How often the result is looked at for what it makes possible, at most."""

Scan = Callable[[Path], Audit]


def fix(
    target: Path,
    settings: Config,
    options: GoOptions,
    selection: Selection,
    *,
    level: Level,
    timeout: float,
    max_time: float | None = None,
    document: bool,
    generate: bool,
    progress: Progress,
) -> Fixed:
    """See `api.fix`."""
    budget = Budget(max_time, level)
    selection.check(settings)
    go = gotool.find_go(not_in=(target,))
    options = _trusting(target, options, go)
    scanned = _digests(target, settings)
    reading = read(target, settings, options, progress, wide=True)
    assert reading.wide is not None, "reading all facts raises where there are none"
    progress(f"{LIMIT}{budget.read():.0f} s", 1, 1)
    before = judged(target, settings, reading)
    chosen = selection.chosen(before.findings)
    planned: Planner = planner(target, settings, reading.syntax, reading.wide, chosen, document=document)
    generators = {file.file: file.generator for file in reading.syntax.files if file.generator}
    tests = frozenset(file.file for file in reading.syntax.files if file.test)
    with scratch_copy(target) as scratch:

        def again(root: Path) -> Audit:
            return judged(root, settings, read(root, settings, _in_copy(options), progress))

        runs = level != "build"
        mocks = None
        if generate:
            mocks = Mocks(scratch, target, go, options, generators, scanned, runs_code=runs, budget=budget)
        bench = Bench(scratch, go, options, level, timeout, scanned, progress, mocks, budget)
        planned, told = _with_later(planned, chosen, settings, bench, document=document)
        before = msgspec.structs.replace(
            before,
            findings=tuple(told.get(finding.fingerprint, finding) for finding in before.findings),
            degradations=(*before.degradations, *scratch.left_out),
        )
        if document:
            still = [told.get(finding.fingerprint, finding) for finding in chosen]
            planned = Documenting(planned, notes(target, still, generators))
        carried = carry(bench, planned, _check(before, again, scratch, tests))
    phases = phased(
        carried.plan.components if carried.ok else (),
        {finding.fingerprint: finding.phase for finding in before.findings},
        tuple(settings.phases),
        carried.rewritten,
        go,
    )
    left_out = selection.left_out(before.findings)
    told_of = mocks.notes(carried.rewritten) if mocks is not None else edited_only(carried.rewritten, generators, {})
    return fixed(before, carried, phases, left_out, below_top=_below_top(target), level=level, notes=told_of)


def _trusting(target: Path, options: GoOptions, go: GoTool) -> GoOptions:
    """The options for a target and its copy, which names the same folders. Raises `TargetError` for what may not be."""
    named = trusted_outside(target, options, go)
    places = sorted({str(one.place) for one in named})
    return msgspec.structs.replace(options, outside=(*options.outside, *places))


def _in_copy(options: GoOptions) -> GoOptions:
    """The options to read a copy with: nothing of it has been compiled there, and waiting for that takes long."""
    return msgspec.structs.replace(options, compile="never") if options.compile == "auto" else options


def _with_later(
    planned: Planner, chosen: Sequence[Finding], settings: Config, bench: Bench, *, document: bool
) -> tuple[Planner, dict[str, Finding]]:
    """The planner with what its result makes possible, and the findings that are told of in another way for it."""
    more: tuple[Component, ...] = ()
    told: dict[str, Finding] = {}
    for _ in range(PASSES):
        if not bench.budget.has_room_for_a_scan():
            break
        now = Later(planned, more)(guarded=frozenset(), refused={})
        try:
            edits = edits_of(now.components)
        except OverlapError:
            break
        if not edits or blocked(bench.scratch, edits):
            break
        found = _found_later(now, edits, chosen, settings, bench, document=document)
        if found is None or not found.components:
            break
        more += found.components
        told |= found.findings
    return Later(planned, more), told


def _found_later(
    now: Plan,
    edits: Mapping[str, Edits],
    chosen: Sequence[Finding],
    settings: Config,
    bench: Bench,
    *,
    document: bool,
) -> Found | None:
    """What an audit of a plan's result finds to change; nothing where the result cannot be read."""
    scratch = bench.scratch
    rewritten = rewrite(scratch, bench.go, edits, bench.scanned)
    try:
        reading = read(scratch.root, settings, _in_copy(bench.options), bench.progress, wide=True)
        assert reading.wide is not None, "reading all facts raises where there are none"
        audit = judged(scratch.root, settings, reading)
        todo = {one.fingerprint: one for one in audit.findings if one.verdict in ("fix", "detach")}
        origins = origins_of(rewritten.before, edits, rewritten.after)
        places = {(one.site.span.file, one.site.span.start): one for one in chosen}
        pairs = twins(places, todo, origins)
        done = {name for component in now.components for name in component.fingerprints}
        left = [todo[name] for name, twin in pairs.items() if twin.fingerprint not in done]
        if not left:
            return None
        later = planner(scratch.root, settings, reading.syntax, reading.wide, left, document=document)
        plan = later(guarded=frozenset(), refused={})
        return carried_back(plan, todo, pairs, origins, now.components)
    except ToolchainError:
        return None
    finally:
        undo(scratch, rewritten)


def _check(before: Audit, again: Scan, scratch: Scratch, tests: frozenset[str]) -> Check:
    """The last step: the copy is audited again, and each root in it is found in the target or in the plan."""

    def check(plan: Plan, rewritten: Rewritten) -> Rescan:
        start = time.monotonic()
        after = again(scratch.root)
        return rescanned(before.findings, after.findings, plan, rewritten, time.monotonic() - start, tests)

    return check


def _digests(target: Path, settings: Config) -> dict[str, str]:
    """What the Go files are known by before they are read: one that changes later must not be written."""
    contents = ((file, read_go_file(target, file)) for file in find_go_files(target, settings)[0])
    return {file: digest(data) for file, data in contents if isinstance(data, bytes)}


def _below_top(target: Path) -> bool:
    """Whether patches are for a folder below a repository's top; where git cannot tell, they are for the top."""
    try:
        return below_top(target)
    except UsageError:
        return False
