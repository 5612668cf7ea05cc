"""Plans carried out until they hold: what fails is rolled back alone, with the words of who said so."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from audit_lib.change import carry as carrying
from audit_lib.change.bench import Bench
from audit_lib.change.carry import carry
from audit_lib.change.edits import Edits
from audit_lib.change.failures import Failure
from audit_lib.change.planned import Component, Plan
from audit_lib.change.reconcile import Rescan
from audit_lib.change.rewrite import Rewritten
from audit_lib.change.scratch import scratch_copy
from audit_lib.change.trials import Trials
from audit_lib.errors import TargetError
from audit_lib.model import Degradation, Refusal, Verification
from audit_lib.read.gotool import find_go
from tests.unit.planning import MODULE, HandMade, carried, change, component, edit, refusals, titles
from tests.unit.shop import write


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user cache of the test's own; Go's stays where it is."""
    monkeypatch.setenv("GOCACHE", os.environ.get("GOCACHE", str(Path("~/.cache/go-build").expanduser())))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return write(tmp_path / "shop", MODULE)


GOOD = component("good", edit("far/far.go", "return 1", "return 1 + 0"))
BROKEN = component("broken", edit("far/far.go", "return 2", "return missing"))
HALF = component("half", edit("store/store.go", "func Get(id int)", "func Get(id, to int)"))
WRONG = component("wrong", edit("store/store.go", "Put(id int) int { return id }", "Put(id int) int { return -id }"))
CALLER = component("caller", edit("api/api.go", "store.Put(2)", "store.Put(1 + 1)"))


def test_a_plan_without_changes_changes_nothing(target: Path) -> None:
    result = carried(target, HandMade())
    assert (result.rewritten, result.steps, result.refusals, result.ok) == (Rewritten({}, {}), (), (), True)


def test_a_plan_that_holds_is_carried_out_as_it_is(target: Path) -> None:
    planner = HandMade(GOOD, CALLER)
    result = carried(target, planner)
    assert titles(result) == ["good", "caller"]
    assert sorted(result.rewritten.after) == ["api/api.go", "far/far.go"]
    assert [(step.step, step.ok) for step in result.steps] == [
        ("gofmt", True),
        ("compile", True),
        ("vet", True),
        ("test", True),
    ]
    assert planner.asked == [(frozenset(), {})]


def test_what_does_not_compile_is_rolled_back_alone_with_the_compilers_words(target: Path) -> None:
    result = carried(target, HandMade(BROKEN, GOOD, CALLER), level="build")
    assert titles(result) == ["good", "caller"]
    assert result.ok
    assert refusals(result) == {
        "broken": "far/far.go:5 rolled back, it does not compile: far/far.go:5:23: undefined: missing"
    }
    assert [refusal.fingerprint for refusal in result.rolled_back] == ["broken"]


def test_what_does_not_parse_is_rolled_back(target: Path) -> None:
    unclosed = component("unclosed", edit("far/far.go", "return 2 }", "return 2"))
    result = carried(target, HandMade(unclosed, GOOD, CALLER), level="build")
    assert titles(result) == ["good", "caller"]
    assert refusals(result)["unclosed"].startswith("far/far.go:5 rolled back, gofmt does not take it")


def test_a_fault_that_shows_in_a_file_of_another_component_is_not_laid_at_its_door(target: Path) -> None:
    result = carried(target, HandMade(CALLER, HALF, GOOD), level="build")
    assert titles(result) == ["caller", "good"]
    assert refusals(result)["half"].startswith("api/api.go:5 rolled back, it does not compile: api/api.go:5:")
    assert "not enough arguments in call to store.Get" in refusals(result)["half"]


def test_several_faults_are_each_found(target: Path) -> None:
    result = carried(target, HandMade(BROKEN, CALLER, HALF, GOOD), level="build")
    assert titles(result) == ["caller", "good"]
    assert sorted(refusals(result)) == ["broken", "half"]


def test_of_a_component_only_the_part_that_fails_is_rolled_back(target: Path) -> None:
    shared = edit("store/store.go", "func Get(id int)", "func Get(id int64)")
    first = change("first", shared, edit("store/store.go", "int { return id }", "int { return int(id) }"))
    fine = change("fine", *first.edits, edit("far/far.go", "return 1", "return 1 + 0"))
    wrong = change("wrong", *first.edits, edit("far/far.go", "return 2", "return missing"))
    result = carried(target, HandMade(Component("all", (first, fine, wrong)), CALLER), level="build")
    assert titles(result) == ["all", "caller"]
    assert sorted(refusals(result)) == ["wrong"]
    assert "store/store.go" in result.rewritten.after


