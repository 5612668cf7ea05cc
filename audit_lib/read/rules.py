"""The rules of the scan: YAML files, the tool's own and a team's, read strictly.

A rule names functions and methods of packages; for anything else it holds a rule of ast-grep. One file may hold
several, separated by `---`. docs/scan.md is made from them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
from ast_grep_py import SgRoot

from audit_lib.errors import RuleError
from audit_lib.model import Kind
from audit_lib.read.documents import DocumentError, documents
from audit_lib.read.imports import default_name
from audit_lib.read.queries import find_configured
from audit_lib.untrusted.files import TEXT_LIMIT, leads_out, read_bytes

PATTERN_LIMIT = 2_000
"""Characters of a pattern, its context or a regular expression in a rule: ast-grep goes into a pattern as deep as it is
nested, until its stack is at its end, which no one can catch; and compiles an expression for each file."""

RULES_LIMIT = 500
"""Rules of a team, all files together: each is looked for in each file."""

_SAID = 200  # characters of what ast-grep says: it repeats the pattern
_OWN = Path(__file__).parent / "rules"
_SUFFIXES = (".yml", ".yaml")


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Unknown keys are errors, and keys that are not given stay away from ast-grep."""


class Pattern(_Strict, frozen=True):
    """An ast-grep pattern with the code around it that tells how to parse it."""

    context: str
    selector: str | None = None
    strictness: Literal["cst", "smart", "ast", "relaxed", "signature"] | None = None


class Matcher(_Strict, frozen=True):
    """A rule of ast-grep, by its own keys (ast-grep.github.io/reference/rule)."""

    pattern: str | Pattern | None = None
    kind: str | None = None
    regex: str | None = None
    inside: Matcher | None = None
    has: Matcher | None = None
    precedes: Matcher | None = None
    follows: Matcher | None = None
    all: tuple[Matcher, ...] | None = None
    any: tuple[Matcher, ...] | None = None
    not_: Matcher | None = msgspec.field(name="not", default=None)
    matches: str | None = None
    nth_child: int | str | None = msgspec.field(name="nthChild", default=None)
    stop_by: Literal["neighbor", "end"] | Matcher | None = msgspec.field(name="stopBy", default=None)
    field: str | None = None


class Method(_Strict, frozen=True):
    """A method by its sibling that takes a context, and how many arguments a call may have (`most`: any number)."""

    replacement: str
    least: int = 0
    most: int | None = None

    def takes(self, arguments: int) -> bool:
        """Whether a call with so many arguments may be one of this method."""
        return self.least <= arguments and (self.most is None or arguments <= self.most)


class Example(_Strict, frozen=True):
    """Go code that breaks a rule, and the callees that are found in it, in the order of the source."""

    code: str
    finds: tuple[str, ...]


