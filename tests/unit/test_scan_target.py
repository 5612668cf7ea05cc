"""The scan of a folder: which files it reads, what it says of each, and what it does with those it cannot read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from audit_lib.config import Config
from audit_lib.errors import TargetError
from audit_lib.model import Degradation
from audit_lib.read import gofiles
from audit_lib.read.scan import scan
from audit_lib.read.syntax import FileFact, Syntax
from audit_lib.untrusted.files import read_bytes

ROOT = 'package a\n\nimport "context"\n\nvar ctx = context.TODO()\n'


def target(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def scanned(folder: Path, files: dict[str, str | bytes], **config: tuple[str, ...]) -> Syntax:
    return scan(target(folder, files), Config(**config))  # type: ignore[arg-type]


def fact(folder: Path, name: str, content: str) -> FileFact:
    (found,) = scanned(folder, {name: content}).files
    return found


def test_code_without_contexts_has_no_sites(tmp_path: Path) -> None:
    syntax = scanned(tmp_path, {"a.go": "package a\n\nfunc f() {}\n", "b/b.go": "package b\n"})
    assert syntax == Syntax(
        (), (), (FileFact("a.go", ".", 3, False, "", ""), FileFact("b/b.go", "b", 1, False, "", ""))
    )


def test_what_the_go_tool_leaves_out_is_left_out(tmp_path: Path) -> None:
    names = [
        "vendor/x/a.go",
        "a/testdata/a.go",
        ".git/a.go",
        "_old/a.go",
        "node_modules/a.go",
        "_a.go",
        ".a.go",
        "a.txt",
    ]
    syntax = scanned(tmp_path, {**dict.fromkeys(names, ROOT), "kept.go": ROOT, "sub/go.mod": "", "sub/a.go": ROOT})
    assert [file.file for file in syntax.files] == ["kept.go", "sub/a.go"]


def test_what_the_configuration_excludes_is_left_out(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"gen/a.go": ROOT, "b.go": ROOT, "c_mock.go": ROOT}
    assert [file.file for file in scanned(tmp_path, files, exclude=("gen/**", "**/*_mock.go")).files] == ["b.go"]


def test_everything_is_sorted_by_file_and_place(tmp_path: Path) -> None:
    two = ROOT + "var more = context.Background()\n"
    syntax = scanned(tmp_path, {"b/z.go": two, "b.go": ROOT, "a/b/c.go": ROOT, "B/a.go": ROOT})
    assert [(site.span.file, site.span.line) for site in syntax.sites] == [
        ("B/a.go", 5),
        ("a/b/c.go", 5),
        ("b.go", 5),
        ("b/z.go", 5),
        ("b/z.go", 6),
    ]
    assert [file.file for file in syntax.files] == ["B/a.go", "a/b/c.go", "b.go", "b/z.go"]


def test_the_path_of_the_target_changes_nothing(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"a/a.go": ROOT, "b.go": ROOT}
    assert scanned(tmp_path / "one", files) == scanned(tmp_path / "another one", files)


def test_files_of_a_folder_share_what_they_import(tmp_path: Path) -> None:
    syntax = scanned(
        tmp_path,
        {
            "store/store.go": 'package store\n\nimport "database/sql"\n\ntype Store struct{ db *sql.DB }\n',
            "store/get.go": "package store\n\nfunc (s *Store) get() { s.db.QueryRow(q) }\n",
            "web/page.go": "package web\n\nfunc page(s engine) { s.QueryRow(q) }\n",
        },
    )
    assert [site.span.file for site in syntax.sites] == ["store/get.go"]


def test_files_of_a_folder_share_what_they_declare(tmp_path: Path) -> None:
    syntax = scanned(
        tmp_path,
        {
            "hook/hook.go": 'package hook\n\nimport web "net/http"\n\ntype Hook struct{ outside *web.Client }\n',
            "hook/fire.go": "package hook\n\nfunc (h *Hook) fire() { h.outside.Get(url); h.header.Get(name) }\n",
            "page/page.go": 'package page\n\nimport "net/http"\n\nfunc page(h *Hook) { h.outside.Get(url) }\n',
        },
    )
    assert [(site.span.file, site.callee) for site in syntax.sites] == [("hook/fire.go", "h.outside.Get")]


def test_progress_ends_with_all_files(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    scan(target(tmp_path, {"a.go": ROOT, "b/b.go": ROOT}), Config(), lambda *step: seen.append(step))
    assert seen == [("scan", 1, 2), ("scan", 2, 2)]


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="no such folder"):
        scan(tmp_path / "none", Config())


def test_a_file_for_a_folder(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="not a folder"):
        scan(target(tmp_path, {"a.go": ROOT}) / "a.go", Config())


@pytest.mark.parametrize("files", [{"README.md": "words"}, {"vendor/a.go": ROOT}])
def test_no_go_code(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    with pytest.raises(TargetError, match="no Go code"):
        scanned(tmp_path, files)


def test_a_file_that_cannot_be_read_is_named_and_the_rest_is_scanned(tmp_path: Path) -> None:
    (tmp_path / "gone.go").symlink_to(tmp_path / "nowhere.go")
    syntax = scanned(tmp_path, {"a.go": ROOT})
    assert len(syntax.sites) == 1
    assert syntax.degradations == (Degradation("gone.go", "cannot be read (No such file or directory): not scanned"),)


def test_a_file_without_permission_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(root: Path, file: str) -> bytes:
        if file == "secret.go":
            raise PermissionError(13, "Permission denied", file)
        return read_bytes(root, file)

    monkeypatch.setattr(gofiles, "read_bytes", refuse)
    syntax = scanned(tmp_path, {"a.go": ROOT, "secret.go": ROOT})
    assert [site.span.file for site in syntax.sites] == ["a.go"]
    assert syntax.degradations == (Degradation("secret.go", "cannot be read (Permission denied): not scanned"),)


def test_links_are_followed_inside_the_target_only(tmp_path: Path) -> None:
    outside = target(tmp_path / "outside", {"a.go": ROOT})
    inside = target(tmp_path / "inside", {"real.txt": ROOT})
    (inside / "in.go").symlink_to("real.txt")
    (inside / "out.go").symlink_to(outside / "a.go")
    (inside / "folder").symlink_to(outside)
    syntax = scan(inside, Config())
    assert [site.span.file for site in syntax.sites] == ["in.go"]
    assert syntax.degradations == (Degradation("out.go", "a link that leads out of the target: not scanned"),)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.go")
    syntax = scanned(tmp_path, {"a.go": ROOT})
    assert syntax.degradations == (Degradation("pipe.go", "not a regular file: not scanned"),)


def test_a_file_that_is_not_utf8_is_scanned_at_the_right_bytes(tmp_path: Path) -> None:
    data = 'package a\n\n// caf\xe9\nimport "context"\n\nvar s, ctx = "\xff", context.TODO()\n'.encode("latin-1")
    syntax = scanned(tmp_path, {"a.go": data})
    (site,) = syntax.sites
    assert data[site.span.start : site.span.end] == b"context.TODO()"
    assert syntax.degradations == (Degradation("a.go:3", "line 3 is not UTF-8: scanned with its bytes replaced"),)


BROKEN = {
    "a brace too few": 'package a\n\nimport "context"\n\nfunc f() {\n\tuse(context.TODO())\n',
    "a parenthesis too few": 'package a\n\nimport "context"\n\nfunc f( {\n\tuse(context.TODO())\n}\n',
    "a half statement": 'package a\n\nimport "context"\n\nfunc f() {\n\tx := ;\n\tuse(context.TODO())\n}\n',
    "words": 'package a\n\nimport "context"\n\nvar x = context.TODO()\n\nfix this later please\n',
    "a conflict": 'package a\n\nimport "context"\n\n<<<<<<< HEAD\nvar x = context.TODO()\n=======\n>>>>>>> b\n',
}


@pytest.mark.parametrize("code", BROKEN.values(), ids=BROKEN.keys())
def test_a_file_that_does_not_parse_still_gives_its_sites(tmp_path: Path, code: str) -> None:
    syntax = scanned(tmp_path, {"a.go": code})
    assert [site.callee for site in syntax.sites] == ["context.TODO"]
    (degradation,) = syntax.degradations
    assert degradation.where.startswith("a.go:")
    assert "does not parse" in degradation.reason


@pytest.mark.parametrize("code", ["", "\ufeff", "\n", "package a", "\x00\x00", "package a\n\nvar s = ``\n"])
def test_nearly_empty_files_are_no_trouble(tmp_path: Path, code: str) -> None:
    assert scanned(tmp_path, {"a.go": code}).sites == ()


TESTS = {
    "a_test.go": ("package a\n", True),
    "a.go": ("package a\n", False),
    "suite.go": ('package a\n\nimport "testing"\n\nfunc Run(t *testing.T) {}\n', True),
    "named.go": ('package a\n\nimport tt "testing"\n\nfunc Run(t *tt.T) {}\n', True),
    "word.go": ('package a\n\nvar mode = "testing"\n', False),
    "other.go": ('package a\n\nimport "example.org/shop/testing"\n', False),
}


@pytest.mark.parametrize(("name", "expected"), TESTS.items(), ids=TESTS.keys())
def test_what_is_test_code(tmp_path: Path, name: str, expected: tuple[str, bool]) -> None:
    assert fact(tmp_path, name, expected[0]).test is expected[1]


GENERATED = {
    "// Code generated by mockery v2.43.0. DO NOT EDIT.\n\npackage a\n": "mockery v2.43.0",
    "// Code generated by protoc-gen-go. DO NOT EDIT.\r\n// source: a.proto\r\npackage a\r\n": "protoc-gen-go",
    "/*\nCopyright\n*/\n\n//go:build linux\n\n// Code generated by xgen. DO NOT EDIT.\n\npackage a\n": "xgen",
    "// Code generated for package a by go-bindata DO NOT EDIT. (@generated)\n\npackage a\n": "",
    "// Code generated  DO NOT EDIT.\npackage a\n": "an unnamed generator",
    "package a\n\n// Code generated by hand. DO NOT EDIT.\n": "",
    "// This file writes // Code generated by x. DO NOT EDIT.\npackage a\n": "",
    "/*\n// Code generated by x. DO NOT EDIT.\n*/\npackage a\n": "",
}


@pytest.mark.parametrize(("code", "generator"), GENERATED.items())
def test_who_generated_a_file(tmp_path: Path, code: str, generator: str) -> None:
    assert fact(tmp_path, "a.go", code).generator == generator


BUILDS = {
    ("a.go", "package a\n"): "",
    ("a.go", "//go:build linux && !cgo\n\npackage a\n"): "linux && !cgo",
    (
        "a.go",
        "// +build linux,cgo darwin\n// +build !appengine\n\npackage a\n",
    ): "(linux && cgo || darwin) && !appengine",
    ("a.go", "//go:build linux\n// +build linux\n\npackage a\n"): "linux",
    ("a.go", "package a\n\n//go:build linux\n"): "",
    ("a_linux.go", "package a\n"): "linux",
    ("a_linux_amd64.go", "package a\n"): "linux && amd64",
    ("a_windows_test.go", "package a\n"): "windows",
    ("a_linux.go", "//go:build cgo || race\n\npackage a\n"): "linux && (cgo || race)",
    ("linux.go", "package a\n"): "",
    ("a_unix.go", "package a\n"): "",
}


@pytest.mark.parametrize(("file", "build"), BUILDS.items())
def test_when_a_file_is_built(tmp_path: Path, file: tuple[str, str], build: str) -> None:
    assert fact(tmp_path, *file).build == build


@pytest.mark.parametrize(("code", "lines"), [("", 0), ("package a", 1), ("package a\n", 1), ("package a\r\n\r\n", 2)])
def test_lines_are_counted_as_editors_do(tmp_path: Path, code: str, lines: int) -> None:
    assert fact(tmp_path, "a.go", code).lines == lines
