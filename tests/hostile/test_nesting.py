"""Go files that are deep, long or repeat themselves without end: each is scanned, or named with the limit it passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit_lib.config import Config
from audit_lib.read.limits import COMMENT_LIMIT, SITES_LIMIT
from audit_lib.read.scan import scan
from tests.hostile.limited import limited

HEAD = 'package p\n\nimport (\n\t"context"\n\t"net/http"\n)\n\n'
ROOT = "context.Background()"
LATER = f"\nvar root = {ROOT}\n"
SCAN = """
import sys
from pathlib import Path
from audit_lib.config import Config
from audit_lib.read.scan import scan
found = scan(Path(sys.argv[1]), Config())
print(len(found.sites), *(degradation.reason for degradation in found.degradations), sep="\\n")
"""
MANY = 20_000

DEEP = {
    "parentheses": "var x = " + "(" * MANY + ROOT + ")" * MANY,
    "blocks": "func f() {" + "{\n" * MANY + ROOT + "}\n" * MANY + "}",
    "closures": "func f() {\n" + "func() {\n" * MANY + ROOT + "}()\n" * MANY + "}",
    "calls": "func f() { " + "g(\n" * MANY + ROOT + ")" * MANY + "}",
    "literals": "var x = " + "T{\n" * MANY + ROOT + "}" * MANY,
    "a chain of calls": "func f() { " + ROOT + ".\na()" * MANY + ' .Get("x")}',
    "declarations that hide": "func f() {" + "{ context := 1\n" * MANY + ROOT + "}\n" * MANY + "}",
}
"""What lies too deep for its root to be told from others."""

LONG = {
    "pointers": "var x " + "*" * MANY + "http.Client" + LATER,
    "slices": "var x " + "[]" * MANY + "http.Client" + LATER,
    "function types": "var x " + "func(" * MANY + "http.Client" + ")" * MANY + LATER,
    "structs": "type x " + "struct{a " * MANY + "http.Client" + "}" * MANY + LATER,
    "type parameters": "var x " + "T[" * MANY + "int" + "]" * MANY + LATER,
    "selectors": "func f() { " + ROOT + "; x" + ".a" * MANY + ' .Get("x")}',
    "strings added up": 'var x = "a"' + '+"b"' * MANY + LATER,
    "signs": "var x = " + "!" * MANY + "y" + LATER,
    "indices": "var x = " + "a[" * MANY + "0" + "]" * MANY + LATER,
    "else if": "func f() { " + ROOT + "\nif a {}" + " else if a {}" * MANY + "}",
    "receivers in parentheses": "func (s " + "(" * MANY + "T" + ")" * MANY + ") Get() { " + ROOT + " }",
    "imports": 'import "a/b"\n' * MANY + LATER,
    "names of one import": "".join(f'import c{n} "context"\n' for n in range(MANY)) + LATER,
    "comments above": "func f() {\n" + "// a new context that must not be cancelled\n" * MANY + ROOT + "\n}",
    "words in a comment": "func f() {\n" + ROOT + " // " + "since the context may as " * MANY + "\n}",
    "parentheses without end": LATER + "var x = " + "(" * MANY,
    "braces without end": f"func f() {{ {ROOT} " + "{" * MANY,
    "ends without beginnings": f"func f() {{ {ROOT} " + ")" * MANY,
    "a receiver of many names": "\n".join(f"var c{n} http.Client" for n in range(MANY)) + LATER,
    "lines": "\n" * 1_000_000 + LATER,
}
"""What a root stands beside: it is found."""

WIDE = {
    "sites in one function": "func f() {\n" + f"{ROOT}\n" * MANY + "}",
    "functions": f"func f() {{ {ROOT} }}\n" * MANY,
    "methods": "var c http.Client\nfunc f() {\n" + 'c.Get("x")\n' * MANY + "}",
    "names that hide": "func f() {\n" + f"{{ context := 1; _ = context }}\n{ROOT}\n" * MANY + "}",
    "directives": "func f() {\n" + f"{ROOT} //ctxaudit:keep x\n" * MANY + "}",
    "directives above each other": "func f() {\n"
    + f"{ROOT}\n" * MANY
    + "//ctxaudit:keep x\n" * MANY
    + ROOT[:-1]
    + "\n}",
    "what does not parse": "func f() {\n" + f"{ROOT}; ) x y z\n" * MANY + "}",
    "calls that the grammar stumbles over": "func f() {\n" + f'new("a"); {ROOT}\n' * MANY + "}",
    "literals in one function": "func f() {\n" + f"func() {{ {ROOT} }}()\n" * MANY + "}",
    "arguments": "func f() { g(\n" + f"{ROOT},\n" * MANY + ")}",
}
"""As many sites as are scanned."""

ONE_LINE = {
    "statements": "func f() {" + f"{ROOT};" * MANY + "}",
    "statements in another script": "func f() {" + f"{ROOT};/*é*/" * MANY + "}",
    "arguments": "func f() { g(" + f"{ROOT}," * MANY + ")}",
    "comments": "func f() {\n" + "/**/" * 5 * MANY + f"{ROOT} //ctxaudit:keep x\n}}",
}


def scanned(folder: Path, code: str) -> tuple[int, list[str]]:
    """How many sites are found in a file, and what is said of it."""
    (folder / "a.go").write_text(HEAD + code + "\n")
    count, *reasons = limited(SCAN, str(folder), seconds=60).splitlines()
    return int(count), reasons


@pytest.mark.slow
@pytest.mark.parametrize("code", DEEP.values(), ids=DEEP.keys())
def test_what_is_too_deep_is_named(tmp_path: Path, code: str) -> None:
    sites, reasons = scanned(tmp_path, code)
    assert sites == 0
    assert len(reasons) == 1
    assert reasons[0].endswith(": not scanned")
    assert "1000" in reasons[0]


@pytest.mark.slow
@pytest.mark.parametrize("code", LONG.values(), ids=LONG.keys())
def test_beside_what_is_deep_a_root_is_found(tmp_path: Path, code: str) -> None:
    sites, reasons = scanned(tmp_path, code)
    assert sites == 1
    assert all(reason.endswith("sites near it may be missing") for reason in reasons)


@pytest.mark.slow
@pytest.mark.parametrize("code", WIDE.values(), ids=WIDE.keys())
def test_as_many_sites_as_the_limit_are_found(tmp_path: Path, code: str) -> None:
    sites, _ = scanned(tmp_path, code)
    assert SITES_LIMIT - 1 <= sites <= SITES_LIMIT


@pytest.mark.slow
@pytest.mark.parametrize("code", ONE_LINE.values(), ids=ONE_LINE.keys())
def test_a_line_with_too_much_on_it_is_named(tmp_path: Path, code: str) -> None:
    sites, (reason,) = scanned(tmp_path, code)
    assert sites == 0
    longest = max(map(len, code.split("\n")))
    assert reason == f"a line of {longest} characters with too many calls or comments on it: not scanned"


def test_more_sites_than_the_limit_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.go").write_text(HEAD + "func f() {\n" + f"{ROOT}\n" * (SITES_LIMIT + 1) + "}\n")
    (tmp_path / "b.go").write_text(HEAD + LATER)
    found = scan(tmp_path, Config())
    assert [site.span.file for site in found.sites] == ["b.go"]
    assert [(one.where, one.reason) for one in found.degradations] == [("a.go", "more than 20000 sites: not scanned")]


def test_names_that_nobody_reads_are_named(tmp_path: Path) -> None:
    sites, reasons = scanned(tmp_path, f"func {'f' * 2_000}() {{ {ROOT} }}")
    assert (sites, reasons) == (0, ["a name has more than 1000 characters: not scanned"])


def test_a_long_line_of_data_is_no_hindrance(tmp_path: Path) -> None:
    data = "var x = []byte{" + "0x00, " * 300_000 + "}\nvar script = `" + "f(a);" * 100_000 + "`\n"
    assert scanned(tmp_path, data + f"func f() {{ {ROOT} }}\n" * 200) == (200, [])


def test_the_receivers_of_another_file_that_is_too_deep_are_named(tmp_path: Path) -> None:
    types = "[]" * 2_000
    (tmp_path / "b.go").write_text(HEAD + f"var client {types}http.Client\n")
    sites, reasons = scanned(tmp_path, 'func f() { client.Get("x") }')
    assert (sites, reasons) == (0, ["b.go declares what it calls, and: nested more than 1000 deep: not scanned"])


def test_comments_are_read_up_to_the_limit(tmp_path: Path) -> None:
    said = "// a new context that must not be cancelled"
    for filler, remark in ((100, True), (COMMENT_LIMIT, False)):
        (tmp_path / "a.go").write_text(HEAD + f"func f() {{\n\t{said}\n\t// {'x' * filler}\n\t{ROOT}\n}}\n")
        (site,) = scan(tmp_path, Config()).sites
        assert bool(site.remark) is remark
