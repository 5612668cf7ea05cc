"""What a plan is made of: the graph of all facts, the sites to change, the files' texts, and the policy."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property, partial
from pathlib import Path

from audit_lib.change.gotext import GoText
from audit_lib.change.named import Named
from audit_lib.config import Config
from audit_lib.judge.graph import Graph
from audit_lib.judge.lifetime import Lifetimes
from audit_lib.judge.reach import Reach
from audit_lib.judge.versions import FIRST_TEST_CONTEXT, Versions, has_without_cancel
from audit_lib.model import Finding, Span
from audit_lib.read.facts import Call, Dependent, Facts, Func, Origin, Outside, Place, TypedSite
from audit_lib.read.syntax import Syntax
from audit_lib.untrusted.files import on_disk, read_bytes


class Texts:
    """The files of a target, read when they are first asked for."""

    def __init__(self, target: Path, files: Iterable[str]) -> None:
        self._target = target
        self._known: dict[str, GoText] = {}
        self._folders: dict[str, list[str]] = defaultdict(list)
        for file in files:
            self._folders[file.rpartition("/")[0]].append(file)

    def __getitem__(self, file: str) -> GoText:
        """The text of a file; raises `OSError` for one that cannot be read."""
        text = self._known.get(file)
        if text is None:
            text = self._known[file] = GoText(file, read_bytes(self._target, on_disk(file)))
            text.beside = partial(self._beside, file)
        return text

    def _beside(self, file: str) -> Iterator[GoText]:
        return (self[other] for other in self._folders[file.rpartition("/")[0]] if other != file)


class Problem:
    """Indexes over all facts of a target, and what is to be fixed in it. Nothing in it changes once it is made.

    `document` asks for the reason beside each root that is written.
    """

    def __init__(
        self,
        target: Path,
        config: Config,
        syntax: Syntax,
        wide: Facts,
        findings: Iterable[Finding],
        *,
        document: bool = False,
    ) -> None:
        self.document = document
        self.config = config
        self.facts = wide
        self.texts = Texts(target, (file.file for file in syntax.files))
        self.named = Named(target, (file.file for file in syntax.files))
        self.generators = {file.file: file.generator for file in syntax.files if file.generator}
        self.findings = tuple(findings)
        self.constraints = {file.file: file.build for file in syntax.files if file.build}
        self._tests = frozenset(file.file for file in syntax.files if file.test)
        self.graph = Graph(wide, frozenset(self.generators))
        self._versions = Versions(wide)

    @cached_property
    def reach(self) -> Reach:
        """Sources by distance, over all facts."""
        return Reach(self.graph, self.lifetimes, stored=self.config.policy.stored == "fix")

    @cached_property
    def lifetimes(self) -> Lifetimes:
        """How long contexts live, over all facts."""
        return Lifetimes(self.graph)

    @cached_property
    def sites(self) -> dict[tuple[str, int, int], TypedSite]:
        """The typed sites by file and bytes."""
        return {(site.place.file, site.place.start, site.place.end): site for site in self.facts.sites}

    @cached_property
    def outside(self) -> dict[str, Outside]:
        """The methods of other modules that stand for those of interfaces here."""
        return {one.method: one for one in self.facts.outside}

    @cached_property
    def dependents(self) -> dict[str, Dependent]:
        """What modules that need the target in turn use of it as it is, by node."""
        return {one.node: one for one in self.facts.dependents}

    @cached_property
    def working(self) -> frozenset[str]:
        """The functions and literals that could use a context: they call others of the module, or hold a site."""
        inside = {call.caller for call in self.facts.calls} | {site.function for site in self.facts.sites}
        return frozenset(func.id for function in inside for func in self.graph.chain(function))

    @cached_property
    def owned(self) -> frozenset[tuple[str, int]]:
        """The roots, by file and offset, whose cancel function is kept for somebody to call."""
        return frozenset(
            (site.place.file, site.place.start) for site in self.facts.sites if "cancel_kept" in site.flags
        )

    @cached_property
    def declared(self) -> dict[str, list[Origin]]:
        """What is declared and is a context, gives one, or is called `ctx`, by file."""
        found: dict[str, list[Origin]] = defaultdict(list)
        for source in self.facts.sources:
            found[source.file].append(source)
        return dict(found)

    @cached_property
    def spread_calls(self) -> dict[str, list[Call]]:
        """The calls whose arguments are the results of one call, by file and each once, in order."""
        found: dict[str, dict[int, Call]] = defaultdict(dict)
        for call in self.facts.calls:
            if call.spread:
                found[call.place.file].setdefault(call.place.start, call)
        return {file: [calls[start] for start in sorted(calls)] for file, calls in found.items()}

    @cached_property
    def _unread(self) -> dict[str, bytes]:
        """The files that build constraints leave out here: who calls what in them is not known."""
        read = {func.place.file for func in self.facts.funcs}
        return {file: self.texts[file].data for file in self.constraints if file not in read}

    def unread_user(self, func: Func) -> str:
        """A file that is not built here and names a function, in its package or one that imports it; else empty."""
        name = func.name.rpartition(".")[2]
        called = re.compile(rb"\b%s\(" % re.escape(name.encode()))
        own = func.place.file.endswith("_test.go") or not name[:1].isupper()
        return self._unread_near("" if own else func.package, func.place.file, called)

    def unread_word(self, package: str, declared: str, name: str) -> str:
        """A file that is not built here and says a name, in a package or one that imports it; else empty."""
        word = re.compile(rb"\b%s\b" % re.escape(name.encode()))
        return self._unread_near(package, declared, word)

    def is_frozen(self, package: str) -> bool:
        """Whether the exported API of a package must not break."""
        policy = self.config.policy.exported
        if policy == "change" or "internal" in package.split("/") or self.graph.is_program(package):
            return False
        return policy in ("refuse", "variant") or self.graph.is_library(package)

    def _unread_near(self, package: str, declared: str, word: re.Pattern[bytes]) -> str:
        """The file; without a `package` those of others cannot name what is looked for."""
        folder = declared.rpartition("/")[0]
        for file, data in self._unread.items():
            near = file.rpartition("/")[0] == folder or (package and f'"{package}"'.encode() in data)
            if near and word.search(data):
                return file
        return ""

    def is_test(self, file: str) -> bool:
        """Whether a file is test code."""
        return file in self._tests

    def site_of(self, finding: Finding) -> TypedSite | None:
        """The typed site of a finding; None for one that was read without types."""
        span = finding.site.span
        return self.sites.get((span.file, span.start, span.end))

    def package_in(self, folder: str) -> str:
        """The import path of the package in a folder; empty where none was read."""
        return next((package.path for package in self.facts.packages if package.dir == (folder or ".")), "")

    def can_detach(self, package: str) -> bool:
        """Whether `context.WithoutCancel` is there."""
        return has_without_cancel(self._versions.of(package))

    def has_test_context(self, package: str) -> bool:
        """Whether `t.Context()` is there by go.mod, whatever the toolchain has."""
        return self._versions.of(package) >= FIRST_TEST_CONTEXT

    def text_of(self, place: Place) -> GoText:
        """The text of the file of a place."""
        return self.texts[place.file]


def where(place: Place | Span) -> str:
    """A place as people read it: `file:line`, or a folder."""
    return f"{place.file}:{place.line}" if place.line else place.file
