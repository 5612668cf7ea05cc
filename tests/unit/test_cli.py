"""The command line: options in, one call of the library, text out, and an exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

import audit_lib
from audit_lib import __version__, cli, places
from audit_lib.cli import output
from audit_lib.errors import AuditError, ConfigError, GateError, TargetError
from audit_lib.model import Audit, Finding, Site, Span, totals_of

FINDING = Finding(
    fingerprint="f1",
    site=Site("root", "context.TODO", Span("store/client.go", 100, 114, 9, 2), "GetClient"),
    category="request",
    verdict="fix",
    priority="critical",
    phase="storage",
    reason="a request's context is one call up",
    recommendation="thread it",
    rule="request",
)
AUDIT = Audit("0.1.0", "example.org/shop", "", {"phases": {"storage": []}}, (FINDING,), totals_of([FINDING]))


class Library:
    """Stands in for `audit_lib.api`: keeps what it was called with, and gives or raises what it was told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[Path, dict[str, Any]]] = []
        self.raises: BaseException | None = None

    def audit(self, target: Path, **options: Any) -> Audit:
        self.calls.append((target, options))
        if self.raises:
            raise self.raises
        return AUDIT

    def explain(self, audit: Audit, file: str, line: int) -> tuple[Finding, ...]:
        return tuple(f for f in audit.findings if (f.site.span.file, f.site.span.line) == (file, line))


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    fake = Library()
    module = SimpleNamespace(audit=fake.audit, explain=fake.explain)
    monkeypatch.setitem(sys.modules, "audit_lib.api", module)
    monkeypatch.setattr(audit_lib, "api", module, raising=False)
    return fake


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """What was said on standard error; nothing may be on standard output."""
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["--version"]) == 0
    assert capsys.readouterr().out == f"ctxaudit {__version__}\n"


def test_no_command_is_wrong_usage_and_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute([]) == 2
    assert "Usage: ctxaudit" in said(capsys)


