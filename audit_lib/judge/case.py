"""A case: one site with all that the rules look at, and the decision that a rule gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from audit_lib.config import Config
from audit_lib.judge.ancestry import Ancestry
from audit_lib.judge.graph import TESTING, Graph
from audit_lib.judge.lifetime import is_init, is_main
from audit_lib.judge.listening import changes_nothing, only_reads_values, sibling_of
from audit_lib.judge.objects import above, is_kept, works_on
from audit_lib.judge.reach import Reach
from audit_lib.judge.timing import apart
from audit_lib.judge.trail import Trail
from audit_lib.judge.versions import has_without_cancel
from audit_lib.model import Category, Radius, Verdict
from audit_lib.read.facts import Func, Origin, TypedSite, Use
from audit_lib.read.syntax import Directive

MAKING = ("new", "open", "make", "dial", "connect", "init", "setup", "must")
"""How the names of constructors begin."""


KEEPERS = frozenset({"Client", "TokenSource", "Subscribe", "PSubscribe", "Watch"})
"""Methods that make what keeps the context that it is made with, where it is not known: behind interfaces."""


@dataclass(frozen=True)
class Decision:
    """What a rule decides: `rule` is its section in docs/rules.md."""

    category: Category
    verdict: Verdict
    reason: str
    recommendation: str
    rule: str


@dataclass(frozen=True)
class Case:
    """One typed site: where it stands, the way to the nearest source, and its price."""

    site: TypedSite
    func: Func
    top: Func
    trail: Trail
    radius: Radius | None
    moved: int
    graph: Graph
    reach: Reach
    ancestry: Ancestry
    config: Config
    directive: Directive | None
    remark: str
    go_version: tuple[int, ...]
    test_contexts: bool = True  # whether tests are to take their contexts from `t.Context()`
    logs_contexts: bool = True  # whether calls of loggers are to take a context
    start: str = ""  # where the commands are started without a context: none of theirs ends
    used: bool = False  # a use of a variable that holds a root, and not the root itself
    opened: frozenset[str] = frozenset()  # interfaces of which a method takes a context, for another site's sake
    costly: frozenset[str] = frozenset()  # types of which most methods are not worth a context's price
    carried: frozenset[str] = frozenset()  # methods that take a context anyway, as others of their interfaces do

    @property
    def callee(self) -> str:
        """The callee as people read it."""
        return self.site.callee

    def has(self, flag: str) -> bool:
        """Whether the site stands as `flag` says (see siteFlags in gofacts)."""
        return flag in self.site.flags

    def used_as(self, kind: str) -> str | None:
        """The target of the first use of a kind, or None."""
        return next((use.target for use in self.site.uses if use.kind == kind), None)

    @property
    def targets(self) -> tuple[str, ...]:
        """The functions that the context is given to."""
        return tuple(use.target for use in self.site.uses if use.kind == "arg" and use.target)

    @property
    def test_source(self) -> Origin | None:
        """The test's own context, where one is in scope: `t.Context()`."""
        for source in self.graph.sources_at(self.site.function, self.site.place.start):
            if source.gives in TESTING and source.name != "_":
                return source
        return None

    @property
    def only_values(self) -> bool:
        """Whether all that the context is given to only reads its values."""
        if self.site.kind == "bare_call":
            return self.site.values or only_reads_values(self.graph, sibling_of(self.site))
        given = [use for use in self.site.uses if use.kind == "arg"]
        return bool(given) and all(use.values or only_reads_values(self.graph, use.target) for use in given)

    @property
    def only_asked(self) -> bool:
        """Whether the context is only asked for its end or its values: nothing is done with it."""
        return bool(self.site.uses) and all(use.kind == "method" for use in self.site.uses)

    @property
    def makes(self) -> bool:
        """Whether the context is given to what makes an object, which may keep it."""
        return any(use.makes and self._may_keep(use.target) for use in self.site.uses if use.kind == "arg")

    @property
    def made_to_last(self) -> str:
        """What the context is given to that makes an object which is kept for longer than the function runs; or empty.

        A function makes one that keeps the context.
        """
        return self._makes_what(lambda use, *made: self._keeps(use.target) and is_kept(self.graph, *made))

    @property
    def made_to_work_on(self) -> str:
        """What the context is given to that makes what is to work on when its function has returned; or empty.

        Told of what works no longer than its context lives: a command, a request that is sent.
        """
        return self._makes_what(lambda _, *made: works_on(self.graph, *made))

    def _makes_what(self, told: Callable[[Use, tuple[Use, ...], str], bool]) -> str:
        """What the context is given to that makes an object of which this is told, here or where it is returned."""
        ways = {way.callee: way.edge for way in self.trail.ways}
        for use in self.site.uses:
            if use.kind == "field":
                continue  # what holds a context is judged by where that goes
            made = (use.becomes, use.function)
            if any(told(use, *place) for place in (made, *above(self.graph, *made, ways))):
                return use.target
        return ""

    def _keeps(self, target: str) -> bool:
        """Whether a function keeps the context that it is given; where that is not known, its name tells."""
        if self.graph.owns(target):
            return self._may_keep(target)
        known = self.graph.foreign.keeps(target)
        name = target.rpartition(".")[2]
        return known if known is not None else name.lower().startswith(MAKING) or name in KEEPERS

    def _may_keep(self, target: str) -> bool:
        """Whether a function may keep the context that it is given: in foreign code too, where that is not known."""
        if not self.graph.owns(target):
            return self.graph.foreign.keeps(target) is not False
        queue, seen = [target], set[str]()
        while queue:
            self.graph.effort.spend(10)
            for kind, other in self.graph.forwards(queue.pop()):
                if kind == "field" or (kind == "makes" and not self.graph.owns(other) and self._keeps(other)):
                    return True
                if kind == "makes" and other not in seen:
                    seen.add(other)
                    queue.append(other)
        return False

    @property
    def too_old_to_detach(self) -> str:
        """Why a context cannot be cut off from its end: the `go` line of its module; or empty."""
        if has_without_cancel(self.go_version):
            return ""
        return f"context.WithoutCancel needs Go 1.21, and go.mod says {'.'.join(map(str, self.go_version))}"

    @property
    def apart(self) -> tuple[Use, ...]:
        """The uses of its context that would be cut off from the end of the source, while the others are not."""
        return apart(self.graph, self.site, self.trail.supply.lifetime) if self.trail.supply is not None else ()

    @property
    def is_ignored(self) -> bool:
        """Whether nothing that the context is given to does anything with it, as far as that is known."""
        given = [target for target in self.targets if target]
        return bool(given) and all(self.graph.ignores(target) for target in given)

    @property
    def changes_nothing(self) -> bool:
        """Whether a context would change nothing for anything that the site's is given to."""
        given = all(use.kind == "arg" or use.kind.startswith("wrap:") for use in self.site.uses)
        return given and changes_nothing(self.graph, self.targets)

    @property
    def starts_up(self) -> bool:
        """Whether the site runs before the program works: in `main`, `init` or a package-level variable."""
        return is_main(self.top) or is_init(self.top)

    @property
    def constructs(self) -> bool:
        """Whether the site's function is a constructor."""
        return is_constructor(self.top)


def is_constructor(func: Func) -> bool:
    """Whether a function is a constructor: by its name, as Go has it, and a result of its own package."""
    if func.receiver or not func.results or not func.name.lower().startswith(MAKING):
        return False
    return func.results[0].rpartition(".")[0] == func.package
