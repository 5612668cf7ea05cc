"""Every kind of fix on small Go programs, `change/*.txtar`: what a careful person would write, or refuse to.

The files of an archive are the program before. `want/NAME` is a file as it is afterwards; a file without one stays as
it is, byte for byte. `want/refusals` has a line for each finding that is refused: `file:line: part of the reason`.
`prove/NAME` are tests that are put beside the result and run there: they show that it really cancels, and fail on the
program as it was. `options` sets what is asked of the fix, a line each: `document = yes`, or a `level` of verification
where that has a part in the result, by what it rolls back or by what it finds when it reads again. Files below
`outside/` lie beside the target: modules of other people, named by a `replace` in go.mod.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import pytest

from audit_lib import config as configuration
from audit_lib.api import fix
from audit_lib.change.document import Documenting, notes
from audit_lib.change.edits import by_file
from audit_lib.change.plan import planner
from audit_lib.change.planned import Planner
from audit_lib.change.rewrite import edited
from audit_lib.config import GoOptions
from audit_lib.fixed import Fixed, Level
from audit_lib.judge.classify import judge
from audit_lib.model import Finding, Refusal
from audit_lib.read import gotool
from audit_lib.read.gofacts import read_wide
from audit_lib.read.scan import scan
from tests.scenarios import txtar
from tests.scenarios.txtar import Archive

FOLDER = Path(__file__).parent / "change"
SCENARIOS = sorted(FOLDER.glob("*.txtar"))
OUTSIDE, WANT, PROVE = "outside/", "want/", "prove/"
REFUSALS, OPTIONS = "want/refusals", "options"
KNOWN_OPTIONS = {"document": ("yes",), "level": ("build", "test")}
OFFLINE = {"GOPROXY": "off", "GOFLAGS": "", "GOTOOLCHAIN": "local"}


@dataclass(frozen=True)
class Scenario:
    """An archive, sorted: the program before, what lies beside it, what changes, tests of the result, and options."""

    comment: str
    before: dict[str, str]
    outside: dict[str, str]
    wants: dict[str, str]
    refusals: tuple[str, ...]
    proofs: dict[str, str]
    options: dict[str, str]

    def unpack(self, folder: Path, over: dict[str, str] | None = None) -> Path:
        """Write the program into a folder, with other files over its own, and give where it lies."""
        Archive("", self.outside).unpack(folder)
        Archive("", self.before | (over or {})).unpack(folder / "target")
        return folder / "target"


def _below(files: dict[str, str], folder: str) -> dict[str, str]:
    return {name.removeprefix(folder): text for name, text in files.items() if name.startswith(folder)}


def scenario_of(archive: Archive) -> Scenario:
    """A scenario from its archive."""
    files = dict(archive.files)
    refusals = tuple(files.pop(REFUSALS, "").splitlines())
    options = dict(line.split(" = ") for line in files.pop(OPTIONS, "").splitlines())
    return Scenario(
        comment=archive.comment.strip(),
        before={name: text for name, text in files.items() if not name.startswith((OUTSIDE, WANT, PROVE))},
        outside={name: text for name, text in files.items() if name.startswith(OUTSIDE)},
        wants=_below(files, WANT),
        refusals=refusals,
        proofs=_below(files, PROVE),
        options=options,
    )


def with_windows_line_ends(text: str) -> str:
    """A file as some editors write it."""
    return text.replace("\n", "\r\n")


def with_byte_order_mark(text: str) -> str:
    """A file as others do."""
    return "\ufeff" + text


PLAIN = [path for path in SCENARIOS if "level" not in scenario_of(txtar.read(path)).options]
"""Those whose plan is their fix, before anything is verified."""


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is fetched: all that a scenario needs is in its archive."""
    for name, value in OFFLINE.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario_says_what_it_is(path: Path) -> None:
    scenario = scenario_of(txtar.read(path))
    assert scenario.comment, "the first lines say what the case is, and why"
    assert "go.mod" in {name.rpartition("/")[2] for name in scenario.before}
    for name, text in scenario.wants.items():
        assert scenario.before.get(name) != text, f"{name} is wanted as it is"
    for line in scenario.refusals:
        file, number, reason = line.split(":", 2)
        assert reason.strip()
        assert len(scenario.before[file].splitlines()) >= int(number)
    for name, value in scenario.options.items():
        assert value in KNOWN_OPTIONS[name]
    assert not scenario.proofs or scenario.wants, "tests show what a change has brought"


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.stem)
def test_plan(path: Path, tmp_path: Path) -> None:
    """What is planned is what is wanted before anything is verified: nothing is left for a roll-back to mend."""
    scenario = scenario_of(txtar.read(path))
    after, refusals = planned(scenario.unpack(tmp_path), document="document" in scenario.options)
    assert not difference(scenario, after, refusals), f"{scenario.comment}\n\n{difference(scenario, after, refusals)}"


