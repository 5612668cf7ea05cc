"""What the syntactic scan tells: sites, directives and files, as records. No Go toolchain is needed for any of it."""

from __future__ import annotations

from typing import Literal

from audit_lib.model import Degradation, Kind, Record, Span


class SyntaxSite(Record, frozen=True):
    """A site as syntax shows it.

    `certain` says that syntax alone proves it (a call of an imported package's function); a method call like
    `x.Query(…)` needs the type of `x`. `rule` is the id of the rule that matched. `function` is as gofacts names it:
    `handle`, `(*Store).Get`, `Store.Get`, `handle.func1` for literals (numbered in order within the declaration), and
    empty for package-level initialisers. `package` is the folder, relative, `.` for the target
    itself. `replacement` is what the rule says to call instead. `remark` is the comment at a root that says why it is
    one.
    """

    kind: Kind
    rule: str
    callee: str
    span: Span
    function: str
    package: str
    certain: bool
    replacement: str = ""
    remark: str = ""


class Directive(Record, frozen=True):
    """A person's word in a comment: `//ctxaudit:keep reason` or `//nolint:contextcheck // reason`.

    `covers` is the 1-based line it speaks for: its own where code stands before it, else the next line of code, and
    with that the rest of a statement that begins there, up to `through`; not the bodies of literals in it.
    """

    form: Literal["keep", "nolint"]
    reason: str
    span: Span
    covers: int
    through: int


class FileFact(Record, frozen=True):
    """One Go file: whether it is test code, who generated it (empty: nobody), and its build constraint.

    `test_contexts` is how often it asks a test for its context: `t.Context()`.
    """

    file: str
    package: str
    lines: int
    test: bool
    generator: str
    build: str
    test_contexts: int = 0


class Syntax(Record, frozen=True):
    """A whole scan, each tuple sorted by file and position. `linted`: the linter asks tests to take `t.Context()`."""

    sites: tuple[SyntaxSite, ...]
    directives: tuple[Directive, ...]
    files: tuple[FileFact, ...]
    degradations: tuple[Degradation, ...] = ()
    linted: bool = False

    def prefers_test_contexts(self, policy: Literal["auto", "fix", "keep"]) -> bool:
        """Whether tests are to take their contexts from `t.Context()`: by policy, by the linter, or by their habit.

        It is one where no more roots stand in tests than calls of `t.Context()`: a few of these are no habit.
        """
        if policy != "auto":
            return policy == "fix"
        tests = {fact.file for fact in self.files if fact.test}
        roots = sum(site.kind == "root" and site.span.file in tests for site in self.sites)
        return self.linted or roots <= sum(fact.test_contexts for fact in self.files)
