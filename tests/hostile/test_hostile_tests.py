"""Tests of a target that do more than test while a fix is proved: none of them makes a proof of nothing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from audit_lib.change.edits import BOM
from audit_lib.change.failures import gist
from audit_lib.change.formatting import format_edited, gofmt, unformatted
from audit_lib.change.imports import repaired
from audit_lib.change.packages import Commands, Package, objects
from audit_lib.change.restoring import putting_back
from audit_lib.change.scratch import scratch_copy
from audit_lib.change.testing import run_tests
from audit_lib.config import GoOptions
from audit_lib.errors import OutputError
from audit_lib.read.gotool import find_go
from tests.hostile.command import contents, ctxaudit, shop

TEST = """\
package shop

import (
	"fmt"
	"os"
	"syscall"
	"testing"
)

var _, _, _ = fmt.Fprint, os.Getppid, syscall.Kill

func TestA(t *testing.T) {
	%s
}
"""
KILLS = "_ = syscall.Kill(os.Getppid(), syscall.SIGKILL)"
GARBLES = """\
out, err := os.OpenFile(fmt.Sprintf("/proc/%d/fd/1", os.Getppid()), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(out, "\\n{\\"Action\\": \\n{{{{\\n{}\\n{\\"Action\\": 5}\\n")"""


@pytest.mark.slow
def test_tests_that_end_the_go_command_have_not_passed(tmp_path: Path) -> None:
    target = shop(tmp_path / "shop", **{"shop_test.go": TEST % KILLS})
    package = Package("example.org/shop", ".", ".", frozenset(), frozenset())
    report = run_tests(Commands(find_go(), target, GoOptions()), [package])
    assert [failure.package for failure in report.failures] == ["example.org/shop"]
    assert report.failures[0].message == "go test does not say how its tests ended"
    assert report.passed == report.unfinished == ()
    assert report.died == ("example.org/shop",)


@pytest.mark.slow
def test_what_tests_print_between_the_lines_of_the_go_command_is_left_out(tmp_path: Path) -> None:
    target = shop(tmp_path / "shop", **{"shop_test.go": TEST % GARBLES})
    package = Package("example.org/shop", ".", ".", frozenset(), frozenset())
    report = run_tests(Commands(find_go(), target, GoOptions()), [package])
    assert (report.failures, report.passed) == ((), ("example.org/shop TestA",))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("does", "told"),
    [
        ('_ = os.WriteFile("zz.go", []byte("package shop\\n\\nfunc broken( {\\n"), 0o644)', "zz.go"),
        ("folder, _ := os.Getwd()\n\t_ = os.RemoveAll(folder)", "go.mod, shop.go, shop_test.go"),
        ('_ = os.Remove("shop.go")\n\t_ = os.Symlink("/etc/passwd", "shop.go")', "shop.go"),
    ],
)
def test_sources_that_tests_change_are_put_back_and_told(tmp_path: Path, does: str, told: str) -> None:
    target = shop(tmp_path / "shop", **{"shop_test.go": TEST % does})
    before = contents(target)
    result = ctxaudit("fix", target, "--write", "--force")
    assert result.code == 0, result.err
    assert f"1 test passes in 1 package; the tests write to {told}, which was put back" in result.out
    after = contents(target)
    assert {name for name in after if after[name] != before.get(name)} == {"shop.go"}
    assert "r.Context()" in (target / "shop.go").read_text()


def test_only_what_has_changed_is_put_back(tmp_path: Path) -> None:
    target = shop(tmp_path / "shop", **{"sub/a.go": "package a\n", "sub/testdata/b.go": "package b\n"})
    with scratch_copy(target) as scratch:
        scratch.write({"shop.go": b"package shop // edited\n"})
        with putting_back(scratch) as changed:
            (scratch.root / "shop.go").write_bytes(b"package other\n")
            (scratch.root / "sub/a.go").write_text("package a\n")
            (scratch.root / "sub/testdata/b.go").write_text("package golden\n")
            (scratch.root / "sub/new.s").write_text("")
            (scratch.root / "sub/link.go").symlink_to("/etc/passwd")
        assert changed == ["shop.go", "sub/link.go", "sub/new.s"]
        assert not (scratch.root / "sub/link.go").is_symlink()
        assert scratch.read("shop.go") == b"package shop // edited\n"
        assert not (scratch.root / "sub/new.s").exists()
        assert scratch.read("sub/testdata/b.go") == b"package golden\n"


def test_sources_behind_a_folder_that_now_leads_out_are_not_written(tmp_path: Path) -> None:
    target = shop(tmp_path / "shop", **{"sub/a.go": "package a\n"})
    outside = tmp_path / "outside"
    outside.mkdir()
    with scratch_copy(target) as scratch, pytest.raises(OutputError, match="--verify build"), putting_back(scratch):
        (scratch.root / "sub").rename(scratch.root / "gone")
        (scratch.root / "sub").symlink_to(outside)
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}{"b": 2}\n{"c": 3}', [{"a": 1}, {"b": 2}, {"c": 3}]),
        ('no\n{"a": \n{"b": 2}\n{', [{"b": 2}]),
        ("{" * 1_000_000 + '\n{"a": 1}', [{"a": 1}]),
        ('{"a":' * 5_000 + '\n{"b": 1}', [{"b": 1}]),
        ('\n{"x' * 200_000, []),
    ],
)
def test_objects_between_anything(text: str, found: list[object]) -> None:
    assert list(objects(text)) == found


def test_a_line_without_end_is_told_in_part() -> None:
    assert len(gist(["x" * 50_000_000, "y"])) < 3000


def test_messages_of_gofmt_name_no_other_file() -> None:
    go = find_go()
    fine, lines = b"package a\n\nfunc f() {}\n", b"//line %d.go:1\npackage a\n\nfunc g( {\n"
    forged = b"package a\n\nvar x = 1 `\n%d.go:1:1: expected nothing\n`\n"
    hostile = [form % number for form in (lines, forged) for number in range(8)]
    assert gofmt(go, [fine, *hostile]) == [fine, *[None] * len(hostile)]
    assert gofmt(go, [b"package a\n\n\n\n", b"package a", b"", b"package a\n/*"]) == [b"package a\n"] * 2 + [None] * 2


def test_a_file_that_no_longer_parses_is_told_whatever_name_it_gives_itself() -> None:
    before, after = b"//line other.go:1\npackage a\n\nfunc f() {}\n", b"//line other.go:1\npackage a\n\nfunc f( {}\n"
    go = find_go()
    assert unformatted(go, {"a.go": before}, {"a.go": after}) == ["a.go"]
    crlf = BOM + b"package a\r\nfunc  f() {}\r\n"
    assert format_edited(go, {"a.go": None}, {"a.go": crlf}) == {"a.go": BOM + b"package a\r\n\r\nfunc f() {}\r\n"}


def test_imports_are_looked_for_in_one_go() -> None:
    count = 20_000
    specs = "".join(f'\ta{number} "fmt"\n' for number in range(count))
    uses = "".join(f"var _ = a{number}.Sprint\n" for number in range(count))
    before = f"package a\n\nimport (\n{specs})\n\n{uses}\nfunc f() {{ g() }}\n".encode()
    after = before.replace(b"{ g() }", b"{ g(context.TODO()) }")
    begun = time.monotonic()
    assert b'"context"' in repaired(before, after)
    assert time.monotonic() - begun < 60
