"""The proof: what fails after a change and did not fail before, on small modules."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from audit_lib.change import verify
from audit_lib.change.failures import Failure, Report, new_failures, without_positions
from audit_lib.change.packages import Commands, Package, concerned
from audit_lib.change.rewrite import Rewritten
from audit_lib.change.scratch import scratch_copy
from audit_lib.change.testing import run_tests
from audit_lib.change.verify import Level, Outcome, Verifier
from audit_lib.config import GoOptions
from audit_lib.read.gotool import find_go

MODULE = {
    "go.mod": "module example.org/shop\n\ngo 1.24\n",
    "store/store.go": "package store\n\nfunc Get(id int) int { return id }\n",
    "api/api.go": 'package api\n\nimport "example.org/shop/store"\n\nfunc Show() int { return store.Get(1) }\n',
    "api/api_test.go": (
        'package api\n\nimport "testing"\n\n'
        "func TestShow(t *testing.T) {\n\tif Show() != 1 {\n\t\tt.Error(Show())\n\t}\n}\n\n"
        "func TestOther(t *testing.T) {}\n"
    ),
    "far/far.go": "package far\n\nfunc F() int { return 1 }\n",
}
OLD_FAILURE = 'package api\n\nimport "testing"\n\nfunc TestOld(t *testing.T) { t.Fatal("never passed") }\n'


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user cache of the test's own; Go's stays where it is."""
    monkeypatch.setenv("GOCACHE", os.environ.get("GOCACHE", str(Path("~/.cache/go-build").expanduser())))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "ctxaudit"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return write(tmp_path / "shop", MODULE)


def write(folder: Path, files: dict[str, str]) -> Path:
    for file, text in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text)
    return folder


def verified(
    target: Path, files: dict[str, str], *, level: Level = "test", timeout: float = 60, options: GoOptions | None = None
) -> Outcome:
    """The outcome for a target with these files changed."""
    with scratch_copy(target) as scratch:
        after = {file: text.encode() for file, text in files.items()}
        rewritten = Rewritten({file: scratch.read(file) for file in after}, after)
        scratch.write(rewritten.after)
        verifier = Verifier(scratch, find_go(), options or GoOptions(), level=level, timeout=timeout)
        outcome = verifier.verify(rewritten)
        assert all(scratch.read(file) == data for file, data in after.items())
        return outcome


def steps(outcome: Outcome) -> list[tuple[str, bool]]:
    return [(step.step, step.ok) for step in outcome.steps]


def changed(file: str, old: str, new: str) -> dict[str, str]:
    assert old in MODULE[file]
    return {file: MODULE[file].replace(old, new)}


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


def test_a_test_that_no_longer_passes_is_named_with_its_words(target: Path) -> None:
    outcome = verified(target, changed("store/store.go", "return id", "return 2"))
    assert steps(outcome)[-1] == ("test", False)
    (failure,) = outcome.failures
    assert failure.key == ("test", "example.org/shop/api", "TestShow")
    assert failure.message.strip() == "api_test.go:7: 2"
    assert (failure.files, failure.suspects) == (("api/api_test.go",), ("store/store.go",))


def test_a_test_that_failed_before_is_no_news(target: Path) -> None:
    write(target, {"api/old_test.go": OLD_FAILURE})
    outcome = verified(target, changed("store/store.go", "return id", "return id * 1"))
    assert outcome.ok
    assert outcome.steps[-1].detail == "2 tests pass in 2 packages; 1 failure as before"
    outcome = verified(target, changed("store/store.go", "return id", "return 2"))
    assert [failure.name for failure in outcome.failures] == ["TestShow"]


def test_subtests_are_told_apart(target: Path) -> None:
    text = (
        'package api\n\nimport "testing"\n\nfunc TestTable(t *testing.T) {\n'
        '\tt.Run("old", func(t *testing.T) { t.Error("old") })\n'
        '\tt.Run("one two", func(t *testing.T) {\n\t\tif Show() != 1 {\n\t\t\tt.Error("new")\n\t\t}\n\t})\n}\n'
    )
    write(target, {"api/table_test.go": text, "api/api_test.go": "package api\n"})
    outcome = verified(target, changed("store/store.go", "return id", "return 2"))
    assert [failure.name for failure in outcome.failures] == ["TestTable/one_two"]