class Rule(_Strict, frozen=True):
    """One rule. `functions` maps names to what to call instead; `methods` likewise, and their calls are not certain.
    Where their names are common, `receivers` names the types (and variables of them) that a receiver is declared as.

    `packages` are import paths, and `name` what they call themselves where that is not the last element. A `rule` of
    ast-grep is looked for in files that import one of the packages, or in all where none is named; `callee` is what
    its findings are called, by default the call's own text.
    """

    id: str
    language: Literal["Go"]
    kind: Kind
    message: str
    note: str = ""
    packages: tuple[str, ...] = ()
    name: str = ""
    functions: dict[str, str] = {}
    methods: dict[str, Method] = {}
    receivers: tuple[str, ...] = ()
    rule: Matcher | None = None
    constraints: dict[str, Matcher] = {}
    utils: dict[str, Matcher] = {}
    callee: str = ""
    replacement: str = ""
    certain: bool = True
    valid: tuple[str, ...] = ()
    invalid: tuple[Example, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what would never match: msgspec names the place in the message it makes of this."""
        calls = bool(self.functions or self.methods)
        if calls == (self.rule is not None):
            raise ValueError("a rule needs either `functions` and `methods`, or `rule`")
        if calls and not self.packages:
            raise ValueError("`functions` and `methods` need `packages`, the import paths they belong to")
        for name in (*self.functions, *self.methods):
            if not name.isidentifier():
                raise ValueError(f"`{name}` is no name of a function; name it without its package")

    @property
    def package_name(self) -> str:
        """What the package calls itself."""
        return self.name or (default_name(self.packages[0]) if self.packages else "")

    def matcher(self) -> dict[str, object]:
        """The configuration of ast-grep for a rule that holds one."""
        keys = {"rule": self.rule, "constraints": self.constraints or None, "utils": self.utils or None}
        config: dict[str, object] = msgspec.to_builtins({key: value for key, value in keys.items() if value})
        return config


def load_rules(target: Path, paths: Iterable[str] = ()) -> tuple[Rule, ...]:
    """The tool's own rules and a team's, whose `paths` are files and folders relative to the target.

    Raises `RuleError` with the file and the key.
    """
    rules = list(own_rules())
    taken = {rule.id: "a rule of ctxaudit" for rule in rules}
    for path in paths:
        for name in _team_files(target, path):
            file = target / name
            for rule in read_rules(file, _team_text(target, name)):
                if len(taken) >= RULES_LIMIT:
                    raise RuleError(f"{file}: more than {RULES_LIMIT} rules with those before; name fewer in `rules`")
                if rule.id in taken:
                    raise RuleError(f"{file}: id: `{rule.id}` is already the id of {taken[rule.id]}; choose another")
                taken[rule.id] = f"a rule in {file}"
                rules.append(rule)
    return tuple(rules)


@cache
def own_rules() -> tuple[Rule, ...]:
    """The rules that come with the tool, in the order of their files."""
    files = sorted(file for file in _OWN.iterdir() if file.suffix in _SUFFIXES)
    return tuple(rule for file in files for rule in read_rules(file, file.read_bytes()))


def read_rules(file: Path, data: bytes) -> Iterator[Rule]:
    """The rules of one file with these bytes, checked. Raises `RuleError` with the file and the key."""
    try:
        found = documents(data.decode("utf-8"))
        for document in found:
            rule = msgspec.convert(document, type=Rule)
            _check_matcher(file, rule)
            yield rule
    except UnicodeDecodeError as error:
        raise RuleError(f"{file}: cannot be read ({error}); see `rules` in ctxaudit.toml") from error
    except DocumentError as error:
        raise RuleError(f"{file}: {error}; see docs/scan.md for the form of a rule") from error
    except msgspec.ValidationError as error:
        raise RuleError(f"{file}: {error}; see docs/scan.md for the keys") from error
    if not found:
        raise RuleError(f"{file}: no rule in it; write one, or take it out of `rules` in ctxaudit.toml")


def _team_files(target: Path, named: str) -> list[str]:
    """The files, relative to the target, that an entry of `rules` stands for. None of them is opened."""
    path = target / named
    if "\0" in named or Path(named).is_absolute() or leads_out(target, named):
        raise RuleError(f"`rules` in ctxaudit.toml names {named!r}, which is not in {target}; write a path inside it")
    if path.is_dir():
        files = sorted(file.name for file in path.iterdir() if file.suffix in _SUFFIXES)
        if not files:
            raise RuleError(f"{path}: `rules` in ctxaudit.toml names a folder without .yml files; add one or remove it")
        return [Path(named, name).as_posix() for name in files]
    if not os.path.lexists(path):
        raise RuleError(f"{path}: `rules` in ctxaudit.toml names `{named}`, which is not there; correct or remove it")
    return [Path(named).as_posix()]


def _team_text(target: Path, name: str) -> bytes:
    try:
        return read_bytes(target, name, TEXT_LIMIT)
    except OSError as error:
        what = error.strerror or type(error).__name__
        raise RuleError(f"{target / name}: cannot be read ({what}); see `rules` in ctxaudit.toml") from error


def _check_matcher(file: Path, rule: Rule) -> None:
    """Let ast-grep compile the rule now, on an empty file, and not in the middle of a scan."""
    if rule.rule is None:
        return
    if any(len(text) > PATTERN_LIMIT for text in _texts(rule.matcher())):
        raise RuleError(
            f"{file}: rule: a pattern or regex has more than {PATTERN_LIMIT} characters; write shorter ones"
        )
    try:
        find_configured(SgRoot("package p", "go").root(), rule.matcher())
    except (RuntimeError, TypeError, ValueError) as error:
        raise RuleError(f"{file}: rule: ast-grep refuses it ({_cause(error)}); correct the pattern or kind") from error


def _texts(config: object) -> Iterator[str]:
    """All texts in the configuration of ast-grep. It is no deeper than `documents` lets it be."""
    left = [config]
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            left += value.values()
        elif isinstance(value, (list, tuple)):
            left += value


def _cause(error: Exception) -> str:
    """The innermost cause of an error of ast-grep, without its Rust stack."""
    said = str(error).partition("Stack backtrace:")[0]
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = lines[-1].partition(": ")[2] or lines[-1] if lines else type(error).__name__
    return last if len(last) <= _SAID else f"{last[:_SAID]}…"