def test_what_all_of_a_component_share_is_rolled_back_with_all_of_it(target: Path) -> None:
    shared = HALF.changes[0].edits
    one, two = change("one", *shared), change("two", *shared, edit("far/far.go", "return 1", "return 1 + 0"))
    result = carried(target, HandMade(Component("all", (one, two)), CALLER), level="build")
    assert titles(result) == ["caller"]
    assert sorted(refusals(result)) == ["one", "two"]


def test_what_a_test_is_against_is_rolled_back_with_its_words(target: Path) -> None:
    result = carried(target, HandMade(GOOD, CALLER, WRONG))
    assert titles(result) == ["good", "caller"]
    assert refusals(result) == {
        "wrong": "api/api_test.go:13 rolled back, TestKeep of example.org/shop/api fails: api_test.go:13: -2"
    }


def test_of_a_component_only_the_part_that_a_test_is_against_is_rolled_back(target: Path) -> None:
    shared = edit("store/store.go", "func Get(id int) int {", "func Get(id int) int {\n")
    changes = [change(f"fine{n}", shared) for n in range(3)] + [change("wrong", shared, *WRONG.changes[0].edits)]
    changes += [change("last", shared, edit("far/far.go", "return 1", "return 1 + 0"))]
    result = carried(target, HandMade(Component("all", tuple(changes))))
    assert sorted(refusals(result)) == ["wrong"]
    assert "far/far.go" in result.rewritten.after


def test_a_test_that_failed_before_is_no_fault(target: Path) -> None:
    write(target, {"api/old_test.go": 'package api\n\nimport "testing"\n\nfunc TestOld(t *testing.T) { t.Fatal() }\n'})
    result = carried(target, HandMade(CALLER))
    assert (titles(result), result.ok) == (["caller"], True)


NIL = MODULE | {
    "store/wait.go": (
        'package store\n\nimport "context"\n\n'
        "func Wait(ctx context.Context) error { return context.Background().Err() }\n"
    ),
    "store/wait_test.go": ('package store\n\nimport "testing"\n\nfunc TestWait(t *testing.T) { _ = Wait(nil) }\n'),
}
BARE = edit("store/wait.go", "context.Background()", "ctx", NIL)
GUARD = edit("store/wait.go", "return", "if ctx == nil {\nctx = context.Background()\n}\nreturn", NIL)


def test_a_source_that_is_nil_in_a_test_is_guarded(target: Path) -> None:
    write(target, NIL)
    planner = HandMade(component("wait", BARE, guardable=True), CALLER, guards={"wait": (BARE, GUARD)})
    result = carried(target, planner)
    assert titles(result) == ["wait", "caller"]
    assert result.guarded == {"wait"}
    assert b"if ctx == nil" in result.rewritten.after["store/wait.go"]
    assert [guarded for guarded, _ in planner.asked] == [frozenset(), {"wait"}]


def test_without_a_guard_to_be_had_it_is_rolled_back(target: Path) -> None:
    write(target, NIL)
    result = carried(target, HandMade(component("wait", BARE), CALLER))
    assert titles(result) == ["caller"]
    assert "TestWait of example.org/shop/store fails: panic: runtime error: invalid memory" in refusals(result)["wait"]
    assert refusals(result)["wait"].startswith("store/wait_test.go:5 ")


def test_a_guard_that_does_not_help_is_not_kept(target: Path) -> None:
    write(target, NIL)
    result = carried(target, HandMade(component("wait", BARE, guardable=True), CALLER, guards={"wait": (BARE,)}))
    assert titles(result) == ["caller"]
    assert (sorted(refusals(result)), result.guarded) == (["wait"], frozenset())


def test_components_that_want_different_things_of_the_same_bytes(target: Path) -> None:
    other = component("other", edit("far/far.go", "return 1", "return 3"))
    result = carried(target, HandMade(GOOD, other, CALLER), level="build")
    assert titles(result) == ["good", "caller"]
    assert "far/far.go:3 " in refusals(result)["other"]
    assert "change the same bytes" in refusals(result)["other"]


