"""Names of files and folders that are no text, or that look like something else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from audit_lib.untrusted.files import on_disk, recorded
from tests.hostile.targets import SHOP, ctxaudit, named, scanned, shop, sites

NAMES = [
    (b"caf\xe9.go", r"caf\xe9.go"),
    (b"\xff\xfe.go", r"\xff\xfe.go"),
    (b"a\\xff.go", r"a\x5cxff.go"),
    (b"a\\x00.go", r"a\x5cx00.go"),
    (b"a\\u0000%00.go", r"a\u0000%00.go"),
    (b"two\nlines.go", "two\nlines.go"),
    (b"tab\t\x1b[31m.go", "tab\t\x1b[31m.go"),
    ("\u202egnp.go".encode(), "\u202egnp.go"),
    (b"sub\xe9/a.go", r"sub\xe9/a.go"),
]


def with_file(folder: Path, name: bytes) -> Path:
    """A shop with one more root, in a file of that name."""
    target = shop(folder)
    place = target / os.fsdecode(name)
    place.parent.mkdir(exist_ok=True)
    place.write_text(SHOP.replace("load", "more").replace("handle", "serve").replace("wait", "rest"))
    return target


@pytest.mark.parametrize(("raw", "shown"), NAMES)
def test_a_name_is_recorded_as_text_and_told_back(raw: bytes, shown: str) -> None:
    assert recorded(os.fsdecode(raw)) == shown
    assert os.fsencode(on_disk(shown)) == raw


@pytest.mark.parametrize(("raw", "shown"), NAMES)
def test_a_scan_writes_each_name_as_text(tmp_path: Path, raw: bytes, shown: str) -> None:
    target = with_file(tmp_path, raw)
    audit, _ = scanned(target)
    assert shown in [file for file, _ in sites(audit)]
    rows = (tmp_path / "out" / "findings.jsonl").read_bytes().decode("utf-8").splitlines()
    assert shown in [json.loads(row)["file"] for row in rows]


@pytest.mark.parametrize("place", [b"caf\xe9.go:10", rb"caf\xe9.go:10"])
def test_explain_finds_the_site_by_the_name_on_disk_and_by_the_one_in_results(tmp_path: Path, place: bytes) -> None:
    target = with_file(tmp_path, b"caf\xe9.go")
    for argument in (os.fsencode(target) + b"/" + place, place):
        result = ctxaudit("explain", argument, "--target", target)
        assert result.code == 0, result.text
        assert r"caf\xe9.go:10" in result.text


def test_types_are_read_of_the_files_beside_one_whose_name_is_no_text(tmp_path: Path) -> None:
    target = with_file(tmp_path, b"caf\xe9.go")
    audit, _ = scanned(target)
    assert sorted(sites(audit)) == [(r"caf\xe9.go", "review"), ("shop.go", "fix")]
    assert named(audit) == {r"caf\xe9.go": "its name is not UTF-8: not read with types"}


@pytest.mark.parametrize("name", [b"x\xff", b"a\nb", b"a\x1b[31mb", b"--help"])
def test_a_target_whose_own_name_is_hostile(tmp_path: Path, name: bytes) -> None:
    target = shop(tmp_path).rename(tmp_path / os.fsdecode(name))
    (target / "go.mod").unlink()
    result = ctxaudit("scan", target, "--syntax-only", "--out", tmp_path / "out")
    assert result.code == 0, result.text
    assert json.loads((tmp_path / "out" / "audit.json").read_bytes())["target"] == recorded(os.fsdecode(name))


def test_unsafe_files_whose_names_are_no_text_are_not_waited_for(tmp_path: Path) -> None:
    target = shop(tmp_path)
    (target / "sub").mkdir()
    (target / "sub" / "sub.go").write_text(SHOP.replace("package shop", "package sub"))
    os.mkfifo(target / "sub" / os.fsdecode(b"\xff.go"))
    audit, _ = scanned(target)
    assert sites(audit) == [("shop.go", "fix"), ("sub/sub.go", "review")]
    assert named(audit)[r"sub/\xff.go"].startswith("not a regular file: not scanned")


def test_an_unsafe_file_in_the_top_folder_whose_name_is_no_text_is_not_waited_for(tmp_path: Path) -> None:
    target = shop(tmp_path)
    os.mkfifo(target / os.fsdecode(b"\xff.go"))
    audit, _ = scanned(target)
    assert sites(audit) == [("shop.go", "review")]
    assert named(audit)[r"\xff.go"].startswith("not a regular file: not scanned")


@pytest.mark.slow
def test_fix_leaves_a_file_whose_name_is_no_text(tmp_path: Path) -> None:
    target = with_file(tmp_path, b"sub/caf\xe9.go")  # go vet opens no such file: beside one, nothing would be proved
    result = ctxaudit("fix", target, "--verify", "build", "--out", tmp_path / "out", "--write", "--force")
    assert result.code == 0, result.text
    assert "r.Context()" in (target / "shop.go").read_text()
    json.loads((tmp_path / "out" / "audit.json").read_bytes().decode("utf-8"))
