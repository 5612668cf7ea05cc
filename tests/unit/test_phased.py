"""Components in phases: patches that apply one after the other, each of which leaves a tree that builds."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from audit_lib.change.packages import Commands, compiled, concerned
from audit_lib.change.patch import phase_patches
from audit_lib.change.phased import Phase, phased
from audit_lib.change.planned import Component, edits_of
from audit_lib.change.rewrite import Rewritten, edited
from audit_lib.change.scratch import scratch_copy
from audit_lib.config import GoOptions
from audit_lib.read.gotool import find_go
from tests.unit.planning import MODULE, change, component, edit
from tests.unit.shop import write

ORDER = ("api", "storage")

# Both files are edited in both phases; `Get` changes with its caller in another folder.
GET = Component(
    "Get",
    (
        change(
            "get-in-store",
            edit("store/store.go", "Get(id int)", "Get(id int64)"),
            edit("store/store.go", "id }", "int(id) }"),
        ),
        change(
            "get-in-api",
            edit("store/store.go", "Get(id int)", "Get(id int64)"),
            edit("store/store.go", "id }", "int(id) }"),
        ),
    ),
)
PUT = component("put", edit("store/store.go", "Put(id int) int { return id }", "Put(id int) int { return  0+id }"))
KEEP = component("keep", edit("api/api.go", "store.Put(2)", "store.Put(1+1)"))
FAR = component("far", edit("far/far.go", "return 1", "return 1 + 0"))
PHASES = {"get-in-store": "storage", "get-in-api": "api", "put": "storage", "keep": "storage", "far": "core"}
ALL = (FAR, PUT, GET, KEEP)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user cache of the test's own; Go's stays where it is."""
    monkeypatch.setenv("GOCACHE", os.environ.get("GOCACHE", str(Path("~/.cache/go-build").expanduser())))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def whole(*components: Component) -> Rewritten:
    return edited({file: text.encode() for file, text in MODULE.items()}, edits_of(components), find_go())


def names(phases: tuple[Phase, ...]) -> list[tuple[str, list[str]]]:
    return [(phase.name, [one.title for one in phase.components]) for phase in phases]


def test_without_components_there_is_no_phase() -> None:
    assert phased((), {}, ORDER, Rewritten({}, {}), None) == ()


def test_a_component_comes_with_the_first_phase_that_it_has_a_site_in_and_the_rest_last() -> None:
    phases = phased(ALL, PHASES, ORDER, whole(*ALL), find_go())
    assert names(phases) == [("api", ["Get"]), ("storage", ["put", "keep"]), ("core", ["far"])]


def test_the_order_is_the_configurations() -> None:
    phases = phased(ALL, PHASES, ("storage", "api"), whole(*ALL), find_go())
    assert names(phases) == [("storage", ["put", "Get", "keep"]), ("core", ["far"])]


def test_a_component_does_not_come_before_one_that_it_needs() -> None:
    needy = replace(KEEP, needs=frozenset({"far", "not planned"}))
    phases = phased((FAR, needy), PHASES, ORDER, whole(FAR, needy), find_go())
    assert names(phases) == [("core", ["far", "keep"])]


def test_the_last_state_is_the_whole_result() -> None:
    result = whole(*ALL)
    assert phased(ALL, PHASES, ORDER, result, find_go())[-1].state == result.after


def test_each_state_is_what_its_components_alone_would_give() -> None:
    phases = phased(ALL, PHASES, ORDER, whole(*ALL), find_go())
    assert [phase.state for phase in phases] == [
        whole(GET).after,
        whole(GET, PUT, KEEP).after,
        whole(*ALL).after,
    ]
    assert b"return 0 + id" in (phases[1].state["store/store.go"] or b"")


def test_patches_apply_in_order_and_each_tree_builds(tmp_path: Path) -> None:
    target = write(tmp_path / "shop", MODULE)
    result = whole(*ALL)
    phases = phased(ALL, PHASES, ORDER, result, find_go())
    patches = phase_patches(result.before, [(phase.name, phase.state) for phase in phases])
    with scratch_copy(target) as scratch:
        commands = Commands(find_go(), scratch.root, GoOptions())
        for phase in phases:
            done = subprocess.run(["git", "apply", "-"], cwd=scratch.root, input=patches[phase.name], check=False)
            assert done.returncode == 0
            packages, _ = concerned(commands, phase.state)
            assert compiled(commands, packages).failures == ()
        assert all(scratch.read(file) == data for file, data in result.after.items())