def test_a_panic_is_named_with_where_it_happened(target: Path) -> None:
    text = "package store\n\nfunc Get(id int) int {\n\tvar p *int\n\treturn *p\n}\n"
    outcome = verified(target, {"store/store.go": text})
    (failure,) = outcome.failures
    assert failure.name == "TestShow"
    assert failure.message.startswith("panic: runtime error: invalid memory address or nil pointer dereference")
    assert failure.files == ("store/store.go", "api/api.go", "api/api_test.go")


def test_tests_that_no_longer_run_since_another_one_panics_are_news(target: Path) -> None:
    early = 'package api\n\nimport "testing"\n\nfunc TestA(t *testing.T) { t.Error(Show()) }\n'
    write(target, {"api/a_test.go": early})
    after = early.replace("t.Error(Show())", 'panic("now")')
    outcome = verified(target, {"api/a_test.go": after})
    (failure,) = outcome.failures
    assert failure.message.startswith("TestOther and 1 more tests that passed no longer run")
    assert "in TestA: panic: now" in failure.message


def test_a_test_that_hangs_ends_at_the_timeout(target: Path) -> None:
    text = MODULE["store/store.go"].replace("return id", "select {}")
    outcome = verified(target, {"store/store.go": text.replace("{ select {} }", "{\n\tselect {}\n}")}, timeout=1)
    (failure,) = outcome.failures
    assert failure.name == "TestShow"
    assert "timed out after 1s" in failure.message or "deadlock" in failure.message


def test_an_exit_in_the_middle_is_a_failure_of_what_ran(target: Path) -> None:
    text = 'package store\n\nimport "os"\n\nfunc Get(id int) int {\n\tos.Exit(3)\n\treturn id\n}\n'
    outcome = verified(target, {"store/store.go": text})
    assert [failure.name for failure in outcome.failures] == ["TestShow"]


def test_a_panic_before_any_test_is_the_packages(target: Path) -> None:
    text = 'package store\n\nfunc init() { panic("early") }\n\nfunc Get(id int) int { return id }\n'
    outcome = verified(target, {"store/store.go": text})
    assert [(failure.package, failure.name) for failure in outcome.failures] == [("example.org/shop/api", "")]
    assert "panic: early" in outcome.failures[0].message
    assert "store/store.go" in outcome.failures[0].files


def test_races_are_found_where_that_is_asked_for(target: Path) -> None:
    text = (
        "package store\n\nfunc Get(id int) int {\n\tx, done := 0, make(chan bool)\n"
        "\tgo func() { x = 1; close(done) }()\n\tx = 2\n\t<-done\n\treturn id + x - x\n}\n"
    ).replace("{ x = 1; close(done) }", "{\n\t\tx = 1\n\t\tclose(done)\n\t}")
    assert verified(target, {"store/store.go": text}).ok
    outcome = verified(target, {"store/store.go": text}, level="race")
    assert [failure.name for failure in outcome.failures] == ["TestShow"]
    assert "race" in outcome.failures[0].message.lower()


def test_a_test_that_fails_once_is_run_again(target: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    text = (
        'package api\n\nimport (\n\t"os"\n\t"testing"\n)\n\nfunc TestUnsteady(t *testing.T) {\n'
        f'\tif _, err := os.Stat("{seen}"); err != nil && Show() == 2 {{\n'
        f'\t\tos.WriteFile("{seen}", nil, 0o600)\n\t\tt.Error("once")\n\t}}\n}}\n'
    )
    write(target, {"api/api_test.go": text})
    outcome = verified(target, changed("store/store.go", "return id", "return 2"))
    assert outcome.ok
    assert outcome.steps[-1].detail.endswith("passed when run again: example.org/shop/api TestUnsteady")


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


def test_as_many_as_before_are_old() -> None:
    one = Failure("vet", "p", "x", "a.go:1: x")
    two = Failure("vet", "p", "x", "a.go:9: x")
    assert new_failures(Report((one,)), Report((two,))) == ()
    assert new_failures(Report((one, two)), Report((one,))) == (two,)


def test_what_a_binary_that_ended_early_did_not_come_to_is_not_known_to_have_passed() -> None:
    late = Failure("test", "p", "TestLate", "")
    assert new_failures(Report((late,)), Report(died=("p",))) == ()
    assert new_failures(Report((late,)), Report(passed=("p TestLate",), died=("p",))) == (late,)
    assert new_failures(Report((late,)), Report()) == (late,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("store/a.go:12:3: undefined: x", "a.go: undefined: x"),
        ("returns without cancel of line 12", "returns without cancel of line N"),
        ("other declaration at ./b.go:3", "other declaration at b.go"),
    ],
)
def test_messages_are_known_without_positions(text: str, expected: str) -> None:
    assert without_positions(text) == expected
