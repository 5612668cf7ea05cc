"""Fixes beside people's commits: signatures, what a commit did, the report, and the program on tiny repositories."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from audit_lib.change.planned import Component, Plan
from audit_lib.model import Change, Edit, Span
from benchmarks import cases, commits, people, people_report, planning, signatures
from benchmarks.cases import Case, CommitCase
from benchmarks.errors import InputError
from benchmarks.people_report import Beside, Compared, Proof, Unchanged
from benchmarks.scoring import Share

REPOSITORY = Path(__file__).parents[2]

SHOP = """\
package main

import (
	"context"
	"net/http"
)

type Store interface {
	Get(id string) string
}

type memory struct{}

func (memory) Get(id string) string { return wait(context.TODO(), id) }

func handle(s Store) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { s.Get(r.URL.Path) }
}

func wait(ctx context.Context, id string) string {
	<-ctx.Done()
	return id
}

func main() { http.Handle("/", handle(memory{})) }
"""
LINE = SHOP[: SHOP.index("context.TODO")].count("\n") + 1
# What people made of it.
THREADED = (
    SHOP.replace("Get(id string)", "Get(ctx context.Context, id string)")
    .replace("context.TODO()", "ctx")
    .replace("s.Get(", "s.Get(r.Context(), ")
)


# Signatures.


def go(text: str, head: str = 'import "context"\n') -> bytes:
    return f"package shop\n\n{head}\n{text}\n".encode()


def gained(before: str, after: str, head: str = 'import "context"\n') -> set[str]:
    found = signatures.gained({"a/x.go": go(before, head)}, {"a/x.go": go(after, head)})
    assert {folder for folder, _ in found} <= {"a"}
    return {name for _, name in found}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("func f(a int) {}", "func f(a int) {}"),
        ("func f(ctx context.Context) {}", "func f(c context.Context, a int) {}"),
        ("func f(ctx context.Context) {}", "func f() {}"),
        ("", "func f(ctx context.Context) {}"),
        ("func f() {}", "func g(ctx context.Context) {}"),
        ("func f() {}", "func f(ctx gin.Context, a func(context.Context)) context.Context {}"),
        ("func f() {}", "func f(ctx other.Context) {}"),
        ("type F func()", "type F func(ctx context.Context)"),
    ],
)
def test_what_had_a_context_or_gets_none_or_is_new_gains_nothing(before: str, after: str) -> None:
    assert gained(before, after) == set()


def test_functions_methods_and_methods_of_interfaces_gain() -> None:
    before = "func f() {}\nfunc (s *St[T]) M(a int) {}\nfunc (St) N() {}\ntype I[T any] interface { Get(); Put(); St }"
    after = (
        "func f(ctx context.Context) {}\nfunc (s *St[T]) M(_ context.Context, a int) {}\n"
        "func (s St) N(context.Context) {}\ntype I[T any] interface { Get(ctx context.Context); Put(); St }"
    )
    assert gained(before, after) == {"f", "St.M", "St.N", "I.Get"}


@pytest.mark.parametrize(
    ("head", "type_"),
    [
        ('import stdctx "context"\n', "stdctx.Context"),
        ('import . "context"\n', "Context"),
        ('import "golang.org/x/net/context"\n', "context.Context"),
    ],
)
def test_the_package_goes_by_the_name_that_its_file_gives_it(head: str, type_: str) -> None:
    assert gained("func f() {}", f"func f(c {type_}) {{}}", head) == {"f"}


def test_a_function_that_moves_within_its_package_is_the_same_one() -> None:
    before = {"a/x.go": go("func f() {}"), "b/x.go": go("func f() {}")}
    after = {"a/y.go": go("func f(ctx context.Context) {}"), "b/x.go": go("func f() {}")}
    assert signatures.gained(before, after) == {("a", "f")}


def test_of_the_same_function_for_several_systems_one_is_enough() -> None:
    before = {"x_linux.go": go("func f() {}"), "x_windows.go": go("func f() {}")}
    after = {**before, "x_linux.go": go("func f(ctx context.Context) {}")}
    assert signatures.gained(before, after) == {(".", "f")}
    assert signatures.gained(after, after) == set()


def test_parameters_that_change_in_another_way_are_told_from_those_that_stay() -> None:
    before = go("func f(a int) {}\nfunc g(\n\ta int,\n) {}\nfunc h() {}")
    after = go("func f(a int, p Params) {}\nfunc g(\n\ta  int,\n) {}\nfunc new(a int) {}")
    assert signatures.altered({"x.go": before}, {"x.go": after}) == {(".", "f")}


# Commits.


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def committed(clone: Path, files: dict[str, str | None]) -> str:
    """A commit with these files written, or deleted; its hash."""
    for name, text in files.items():
        path = clone / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink()
        else:
            path.write_text(text)
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", "a commit")
    return git(clone, "rev-parse", "HEAD")


def repository(folder: Path) -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "-q")
    return folder


def test_a_commit_edits_adds_and_deletes_go_files_of_its_own(tmp_path: Path) -> None:
    clone = repository(tmp_path / "shop")
    base = committed(clone, {"a.go": "package a\n", "old.go": "package a\n", "vendor/v.go": "package v\n", "x.md": "x"})
    changes = {"a.go": "package b\n", "old.go": None, "sub/é.go": "package sub\n", "vendor/v.go": "package w\n"}
    commit = committed(clone, {**changes, "x.md": "y"})
    edited = commits.edited(clone, base, commit)
    assert (set(edited.files), edited.lines) == ({"a.go", "old.go", "sub/é.go"}, 4)
    assert edited.before == {"a.go": b"package a\n", "old.go": b"package a\n"}
    assert edited.after == {"a.go": b"package b\n", "sub/é.go": b"package sub\n"}
    assert commits.edited(clone, base, base) == commits.Edited(frozenset(), 0, {}, {})


def test_a_file_whose_content_the_clone_lacks_is_named(tmp_path: Path) -> None:
    clone = repository(tmp_path / "shop")
    commit = committed(clone, {"a.go": "package a\n", "b.go": "package a // b\n"})
    blob = git(clone, "rev-parse", f"{commit}:a.go")
    (clone / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(InputError, match=r"lacks the content of a\.go"):
        commits.contents(clone, commit, ["a.go", "b.go"])
    assert commits.contents(clone, commit, ["b.go", "none.go"]) == {"b.go": b"package a // b\n"}


def test_a_commit_that_the_clone_lacks_is_named(tmp_path: Path) -> None:
    clone = repository(tmp_path / "shop")
    base = committed(clone, {"a.go": "package a\n"})
    with pytest.raises(InputError, match="has no commit 2222"):
        commits.edited(clone, base, "2" * 40)


# Plans.


def change(name: str, start: int, end: int, text: str) -> Component:
    return Component(name, (Change(name, "in-scope", ("a.go",), (Edit(Span("a.go", start, end, 1, 1), text),)),))


def test_of_components_that_cannot_be_joined_the_later_one_is_refused() -> None:
    components = (change("one", 0, 4, "a"), change("two", 2, 6, "b"), change("three", 8, 9, "c"))

    def make(*, guarded: frozenset[str], refused: Mapping[str, str]) -> Plan:
        return Plan(tuple(one for one in components if not one.fingerprints & refused.keys()), ())

    assert [one.title for one in planning.agreed(make).components] == ["one", "three"]


# The report.


def compared(beside: Beside, changed: Share = Share(1, 1), proof: Proof | None = None) -> Compared:  # noqa: B008
    labels = CommitCase("github:example/shop", "1" * 40, "2" * 40, "pass it", "2024-01-01", ())
    unchanged = (Unchanged("shop.go", 7, "load", "refused: why (x.go:1)"),) if changed.hits < changed.rows else ()
    shares = {"changed": changed, "respect": Share()}
    return Compared(Case("commits/shop", labels), 1.25, 0.5, 0.25, shares, unchanged, beside, proof)


def beside(ours: str, theirs: str, files: int = 1, opened: str = "", gone: str = "") -> Beside:
    names = [frozenset((".", name) for name in some.split()) for some in (ours, theirs, opened, gone)]
    return Beside(frozenset(map(str, range(files))), frozenset({"0"}), 10, 20, *names)


def test_a_result_like_peoples_meets_the_goals() -> None:
    one = compared(beside("f g", "f g h"))
    assert people_report.missed([one]) == []
    words = " ".join(people_report.line(one).split())
    assert words == (
        "commits/shop 1.2 s changed 1/1 100.0 % respect 0/0 files 1/1 1.00 lines 10/20 signatures 2/2 100.0 %"
    )


def test_each_goal_can_be_missed() -> None:
    failed = Proof(False, 9, Share(1, 1), (("compile", True), ("vet", False)), "", 2)
    assert people_report.missed([compared(beside("f", "f"), Share(97, 100))]) == ["changed"]
    assert people_report.missed([compared(beside("f g", "f"))]) == ["signatures"]
    assert people_report.missed([compared(beside("f", "f", files=2))]) == ["files"]
    assert people_report.missed([compared(beside("f", "f"), proof=failed)]) == ["verified"]


def test_goals_hold_for_all_cases_together() -> None:
    good = compared(
        beside(" ".join(f"f{number}" for number in range(9)), " ".join(f"f{number}" for number in range(9)))
    )
    assert people_report.missed([good, compared(beside("g", ""))]) == []


def test_the_report_names_what_is_only_the_tools_and_only_peoples() -> None:
    one = compared(
        beside("a b c", "c d", opened="a c", gone="b"),
        Share(0, 1),
        Proof(True, 9, Share(1, 1), (("compile", True),), "", 2),
    )
    text = people_report.as_markdown([one], 1)
    assert "### Fixed by people, without a change\n\n- shop.go:7 load: refused: why (x.go:1)" in text
    changed = "- .: a (people changed its parameters in another way)"
    assert f"### Signatures only of the tool (2)\n\n{changed}\n- and 1 more, in people.json" in text
    assert "- .: b (people removed or renamed it)" in people_report.as_markdown([one], 9)
    assert "### Signatures only of people (1)\n\n- .: d" in text
    assert "| commits/shop | yes | 1/1 100.0 % | 2 | 0 | compile passed | 9 |" in text
    data = people_report.as_json([one])
    assert data["missed"] == ["changed", "signatures"]
    (case,) = data["cases"]
    assert case["signatures"] | {"percent": 33} == {
        "hits": 1,
        "rows": 3,
        "percent": 33,
        "both": [".: c"],
        "tool": [".: a", ".: b"],
        "people": [".: d"],
        "opened": [".: a", ".: c"],
        "gone": [".: b"],
    }
    assert case["proof"]["steps"] == {"compile": True}


# The program.


@pytest.fixture
def clones(tmp_path: Path) -> Path:
    """A folder with a clone of `shop`: a base, and what people made of it."""
    clone = repository(tmp_path / "clones" / "shop")
    committed(clone, {"go.mod": "module example.org/shop\n\ngo 1.21\n", "shop.go": SHOP})
    committed(clone, {"shop.go": THREADED})
    return clone.parent


def labels(folder: Path, clones: Path) -> Path:
    """Labels: one case, the last two commits of `shop`, of which the later one fixed its root."""
    (folder / "commits").mkdir(parents=True)
    base, commit = (git(clones / "shop", "rev-parse", name) for name in ("HEAD~1", "HEAD"))
    rows = [{"file": "shop.go", "line": LINE, "function": "memory.Get", "decision": "fixed"}]
    about = {"repository": "github:example/shop", "commit": commit, "subject": "pass it", "date": "2024-01-01"}
    (folder / "commits" / "shop.json").write_text(json.dumps({**about, "base": base, "rows": rows}))
    return folder


def measured(tmp_path: Path, clones: Path, *arguments: object) -> tuple[int, str, str]:
    env = os.environ | {"TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "benchmarks.people", str(clones), *map(str, arguments)]
    command += ["--out", str(tmp_path / "out")]
    done = subprocess.run(command, cwd=REPOSITORY, env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def written(tmp_path: Path) -> dict[str, Any]:
    (case,) = json.loads((tmp_path / "out" / "people.json").read_text())["cases"]
    found: dict[str, Any] = case
    return found


def test_a_fix_is_held_against_peoples_commit(clones: Path, tmp_path: Path) -> None:
    mine = labels(tmp_path / "labels", clones)
    status = git(clones / "shop", "status", "--porcelain")
    code, out, err = measured(tmp_path, clones, "--labels", mine)
    assert (code, err) == (0, ""), out
    case = written(tmp_path)
    assert case["shares"]["changed"] == {"hits": 1, "rows": 1, "percent": 100.0}
    assert case["files"] == {"ratio": 1.0, "both": ["shop.go"], "tool": [], "people": []}
    assert case["signatures"]["both"] == [".: Store.Get", ".: memory.Get"]
    assert case["lines"] == {"tool": 6, "people": 6}
    # The tool's result is there to be read beside people's.
    git(clones / "shop", "checkout", "-q", "HEAD~1")
    git(clones / "shop", "apply", str(tmp_path / "out" / "shop.patch"))
    assert (clones / "shop" / "shop.go").read_text() == THREADED
    git(clones / "shop", "checkout", "-q", "-f", "-")
    assert git(clones / "shop", "status", "--porcelain") == status
    assert "shop-" not in str(list((tmp_path / f"ctxaudit-worktrees-{os.getuid()}").iterdir()))


def test_the_whole_fix_is_proved_where_that_is_asked_for(clones: Path, tmp_path: Path) -> None:
    code, out, err = measured(tmp_path, clones, "--labels", labels(tmp_path / "labels", clones), "--verify", "build")
    assert (code, err) == (0, ""), out
    proof = written(tmp_path)["proof"]
    assert (proof["ok"], proof["changed"]["hits"], proof["rolled_back"], proof["broken"]) == (True, 1, 0, [])
    assert all(proof["steps"].values())


def test_what_builds_without_a_patch_alone_is_named_and_the_folder_is_as_before(clones: Path, tmp_path: Path) -> None:
    shop, patch = clones / "shop", tmp_path / "fix.patch"
    patch.write_bytes(b"")
    assert people.broken_by(patch, shop) == ()
    before = (shop / "shop.go").read_text()
    (shop / "shop.go").write_text(before.replace("wait(ctx, id)", "wait(id)"))
    patch.write_text(git(shop, "diff") + "\n")
    git(shop, "checkout", "-q", ".")
    broken = people.broken_by(patch, shop)
    assert any(text.startswith("example.org/shop: ") and "not enough arguments" in text for text in broken)
    assert (shop / "shop.go").read_text() == before
    with pytest.raises(InputError, match="cannot be applied"):
        patch.write_text(patch.read_text().replace("wait(ctx, id)", "wait(ctx)"))
        people.broken_by(patch, shop)


def test_a_row_without_a_change_has_the_tools_reason(clones: Path, tmp_path: Path) -> None:
    # In a library others may implement what it exports.
    library = [text.replace("package main", "package shop").partition("\nfunc main")[0] for text in (SHOP, THREADED)]
    for text in library:
        committed(clones / "shop", {"shop.go": text})
    code, out, _ = measured(tmp_path, clones, "--labels", labels(tmp_path / "labels", clones))
    assert code == 1, out
    case = written(tmp_path)
    (row,) = case["unchanged"]
    assert (row["file"], row["line"], row["function"]) == ("shop.go", LINE, "memory.Get")
    assert row["why"].startswith("refused: Store.Get is exported by a library")
    assert case["files"]["tool"] == []
    assert case["signatures"]["people"] == [".: Store.Get", ".: memory.Get"]


def test_what_is_missing_is_one_line(clones: Path, tmp_path: Path) -> None:
    mine = labels(tmp_path / "labels", clones)
    for arguments, code, reason in (
        ((tmp_path / "nowhere",), 3, "no such folder"),
        ((clones, "--labels", mine, "--case", "other"), 2, "no such case"),
        ((clones, "--labels", mine, "--checkouts", clones / "shop"), 3, "no folder shop-"),
        ((clones, "--labels", mine, "--checkouts", clones, "--verify", "build"), 2, "leave --checkouts out"),
    ):
        status, _, err = measured(tmp_path, arguments[0], *arguments[1:])
        assert (status, err.count("\n"), reason in err) == (code, 1, True), err


def test_only_the_cases_with_a_commit_count() -> None:
    names = [case.name for case in people.known(cases.DECISIONS)]
    assert (len(names), {name.partition("/")[0] for name in names}) == (9, {"commits"})
