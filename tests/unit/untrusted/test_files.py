"""Reading by ways that stay inside a target."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from audit_lib.untrusted.files import DEPTH_LIMIT, RefusedError, leads_out, read_bytes, walk


@pytest.fixture
def target(tmp_path: Path) -> Path:
    root = tmp_path / "target"
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "x.go").write_bytes(b"package a\n")
    (tmp_path / "secret").write_bytes(b"ghp_token\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "y.go").write_bytes(b"package y\n")
    return root


@pytest.mark.parametrize(
    ("link", "text"),
    [
        ("l.go", "a/x.go"),
        ("a/b/l.go", "../x.go"),
        ("a/b/l.go", "../../a/b/../x.go"),
        ("l.go", "./a//x.go"),
    ],
)
def test_a_link_inside_is_followed(target: Path, link: str, text: str) -> None:
    (target / link).symlink_to(text)
    assert read_bytes(target, link) == b"package a\n"
    assert not leads_out(target, link)


def test_an_absolute_link_inside_is_followed_also_by_another_name_of_the_target(target: Path) -> None:
    (target.parent / "other").symlink_to(target)
    (target / "l.go").symlink_to(target / "a" / "x.go")
    (target / "m.go").symlink_to(target.parent / "other" / "a" / "x.go")
    assert read_bytes(target.parent / "other", "l.go") == b"package a\n"
    assert read_bytes(target, "m.go") == b"package a\n"


@pytest.mark.parametrize("text", ["../secret", "a/../../secret", "a/b/../../../secret", "/etc/passwd", "up/secret"])
def test_a_link_that_leads_out_is_refused(target: Path, text: str) -> None:
    (target / "up").symlink_to("..")
    (target / "l.go").symlink_to(text)
    with pytest.raises(RefusedError) as caught:
        read_bytes(target, "l.go")
    assert caught.value.strerror == "a link that leads out of the target"
    assert caught.value.filename == "l.go"


def test_a_folder_that_is_a_link_out_is_refused(target: Path) -> None:
    (target / "f").symlink_to(target.parent / "folder")
    with pytest.raises(RefusedError):
        read_bytes(target, "f/y.go")


def test_links_in_a_circle_end(target: Path) -> None:
    (target / "p").symlink_to("q")
    (target / "q").symlink_to("p")
    with pytest.raises(RefusedError, match="circle"):
        read_bytes(target, "p")


def test_a_pipe_and_a_device_are_refused_without_waiting(target: Path) -> None:
    os.mkfifo(target / "pipe.go")
    (target / "l.go").symlink_to("pipe.go")
    for name in ("pipe.go", "l.go"):
        with pytest.raises(RefusedError, match="not a regular file"):
            read_bytes(target, name)


def test_a_file_past_the_limit_is_refused_before_it_is_read(target: Path) -> None:
    with (target / "big.go").open("wb") as file:
        file.truncate(30 << 30)
    with pytest.raises(RefusedError, match="larger than 1 MiB"):
        read_bytes(target, "big.go", 1 << 20)


def test_what_is_missing_says_so_with_its_name_in_the_target(target: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        read_bytes(target, "a/none.go")
    assert caught.value.filename == "a/none.go"
    for folder in ("a", "a/b", ".", "a/.."):
        with pytest.raises(OSError, match="a") as wrong:
            read_bytes(target, folder)
        assert wrong.value.errno in (errno.EISDIR, errno.EINVAL)


def test_a_walk_follows_no_link_and_tells_kinds(target: Path) -> None:
    (target / "a" / "out").symlink_to(target.parent / "folder")
    os.mkfifo(target / "a" / "pipe")
    found = {folder.name: folder for folder in walk(target, lambda name: name != "skipped")}
    assert list(found) == ["", "a", "a/b"]
    assert (found["a"].files, found["a"].links, found["a"].others) == (("x.go",), ("out",), ("pipe",))


def test_a_walk_names_what_is_too_deep(target: Path) -> None:
    place = target
    for _ in range(DEPTH_LIMIT + 40):
        place = place / "d"
    place.mkdir(parents=True)
    problems: list[tuple[str, str | None]] = []
    found = list(walk(target, lambda name: True, lambda name, error: problems.append((name, error.strerror))))
    assert len(problems) == 1
    assert problems[0][1] == f"more than {DEPTH_LIMIT} folders deep"
    assert max(folder.name.count("/") for folder in found) == DEPTH_LIMIT - 1