@pytest.mark.parametrize("command", ["scan", "explain", "run", "lab", "doctor"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute([command, "--help"]) == 0
    assert f"Usage: ctxaudit {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["scna"], "No such command 'scna'"),
        (["scan"], "Missing argument 'DIR'"),
        (["scan", ".", "--fast"], "No such option: --fast"),
        (["scan", ".", "--mod", "vendored"], "'vendored' is not one of 'mod', 'readonly', 'vendor'"),
        (["scan", ".", "--format", "csv"], "say where with --out"),
        (["scan", ".", "--out", "o", "--format", "csv,xls"], "--format xls is not known; choose from jsonl, csv, xlsx"),
        (["scan", ".", "--phase", "storrage"], "no phase 'storrage'; the phases are storage, core"),
        (["explain", "main.go"], "main.go: is not FILE:LINE"),
        (["explain", "main.go:x"], "main.go:x: is not FILE:LINE"),
        (["explain", ":3"], ":3: is not FILE:LINE"),
        (["run", "audti"], "'audti' is not"),
        (["lab", "/nowhere"], "/nowhere: no folder of notebooks"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    arguments: list[str], words: str, library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.execute(arguments) == 2
    message = said(capsys)
    assert message.startswith("ctxaudit: ")
    assert words in message
    assert message.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [(ConfigError("c"), 2), (TargetError("t"), 3), (GateError("g"), 1), (AuditError("two\nlines"), 2)],
)
def test_an_error_of_the_library_is_one_line_with_its_exit_code(
    error: AuditError, code: int, library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    library.raises = error
    assert cli.execute(["scan", "."]) == code
    assert said(capsys) == f"ctxaudit: {' '.join(str(error).split())}\n"


def test_a_failure_of_the_system_names_the_file(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    library.raises = OSError(28, "No space left on device", "/tmp/x")
    assert cli.execute(["scan", "."]) == 3
    assert said(capsys) == "ctxaudit: /tmp/x: No space left on device\n"


def test_an_interrupt_is_quiet(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    library.raises = KeyboardInterrupt()
    assert cli.execute(["scan", "."]) == 130
    assert said(capsys) == ""


def test_scan_hands_its_options_on(library: Library) -> None:
    options = "--config c.toml --tags a,b --mod vendor --modfile m.mod --outside lib --outside ../far"
    options += " --syntax-only --max-time 60 --quiet"
    assert cli.execute(["scan", "shop", *options.split()]) == 0
    ((target, given),) = library.calls
    del given["progress"]
    assert target == Path("shop")
    assert given == {
        "config": Path("c.toml"),
        "tags": ("a", "b"),
        "mod": "vendor",
        "modfile": "m.mod",
        "outside": (Path("lib"), Path("../far")),
        "syntax_only": True,
        "max_time": 60.0,
    }


def test_scan_prints_tables_without_colours_where_there_is_no_terminal(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.execute(["scan", "shop"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("example.org/shop")
    assert "store/client.go:9" in text
    assert "\x1b" not in text


def test_scan_writes_results_and_quietly(tmp_path: Path, library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["scan", "shop", "--out", str(tmp_path / "o"), "--format", "csv, xlsx", "--quiet"]) == 0
    assert said(capsys) == ""
    names = {path.name for path in (tmp_path / "o").iterdir()}
    assert names == {"audit.json", "findings.jsonl", "findings.csv", "findings.xlsx"}


def test_a_file_in_the_place_of_the_results_is_refused_before_the_work(
    tmp_path: Path, library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "o").write_text("mine")
    assert cli.execute(["scan", ".", "--out", str(tmp_path / "o")]) == 3
    assert "is not a folder; name another with --out" in said(capsys)
    assert library.calls == []


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A module inside a repository, with one file."""
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "shop"
    (folder / "store").mkdir(parents=True)
    (folder / "go.mod").write_text("module example.org/shop\n")
    (folder / "store" / "client.go").write_text("package store\n")
    return folder


@pytest.mark.parametrize("behind", ["", ":4"])
def test_explain_audits_the_module_that_the_file_belongs_to(
    behind: str, shop: Path, library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.execute(["explain", f"{shop}/store/client.go:9{behind}"]) == 0
    assert library.calls[0][0] == shop
    assert "fix · request · critical" in capsys.readouterr().out


def test_explain_audits_what_it_is_told_to(shop: Path, library: Library) -> None:
    cli.execute(["explain", f"{shop}/store/client.go:9", "--target", str(shop.parent)])
    assert library.calls[0][0] == shop.parent


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("store/client.go:2", "store/client.go:2: no site on this line; the nearest is on line 9"),
        ("store/other.go:2", "store/other.go:2: no site on this line; the file has none"),
    ],
)
def test_explain_of_a_line_without_a_site_says_where_one_is(
    place: str, words: str, shop: Path, library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / "store" / "other.go").write_text("package store\n")
    assert cli.execute(["explain", f"{shop}/{place}"]) == 2
    assert said(capsys).endswith(f"{words}\n")


def test_the_nearest_sites_are_those_before_and_after() -> None:
    spans = [Span("a.go", 0, 1, line, 1) for line in (30, 3, 12, 20)]
    findings = tuple(replace(FINDING, site=replace(FINDING.site, span=span)) for span in spans)
    assert places.nearest(replace(AUDIT, findings=findings), "a.go", 14) == "the nearest are on lines 12 and 20"


def test_explain_of_a_file_outside_the_target_is_refused(
    shop: Path, library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop.parent / "other").mkdir()
    assert cli.execute(["explain", f"{shop}/store/client.go:9", "--target", str(shop.parent / "other")]) == 2
    assert "is not in" in said(capsys)


def test_explain_takes_a_file_as_the_results_name_it(shop: Path, library: Library) -> None:
    assert cli.execute(["explain", "store/client.go:9", "--target", str(shop)]) == 0
    assert library.calls[0][0] == shop


def test_explain_of_a_missing_file_says_so(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["explain", "/nowhere/main.go:3"]) == 3
    message = said(capsys)
    assert message.startswith("ctxaudit: /nowhere/main.go: no such file; ")
    assert message.endswith("name that with --target DIR\n")


def command(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """The program itself, in a process of its own."""
    return subprocess.run([sys.executable, "-m", "audit_lib", *arguments], text=True, check=False, **options)


def test_a_full_standard_output_is_one_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = command("--version", stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 3
    assert done.stderr.startswith("ctxaudit: standard output: No space left on device;")
    assert done.stderr.count("\n") == 1


def test_a_reader_who_has_left_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = command("--version", stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (output.READER_LEFT, "")
