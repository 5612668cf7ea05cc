"""Repositories that ship their own git configuration, and honest ones in every form that git has."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from audit_lib.change.repository import below_top, refuse_dirty
from audit_lib.errors import UsageError
from audit_lib.untrusted.checkout import commit, find

SOURCE = 'package shop\n\nimport "context"\n\nfunc load() { <-context.TODO().Done() }\n'


def git(folder: Path, *arguments: str) -> str:
    settings = ("user.name=a", "user.email=a@example.org", "protocol.file.allow=always", "init.defaultBranch=main")
    options = [part for setting in settings for part in ("-c", setting)]
    done = subprocess.run(["git", *options, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def module(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text("module example.org/shop\n\ngo 1.21\n")
    (folder / "shop.go").write_text(SOURCE)
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A module that is committed, all of it."""
    folder = module(tmp_path / "shop")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "all")
    return folder


@pytest.fixture
def trap(tmp_path: Path) -> str:
    """A command that leaves a trace outside of the target."""
    return f"touch {tmp_path / 'ran'}; cat"


def looked_at(target: Path) -> None:
    """Whatever asks git about a target, as a library and as the program."""
    commit(target)
    for ask in (lambda: refuse_dirty(target, ["shop.go"]), lambda: below_top(target)):
        try:
            ask()
        except UsageError as error:
            assert "\n" not in str(error)
    command = [sys.executable, "-m", "audit_lib"]
    for arguments in (["scan", target, "--syntax-only"], ["fix", target, "--write", "--verify", "build"]):
        done = subprocess.run(
            [*command, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120
        )
        assert "Traceback" not in done.stderr, done.stderr


def _configured(*lines: str) -> Callable[[Path, str], None]:
    def ship(target: Path, trap: str) -> None:
        with (target / ".git" / "config").open("a") as file:
            file.write("\n".join(lines).replace("TRAP", trap) + "\n")
        (target / "shop.go").write_text(SOURCE + "\n// changed\n")

    return ship


def _filtering(target: Path, trap: str) -> None:
    _configured('[filter "x"]', '\tclean = "TRAP"', '\tprocess = "TRAP"', '\tsmudge = "TRAP"', "\trequired = true")(
        target, trap
    )
    (target / ".gitattributes").write_text("* filter=x diff=x\n")


def _bare(target: Path, trap: str) -> None:
    """What comes with a plain clone: a folder laid out as a bare repository is, with the target for its tree."""
    for folder in ("objects", "refs"):
        (target / folder).mkdir()
    (target / "HEAD").write_text("ref: refs/heads/main\n")
    (target / "config").write_text(
        f'[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n\tfsmonitor = "{trap}"\n'
    )
    (target / "index").write_bytes((target / ".git" / "index").read_bytes())
    (target / ".git").rename(target.parent / "gone")


def _submodule(target: Path, trap: str) -> None:
    """Git asks each submodule by its own configuration."""
    inner = module(target / "inner")
    git(inner, "init", "-q")
    git(inner, "add", ".")
    git(inner, "commit", "-qm", "inner")
    git(target, "add", "inner")
    git(target, "commit", "-qm", "with it")
    (inner / ".git" / "config").write_text(f'[core]\n\tfsmonitor = "{trap}"\n')
    (inner / "shop.go").write_text(SOURCE + "\n// changed\n")


def _included(target: Path, trap: str) -> None:
    (target / "more").write_text(f'[core]\n\tfsmonitor = "{trap}"\n')
    _configured("[include]", "\tpath = ../more")(target, trap)


def _hooked(target: Path, trap: str) -> None:
    hooks = target / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-index-change", "fsmonitor-watchman", "query-watchman", "pre-commit", "reference-transaction"):
        (hooks / name).write_text(f"#!/bin/sh\n{trap}\n")
        (hooks / name).chmod(0o755)
    _configured("[core]", "\tfsmonitor = .git/hooks/query-watchman", "\thooksPath = .git/hooks")(target, trap)


def _promised(target: Path, trap: str) -> None:
    """A missing object that a remote promises, by a transport that runs a command."""
    tree = git(target, "rev-parse", "HEAD^{tree}")
    (target / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    _configured(
        "[core]",
        "\trepositoryformatversion = 1",
        "[extensions]",
        "\tpartialClone = origin",
        '[remote "origin"]',
        f'\turl = "ext::{trap.partition(";")[0]}"',
        "\tpromisor = true",
        '[protocol "ext"]',
        "\tallow = always",
    )(target, trap)


@pytest.mark.parametrize(
    "ship",
    [
        _configured("[core]", '\tfsmonitor = "TRAP"'),
        _configured("[core]", '\tsshCommand = "TRAP"', '\tpager = "TRAP"', '\teditor = "TRAP"', '\taskPass = "TRAP"'),
        _configured('[diff "x"]', '\ttextconv = "TRAP"', '\tcommand = "TRAP"', "[diff]", '\texternal = "TRAP"'),
        _configured("[alias]", '\tstatus = "!TRAP"', '\tls-files = "!TRAP"', "[pager]", '\tstatus = "TRAP"'),
        _configured("[gpg]", '\tprogram = "TRAP"', "[log]", "\tshowSignature = true"),
        _configured("[core]", '\talternateRefsCommand = "TRAP"', "[trace2]", "\teventTarget = ../../ran"),
        _filtering,
        _bare,
        _submodule,
        _included,
        _hooked,
        _promised,
    ],
)
def test_nothing_that_a_repository_configures_runs(target: Path, trap: str, ship: Callable[[Path, str], None]) -> None:
    ship(target, trap)
    looked_at(target)
    assert not (target.parent / "ran").exists()


def _pipe(name: str) -> Callable[[Path], None]:
    def ship(target: Path) -> None:
        (target / name).unlink(missing_ok=True)
        os.mkfifo(target / name)

    return ship


def _link(name: str) -> Callable[[Path], None]:
    def ship(target: Path) -> None:
        (target / name).unlink(missing_ok=True)
        (target / name).symlink_to(target.parent / "secret")

    return ship


def _pack(target: Path) -> None:
    git(target, "repack", "-adq")
    pack = next((target / ".git" / "objects" / "pack").glob("*.pack"))
    pack.unlink()
    os.mkfifo(pack)


def _alternates(target: Path) -> None:
    (target / ".git" / "objects" / "info").mkdir(exist_ok=True)
    (target / ".git" / "objects" / "info" / "alternates").write_text(f"{target.parent / 'other'}\n")


def _climbing(target: Path) -> None:
    (target / ".git" / "HEAD").write_text("ref: refs/../../../secret\n")


def _ring(target: Path) -> None:
    (target / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (target / ".git" / "refs" / "heads" / "main").write_text("ref: refs/heads/main\n")


@pytest.mark.parametrize(
    "ship",
    [
        *map(_pipe, [".git/index", ".git/HEAD", ".git/config", ".git/packed-refs", ".gitattributes"]),
        *map(_link, [".git/index", ".git/HEAD", ".git/config", ".git/packed-refs", ".git/refs/heads/main"]),
        _pack,
        _alternates,
        _climbing,
        _ring,
    ],
)
def test_odd_files_in_a_git_directory_end_at_once_and_tell_nothing(
    target: Path, ship: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "5ec2e7" * 6 + "abcd"
    (target.parent / "secret").write_text(f"{secret}\n")
    monkeypatch.setattr("audit_lib.untrusted.git.SECONDS", 5.0)
    ship(target)
    assert commit(target) != secret
    try:
        refuse_dirty(target, ["shop.go"])
    except UsageError as error:
        assert "git cannot tell what is committed" in str(error) or "not committed: go.mod, shop.go" in str(error)
        assert secret not in str(error)


def test_a_git_directory_that_is_a_link_is_not_believed(target: Path) -> None:
    (target / ".git").rename(target.parent / "elsewhere")
    (target / ".git").symlink_to(target.parent / "elsewhere")
    assert commit(target) == ""
    with pytest.raises(UsageError, match=r"\.git is a link"):
        refuse_dirty(target, ["shop.go"])


def test_a_file_that_names_the_git_directory_of_somebody_else_is_not_believed(target: Path, tmp_path: Path) -> None:
    other = module(tmp_path / "other")
    (other / ".git").write_text(f"gitdir: {target / '.git'}\n")
    assert commit(other) == ""
    with pytest.raises(UsageError, match="names a git directory that is not its own"):
        refuse_dirty(other, ["shop.go"])


def test_nothing_in_the_git_directory_changes(target: Path) -> None:
    os.utime(target / "shop.go")
    before = {path: path.lstat().st_mtime_ns for path in sorted((target / ".git").rglob("*"))}
    refuse_dirty(target, ["shop.go"])
    assert {path: path.lstat().st_mtime_ns for path in sorted((target / ".git").rglob("*"))} == before


# What honest repositories look like.


def dirty(target: Path, *files: str) -> str:
    with pytest.raises(UsageError) as caught:
        refuse_dirty(target, files)
    return str(caught.value)


def test_the_commit_is_told_however_it_is_written(target: Path) -> None:
    head = git(target, "rev-parse", "HEAD")
    assert commit(target) == head
    git(target, "pack-refs", "--all")
    assert commit(target) == head
    git(target, "checkout", "-q", "--detach")
    assert commit(target) == head
    (target / "below").mkdir()
    assert commit(target / "below") == head


def test_a_repository_without_a_commit_is_fine(tmp_path: Path) -> None:
    folder = module(tmp_path / "new")
    git(folder, "init", "-q")
    assert commit(folder) == ""
    refuse_dirty(folder, ["shop.go"])
    git(folder, "add", ".")
    assert "not committed: go.mod, shop.go" in dirty(folder, "shop.go")


def test_what_is_staged_counts_as_not_committed(target: Path) -> None:
    (target / "shop.go").write_text(SOURCE + "// more\n")
    git(target, "add", ".")
    assert "not committed: shop.go" in dirty(target)


def test_a_linked_worktree_is_a_repository(target: Path, tmp_path: Path) -> None:
    git(target, "worktree", "add", "-q", str(tmp_path / "tree"), "-b", "topic")
    tree = tmp_path / "tree"
    assert commit(tree) == git(tree, "rev-parse", "HEAD")
    assert not below_top(tree)
    refuse_dirty(tree, ["shop.go"])
    (tree / "shop.go").write_text(SOURCE + "// more\n")
    assert "not committed: shop.go" in dirty(tree)
    refuse_dirty(target, ["shop.go"])


def test_a_submodule_is_a_repository(target: Path, tmp_path: Path) -> None:
    around = module(tmp_path / "around")
    git(around, "init", "-q")
    git(around, "submodule", "--quiet", "add", str(target), "inner")
    git(around, "add", ".")
    git(around, "commit", "-qm", "all")
    inner = around / "inner"
    assert commit(inner) == commit(target)
    refuse_dirty(inner, ["shop.go"])
    refuse_dirty(around, ["shop.go"])
    (inner / "shop.go").write_text(SOURCE + "// more\n")
    assert "not committed: shop.go" in dirty(inner)


def test_objects_named_by_sha256_and_a_split_index_are_read(tmp_path: Path) -> None:
    folder = module(tmp_path / "shop")
    git(folder, "init", "-q", "--object-format=sha256")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "all")
    git(folder, "update-index", "--split-index")
    assert len(commit(folder)) == 64
    refuse_dirty(folder, ["shop.go"])
    (folder / "shop.go").write_text(SOURCE + "// more\n")
    assert "not committed: shop.go" in dirty(folder)


@pytest.mark.parametrize("how", ["config", "attributes"])
def test_line_ends_that_git_translates_are_no_change(target: Path, how: str) -> None:
    if how == "config":
        git(target, "config", "core.autocrlf", "true")
    else:
        (target / ".gitattributes").write_text("*.go text eol=crlf\n")
        git(target, "add", ".")
        git(target, "commit", "-qm", "attributes")
    (target / "shop.go").unlink()
    git(target, "checkout", "shop.go")
    assert (target / "shop.go").read_bytes() == SOURCE.replace("\n", "\r\n").encode()
    os.utime(target / "shop.go", (1, 1))  # so git looks at what is in it
    refuse_dirty(target, ["shop.go"])


def test_of_what_a_filter_commits_only_the_filter_can_tell(target: Path) -> None:
    """As with git-lfs: what is committed is not what lies in the working tree."""
    git(target, "config", "filter.upper.clean", "tr a-z A-Z")
    git(target, "config", "filter.upper.smudge", "tr A-Z a-z")
    (target / ".gitattributes").write_text("*.gen.go filter=upper\n")
    (target / "x.gen.go").write_text("package shop\n")
    git(target, "add", ".")
    git(target, "commit", "-qm", "filtered")
    assert git(target, "show", "HEAD:x.gen.go") == "PACKAGE SHOP"
    os.utime(target / "x.gen.go", (1, 1))  # git can no longer tell by the file's times
    refuse_dirty(target, ["shop.go"])
    assert "only the repository's own filter can tell whether x.gen.go is committed" in dirty(target, "x.gen.go")


def test_executable_bits_count_as_the_repository_says(target: Path) -> None:
    (target / "shop.go").chmod(0o755)
    assert "not committed: shop.go" in dirty(target)
    git(target, "config", "core.fileMode", "false")
    refuse_dirty(target, ["shop.go"])


def test_a_folder_that_only_looks_like_a_git_directory_is_no_repository(tmp_path: Path) -> None:
    folder = module(tmp_path / "plain")
    (folder / ".git").mkdir()
    assert find(folder) == find(tmp_path)
    assert commit(folder) == ""
    refuse_dirty(folder, ["shop.go"])
