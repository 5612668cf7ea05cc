"""The syntactic scan: every root and bare call of a target by ast-grep and the rules, with no Go toolchain.

A file is only parsed when its bytes show that a rule, a directive or a test may be in it: most of a scan's time would
otherwise go into files that have nothing to tell.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from audit_lib.config import Config
from audit_lib.model import Degradation
from audit_lib.progress import Progress, silent
from audit_lib.read.conventions import count_test_contexts, linter_asks
from audit_lib.read.directives import HINTS, directives_of
from audit_lib.read.gofiles import by_package, find_go_files, package_of, read_go_file
from audit_lib.read.headers import build_of, generator_of, leading_comments
from audit_lib.read.limits import SITES_LIMIT, LimitError
from audit_lib.read.package import Package
from audit_lib.read.positions import decode
from audit_lib.read.prefilter import has_quoted
from audit_lib.read.remarks import remark_at
from audit_lib.read.rules import Rule, load_rules
from audit_lib.read.syntax import Directive, FileFact, Syntax, SyntaxSite
from audit_lib.read.testcode import is_mostly_tests

_TESTING = "testing"


@dataclass
class _Found:
    """What a scan has gathered so far."""

    sites: list[SyntaxSite] = field(default_factory=list)
    directives: list[Directive] = field(default_factory=list)
    files: list[FileFact] = field(default_factory=list)
    degradations: list[Degradation] = field(default_factory=list)

    def sorted(self) -> Syntax:
        return Syntax(
            tuple(sorted(self.sites, key=lambda site: (site.span, site.rule))),
            tuple(sorted(self.directives, key=lambda directive: directive.span)),
            tuple(sorted(self.files, key=lambda fact: fact.file)),
            tuple(sorted(self.degradations, key=lambda degradation: (degradation.where, degradation.reason))),
        )


def scan(target: Path, config: Config, progress: Progress = silent, *, deadline: float | None = None) -> Syntax:
    """The sites, directives and files of a target.

    What cannot be read whole is scanned as far as it goes and named in `degradations`. Raises `TargetError` where
    there is nothing to scan and `RuleError` for a broken rule. Folders that are not scanned by `deadline` (of
    `time.monotonic`) are named there too.
    """
    rules = load_rules(target, config.rules)
    files, unreadable = find_go_files(target, config)
    found = _Found(degradations=unreadable)
    done = 0
    for folder, package in by_package(files).items():
        if deadline is not None and time.monotonic() > deadline:
            found.degradations.append(Degradation(folder or ".", "not scanned: the time that was given was over"))
            continue
        _scan_package(target, package, rules, found)
        done += len(package)
        progress("scan", done, len(files))
    return msgspec.structs.replace(found.sorted(), linted=linter_asks(target))


def scan_text(code: str, rules: Iterable[Rule], file: str = "example.go") -> tuple[SyntaxSite, ...]:
    """The sites of one file given as text: how the examples of rules are run."""
    found = _Found()
    data = code.encode()
    _scan_file(file, data, Package({file: data}, rules), found)
    return found.sorted().sites


def _scan_package(target: Path, files: list[str], rules: tuple[Rule, ...], found: _Found) -> None:
    """One folder at a time: no more than that is held in memory."""
    contents: dict[str, bytes] = {}
    for file in files:
        data = read_go_file(target, file)
        if isinstance(data, bytes):
            contents[file] = data
        else:
            found.degradations.append(data)
    package = Package(contents, rules)
    for file, data in contents.items():
        _scan_file(file, data, package, found)


def _scan_file(file: str, data: bytes, package: Package, found: _Found) -> None:
    text, undecodable = decode(data)
    if undecodable is not None:
        line = data.count(b"\n", 0, undecodable) + 1
        reason = f"line {line} is not UTF-8: scanned with its bytes replaced"
        found.degradations.append(Degradation(f"{file}:{line}", reason))
    test = file.endswith("_test.go")
    try:
        test = test or (has_quoted(data, _TESTING) and is_mostly_tests(package.tree(file)))
        spoken = any(hint in text for hint in HINTS)
        if spoken or package.may_match(file):
            _add_sites(file, package, found)
        if spoken:
            found.directives.extend(directives_of(package.tree(file), file))
    except LimitError as error:
        found.sites = [site for site in found.sites if site.span.file != file]
        found.degradations.append(Degradation(file, f"{error}: not scanned"))
    lines = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    header = leading_comments(text)
    asked = count_test_contexts(data) if test else 0
    fact = FileFact(file, package_of(file), lines, test, generator_of(header), build_of(file, header), asked)
    found.files.append(fact)


def _add_sites(file: str, package: Package, found: _Found) -> None:
    tree = package.tree(file)
    matches = package.matches(file)
    if len(matches) > SITES_LIMIT:
        raise LimitError(f"more than {SITES_LIMIT} sites")
    for match in matches:
        extent = match.node.range()
        start = extent.start.index
        found.sites.append(
            SyntaxSite(
                kind=match.rule.kind,
                rule=match.rule.id,
                callee=match.callee,
                span=tree.positions.span(file, start, extent.end.index),
                function=tree.functions.name_at(start),
                package=package_of(file),
                certain=match.certain,
                replacement=match.replacement,
                remark=remark_at(tree.text, match.node) if match.rule.kind == "root" else "",
            )
        )
    if tree.broken is not None:
        line = tree.positions.line(tree.broken)
        reason = f"line {line} does not parse: sites near it may be missing"
        found.degradations.append(Degradation(f"{file}:{line}", reason))
