"""Links of a target that lead out of it: nothing of what they lead to is seen in what is printed or written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile.targets import SECRET, ctxaudit, named, scanned, shop, sites, written

OUT = "a link that leads out of the target"


def test_go_files_that_are_links_out_are_named_and_the_rest_is_judged(tmp_path: Path) -> None:
    target = shop(tmp_path)
    (target / "z.go").symlink_to("../outside/secret")
    (target / "abs.go").symlink_to(tmp_path / "outside" / "secret")
    (target / "chain.go").symlink_to("z.go")
    (target / "sub").mkdir()
    (target / "sub" / "up.go").symlink_to("../up/outside/code.go")
    (target / "up").symlink_to("..")
    (target / "x_test.go").symlink_to("/proc/self/environ")
    audit, _ = scanned(target)
    assert sites(audit) == [("shop.go", "fix")]
    links = ("abs.go", "chain.go", "sub/up.go", "x_test.go", "z.go")
    assert named(audit) == dict.fromkeys(links, f"{OUT}: not scanned")


def test_a_link_out_in_a_vendored_package_is_named(tmp_path: Path) -> None:
    target = shop(tmp_path)
    dep = target / "vendor" / "example.org" / "dep"
    dep.mkdir(parents=True)
    (dep / "dep.go").symlink_to(tmp_path / "outside" / "secret")
    (target / "go.mod").write_text("module example.org/shop\n\ngo 1.21\n\nrequire example.org/dep v1.0.0\n")
    (target / "vendor" / "modules.txt").write_text("# example.org/dep v1.0.0\n## explicit\nexample.org/dep\n")
    (target / "uses.go").write_text('package shop\n\nimport _ "example.org/dep"\n')
    audit, _ = scanned(target)
    assert named(audit)["vendor/example.org/dep/dep.go"] == f"{OUT}: not scanned"
    assert [file for file, _ in sites(audit)] == ["shop.go"]


@pytest.mark.parametrize("link", ["linked", "internal/linked", "testdata/linked", "_more/linked"])
def test_names_of_functions_behind_a_linked_folder_are_not_seen(tmp_path: Path, link: str) -> None:
    target = shop(tmp_path)
    (target / link).parent.mkdir(exist_ok=True)
    (target / link).symlink_to(tmp_path / "outside")
    (tmp_path / "outside" / "go.mod").unlink()
    (target / "uses.go").write_text(f'package shop\n\nimport "example.org/shop/{link}"\n\nvar x string = code.None()\n')
    audit, _ = scanned(target)
    assert named(audit)[link] == f"{OUT}: nothing in it is read"


@pytest.mark.parametrize("link", ["alias/deeper", ".hidden/deeper"])
def test_a_folder_behind_two_links_or_a_dot_is_not_seen(tmp_path: Path, link: str) -> None:
    target = shop(tmp_path)
    (target / ".hidden").mkdir()
    (target / ".hidden" / "deeper").symlink_to(tmp_path / "outside")
    (target / "real").mkdir()
    (target / "real" / "deeper").symlink_to(tmp_path / "outside")
    (target / "alias").symlink_to("real")
    (tmp_path / "outside" / "go.mod").unlink()
    (target / "uses.go").write_text(
        'package shop\n\nimport "example.org/shop/alias/deeper"\n\nvar x string = code.No()\n'
    )
    audit, _ = scanned(target)
    assert "example.org/shop/alias/deeper" in str(audit["degradations"])


def test_a_linked_folder_inside_is_read(tmp_path: Path) -> None:
    target = shop(tmp_path)
    (target / "real").mkdir()
    (target / "real" / "real.go").write_text('package real\n\nimport "context"\n\nfunc Do(context.Context) {}\n')
    (target / "alias").symlink_to("real")
    (target / "uses.go").write_text(
        'package shop\n\nimport (\n\t"context"\n\n\treal "example.org/shop/alias"\n)\n\n'
        "func use(ctx context.Context) { real.Do(context.TODO()) }\n"
    )
    audit, _ = scanned(target)
    assert named(audit) == {}
    assert sites(audit) == [("shop.go", "fix"), ("uses.go", "fix")]


@pytest.mark.parametrize("name", ["go.mod", "go.sum", "go.work", "go.work.sum", "nested/go.mod", "vendor/modules.txt"])
def test_files_of_modules_that_are_links_out_are_named(tmp_path: Path, name: str) -> None:
    target = shop(tmp_path)
    place = target / name
    place.parent.mkdir(exist_ok=True)
    (target / "nested").mkdir(exist_ok=True)
    (target / "nested" / "nested.go").write_text("package nested\n")
    if name == "go.work.sum":
        (target / "go.work").write_text("go 1.21\n\nuse .\n")
    place.unlink(missing_ok=True)
    place.symlink_to(tmp_path / "outside" / "secret")
    audit, _ = scanned(target)
    assert OUT in named(audit)[name]
    assert [file for file, _ in sites(audit)] == ["shop.go"]


def test_assembly_that_includes_a_file_outside_does_not_quote_it(tmp_path: Path) -> None:
    target = shop(tmp_path)
    for number, include in enumerate(("../../outside/secret", tmp_path / "outside" / "secret", "textflag.h", "x.inc")):
        folder = target / f"asm{number}"
        folder.mkdir()
        (folder / "a.go").write_text(f"package asm{number}\n\nfunc Add(a, b int) int\n")
        (folder / "a.s").write_text(f'#include "{include}"\n\nTEXT ·Add(SB),4,$0-24\n\tRET\n')
    (target / "asm2" / "textflag.h").symlink_to(tmp_path / "outside" / "secret")
    (target / "asm3" / "x.inc").symlink_to(tmp_path / "outside" / "secret")
    (target / "uses.go").write_text(
        'package shop\n\nimport "example.org/shop/asm0"\n\n'
        "var x int = asm0.Add(1, 2)\n\nvar y string = asm0.Add(1, 2)\n"
    )
    audit, _ = scanned(target)
    assert "cannot use asm0.Add(1, 2)" in str(audit["degradations"])  # its types are there all the same


@pytest.mark.parametrize("name", ["ctxaudit.toml", "rules.yml"])
def test_configuration_that_is_a_link_out_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    target = shop(tmp_path)
    (target / "ctxaudit.toml").write_text('rules = ["rules.yml"]\n')
    (target / name).unlink(missing_ok=True)
    (target / name).symlink_to(tmp_path / "outside" / "secret")
    for command in (["scan", target], ["fix", target], ["explain", target / "shop.go:10"]):
        result = ctxaudit(*command)
        assert result.code == 2
        assert result.text.count("\n") == 1
        assert name in result.text
        assert SECRET not in result.text


@pytest.mark.parametrize(
    "rules", ["/", "..", "../outside", "{outside}", "{outside}/secret.yml", "folder/link", "a/../.."]
)
def test_rules_outside_are_refused_in_one_line(tmp_path: Path, rules: str) -> None:
    target = shop(tmp_path)
    (tmp_path / "outside" / "secret.yml").write_text(f"id: {SECRET}\nkind: {SECRET}\n")
    (target / "folder").mkdir()
    (target / "folder" / "link").symlink_to(tmp_path / "outside")
    (target / "a").mkdir()
    (target / "ctxaudit.toml").write_text(f'rules = ["{rules.format(outside=tmp_path / "outside")}"]\n')
    result = ctxaudit("scan", target)
    assert (result.code, result.text.count("\n")) == (2, 1)
    assert "which is not in" in result.text
    assert SECRET not in result.text


def test_a_rule_in_a_folder_that_is_a_link_out_is_not_quoted(tmp_path: Path) -> None:
    target = shop(tmp_path)
    (target / "rules").mkdir()
    (target / "rules" / "team.yml").symlink_to(tmp_path / "outside" / "secret")
    (target / "ctxaudit.toml").write_text('rules = ["rules"]\n')
    result = ctxaudit("scan", target)
    assert (result.code, result.text.count("\n")) == (2, 1)
    assert f"rules/team.yml: cannot be read ({OUT})" in result.text


def test_explain_stays_in_the_target_that_a_link_is_in(tmp_path: Path) -> None:
    target = shop(tmp_path)
    (target / "code.go").symlink_to(tmp_path / "outside" / "code.go")
    result = ctxaudit("explain", target / "code.go:3")
    assert (result.code, result.text.count("\n")) == (2, 1)
    assert SECRET not in result.text


@pytest.mark.slow
def test_fix_and_run_show_nothing_of_what_is_outside(tmp_path: Path) -> None:
    target = shop(tmp_path)
    (target / "z.go").symlink_to("../outside/secret")
    (target / "linked").symlink_to("../outside")
    (target / "page.tmpl").symlink_to("../outside/secret")
    (tmp_path / "outside" / "go.mod").unlink()
    sub = target / "sub"
    sub.mkdir()
    (sub / "uses.go").write_text('package sub\n\nimport "example.org/shop/linked"\n\nvar x string = code.No()\n')
    fixed = ctxaudit("fix", target, "--verify", "build", "--out", tmp_path / "fixed")
    assert SECRET not in fixed.text + written(tmp_path / "fixed")
    ran = ctxaudit("run", "audit", "--target", target, "--out", tmp_path / "ran", seconds=600)  # a kernel starts
    assert ran.code == 0, ran.text
    assert SECRET not in ran.text + written(tmp_path / "ran")


def test_cgo_that_includes_a_file_outside_does_not_quote_it(tmp_path: Path) -> None:
    target = shop(tmp_path)
    folder = target / "c"
    folder.mkdir()
    (folder / "c.go").write_text(
        "package c\n\n"
        f'// #define WHERE "{tmp_path / "outside" / "secret"}"\n// #include WHERE\n// #include <stddef.h>\n'
        'import "C"\n\nimport "context"\n\nfunc Do(ctx context.Context) { <-ctx.Done() }\n'
    )
    (folder / "more.c").write_text('#include "../../outside/secret"\n')
    (folder / "stddef.h").symlink_to(tmp_path / "outside" / "secret")
    (target / "uses.go").write_text(
        'package shop\n\nimport (\n\t"context"\n\n\t"example.org/shop/c"\n)\n\n'
        "func use(ctx context.Context) { c.Do(context.TODO()) }\n"
    )
    audit, _ = scanned(target)
    assert named(audit) == {"c/stddef.h": f"{OUT}: not read"}
    assert sites(audit) == [("shop.go", "fix"), ("uses.go", "fix")]
