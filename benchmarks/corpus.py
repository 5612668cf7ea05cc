"""`make corpus`: scan all that the reference service depends on, the standard library too, and look for lost sites.

What must hold for each module: no crash; totals that reconcile; at least the roots that a naive look finds; and with
types no fewer sites than without. Exit codes: 0 all of it holds, 1 it does not, 3 the modules cannot be listed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from ast_grep_py import SgRoot

from audit_lib import api
from audit_lib.model import Audit, Finding
from audit_lib.read import gotool
from benchmarks import errors, report
from benchmarks.errors import InputError
from benchmarks.parse_all import go_files
from benchmarks.tools import find_go, go_env

SERVICE = Path(__file__).resolve().parent.parent / "reference_service"
STANDARD = "std"
NAMES = ("Background", "TODO")


@dataclass(frozen=True)
class Module:
    """A module of the corpus, and where its sources lie: the module cache, or Go's own folder."""

    path: str
    folder: Path


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
    everything = modules(go)
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


def modules(go: Path, service: Path = SERVICE) -> list[Module]:
    """The modules whose packages the service depends on, sorted, and the standard library last."""
    template = "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Dir}}{{end}}{{end}}"
    listed = _go(go, service, "list", "-deps", "-test", "-f", template, "./...")
    pairs = [line.split("\t") for line in sorted(set(listed.splitlines())) if line]
    found = [Module(path, Path(folder)) for path, folder in pairs]
    return [*found, Module(STANDARD, Path(go_env(go, "GOROOT"), "src"))]


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
    with tempfile.TemporaryDirectory(prefix="ctxaudit-corpus-") as scratch:
        folder = Path(scratch, "module")
        shutil.copytree(module.folder, folder, copy_function=shutil.copyfile, ignore=shutil.ignore_patterns("go.work*"))
        for path in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
            path.chmod(0o755)
        (folder / "go.mod").write_text(_requirements(module, go), encoding="utf-8")
        shutil.copyfile(SERVICE / "go.sum", folder / "go.sum")
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


def _requirements(module: Module, go: Path) -> str:
    """A go.mod with which a dependency builds by itself: it requires what the service requires."""
    service = msgspec.json.decode(_go(go, SERVICE, "mod", "edit", "-json"))
    required = "\n".join(
        f"\t{other['Path']} {other['Version']}" for other in service["Require"] if other["Path"] != module.path
    )
    return f"module {module.path}\n\ngo {service['Go']}\n\nrequire (\n{required}\n)\n"


@contextmanager
def unaided(go: Path) -> Iterator[None]:
    """No audit that was kept from before, and nothing downloaded.

    What a module's tests need and the service does not is missing, and named. The helper is there, built.
    """
    helper = gotool.build_helper(gotool.find_go())
    with tempfile.TemporaryDirectory(prefix="ctxaudit-corpus-") as cache:
        settings = {"GOPROXY": "off", "GOSUMDB": "off", "GOCACHE": go_env(go, "GOCACHE"), "XDG_CACHE_HOME": cache}
        Path(cache, "ctxaudit").mkdir()
        shutil.copy(helper, Path(cache, "ctxaudit"))
        before = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name)
                if value is not None:
                    os.environ[name] = value


def _go(go: Path, folder: Path, *arguments: str) -> str:
    env = os.environ | {"GOTOOLCHAIN": "local", "GOWORK": "off"}
    done = subprocess.run([str(go), *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no word why"]
        raise InputError(f"{folder}: go {arguments[0]}: {last[0]}")
    return done.stdout


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="corpus", description=__doc__)
    parser.add_argument("--syntax-only", action="store_true", help="no scans with types")
    parser.add_argument("--out", type=Path, default=Path("out/corpus"), metavar="OUT", help="folder for the report")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    errors.run("corpus", main)
