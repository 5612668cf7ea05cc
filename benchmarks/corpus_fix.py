"""`make corpus ARGS=--fix`: `ctxaudit fix --write` on a copy of each module; nothing that built before may fail after.

A fix that ends without writing must have changed nothing. Compiling is done by the go command itself, not by what the
tool says of it.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from benchmarks import processes, report
from benchmarks.building import built, worse
from benchmarks.modules import STANDARD, Module, copied
from benchmarks.parse_all import go_files

Outcome = Literal["changed", "refused", "unchanged", "cannot be loaded", "failed"]
_WANTED = frozenset({"fix", "detach"})


class Tried(msgspec.Struct, frozen=True):
    """What became of a module: `harmed` names what built before and does not build after, or what should not be.

    `packages` are those that built before, test variants too, `broken` those that did not even then.
    """

    module: str
    outcome: Outcome
    seconds: float = 0.0
    wanted: int = 0
    changes: int = 0
    refusals: int = 0
    files: int = 0
    packages: int = 0
    broken: int = 0
    reason: str = ""
    harmed: tuple[str, ...] = ()


def measure(modules: Sequence[Module], go: Path, out: Path, *, exported: str = "") -> int:
    """Try all of them but the standard library, print and write the counts; 1 where something was harmed."""
    tried = []
    for module in modules:
        if module.path != STANDARD:
            with copied(module, go) as folder:
                tried.append(attempt(module.path, folder, go, exported=exported))
            print(line(tried[-1]), flush=True)
    print(counts(tried))
    files = report.write(out, "corpus-fix", as_json(tried, exported), as_markdown(tried, exported))
    print(f"report: {files[1]}")
    return int(any(one.harmed or one.outcome == "failed" for one in tried))


def attempt(name: str, folder: Path, go: Path, *, exported: str = "") -> Tried:
    """Fix a module in its folder, and compare what builds. With `exported` under that policy."""
    if exported:
        (folder / "ctxaudit.toml").write_text(f'[policy]\nexported = "{exported}"\n', encoding="utf-8")
    before, files = built(folder, go), contents(folder)
    good = {path for path, error in before.items() if not error}
    broken = [f"{path}: {error}" for path, error in before.items() if error]
    if not good:
        reason = broken[0] if broken else "it has no package that is built here"
        return Tried(name, "cannot be loaded", broken=len(broken), reason=reason)
    with tempfile.TemporaryDirectory(prefix="ctxaudit-corpus-out-") as scratch:
        out = Path(scratch)
        command: list[str | Path] = [sys.executable, "-m", "audit_lib", "fix", folder, "--out", out, "--quiet"]
        usage = processes.run([*command, "--verify", "build", "--write", "--mod", "mod"])
        findings, changes, refusals = (_records(out / f"{name}.jsonl") for name in ("findings", "changes", "refusals"))
    touched = [file for file, data in contents(folder).items() if files.get(file) != data]
    touched += [file for file in files if not (folder / file).exists()]
    harmed = worse(before, built(folder, go)) if touched else []
    if usage.code != 0 and touched:
        harmed.append(f"{touched[0]}: was written by a fix that ended with {usage.code}")
    wanted = sum(finding["verdict"] in _WANTED for finding in findings)
    outcome: Outcome = "changed" if touched else "refused" if wanted else "unchanged"
    return Tried(
        module=name,
        outcome=outcome if usage.code in (0, 1) else "failed",
        seconds=round(usage.seconds, 1),
        wanted=wanted,
        changes=len(changes),
        refusals=len(refusals),
        files=len(touched),
        packages=len(good),
        broken=len(broken),
        reason=usage.said.splitlines()[-1] if usage.code and usage.said else "; ".join(broken[:1]),
        harmed=tuple(harmed),
    )


def contents(folder: Path) -> dict[str, str]:
    """What each Go file of a folder is known by."""
    digests = ((file, hashlib.sha256(file.read_bytes()).hexdigest()) for file in go_files(folder))
    return {file.relative_to(folder).as_posix(): digest for file, digest in digests}


def line(one: Tried) -> str:
    """A module in one line."""
    tail = f"  {one.reason}" if one.outcome in ("cannot be loaded", "failed") else ""
    return (
        f"{one.module:42} {one.outcome:16} {one.wanted:4} wanted {one.changes:4} changed {one.refusals:4} refused "
        f"{one.files:4} files {one.packages:4} packages  {one.seconds:.1f} s{'  HARMED' if one.harmed else ''}{tail}"
    )


def counts(tried: Sequence[Tried]) -> str:
    """How many modules there are of each outcome, and how many of them are harmed (the goal: none)."""
    number = Counter(one.outcome for one in tried)
    told = ", ".join(f"{number[outcome]} {outcome}" for outcome in sorted(number))
    return f"{len(tried)} modules: {told}; {sum(bool(one.harmed) for one in tried)} harmed (goal: 0)"


def as_json(tried: Sequence[Tried], exported: str) -> dict[str, Any]:
    """The counts, for programs."""
    return {
        "harmed": sum(bool(one.harmed) for one in tried),
        "exported": exported or "auto",
        "modules": [msgspec.to_builtins(one) for one in tried],
    }


def as_markdown(tried: Sequence[Tried], exported: str) -> str:
    """The counts, for people."""
    head = ("module", "outcome", "wanted", "changed", "refused", "files", "packages", "not built before", "seconds")
    rows = [
        (
            one.module,
            one.outcome,
            *map(str, (one.wanted, one.changes, one.refusals, one.files, one.packages, one.broken)),
            f"{one.seconds:.1f}",
        )
        for one in tried
    ]
    parts = [
        "# The corpus, fixed",
        f"{counts(tried)}. Policy `exported`: {exported or 'auto'}.",
        report.table(head, rows),
    ]
    for title, chosen in (
        ("Harmed", [f"{one.module}: {problem}" for one in tried for problem in one.harmed]),
        ("Failed", [f"{one.module}: {one.reason}" for one in tried if one.outcome == "failed"]),
        ("Cannot be loaded", [f"{one.module}: {one.reason}" for one in tried if one.outcome == "cannot be loaded"]),
    ):
        if chosen:
            parts += [f"## {title}", "\n".join(f"- {text}" for text in chosen)]
    return "\n\n".join(parts)


def _records(file: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in file.read_text().splitlines()] if file.is_file() else []
