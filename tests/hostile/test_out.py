"""Results beside or in a target that ships links, folders and hard links where results go."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from audit_lib.errors import OutputError
from audit_lib.show.staging import staged
from audit_lib.untrusted.output import refuse_links
from tests.scenarios.test_bad_input import HANDLER, ctxaudit, refused


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "go.mod").write_text("module example.org/shop\n\ngo 1.21\n")
    (folder / "shop.go").write_text(HANDLER)
    return folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "audit.json").write_text("mine")
    (folder / "audit.json").chmod(0o640)
    return folder


def untouched(outside: Path) -> bool:
    file = outside / "audit.json"
    return (
        [path.name for path in outside.iterdir()] == ["audit.json"]
        and file.read_text() == "mine"
        and stat.S_IMODE(file.stat().st_mode) == 0o640
    )


# The way to the results.


COMMANDS = {
    "scan": ["scan", ".", "--syntax-only", "--out", "out/deeper"],
    "fix": ["fix", ".", "--out", "out"],
    "run audit": ["run", "audit"],  # in out/audit, by default
    "run fix": ["run", "fix", "--out", "a/../out"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_link_in_the_target_is_no_place_for_results(shop: Path, outside: Path, command: str) -> None:
    (shop / "a").mkdir()
    (shop / "out").symlink_to(outside)
    message = refused(ctxaudit(*COMMANDS[command], cwd=shop), 3)
    assert "out is a link in the target, and no results are written where it leads" in message
    assert untouched(outside)


def test_a_link_to_nowhere_is_not_made_to_lead_somewhere(shop: Path, tmp_path: Path) -> None:
    (shop / "out").symlink_to(tmp_path / "made")
    with pytest.raises(OutputError, match="is a link in the target"):
        refuse_links(shop / "out", shop)
    assert not (tmp_path / "made").exists()


def test_links_that_are_the_users_own_are_followed(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "mine").symlink_to("results")
    (tmp_path / "other").symlink_to(shop)
    assert ctxaudit("scan", shop, "--syntax-only", "--quiet", "--out", tmp_path / "mine").code == 0
    assert (tmp_path / "results" / "audit.json").is_file()
    refuse_links(tmp_path / "other" / "out", shop)
    refuse_links(tmp_path / "other" / ".." / "x", shop)


def test_a_way_into_the_target_by_the_users_link_goes_over_no_link_there(
    shop: Path, outside: Path, tmp_path: Path
) -> None:
    (shop / "out").symlink_to(outside)
    (tmp_path / "mine").symlink_to("shop/out")
    (tmp_path / "other").symlink_to(shop)
    for out in (
        tmp_path / "mine",
        tmp_path / "mine" / "x",
        tmp_path / "other" / "out",
        tmp_path / "other" / "out" / "x",
    ):
        with pytest.raises(OutputError, match="out is a link in the target"):
            refuse_links(out, shop)
        with pytest.raises(OutputError, match="out is a link in the target"):
            refuse_links(out, tmp_path / "other")


def test_a_circle_of_links_ends(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "p").symlink_to("q")
    (tmp_path / "q").symlink_to("p")
    refuse_links(tmp_path / "p" / "x", shop)
    with pytest.raises(OutputError, match="cannot be written"):
        put(tmp_path / "p" / "x")


@pytest.mark.parametrize("command", ["scan", "fix"])
def test_a_cache_in_the_target_is_refused(shop: Path, command: str) -> None:
    message = refused(ctxaudit(command, shop, environment={"XDG_CACHE_HOME": str(shop / "cache")}), 2)
    assert "the cache lies in the target" in message
    home = {"HOME": str(shop), "XDG_CACHE_HOME": ""}
    assert "the cache lies in the target" in refused(ctxaudit(command, shop, environment=home), 2)
    assert sorted(path.name for path in shop.iterdir()) == ["go.mod", "shop.go"]


# What is in the folder of the results already.


def put(out: Path, name: str = "audit.json", text: str = "ours") -> None:
    with staged(out) as stage:
        (stage / name).write_text(text)


@pytest.mark.parametrize("to", ["audit.json", "made", "."])
def test_a_link_under_the_name_of_a_result_is_replaced(tmp_path: Path, outside: Path, to: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "audit.json").symlink_to(outside / to)
    put(out)
    assert not (out / "audit.json").is_symlink()
    assert (out / "audit.json").read_text() == "ours"
    assert [path.name for path in out.iterdir()] == ["audit.json"]
    assert untouched(outside)


def test_a_file_that_shares_its_content_with_one_outside_is_parted_from_it(tmp_path: Path, outside: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "audit.json").hardlink_to(outside / "audit.json")
    put(out)
    assert (out / "audit.json").read_text() == "ours"
    assert untouched(outside)


def test_a_folder_under_the_name_of_a_result_stays_and_all_else_too(tmp_path: Path, outside: Path) -> None:
    out = tmp_path / "out"
    (out / "findings.jsonl").mkdir(parents=True)
    (out / "audit.json").symlink_to(outside / "audit.json")
    with pytest.raises(OutputError, match=r"findings\.jsonl is a folder there"), staged(out) as stage:
        (stage / "audit.json").write_text("ours")
        (stage / "findings.jsonl").write_text("ours")
    assert (out / "audit.json").readlink() == outside / "audit.json"
    assert sorted(path.name for path in out.iterdir()) == ["audit.json", "findings.jsonl"]
    assert untouched(outside)


def test_a_link_to_nowhere_comes_back_when_the_results_do_not_come(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "b").mkdir(parents=True)
    (out / "a").symlink_to("missing")
    with pytest.raises(OutputError, match="b is a folder there"), staged(out) as stage:
        (stage / "a").write_text("ours")
        (stage / "b").write_text("ours")
    assert str((out / "a").readlink()) == "missing"


def test_what_is_stale_goes_by_itself_and_not_what_it_leads_to(tmp_path: Path, outside: Path) -> None:
    out = tmp_path / "out"
    (out / "old-folder" / "x").mkdir(parents=True)
    (out / "old-link").symlink_to(outside)
    (out / "kept").write_text("kept")
    with staged(out, stale=lambda name: name.startswith("old")) as stage:
        (stage / "new").write_text("new")
    assert sorted(path.name for path in out.iterdir()) == ["kept", "new"]
    assert untouched(outside)


def test_nobody_else_can_look_into_results_that_are_on_their_way(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        with staged(tmp_path / "out") as stage:
            assert stat.S_IMODE(stage.stat().st_mode) == 0o700
            assert stage.name.startswith(".")
    finally:
        os.umask(umask)


def test_a_link_that_is_put_in_the_place_of_out_meanwhile_leads_nothing_out(tmp_path: Path, outside: Path) -> None:
    """The results are in the folder that it was when they were begun."""
    out = tmp_path / "out"
    with staged(out) as stage:
        (stage / "audit.json").write_text("ours")
        out.rename(tmp_path / "aside")
        out.symlink_to(outside)
    assert (tmp_path / "aside" / "audit.json").read_text() == "ours"
    assert untouched(outside)
