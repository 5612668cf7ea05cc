"""The proof: what no longer compiles, is vetted or formatted after a change, and was before."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from audit_lib.change import verify
from audit_lib.change.failures import Failure, Report
from audit_lib.change.packages import Commands, Package, concerned
from audit_lib.change.scratch import scratch_copy
from audit_lib.change.testing import run_tests
from audit_lib.change.verify import Outcome
from audit_lib.config import GoOptions
from audit_lib.read.gotool import find_go
from tests.unit.shop import MODULE, OLD_FAILURE, changed, steps, verified, write


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user cache of the test's own; Go's stays where it is."""
    monkeypatch.setenv("GOCACHE", os.environ.get("GOCACHE", str(Path("~/.cache/go-build").expanduser())))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "ctxaudit"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return write(tmp_path / "shop", MODULE)


def test_a_change_that_breaks_nothing_passes_every_step(target: Path) -> None:
    outcome = verified(target, changed("store/store.go", "return id", "return id * 1"))
    assert outcome.ok
    assert steps(outcome) == [("gofmt", True), ("compile", True), ("vet", True), ("test", True)]
    assert [step.detail for step in outcome.steps] == [
        "1 file",
        "2 packages",
        "2 packages",
        "2 tests pass in 2 packages",
    ]
    assert all(step.seconds > 0 for step in outcome.steps)


def test_without_a_change_there_is_nothing_to_prove(target: Path) -> None:
    assert verified(target, {}) == Outcome((), ())


def test_only_what_was_asked_for_is_run(target: Path) -> None:
    outcome = verified(target, changed("store/store.go", "return id", "return 2"), level="build")
    assert steps(outcome) == [("gofmt", True), ("compile", True), ("vet", True)]


def test_what_is_not_formatted_is_named(target: Path) -> None:
    outcome = verified(target, changed("store/store.go", "return id", "return  id"))
    assert steps(outcome) == [("gofmt", False)]
    assert outcome.unbuilt == ()
    assert outcome.failures == (
        Failure("gofmt", "store", "store/store.go", "store/store.go: not formatted", ("store/store.go",)),
    )


def test_a_package_that_no_longer_compiles_is_named_with_the_compilers_words(target: Path) -> None:
    outcome = verified(target, changed("store/store.go", "id int", "id, to int"))
    assert steps(outcome) == [("gofmt", True), ("compile", False)]
    (failure,) = outcome.failures
    assert (failure.step, failure.package) == ("compile", "example.org/shop/api")
    assert failure.message.startswith("api/api.go:5:36: not enough arguments in call to store.Get")
    assert "want (int, int)" in failure.message
    assert (failure.files, failure.suspects) == (("api/api.go",), ("store/store.go",))
    assert "not enough arguments" in outcome.steps[-1].detail


TILL = 'package till\n\nimport "example.org/shop/store"\n\nvar X = store.Get(1)\n'


def test_a_dependency_that_needs_the_target_in_turn_is_named_where_it_no_longer_compiles(target: Path) -> None:
    write(
        target,
        {
            "go.mod": "module example.org/shop\n\ngo 1.22\n\nrequire example.org/till v1.0.0\n",
            "vendor/modules.txt": "# example.org/till v1.0.0\n## explicit; go 1.22\nexample.org/till\n",
            "vendor/example.org/till/till.go": TILL,
            "cmd/main.go": 'package main\n\nimport "example.org/till"\n\nfunc main() { _ = till.X }\n',
        },
    )
    assert verified(target, changed("store/store.go", "id int", "id int, more ...int"), level="build").ok
    outcome = verified(target, changed("store/store.go", "id int", "id, to int"), level="build")
    (found,) = (one for one in outcome.failures if one.package == "example.org/shop/cmd")
    assert found.message.startswith("vendor/example.org/till/till.go:5:")


def test_tests_are_compiled_too(target: Path) -> None:
    outcome = verified(target, changed("api/api.go", "func Show()", "func Display()"), level="build")
    assert [failure.files for failure in outcome.failures] == [("api/api_test.go",)] * len(outcome.failures)
    assert "undefined: Show" in outcome.failures[0].message
    assert outcome.failures[0].suspects == ("api/api.go",)


def test_a_package_that_did_not_compile_before_is_no_news(target: Path) -> None:
    write(target, {"api/broken.go": "package api\n\nvar x = missing\n"})
    outcome = verified(target, changed("store/store.go", "return id", "return id * 1"))
    assert outcome.ok
    assert outcome.steps[1].detail == "2 packages; 1 of them did not compile before either"


def test_a_new_error_in_a_package_that_was_broken_before_is_news(target: Path) -> None:
    write(target, {"api/broken.go": "package api\n\nvar x = missing\n"})
    outcome = verified(target, changed("store/store.go", "id int", "id, to int"))
    assert [failure.files for failure in outcome.failures] == [("api/api.go",)]


def test_an_import_that_is_not_there_is_named(target: Path) -> None:
    text = 'package store\n\nimport "example.org/none"\n\nfunc Get(id int) int { return none.Of(id) }\n'
    outcome = verified(target, {"store/store.go": text})
    assert steps(outcome)[-1] == ("compile", False)
    assert "no required module provides package example.org/none" in outcome.failures[0].message
    assert outcome.failures[0].files == ("store/store.go",)


