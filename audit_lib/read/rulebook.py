"""docs/scan.md, made from the rules: `python -m audit_lib.read.rulebook docs/scan.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from audit_lib.read import documents
from audit_lib.read.limits import COMMENT_LIMIT, LINES_LIMIT, NAME_LIMIT, NESTING_LIMIT, SITES_LIMIT
from audit_lib.read.rules import PATTERN_LIMIT, RULES_LIMIT, Example, Rule, own_rules

_ABOUT = """\
# What the scan finds

<!-- Made from audit_lib/read/rules by `python -m audit_lib.read.rulebook docs/scan.md`. -->

The scan reads Go as syntax, with ast-grep. It needs no Go toolchain, and code that does not compile is read too: what
does not parse is named, and the rest of the file is scanned. Comments and strings are never code. It reads the `.go`
files that the go tool would, in nested modules too; `vendor`, `testdata`, `node_modules`, what begins with `.` or
`_`, and what `exclude` in `ctxaudit.toml` names are left out.

A function of a package is found by what the file imports, under any name: `import stdctx "context"`, `import .
"context"`. A variable, parameter or type of the same name hides the package. Such a finding is certain. Whether
`x.Query(…)` is a call of `database/sql` depends on the type of `x`, so methods are candidates that the types decide.

## A person's word

`//ctxaudit:keep <reason>` and `//nolint:contextcheck // <reason>` speak for the line they end, or, alone on a line,
for the next line of code. A `//nolint` that does not name contextcheck says nothing of contexts.

## Rules of your own

`rules` in `ctxaudit.toml` names files, or folders of `.yml` files, relative to the target:

```toml
rules = ["lint/context"]
```

A rule names functions and methods, each with what to call instead. For anything else it holds a
[rule of ast-grep](https://ast-grep.github.io/reference/rule.html).

```yaml
id: store-load
language: Go
kind: bare_call                              # or root
packages: [example.org/shop/go-store]        # import paths
name: store                                  # the package's own name, where it is not the last element of the path
functions: {Load: store.LoadContext}         # found by import
methods:                                     # candidates, in packages that import one of `packages`
  Save: {replacement: SaveContext, least: 1, most: 2}    # how many arguments such a call may have
receivers: [Store]                           # only on names that the package declares as one; left out: on any
message: The store works on after its caller has gone.
---
id: sleep-in-loop
language: Go
kind: bare_call
packages: [time]                             # only files that import it; left out: every file
rule:
  pattern: {context: "func f() { time.Sleep($D) }", selector: call_expression}
  inside: {kind: for_statement, stopBy: end}
callee: time.Sleep                           # what a finding is called
replacement: a timer and ctx.Done() in a select
message: The loop sleeps on after its caller has gone.
```

Optional are `note`, `receivers`, `constraints`, `utils`, `certain`, and the examples `valid` and `invalid`. Unknown
keys are errors.

"""

_LIMITS = f"""\
## Limits

A file that was made to be slow ends the scan no later than its size explains. What passes a limit is named in the
audit as not scanned, with the limit as the reason; the rest of the target is scanned.

| what | at most |
|---|---|
| sites in a file | {SITES_LIMIT:,} |
| blocks, calls and other nodes around a site or a declaration, one in the other | {NESTING_LIMIT:,} |
| characters of a function's name | {NAME_LIMIT:,} |
| length of a line times the calls and comments on it | {LINES_LIMIT:,} |
| characters of the comment at a root that are read | {COMMENT_LIMIT:,} |

Rules that pass a limit are errors, since a rule that is left out without a word would be worse.

| what | at most |
|---|---|
| characters of a file of rules | {documents.SIZE_LIMIT:,} |
| values in it, counted again for each alias that stands for them | {documents.NODES_LIMIT:,} |
| mappings and lists inside each other | {documents.DEPTH_LIMIT:,} |
| characters of a pattern or a regular expression | {PATTERN_LIMIT:,} |
| rules of a team, with the tool's own | {RULES_LIMIT:,} |
"""

_OWN = "## The rules of the tool\n"


def rulebook(rules: Iterable[Rule]) -> str:
    """The page: how the scan works, and every rule with its examples."""
    return "\n".join([_ABOUT + _LIMITS, _OWN, *(line for rule in rules for line in _section(rule))]).rstrip() + "\n"


def _section(rule: Rule) -> Iterator[str]:
    yield f"### {rule.id}"
    yield ""
    yield " ".join([rule.message, rule.note]).strip()
    yield ""
    if rule.functions or rule.methods:
        yield "| call | instead | |"
        yield "|---|---|---|"
        yield from (f"| `{rule.package_name}.{name}` | {use} | certain |" for name, use in rule.functions.items())
        yield from (f"| `….{name}` | {method.replacement} | candidate |" for name, method in rule.methods.items())
        yield ""
        yield "Packages: " + ", ".join(f"`{path}`" for path in rule.packages) + "."
        yield ""
    for code in rule.valid:
        yield from _example("Not reported:", code)
    for example in rule.invalid:
        yield from _example(f"Reported: {_calls(example)}.", example.code)


def _calls(example: Example) -> str:
    return ", ".join(f"`{callee}`" for callee in example.finds)


def _example(title: str, code: str) -> Iterator[str]:
    yield title
    yield ""
    yield "```go"
    yield code.rstrip()
    yield "```"
    yield ""


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(rulebook(own_rules()), encoding="utf-8")
