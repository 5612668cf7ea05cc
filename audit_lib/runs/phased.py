"""Every phase by itself, one on top of the other, in a copy: the target is never touched.

The copy stays beside the results, with all phases applied. A run that was ended goes on where it was, as long as the
copy is what the last finished phase has left; otherwise all begins anew.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from audit_lib import config as configuration
from audit_lib.change.copying import SKIPPED, copy_tree
from audit_lib.change.outside import mirror, references
from audit_lib.errors import OutputError
from audit_lib.model import Degradation
from audit_lib.progress import Progress, silent
from audit_lib.read.modules import trusted_outside
from audit_lib.runs import manifest, papermill
from audit_lib.runs.papermill import DEFAULTS, FIX, FixOptions
from audit_lib.runs.work import RunResult
from audit_lib.show.staging import staged
from audit_lib.untrusted.files import link_on_the_way, read_bytes
from audit_lib.untrusted.output import refuse_links
from audit_lib.untrusted.removing import remove_tree
from audit_lib.untrusted.text import file_part
from audit_lib.untrusted.writing import PRIVATE_FOLDER

COPY = "_copy"  # by its name the go command, and so an audit of what is around it, passes over it
LEFT_OUT = "left-out.json"
"""What of the target is not in the copy, and why: beside it, for a run that goes on with it."""


@dataclass(frozen=True)
class PhaseRun:
    """A phase, the folder of its results, and what its run left there; `left_out` is not in the copy that it is of."""

    name: str
    out: Path
    result: RunResult
    left_out: tuple[Degradation, ...] = ()


def run_phases(
    target: Path, out: Path, options: FixOptions = DEFAULTS, *, progress: Progress = silent
) -> tuple[PhaseRun, ...]:
    """Run the notebook of fixes for each phase in turn, over a copy of the target in `out`; all where none is named.

    The results of each lie in a folder of their own, `1-api` and so on; `write` and `force` of the options are for the
    target, and of no effect. Raises as `papermill.run_fix` does: the phases before the one that failed keep their
    results, and those after it are not begun.
    """
    options.check(target)
    refuse_links(out / COPY, target)
    trusted_outside(target, configuration.load(target, options.config).go)
    names = [name for name in papermill.check(target, options.config, ()) if name in (options.phases or (name,))]
    steps = [_Step(name, out / f"{number}-{file_part(name)}", options) for number, name in enumerate(names, 1)]
    copy = _Copy(target.resolve(), out.resolve() / COPY)
    state = manifest.target_hash(target, without=out)
    if not copy.is_at(_reached(copy, steps, state)):
        for step in steps:
            step.forget()
        copy.make(without=out.resolve())
    runs = []
    for step in steps:
        result = papermill.run_fix(copy.root, step.out, step.options, state=state, progress=step.told(progress))
        runs.append(PhaseRun(step.name, step.out, result, copy.left_out()))
        known = manifest.read(step.out)
        if known is None:
            raise OutputError(f"{step.out / manifest.NAME}: cannot be read again; the phases after it were not begun")
        state = known.left
    return tuple(runs)


class _Copy:
    """The copy of a target: `root` lies in `holder`, with what the target's go.mod files name beside it."""

    def __init__(self, target: Path, holder: Path) -> None:
        self._target, self._holder = target, holder
        self._outside = references(target)
        # As `mirror` places it: paths that lead out of the target keep their length.
        anchor = os.path.commonpath([target.parent, *(path.parent for path in self._outside)])
        self.root = holder / target.relative_to(anchor)

    def is_at(self, state: str) -> bool:
        """Whether it is there, itself and no link, and its Go code is what a run has known by this hash."""
        itself = self.root.is_dir() and link_on_the_way(self.root, self._holder.parent) is None
        return itself and manifest.target_hash(self.root) == state

    def left_out(self) -> tuple[Degradation, ...]:
        """What of the target is not in the copy."""
        try:
            return msgspec.json.decode(read_bytes(self._holder.parent, LEFT_OUT), type=tuple[Degradation, ...])
        except (OSError, msgspec.DecodeError):
            return ()

    def make(self, without: Path) -> None:
        """Copy the target anew. Raises `OutputError` or `TargetError` where that cannot be done."""
        own = without.relative_to(self._target).as_posix() if without.is_relative_to(self._target) else ""
        try:
            remove_tree(self._holder)
            self._holder.parent.mkdir(parents=True, exist_ok=True)
            self._holder.mkdir(PRIVATE_FOLDER)
            root = mirror(self._target, self._outside, self._holder)
            copied = copy_tree(self._target, root, lambda name: name == own or name.rpartition("/")[2] in SKIPPED)
        except OSError as error:
            what = error.strerror or str(error)
            raise OutputError(
                f"{self._holder}: the target cannot be copied there ({what}); name another --out"
            ) from error
        with staged(self._holder.parent) as stage:
            (stage / LEFT_OUT).write_bytes(msgspec.json.format(msgspec.json.encode(copied.left_out)) + b"\n")


@dataclass(frozen=True)
class _Step:
    """A phase that is to be run, and where."""

    name: str
    out: Path
    given: FixOptions

    @property
    def options(self) -> FixOptions:
        """The options of its run: the copy is the run's own, so that it is written whatever git thinks of it."""
        return replace(self.given, phases=(self.name,), write=True, force=True)

    def forget(self) -> None:
        """Let nothing that is there count as done; the next run takes it away."""
        known = manifest.read(self.out)
        if known is not None:
            manifest.write(msgspec.structs.replace(known, inputs={}, left=""), self.out)

    def told(self, progress: Progress) -> Progress:
        """Progress under the phase's name."""
        return lambda what, done, total: progress(f"{self.name}: {what}", done, total)


def _reached(copy: _Copy, steps: Sequence[_Step], state: str) -> str:
    """The hash of the target with all phases that are done from the same, one after the other from the first.

    Empty where none is: then nothing but a copy made now is known to be the target's.
    """
    if not copy.root.is_dir():
        return ""
    done = False
    for step in steps:
        known = manifest.read(step.out)
        if known is None or not known.left:
            break
        if not known.same_work(papermill.fix_plan(copy.root, step.out, step.options, state)):
            break
        if manifest.finished(known.run_of(FIX), "execute", step.out) is None:
            break
        state, done = known.left, True
    return state if done else ""
