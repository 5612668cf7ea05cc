"""The target's own ctxaudit.toml decides nothing about what is written, or read outside of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from audit_lib import config as configuration
from audit_lib.config import GoOptions
from audit_lib.errors import ConfigError, UsageError
from audit_lib.reading import go_options
from tests.hostile.command import contents, ctxaudit, refused, scanned, shop, verdicts

OWN = [
    ('mod = "mod"', "--mod mod"),
    ('modfile = "../other/go.mod"', "--modfile FILE"),
    ('modfile = "tools.mod"', "--modfile FILE"),
    ('outside = ["/"]', "--outside DIR"),
]


@pytest.mark.parametrize(("line", "how"), OWN)
@pytest.mark.parametrize("command", ["scan", "explain", "fix", "run"])
def test_what_only_the_user_decides_is_refused_in_the_target(tmp_path: Path, line: str, how: str, command: str) -> None:
    target = shop(tmp_path / "shop", **{"ctxaudit.toml": f"[go]\n{line}\n"})
    before = contents(tmp_path)
    arguments = {
        "scan": ["scan", target],
        "explain": ["explain", target / "shop.go:10"],
        "fix": ["fix", target],
        "run": ["run", "audit", "--target", target, "--out", tmp_path / "out"],
    }[command]
    said = refused(ctxaudit(*arguments), 2)
    assert f"{target / 'ctxaudit.toml'}: `[go] {line.split()[0]}" in said
    assert how in said
    assert contents(tmp_path) == before


@pytest.mark.parametrize("way", ["named", "by a link", "by a link in it", "around"])
def test_a_file_of_the_target_is_its_own_by_whatever_name(tmp_path: Path, way: str) -> None:
    target = shop(tmp_path / "shop", **{"odd.toml": '[go]\nmod = "mod"\n'})
    (tmp_path / "link").symlink_to(target)
    (tmp_path / "far.toml").write_text('[go]\nmodfile = "x.mod"\n')
    (target / "near.toml").symlink_to(tmp_path / "far.toml")
    name = {
        "named": target / "odd.toml",
        "by a link": tmp_path / "link" / "odd.toml",
        "by a link in it": target / "near.toml",
        "around": target / "sub" / ".." / "odd.toml",
    }[way]
    (target / "sub").mkdir()
    with pytest.raises(ConfigError, match="is not taken from the target"):
        configuration.load(target, name)


def test_vendor_and_readonly_are_the_targets_to_say(tmp_path: Path) -> None:
    for mod in ("vendor", "readonly"):
        target = shop(tmp_path / mod, **{"ctxaudit.toml": f'[go]\nmod = "{mod}"\n'})
        assert configuration.load(target).go.mod == mod


def test_a_file_elsewhere_may_say_all_and_its_folders_are_relative_to_it(tmp_path: Path) -> None:
    target = shop(tmp_path / "shop", **{"tools.mod": "module example.org/shop\n"})
    mine = tmp_path / "mine.toml"
    mine.write_text('[go]\nmod = "mod"\nmodfile = "tools.mod"\noutside = ["lib", "/far"]\n')
    config = configuration.load(target, mine)
    assert config.go == GoOptions(mod="mod", modfile="tools.mod", outside=(str(tmp_path / "lib"), "/far"))
    assert str(tmp_path) not in str(configuration.as_builtins(config))


@pytest.mark.parametrize("kind", ["outside", "link", "folder", "missing", "pipe"])
def test_a_modfile_is_a_regular_file_of_the_target(tmp_path: Path, kind: str) -> None:
    target = shop(tmp_path / "shop")
    (tmp_path / "secret").write_text("ghp_secret\n")
    (target / "link.mod").symlink_to(tmp_path / "secret")
    (target / "folder.mod").mkdir()
    os.mkfifo(target / "pipe.mod")
    name = {"outside": "../secret"}.get(kind, f"{kind}.mod")
    for modfile in (name, str(target / name)):
        with pytest.raises(UsageError, match=r"^--modfile .*; name a regular file in") as caught:
            go_options(target, GoOptions(), (), "", modfile)
        assert "ghp" not in str(caught.value)
    assert go_options(target, GoOptions(), (), "", str(target / "go.mod")).modfile == "go.mod"


def test_mod_mod_works_on_a_copy(tmp_path: Path) -> None:
    """A requirement is missing: the go command adds it, but not to the target's go.mod."""
    lib = {"lib/go.mod": "module example.org/lib\n\ngo 1.21\n", "lib/lib.go": "package lib\n\nconst Name = 1\n"}
    uses = {"uses.go": 'package shop\n\nimport "example.org/lib"\n\nvar _ = lib.Name\n'}
    go_mod = "module example.org/shop\n\ngo 1.21\n\nreplace example.org/lib => ./lib\n"
    target = shop(tmp_path / "shop", **lib, **uses, **{"go.mod": go_mod})
    audit = scanned(target, "--mod", "mod", environment={"GOPROXY": "off"})
    assert verdicts(audit) == ["fix"]
    assert audit["degradations"] == []
