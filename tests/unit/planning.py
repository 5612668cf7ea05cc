"""Plans made by hand, for tests of what is done with plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from audit_lib.change.bench import Bench, Carried, Check
from audit_lib.change.carry import carry
from audit_lib.change.edits import span_of
from audit_lib.change.entries import digest
from audit_lib.change.planned import Component, Plan
from audit_lib.change.scratch import scratch_copy
from audit_lib.change.verify import Level
from audit_lib.model import Change, Edit, Refusal
from audit_lib.read.gotool import find_go

MODULE = {
    "go.mod": "module example.org/shop\n\ngo 1.24\n",
    "store/store.go": "package store\n\nfunc Get(id int) int { return id }\n\nfunc Put(id int) int { return id }\n",
    "api/api.go": (
        'package api\n\nimport "example.org/shop/store"\n\n'
        "func Show() int { return store.Get(1) }\n\nfunc Keep() int { return store.Put(2) }\n"
    ),
    "api/api_test.go": (
        'package api\n\nimport "testing"\n\n'
        "func TestShow(t *testing.T) {\n\tif Show() != 1 {\n\t\tt.Error(Show())\n\t}\n}\n\n"
        "func TestKeep(t *testing.T) {\n\tif Keep() != 2 {\n\t\tt.Error(Keep())\n\t}\n}\n"
    ),
    "far/far.go": "package far\n\nfunc F() int { return 1 }\n\nfunc G() int { return 2 }\n",
}


def edit(file: str, old: str, new: str, module: Mapping[str, str] = MODULE) -> Edit:
    """Replace the first `old` of a file of a module."""
    data = module[file].encode()
    at = data.index(old.encode())
    return Edit(span_of(data, file, at, at + len(old.encode())), new)


def change(name: str, *edits: Edit) -> Change:
    return Change(name, "thread", tuple(sorted({one.span.file for one in edits})), edits)


def component(name: str, *edits: Edit, guardable: bool = False) -> Component:
    """A component of one change, both with this name."""
    return Component(name, (change(name, *edits),), guardable=guardable)


class HandMade:
    """A planner that gives these components, less what is refused, with guards as `guards` say it."""

    def __init__(self, *components: Component, guards: Mapping[str, Sequence[Edit]] | None = None) -> None:
        self.components = components
        self.guards = guards or {}
        self.asked: list[tuple[frozenset[str], dict[str, str]]] = []

    def __call__(self, *, guarded: frozenset[str], refused: Mapping[str, str]) -> Plan:
        self.asked.append((guarded, dict(refused)))
        left = []
        for one in self.components:
            changes = tuple(self._guarded(c, guarded) for c in one.changes if c.fingerprint not in refused)
            if changes:
                left.append(replace(one, changes=changes))
        return Plan(tuple(left), tuple(Refusal(name, reason, "") for name, reason in sorted(refused.items())))

    def _guarded(self, one: Change, guarded: frozenset[str]) -> Change:
        if one.fingerprint in guarded and one.fingerprint in self.guards:
            return change(one.fingerprint, *self.guards[one.fingerprint])
        return one


def carried(target: Path, planner: HandMade, *, level: Level = "test", check: Check | None = None) -> Carried:
    """What comes of a plan for a target; the copy must hold the result, and the target be as it was."""
    before = _state(target)
    with scratch_copy(target) as scratch:
        scanned = {file: digest(data) for file, data in before.items()}
        result = carry(Bench(scratch, find_go(), level=level, timeout=60, scanned=scanned), planner, check)
        copied = {file: data for file, data in before.items() if file not in scratch.outside}
        assert _state(scratch.root) == copied | result.rewritten.after
    assert _state(target) == before
    return result


def titles(result: Carried) -> list[str]:
    return [one.title for one in result.plan.components]


def refusals(result: Carried) -> dict[str, str]:
    return {refusal.fingerprint: f"{refusal.where} {refusal.reason}" for refusal in result.refusals}


def _state(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
