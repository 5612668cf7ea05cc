"""go.mod and go.work name folders: a target's own may name those of its repository alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from audit_lib.config import GoOptions
from audit_lib.read.modules import named_outside
from tests.hostile.command import contents, ctxaudit, degradations, refused, scanned, shop, verdicts

SECRET = "ghp_0123456789"
GO_MOD = "module example.org/shop\n\ngo 1.21\n\nrequire example.org/lib v0.0.0\n\n"
USES = 'package shop\n\nimport "example.org/lib"\n\nvar _ = lib.Name\n'


def library(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text("module example.org/lib\n\ngo 1.21\n")
    (folder / "lib.go").write_text(f"package lib\n\nconst Name = 1\n\nfunc {SECRET}() {{}}\n")
    return folder


def replacing(target: Path, path: object) -> Path:
    return shop(target, **{"go.mod": f"{GO_MOD}replace example.org/lib => {path}\n", "uses.go": USES})


@pytest.mark.parametrize("way", ["relative", "absolute", "by a link", "escaped"])
def test_a_module_that_names_a_folder_elsewhere_is_not_read_with_types(tmp_path: Path, way: str) -> None:
    lib = library(tmp_path / "lib")
    path = {"relative": "../lib", "absolute": lib, "by a link": "./near", "escaped": '"\\x2e./lib"'}[way]
    target = replacing(tmp_path / "shop", path)
    if way == "by a link":
        (target / "near").symlink_to("../lib")
    audit = scanned(target)
    assert verdicts(audit) == ["review"]
    line = "go.mod" if way == "escaped" else "go.mod:7"
    assert f"{line}: names" in degradations(audit)
    assert "--outside DIR" in degradations(audit)
    assert SECRET not in str(audit)
    assert verdicts(scanned(target, "--outside", lib)) == ["fix"]


def test_a_fix_is_refused_where_a_scan_is_partial(tmp_path: Path) -> None:
    library(tmp_path / "lib")
    target = replacing(tmp_path / "shop", "../lib")
    before = contents(tmp_path)
    said = refused(ctxaudit("fix", target, "--verify", "build"), 3)
    assert "go.mod:7: names ../lib, which is neither in the target nor in its repository" in said
    assert contents(tmp_path) == before


def test_a_fix_works_with_a_folder_that_the_user_names(tmp_path: Path) -> None:
    library(tmp_path / "lib")
    target = replacing(tmp_path / "shop", "../lib")
    result = ctxaudit("fix", target, "--verify", "build", "--outside", tmp_path / "lib")
    assert result.code == 0, result.err
    assert "1 of 1 site changed" in result.out


def test_a_workspace_that_uses_a_folder_elsewhere_is_left_out(tmp_path: Path) -> None:
    library(tmp_path / "lib")
    target = shop(tmp_path / "shop", **{"go.work": "go 1.21\n\nuse (\n\t.\n\t../lib\n)\n", "uses.go": USES})
    audit = scanned(target)
    assert "go.work:5: names ../lib" in degradations(audit)
    assert SECRET not in str(audit)


def test_a_used_module_in_a_folder_that_is_not_looked_into_is_read_too(tmp_path: Path) -> None:
    library(tmp_path / "lib")
    hidden = f"module example.org/hidden\n\ngo 1.21\n\nreplace example.org/lib => {tmp_path / 'lib'}\n"
    work = {"go.work": "go 1.21\n\nuse (\n\t.\n\t./testdata/hidden\n)\n", "testdata/hidden/go.mod": hidden}
    target = shop(tmp_path / "shop", **work)
    (found,) = named_outside(target, GoOptions())
    assert (found.file, found.line, found.place) == ("testdata/hidden/go.mod", 5, tmp_path / "lib")
    assert found.reason
    assert "testdata/hidden/go.mod:5" in degradations(scanned(target))


def test_folders_of_the_same_repository_are_the_repositorys_to_name(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    library(repository / "lib")
    (repository / ".git").mkdir()
    target = replacing(repository / "shop", "../lib")
    (found,) = named_outside(target, GoOptions())
    assert (found.place, found.reason) == (repository / "lib", "")
    assert verdicts(scanned(target)) == ["fix"]


def test_a_target_that_is_a_repository_has_none_above(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    library(tmp_path / "lib")
    target = replacing(tmp_path / "shop", "../lib")
    (target / ".git").mkdir()
    assert [one.reason != "" for one in named_outside(target, GoOptions())] == [True]


def test_a_workspace_above_is_the_users_unless_it_is_of_the_same_repository(tmp_path: Path) -> None:
    library(tmp_path / "far" / "lib")
    repository = tmp_path / "repository"
    target = shop(repository / "shop")
    (repository / "go.work").write_text("go 1.21\n\nuse (\n\t./shop\n\t../far/lib\n)\n")
    assert [one.reason for one in named_outside(target, GoOptions())] == [""]
    (repository / ".git").mkdir()
    (found,) = named_outside(target, GoOptions())
    assert found.reason


def test_a_vendor_folder_stands_for_what_is_replaced(tmp_path: Path) -> None:
    target = replacing(tmp_path / "shop", "../lib")
    (target / "vendor").mkdir()
    (target / "vendor" / "modules.txt").write_text("# example.org/lib v0.0.0 => ../lib\n")
    assert named_outside(target, GoOptions()) == ()
    assert len(named_outside(target, GoOptions(mod="mod"))) == 1


@pytest.mark.parametrize("kind", ["link", "pipe", "large", "broken"])
@pytest.mark.parametrize("name", ["go.mod", "go.work", "sub/go.mod"])
def test_a_file_that_does_not_say_what_it_names_is_not_believed(tmp_path: Path, kind: str, name: str) -> None:
    target = shop(tmp_path / "shop")
    place = target / name
    place.parent.mkdir(exist_ok=True)
    place.unlink(missing_ok=True)
    (tmp_path / "secret").write_text(f"{SECRET} =>\n")
    if kind == "link":
        place.symlink_to(tmp_path / "secret")
    elif kind == "pipe":
        os.mkfifo(place)
    elif kind == "large":
        with place.open("wb") as file:
            file.truncate(5 << 20)
    else:
        place.write_text("frobnicate a => ../b\n")
    (found,) = named_outside(target, GoOptions())
    assert found.file == name
    assert found.reason
    assert SECRET not in found.reason


def test_two_hundred_thousand_newlines_in_go_work_are_read_at_once(tmp_path: Path) -> None:
    text = "go 1.21\n\nuse (" + "\n" * 200_000 + "\t../lib\n)\n"
    target = shop(tmp_path / "shop", **{"go.work": text})
    (found,) = named_outside(target, GoOptions())
    assert (found.file, found.line) == ("go.work", 200_003)
