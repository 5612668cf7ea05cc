"""A small module to break and mend, and what a verification of it says."""

from __future__ import annotations

from pathlib import Path

from audit_lib.change.rewrite import Rewritten
from audit_lib.change.scratch import scratch_copy
from audit_lib.change.verify import Level, Outcome, Verifier
from audit_lib.config import GoOptions
from audit_lib.read.gotool import find_go

MODULE = {
    "go.mod": "module example.org/shop\n\ngo 1.24\n",
    "store/store.go": "package store\n\nfunc Get(id int) int { return id }\n",
    "api/api.go": 'package api\n\nimport "example.org/shop/store"\n\nfunc Show() int { return store.Get(1) }\n',
    "api/api_test.go": (
        'package api\n\nimport "testing"\n\n'
        "func TestShow(t *testing.T) {\n\tif Show() != 1 {\n\t\tt.Error(Show())\n\t}\n}\n\n"
        "func TestOther(t *testing.T) {}\n"
    ),
    "far/far.go": "package far\n\nfunc F() int { return 1 }\n",
}
OLD_FAILURE = 'package api\n\nimport "testing"\n\nfunc TestOld(t *testing.T) { t.Fatal("never passed") }\n'


def write(folder: Path, files: dict[str, str]) -> Path:
    for file, text in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text)
    return folder


def verified(
    target: Path, files: dict[str, str], *, level: Level = "test", timeout: float = 60, options: GoOptions | None = None
) -> Outcome:
    """The outcome for a target with these files changed."""
    with scratch_copy(target) as scratch:
        after = {file: text.encode() for file, text in files.items()}
        rewritten = Rewritten({file: scratch.read(file) for file in after}, after)
        scratch.write(rewritten.after)
        verifier = Verifier(scratch, find_go(), options or GoOptions(), level=level, timeout=timeout)
        outcome = verifier.verify(rewritten)
        assert all(scratch.read(file) == data for file, data in after.items())
        return outcome


def steps(outcome: Outcome) -> list[tuple[str, bool]]:
    return [(step.step, step.ok) for step in outcome.steps]


def changed(file: str, old: str, new: str) -> dict[str, str]:
    assert old in MODULE[file]
    return {file: MODULE[file].replace(old, new)}
