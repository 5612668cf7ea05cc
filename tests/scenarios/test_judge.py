"""Every rule of judgement on small Go programs: `judge/*.txtar`, audited whole, compared site by site.

What is expected stands behind a site, at the end of its line, `// want fix request in-scope r.Context()`: verdict,
category, rule, and the source where the finding names one. `bare` before the verdict marks a bare call; `;` parts
several sites of one line. `/* want … */` is for lines that end in a directive. A site without a want is an error, and
so is a want without a site.

Files below `outside/` lie beside the target: modules of other people, named by a `replace` in go.mod. A file
`degradations` has a line for what could be read only in part; without it there must be no such thing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from audit_lib.api import audit, explain
from audit_lib.model import Audit, Finding, row_of
from tests.scenarios import txtar
from tests.scenarios.txtar import Archive

FOLDER = Path(__file__).parent / "judge"
SCENARIOS = sorted(FOLDER.glob("*.txtar"))
OUTSIDE = "outside/"
DEGRADATIONS = "degradations"
_WANT = re.compile(r"/\* want (?P<inside>.+?) \*/|// want (?P<behind>.+)$")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is fetched: all that a scenario needs is in its archive."""
    monkeypatch.setenv("GOPROXY", "off")
    monkeypatch.setenv("GOFLAGS", "-mod=mod")
    monkeypatch.setenv("GOTOOLCHAIN", "local")


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario(path: Path, tmp_path: Path) -> None:
    archive = txtar.read(path)
    result = audit(_unpacked(archive, tmp_path), outside=[tmp_path / OUTSIDE])
    assert not difference(archive, result), f"{archive.comment.strip()}\n\n{difference(archive, result)}"
    assert result.totals.reconciles()
    _compare_degradations(archive, result)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario_says_what_it_is(path: Path) -> None:
    archive = txtar.read(path)
    assert archive.comment.strip(), "the first lines say what the case is, and why"
    assert wanted(archive), "a scenario expects something"


def test_a_use_of_a_variable_is_explained_where_it_stands(tmp_path: Path) -> None:
    archive = txtar.read(FOLDER / "variable-uses.txtar")
    result = audit(_unpacked(archive, tmp_path), outside=[tmp_path / OUTSIDE])
    lines = archive.files["orders.go"].splitlines()
    (use,) = explain(result, "orders.go", 1 + lines.index("func load(id string) { find(ctx, id) }"))
    assert (use.verdict, use.rule, use.site.function) == ("fix", "threaded", "load")
    assert [step.function for step in use.path] == ["handleOrder", "load", "load"]
    assert any(use in finding.uses for finding in result.findings)


def test_a_wrong_expectation_is_shown(tmp_path: Path) -> None:
    main = 'package main\n\nimport "context"\n\nfunc main() {\n\twait(context.TODO())\n\t_ = 1 // want fix\n}\n'
    wait = "\nfunc wait(ctx context.Context) { <-ctx.Done() }\n"
    archive = Archive("", {"go.mod": "module example.org/shop\n\ngo 1.22\n", "main.go": main + wait})
    shown = difference(archive, audit(_unpacked(archive, tmp_path)))
    assert "-main.go:7: fix" in shown
    assert "+main.go:6: keep init origin" in shown


def wanted(archive: Archive) -> dict[str, list[str]]:
    """What an archive expects, by `file:line`, in the order of the line."""
    wants: dict[str, list[str]] = {}
    for name, text in archive.files.items():
        for number, line in enumerate(text.splitlines(), 1):
            match = _WANT.search(line) if name.endswith(".go") else None
            if match is not None:
                said = match["inside"] or match["behind"]
                wants[f"{name}:{number}"] = [" ".join(want.split()) for want in said.split(";")]
    return wants


def difference(archive: Archive, result: Audit) -> str:
    """Expected and found, line by line, as a diff with the reasons behind what was found; empty where they agree."""
    found: dict[str, list[Finding]] = defaultdict(list)
    for finding in result.findings:
        found[f"{finding.site.span.file}:{finding.site.span.line}"].append(finding)
    wants = wanted(archive)
    lines = []
    for place in sorted({*wants, *found}, key=_by_line):
        before = wants.get(place, [])
        after = [_as_want(finding) for finding in found.get(place, [])]
        if before == after:
            continue
        lines += [f"-{place}: {want}" for want in before]
        lines += [f"+{place}: {_as_want(finding)}\n    {_explained(finding)}" for finding in found.get(place, [])]
    return "\n".join(lines)


def _unpacked(archive: Archive, folder: Path) -> Path:
    target = {name: text for name, text in archive.files.items() if not name.startswith(OUTSIDE)}
    target.pop(DEGRADATIONS, None)
    Archive("", {name: text for name, text in archive.files.items() if name.startswith(OUTSIDE)}).unpack(folder)
    Archive("", target).unpack(folder / "target")
    return folder / "target"


def _compare_degradations(archive: Archive, result: Audit) -> None:
    """Each expected line is a part of one that is there; without any there must be none, or types were not read."""
    wants = archive.files.get(DEGRADATIONS, "").splitlines()
    found = [f"{degradation.where}: {degradation.reason}" for degradation in result.degradations]
    assert wants or not found, found
    for want in wants:
        assert any(want in line for line in found), found


def _as_want(finding: Finding) -> str:
    words = ["bare"] if finding.site.kind == "bare_call" else []
    words += [finding.verdict, finding.category, finding.rule, finding.source.expr if finding.source else ""]
    return " ".join(word for word in words if word)


def _explained(finding: Finding) -> str:
    return "\n    ".join([f"{finding.site.callee}: {finding.reason}", *row_of(finding).path])


def _by_line(place: str) -> tuple[str, int]:
    file, _, line = place.rpartition(":")
    return file, int(line)
