"""Pipes, sockets, devices and files of any size in a target: each command ends, and names them."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.hostile.targets import ctxaudit, named, scanned, shop, sites

SPECIAL = "not a regular file"
HUGE = 30 << 30


def pipe(place: Path) -> None:
    """A pipe that nobody writes to: who opens it to read waits."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    os.mkfifo(place)


def sparse(place: Path) -> None:
    """A file of 30 GB that takes no room."""
    place.unlink(missing_ok=True)
    place.touch()
    os.truncate(place, HUGE)


def hostile_go_files(target: Path) -> dict[str, str]:
    """Put Go files into a target that are none, and what is to be said of each."""
    pipe(target / "pipe.go")
    pipe(target / "sub" / "pipe_test.go")
    (target / "sub" / "sub.go").write_text("package sub\n")
    sparse(target / "huge.go")
    (target / "zero.go").symlink_to("/dev/zero")
    (target / "link.go").symlink_to("pipe.go")
    (target / "circle.go").symlink_to("circle.go")
    with socket.socket(socket.AF_UNIX) as one:
        here = Path.cwd()
        os.chdir(target)  # a socket's name is short
        try:
            one.bind("socket.go")
        finally:
            os.chdir(here)
    return {
        "circle.go": "",
        "huge.go": "larger than 32 MiB: not scanned",
        "link.go": f"{SPECIAL}: not scanned",
        "pipe.go": f"{SPECIAL}: not scanned",
        "socket.go": f"{SPECIAL}: not scanned",
        "sub/pipe_test.go": f"{SPECIAL}: not scanned",
        "zero.go": "a link that leads out of the target: not scanned",
    }


def test_go_files_that_are_none_are_named_and_the_rest_is_judged(tmp_path: Path) -> None:
    target = shop(tmp_path)
    expected = hostile_go_files(target)
    audit, _ = scanned(target)
    said = named(audit)
    assert sorted(said) == sorted(expected)
    assert all(reason in said[file] for file, reason in expected.items())
    assert sites(audit) == [("shop.go", "fix")]


def test_explain_ends_beside_go_files_that_are_none(tmp_path: Path) -> None:
    target = shop(tmp_path)
    hostile_go_files(target)
    result = ctxaudit("explain", target / "shop.go:10")
    assert result.code == 0
    assert "shop.go:10" in result.text


@pytest.mark.slow
def test_fix_and_run_end_beside_go_files_that_are_none(tmp_path: Path) -> None:
    target = shop(tmp_path)
    (target / "page.go").write_text('package shop\n\nimport _ "html/template"\n')
    pipe(target / "pipe.go")
    pipe(target / "page.tmpl")
    (target / "zero.go").symlink_to("/dev/zero")
    fixed = ctxaudit("fix", target, "--verify", "build", "--out", tmp_path / "fixed")
    assert fixed.code in (0, 1)
    assert "pipe.go" in fixed.text
    ran = ctxaudit("run", "audit", "--target", target, "--out", tmp_path / "ran", seconds=600)  # a kernel starts
    assert ran.code == 0, ran.text


@pytest.mark.parametrize(
    "name",
    ["go.mod", "go.sum", "go.work", "nested/go.mod", "nested/go.sum", "nested/go.work", "vendor/modules.txt"],
)
@pytest.mark.parametrize("kind", ["pipe", "zero", "huge"])
def test_files_of_modules_that_are_none_are_named(tmp_path: Path, name: str, kind: str) -> None:
    target = shop(tmp_path)
    (target / "nested").mkdir()
    (target / "nested" / "nested.go").write_text("package nested\n")
    (target / "nested" / "go.mod").write_text("module example.org/nested\n\ngo 1.21\n")
    place = target / name
    pipe(place)
    if kind != "pipe":
        place.unlink()
    if kind == "zero":
        place.symlink_to("/dev/zero")
    if kind == "huge":
        sparse(place)
    audit, _ = scanned(target)
    assert named(audit)[name]
    assert [file for file, _ in sites(audit)] == ["shop.go"]


def test_a_go_mod_that_is_none_leaves_the_modules_below_it(tmp_path: Path) -> None:
    target = shop(tmp_path)
    nested = target / "nested"
    nested.mkdir()
    (target / "shop.go").rename(nested / "shop.go")
    (target / "go.mod").rename(nested / "go.mod")
    (target / "top.go").write_text("package top\n")
    pipe(target / "go.mod")
    audit, _ = scanned(target)
    assert sites(audit) == [("nested/shop.go", "fix")]
    assert named(audit) == {"go.mod": f"{SPECIAL}: the module is not read with types"}


def test_what_a_build_would_read_is_not_waited_for(tmp_path: Path) -> None:
    target = shop(tmp_path)
    (target / "cmd").mkdir()
    (target / "cmd" / "main.go").write_text("package main\n\nfunc main() {}\n")
    (target / "asm").mkdir()
    (target / "asm" / "asm.go").write_text("package asm\n\nfunc Add(a, b int) int\n")
    (target / "asm" / "b.s").write_text('#include "wait.h"\n')
    files = ("cmd/default.pgo", "cmd/x.syso", "asm/a.s", "asm/wait.h")
    for file in files:
        pipe(target / file)
    audit, _ = scanned(target)
    assert named(audit) == dict.fromkeys(files, f"{SPECIAL}: not read")
    assert sites(audit) == [("shop.go", "fix")]


@pytest.mark.parametrize("name", ["ctxaudit.toml", "rules.yml", "rules/team.yml"])
@pytest.mark.parametrize("kind", ["pipe", "zero", "huge"])
def test_configuration_that_is_none_is_refused_in_one_line(tmp_path: Path, name: str, kind: str) -> None:
    target = shop(tmp_path)
    (target / "ctxaudit.toml").write_text(f'rules = ["{name.partition("/")[0]}"]\n')
    place = target / name
    pipe(place)
    if kind == "zero":
        place.unlink()
        place.symlink_to("/dev/zero")
    if kind == "huge":
        sparse(place)
    result = ctxaudit("scan", target)
    assert (result.code, result.text.count("\n")) == (2, 1)
    assert name in result.text
    assert "cannot be read" in result.text or "which is not in" in result.text


def test_a_dashboard_shows_no_code_of_a_file_that_became_a_pipe(tmp_path: Path) -> None:
    from audit_lib.model import decode_audit
    from audit_lib.show.excerpt import Sources

    target = shop(tmp_path)
    scanned(target)
    audit = decode_audit((tmp_path / "out" / "audit.json").read_bytes())
    site = audit.findings[0].site
    assert Sources(target).around(site) is not None
    pipe(target / "shop.go")
    assert Sources(target).around(site) is None
    (target / "shop.go").unlink()
    (tmp_path / "outside" / "copy.go").write_text("package copy\n")
    (target / "shop.go").symlink_to(tmp_path / "outside" / "copy.go")
    assert Sources(target).around(site) is None