def test_a_file_behind_a_link_out_of_the_target_is_refused(target: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.go").write_text(MODULE["far/far.go"])
    (target / "far" / "far.go").unlink()
    (target / "far" / "far.go").symlink_to(tmp_path / "elsewhere.go")
    result = carried(target, HandMade(GOOD, CALLER), level="build")
    assert titles(result) == ["caller"]
    assert "a link leads out of the target" in refusals(result)["good"]


def test_a_file_that_has_changed_since_it_was_read_ends_it(target: Path) -> None:
    with scratch_copy(target) as scratch, pytest.raises(TargetError, match=r"far/far\.go: changed since it was read"):
        carry(Bench(scratch, find_go(), scanned={"far/far.go": "other"}), HandMade(GOOD))


def test_what_the_last_check_does_not_explain_is_taken_back_alone(target: Path) -> None:
    def check(plan: Plan, rewritten: Rewritten) -> Rescan:
        there = {name for one in plan.components for name in one.fingerprints} & {"good"}
        step = Verification("rescan", not there, 0.1, "TODO in F is still there")
        refused = tuple(
            Refusal(name, "rolled back, rescan: TODO in F is still there", "far/far.go:3") for name in there
        )
        return Rescan((step,), plan, refused)

    result = carried(target, HandMade(GOOD, CALLER), level="build", check=check)
    assert titles(result) == ["caller"]
    assert refusals(result) == {"good": "far/far.go:3 rolled back, rescan: TODO in F is still there"}
    assert [step.step for step in result.steps] == ["gofmt", "compile", "vet", "rescan"]
    assert result.ok


def test_what_the_last_check_counted_otherwise_and_what_belongs_to_nobody_are_told(target: Path) -> None:
    nobodys = Degradation("far/far.go:5", "rescan: TODO in G is there now, and no change wrote it")

    def check(plan: Plan, rewritten: Rewritten) -> Rescan:
        counted = Plan(tuple(replace(one, moved=2) for one in plan.components), plan.refusals)
        return Rescan((Verification("rescan", True, 0.1, ""),), counted, (), (nobodys,))

    result = carried(target, HandMade(GOOD), level="build", check=check)
    assert [one.moved for one in result.plan.components] == [2]
    assert (result.degradations, result.ok) == ((nobodys,), True)


def test_a_last_check_that_fails_and_names_nobody_fails_the_proof(target: Path) -> None:
    def check(plan: Plan, rewritten: Rewritten) -> Rescan:
        return Rescan((Verification("rescan", False, 0.1, "3 roots too many"),), plan)

    assert not carried(target, HandMade(GOOD), level="build", check=check).ok


def test_a_planner_that_does_not_listen_comes_to_nothing(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrying, "ROUNDS", 3)

    def stubborn(*, guarded: frozenset[str], refused: Mapping[str, str]) -> Plan:
        return Plan((BROKEN, GOOD), ())

    with scratch_copy(target) as scratch:
        result = carry(Bench(scratch, find_go(), level="build"), stubborn)
        assert scratch.read("far/far.go") == MODULE["far/far.go"].encode()
    assert (result.ok, result.rewritten.after) == (False, {})


def test_the_same_plan_comes_to_the_same(target: Path) -> None:
    def once() -> tuple[object, ...]:
        result = carried(target, HandMade(BROKEN, CALLER, HALF, GOOD, WRONG))
        steps = [replace_seconds(step) for step in result.steps]
        return (result.plan, result.rewritten, steps, result.refusals)

    assert once() == once()


def replace_seconds(step: Verification) -> Verification:
    return Verification(step.step, step.ok, 0, step.detail)


def test_refusals_of_the_planner_are_kept(target: Path) -> None:
    class Refusing(HandMade):
        def __call__(self, *, guarded: frozenset[str], refused: Mapping[str, str]) -> Plan:
            plan = super().__call__(guarded=guarded, refused=refused)
            return replace(plan, refusals=(*plan.refusals, Refusal("closed", "exported", "far/far.go:1")))

    result = carried(target, Refusing(GOOD, BROKEN), level="build")
    assert sorted(refusals(result)) == ["broken", "closed"]
    assert [refusal.fingerprint for refusal in result.rolled_back] == ["broken"]


def test_who_is_accused_wrongly_stays(target: Path) -> None:
    """The line that no longer compiles is edited by `caller` too, which has no part in it."""
    text = MODULE["api/api.go"].replace("store.Get(1)", "store.Get(store.Put(1))")
    write(target, {"api/api.go": text})
    module = MODULE | {"api/api.go": text}
    caller = component("caller", edit("api/api.go", "Put(1)", "Put(0+1)", module))
    result = carried(target, HandMade(caller, HALF, BROKEN), level="build")
    assert titles(result) == ["caller"]
    assert sorted(refusals(result)) == ["broken", "half"]


def test_faults_that_are_plain_to_see_cost_one_trial(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    real = Trials.failures

    def counting(self: Trials, edits: Mapping[str, Edits], *rest: object, **named: object) -> tuple[Failure, ...]:
        tried.append(len(edits))
        return real(self, edits, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Trials, "failures", counting)
    many = [component(f"fine{n}", edit("far/far.go", "return 1", "return 1")) for n in range(9)]
    result = carried(target, HandMade(*many, BROKEN, CALLER), level="build")
    assert sorted(refusals(result)) == ["broken"]
    assert len(tried) == 1
