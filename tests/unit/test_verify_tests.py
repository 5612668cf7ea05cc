"""The proof: which tests no longer pass after a change, and how that is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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
