"""`make corpus`: scan all that the reference service depends on, the standard library too, and look for lost sites.

What must hold for each module: no crash; totals that reconcile; at least the roots that a naive look finds; and with
types no fewer sites than without. With `--fix` each is changed by `ctxaudit fix` instead, and what built before must
build after. Exit codes: 0 all of it holds, 1 it does not, 2 wrong usage, 3 the modules cannot be listed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from ast_grep_py import SgRoot

from audit_lib import api
from audit_lib.model import Audit, Finding
from benchmarks import corpus_fix, errors, report
from benchmarks.modules import STANDARD, Module, chosen, copied, modules, unaided
from benchmarks.parse_all import go_files
from benchmarks.tools import find_go

NAMES = ("Background", "TODO")


class Scanned(msgspec.Struct, frozen=True):
    """What the scans of a module gave; `broken` says which promises do not hold."""

    module: str
    files: int
    lines: int
    roots: int
    naive_roots: int
    bare_calls: int
    degradations: int
    seconds: float
    typed: bool = False
    typed_seconds: float = 0.0
    judged: int = 0
    broken: tuple[str, ...] = ()


def main() -> int:
    """Scan all of it, with types and without, and write the counts."""
    options = _options(sys.argv[1:])
    report.check(options.out)
    go = find_go()
    scanned = []
    everything = chosen(modules(go), options.module)
    if options.fix:
        with unaided(go):
            return corpus_fix.measure(everything, go, options.out, exported=options.exported)
    with unaided(go):
        for module in everything:
            scanned.append(scan(module, go, with_types=not options.syntax_only))
            print(_line(scanned[-1]), flush=True)
    roots, naive = sum(one.roots for one in scanned), sum(one.naive_roots for one in scanned)
    lines = sum(one.lines for one in scanned)
    print(f"{len(scanned)} modules, {lines} lines of Go, {roots} roots, of which a naive look finds {naive}")
    broken = [problem for one in scanned for problem in one.broken]
    print(*broken, sep="\n", end="\n" if broken else "")
    files = report.write(options.out, "corpus", as_json(scanned), as_markdown(scanned))
    print(f"report: {files[1]}")
    return int(bool(broken))


def scan(module: Module, go: Path, *, with_types: bool) -> Scanned:
    """Scan a module without types, and with them where that is asked for."""
    started = time.monotonic()
    syntax = api.audit(module.folder, syntax_only=True)
    seconds = time.monotonic() - started
    naive = naive_roots(module.folder)
    broken = [f"{module.path}: {problem}" for problem in problems(syntax, naive)]
    totals = syntax.totals
    result = Scanned(
        module=module.path,
        files=totals.files,
        lines=totals.lines,
        roots=totals.roots,
        naive_roots=naive,
        bare_calls=totals.bare_calls,
        degradations=len(syntax.degradations),
        seconds=round(seconds, 2),
        broken=tuple(broken),
    )
    if not with_types:
        return result
    started = time.monotonic()
    audit = typed_audit(module, go)
    broken += [f"{module.path}, with types: {problem}" for problem in [*problems(audit, naive), *lost(syntax, audit)]]
    return msgspec.structs.replace(
        result,
        typed=audit.typed,
        typed_seconds=round(time.monotonic() - started, 2),
        judged=judged(audit),
        broken=tuple(broken),
    )


def typed_audit(module: Module, go: Path) -> Audit:
    """A scan with types. A module of the cache is copied, since there it is read-only and not made to be built."""
    if module.path == STANDARD:
        return api.audit(module.folder)
    with copied(module, go) as folder:
        return api.audit(folder, mod="mod")  # the go command may complete our go.mod


def naive_roots(folder: Path) -> int:
    """Roots as a first look finds them: the calls as they are usually written, in files that import `context`."""
    count = 0
    for path in go_files(folder):
        data = path.read_bytes()
        if b'"context"' in data and any(f"context.{name}(".encode() in data for name in NAMES):
            tree = SgRoot(data.decode(errors="replace"), "go").root()
            if any(spec.text() == '"context"' for spec in tree.find_all(kind="import_spec")):
                count += sum(len(tree.find_all(pattern=f"context.{name}()")) for name in NAMES)
    return count


def problems(audit: Audit, naive: int) -> list[str]:
    """What is wrong with an audit, in words."""
    totals = audit.totals
    wrong = []
    if not totals.reconciles():
        wrong.append(f"the totals do not reconcile: {totals}")
    if totals.sites != len(audit.findings):
        wrong.append(f"{totals.sites} sites are counted, and there are {len(audit.findings)} findings")
    if totals.roots < naive:
        wrong.append(f"{totals.roots} roots are found, a naive look finds {naive}")
    same = len(audit.findings) - len({finding.fingerprint for finding in audit.findings})
    if same:
        wrong.append(f"{same} findings have the fingerprint of another one")
    return wrong


def lost(syntax: Audit, audit: Audit) -> list[str]:
    """Roots that a scan without types finds, and one with them does not."""
    there = {_place(finding) for finding in audit.findings}
    return [
        f"{finding.site.span.file}:{finding.site.span.line}: the root is lost"
        for finding in syntax.findings
        if finding.site.kind == "root" and _place(finding) not in there
    ]


def judged(audit: Audit) -> int:
    """How many sites were judged by types: all that are not left for review because they could not be read."""
    return sum(finding.rule != "untyped" for finding in audit.findings)


def as_json(scanned: Sequence[Scanned]) -> dict[str, Any]:
    """The counts, for programs."""
    return {"holds": not any(one.broken for one in scanned), "modules": [msgspec.to_builtins(one) for one in scanned]}


def as_markdown(scanned: Sequence[Scanned]) -> str:
    """The counts, for people."""
    head = ("module", "files", "lines", "roots", "naive", "bare calls", "seconds", "typed seconds", "judged")
    rows = [
        (
            one.module,
            *(str(count) for count in (one.files, one.lines, one.roots, one.naive_roots, one.bare_calls)),
            f"{one.seconds:.1f}",
            f"{one.typed_seconds:.1f}" if one.typed else "-",
            f"{one.judged} of {one.roots + one.bare_calls}" if one.typed else "-",
        )
        for one in scanned
    ]
    broken = "\n".join(f"- {problem}" for one in scanned for problem in one.broken)
    return "\n\n".join(["# The corpus", report.table(head, rows), broken or "All promises hold."])


def _place(finding: Finding) -> tuple[str, int]:
    return finding.site.span.file, finding.site.span.start


def _line(one: Scanned) -> str:
    types = f"  typed {one.typed_seconds:.1f} s" if one.typed else ""
    return (
        f"{one.module:36} {one.files:5} files {one.lines:8} lines {one.roots:4} roots {one.bare_calls:4} bare calls"
        f"  {one.seconds:.1f} s{types}{'  BROKEN' if one.broken else ''}"
    )


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="corpus", description=__doc__)
    parser.add_argument("--syntax-only", action="store_true", help="no scans with types")
    parser.add_argument("--fix", action="store_true", help="fix each module, and see that it still builds")
    parser.add_argument(
        "--exported", choices=("change", "variant", "refuse"), default="", help="with --fix: the policy `exported`"
    )
    parser.add_argument("--module", action="append", default=[], metavar="NAME", help="only modules that hold NAME")
    parser.add_argument("--out", type=Path, default=Path("out/corpus"), metavar="OUT", help="folder for the report")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    errors.run("corpus", main)