def test_a_finding_of_vet_is_new_only_where_it_was_not_there(target: Path) -> None:
    old = '\nfunc log() { fmt.Printf("%d\\n", "old") }\n'
    text = f'package store\n\nimport "fmt"\n\nfunc Get(id int) int {{ return id }}\n{old}'
    write(target, {"store/store.go": text})
    same = verified(target, {"store/store.go": text.replace("func Get", "// Get is moved.\n\nfunc Get")}, level="build")
    assert same.ok
    assert same.steps[-1].detail == "2 packages; 1 of them had findings before too"
    again = text + old.replace("log", "log2")
    outcome = verified(target, {"store/store.go": again}, level="build")
    assert steps(outcome)[-1] == ("vet", False)
    (failure,) = outcome.failures
    assert "Printf format %d has arg" in failure.message
    assert "(printf)" in failure.message
    assert (failure.package, failure.files) == ("example.org/shop/store", ("store/store.go",))


def test_files_of_build_tags_are_seen_where_the_tags_are_set(target: Path) -> None:
    write(target, {"api/tagged.go": "//go:build extra\n\npackage api\n\nvar y = Show()\n"})
    change = {"api/tagged.go": "//go:build extra\n\npackage api\n\nvar y = none\n"}
    outcome = verified(target, change, level="build")
    assert outcome.unbuilt == ("api/tagged.go",)
    assert outcome.steps[1].detail == "1 package; not built here: api/tagged.go"
    outcome = verified(target, change, level="build", options=GoOptions(tags=("extra",)))
    assert [failure.files for failure in outcome.failures] == [("api/tagged.go",)]


def test_a_module_where_the_go_command_does_not_look_is_verified_too(target: Path) -> None:
    write(target, {"_tools/go.mod": "module example.org/tools\n", "_tools/main.go": "package main\n\nfunc main() {}\n"})
    outcome = verified(target, {"_tools/main.go": "package main\n\nfunc main() { none() }\n"}, level="build")
    assert [(failure.package, failure.files) for failure in outcome.failures] == [
        ("example.org/tools", ("_tools/main.go",))
    ]


def test_several_modules_are_verified_together(target: Path) -> None:
    tool = {
        "tool/go.mod": (
            "module example.org/tool\n\ngo 1.24\n\nrequire example.org/shop v0.0.0\n\nreplace example.org/shop => ../\n"
        ),
        "tool/main.go": 'package main\n\nimport "example.org/shop/store"\n\nfunc main() { println(store.Get(1)) }\n',
        "broken/go.mod": "module example.org/broken\n\nfor 1\n",
    }
    write(target, tool)
    outcome = verified(target, changed("store/store.go", "id int", "id, to int"))
    assert sorted({failure.package for failure in outcome.failures}) == ["example.org/shop/api", "example.org/tool"]
    broken = verified(target, {**changed("store/store.go", "id int", "id int64"), "tool/go.mod": "module\n"})
    assert ("module in tool", ("tool/go.mod",)) in [(failure.package, failure.files) for failure in broken.failures]


def test_a_module_beside_the_workspace_is_verified_by_itself(target: Path) -> None:
    beside = {
        "go.work": "go 1.24\n\nuse .\n",
        "tool/go.mod": (
            "module example.org/tool\n\ngo 1.24\n\nrequire example.org/shop v0.0.0\n\nreplace example.org/shop => ../\n"
        ),
        "tool/main.go": 'package main\n\nimport "example.org/shop/store"\n\nfunc main() { println(store.Get(1)) }\n',
    }
    write(target, beside)
    outcome = verified(target, {"tool/main.go": beside["tool/main.go"].replace("Get(1)", "Get(2)")}, level="build")
    assert (outcome.ok, outcome.unbuilt) == (True, ())
    broken = verified(target, changed("store/store.go", "id int", "id, to int"), level="build")
    assert "example.org/tool" in {failure.package for failure in broken.failures}


def test_what_depends_on_a_change_is_concerned_and_nothing_else(target: Path) -> None:
    external = (
        'package far_test\n\nimport (\n\t_ "example.org/shop/api"\n\t"testing"\n)\n\nfunc TestF(t *testing.T) {}\n'
    )
    with scratch_copy(target) as scratch:
        commands = Commands(find_go(), scratch.root, GoOptions())
        assert paths(commands, ["far/far.go"]) == ["far"]
        assert paths(commands, ["store/store.go"]) == ["api", "store"]
        scratch.write({"far/x_test.go": external.encode()})
        assert paths(commands, ["store/store.go"]) == ["api", "far", "store"]


def paths(commands: Commands, files: list[str]) -> list[str]:
    return [package.folder for package in concerned(commands, files)[0]]


def test_the_baseline_is_kept_by_content(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(target, {"api/old_test.go": OLD_FAILURE})
    change = changed("store/store.go", "return id", "return id * 1")
    runs = []

    def counting(commands: Commands, packages: Sequence[Package], *, race: bool, timeout: float) -> Report:
        runs.append([package.folder for package in packages])
        return run_tests(commands, packages, race=race, timeout=timeout)

    monkeypatch.setattr(verify, "run_tests", counting)
    assert verified(target, change).ok
    assert runs == [["api", "store"], ["api"]]
    assert verified(target, change).ok
    assert runs[2:] == [["api", "store"]]
    write(target, {"far/far.go": MODULE["far/far.go"] + "\n// new\n"})
    assert verified(target, change).ok
    assert runs[3:] == [["api", "store"], ["api"]]
