"""What a fix must not break: a module changed in a folder of its own, and what builds before and after."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import building, corpus_fix, modules
from benchmarks.corpus_fix import Tried
from benchmarks.errors import UsageError
from benchmarks.modules import Module
from benchmarks.tools import find_go

CALM = "package shop\n\nfunc Get() string { return `` }\n"
LOST = """\
package shop

import "context"

func Get(ctx context.Context) { wait(context.TODO()) }

func wait(ctx context.Context) { <-ctx.Done() }
"""
STANDING = """\
package shop

import "context"

type Store interface {
	Get()
}

type memory struct{}

func (memory) Get() { wait(context.TODO()) }

func Handle(ctx context.Context, s Store) { s.Get() }

func wait(ctx context.Context) { <-ctx.Done() }
"""


@pytest.fixture(scope="module")
def go() -> Path:
    return find_go()


def module(folder: Path, text: str, **others: str) -> Path:
    folder.mkdir()
    files = {"go.mod": "module example.org/shop\n\ngo 1.21\n", "shop.go": text}
    files |= {f"{name}/{name}.go": more for name, more in others.items()}
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    return folder


def test_where_nothing_is_lost_nothing_changes(tmp_path: Path, go: Path) -> None:
    tried = corpus_fix.attempt("shop", module(tmp_path / "shop", CALM), go)
    assert (tried.outcome, tried.wanted, tried.files, tried.packages, tried.harmed) == ("unchanged", 0, 0, 1, ())


def test_a_module_that_is_changed_still_builds(tmp_path: Path, go: Path) -> None:
    folder = module(tmp_path / "shop", LOST, broken="package broken\n\nvar x int = ``\n")
    tried = corpus_fix.attempt("shop", folder, go)
    assert (tried.outcome, tried.wanted, tried.changes, tried.files, tried.harmed) == ("changed", 1, 1, 1, ())
    assert (tried.packages, tried.broken) == (1, 1)
    assert "wait(ctx)" in (folder / "shop.go").read_text()


def test_a_module_whose_changes_are_refused_stays_as_it_is(tmp_path: Path, go: Path) -> None:
    folder = module(tmp_path / "shop", STANDING)
    tried = corpus_fix.attempt("shop", folder, go)
    assert (tried.outcome, tried.changes, tried.refusals, tried.harmed) == ("refused", 0, 1, ())
    assert (folder / "shop.go").read_text() == STANDING


def test_under_another_policy_the_same_module_is_changed(tmp_path: Path, go: Path) -> None:
    tried = corpus_fix.attempt("shop", module(tmp_path / "shop", STANDING), go, exported="change")
    assert (tried.outcome, tried.changes, tried.harmed) == ("changed", 1, ())


def test_a_module_that_lacks_what_it_needs_counts_apart(
    tmp_path: Path, go: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOPROXY", "off")
    text = 'package shop\n\nimport _ "example.org/nowhere"\n'
    tried = corpus_fix.attempt("shop", module(tmp_path / "shop", text), go)
    assert (tried.outcome, tried.packages, tried.harmed) == ("cannot be loaded", 0, ())
    assert "example.org/nowhere" in tried.reason


def test_what_built_before_and_does_not_after_is_harm() -> None:
    before = {"a": "", "b": "", "b [b.test]": "", "c": "c.go:1:1: no", "d": ""}
    after = {"a": "", "b": "", "b [b.test]": "b_test.go:2:1: undefined: ctx", "c": "c.go:1:1: no"}
    assert building.worse(before, after) == [
        "b [b.test]: b_test.go:2:1: undefined: ctx",
        "d: is no longer there",
    ]
    assert building.worse(before, before) == []


def test_the_report_counts_and_names_what_was_harmed() -> None:
    tried = [
        Tried("shop", "changed", 1.5, wanted=2, changes=1, refusals=1, files=1, packages=3, harmed=("d: no",)),
        Tried("bare", "cannot be loaded", reason="no package"),
        Tried("calm", "unchanged", packages=1),
    ]
    said = "3 modules: 1 cannot be loaded, 1 changed, 1 unchanged; 1 harmed (goal: 0)"
    assert corpus_fix.counts(tried) == said
    text = corpus_fix.as_markdown(tried, "change")
    assert f"{said}. Policy `exported`: change." in text
    assert "| shop | changed | 2 | 1 | 1 | 1 | 3 | 0 | 1.5 |" in text
    assert "## Harmed\n\n- shop: d: no\n\n## Cannot be loaded\n\n- bare: no package" in text
    data = corpus_fix.as_json(tried, "")
    assert (data["harmed"], data["exported"], len(data["modules"])) == (1, "auto", 3)
    assert corpus_fix.line(tried[0]).endswith("HARMED")


def test_modules_are_chosen_by_a_part_of_their_path() -> None:
    everything = [Module("example.org/a", Path()), Module("example.org/b", Path())]
    assert modules.chosen(everything, []) == everything
    assert modules.chosen(everything, ["/b"]) == everything[1:]
    with pytest.raises(UsageError, match=r"--module c: no such module; there are example\.org/a"):
        modules.chosen(everything, ["c"])