@pytest.mark.slow
@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_fix(path: Path, tmp_path: Path) -> None:
    """The whole fix: verified, with nothing left for a second one, and tests that fail before and pass afterwards."""
    scenario = scenario_of(txtar.read(path))
    done = fixed(scenario, scenario.unpack(tmp_path / "first"))
    after = {name: data.decode() for name, data in done.after.items()}
    refusals = refusals_of(done.audit.findings, done.audit.refusals)
    assert not difference(scenario, after, refusals), f"{scenario.comment}\n\n{difference(scenario, after, refusals)}"
    assert done.ok
    assert done.audit.totals.reconciles()
    again = scenario.unpack(tmp_path / "again", after)
    assert not fixed(scenario, again).after
    if scenario.proofs:
        assert run_tests(scenario.unpack(tmp_path / "before", scenario.proofs))
        assert not run_tests(scenario.unpack(tmp_path / "after", after | scenario.proofs))


@pytest.mark.parametrize("name", ["thread-static", "scope-declaration", "detach-goroutine", "thread-nested-calls"])
@pytest.mark.parametrize("write", [with_windows_line_ends, with_byte_order_mark])
def test_files_keep_their_form(name: str, write: Callable[[str], str], tmp_path: Path) -> None:
    scenario = scenario_of(txtar.read(FOLDER / f"{name}.txtar"))
    target = scenario.unpack(tmp_path)
    for file in target.rglob("*.go"):
        file.write_bytes(write(file.read_text(encoding="utf-8")).encode())
    after, refusals = planned(target)
    assert not refusals
    assert after == {file: write(text) for file, text in scenario.wants.items()}


def test_a_wrong_expectation_is_shown() -> None:
    scenario = Scenario("", {"a.go": "a\n", "b.go": "b\n"}, {}, {"a.go": "A\n"}, ("a.go:1: Find",), {}, {})
    shown = difference(scenario, {"b.go": "B\n"}, ["b.go:1: exported"])
    for line in ("-A", "+a", "-b", "+B", "-a.go:1: Find", "+b.go:1: exported"):
        assert f"{line}\n" in shown
    assert not difference(scenario, {"a.go": "A\n"}, ["a.go:1: (*Store).Find is exported"])


def planned(target: Path, *, document: bool = False) -> tuple[dict[str, str], list[str]]:
    """What a plan makes of a target, unverified: the files that change, and the refusals as they are wanted."""
    settings = configuration.load(target)
    syntax = scan(target, settings)
    facts, wide = read_wide(target, GoOptions(outside=(str(target.parent / OUTSIDE),)))
    findings = judge(syntax, facts, settings)
    make: Planner = planner(target, settings, syntax, wide, findings, document=document)
    if document:
        make = Documenting(make, notes(target, findings, {file.file for file in syntax.files if file.generator}))
    plan = make(guarded=frozenset(), refused={})
    edits = by_file(edit for one in plan.components for change in one.changes for edit in change.edits)
    done = edited({file: (target / file).read_bytes() for file in edits}, edits, gotool.find_go())
    changed = {file: data.decode() for file, data in done.after.items()}
    return changed, refusals_of(findings, plan.refusals)


def fixed(scenario: Scenario, target: Path) -> Fixed:
    """A scenario's fix of its target."""
    level: Level = "test" if scenario.options.get("level") == "test" else "build"
    beside = [target.parent / OUTSIDE]
    return fix(target, level=level, document="document" in scenario.options, outside=beside)


def refusals_of(findings: Iterable[Finding], refusals: Iterable[Refusal]) -> list[str]:
    """Refusals as `file:line: reason` of their findings."""
    spans = {finding.fingerprint: finding.site.span for finding in findings}
    return [
        f"{spans[refusal.fingerprint].file}:{spans[refusal.fingerprint].line}: {refusal.reason}" for refusal in refusals
    ]


def difference(scenario: Scenario, after: dict[str, str], refusals: list[str]) -> str:
    """Wanted and found, as a diff; empty where they agree."""
    lines: list[str] = []
    for name in sorted({*scenario.wants, *after}):
        before = scenario.before.get(name, "")
        want, found = scenario.wants.get(name, before), after.get(name, before)
        lines += unified_diff(want.splitlines(True), found.splitlines(True), f"wanted/{name}", f"found/{name}")
    left = list(refusals)
    for want in scenario.refusals:
        file, number, part = want.split(":", 2)
        found = next((one for one in left if one.startswith(f"{file}:{number}: ") and part.strip() in one), "")
        if found:
            left.remove(found)
        else:
            lines.append(f"-{want}\n")
    return "".join([*lines, *(f"+{one}\n" for one in left)])


def run_tests(target: Path) -> str:
    """Run the tests of all modules of a target: what they complain of, empty where they pass."""
    complaints = []
    for module in sorted(file.parent for file in target.rglob("go.mod")):
        done = subprocess.run(
            ["go", "test", "-vet=off", "-timeout=60s", "./..."], cwd=module, capture_output=True, text=True, check=False
        )
        complaints += [done.stdout, done.stderr] if done.returncode else []
    return "".join(complaints)
