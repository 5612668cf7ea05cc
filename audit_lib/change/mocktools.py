"""The generators of mocks that are known: where they come from, and all options that may be used."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# What an option may be given: plain names, never patterns, since what a pattern matches is for the target to say.
_NAME = re.compile(r"\w+")
_NAMES = re.compile(r"\w+(?:,\w+)*")
_PAIRS = re.compile(r"\A\w+=\w+(?:,\w+=\w+)*")
_ALIASED = re.compile(r"\w+(?::\w+)?")
_FILE = re.compile(r"\w[\w.-]*")
_PACKAGE_PATH = re.compile(r"[\w.~/-]+")
_IMPORTS = re.compile(r"[\w.~/,=-]+")
_CASE = re.compile(r"camel|snake|underscore")
_FORMATTER = re.compile(r"gofmt|goimports|noop")


@dataclass(frozen=True)
class Release:
    """The module of a command, and the first numbers of its versions that are known."""

    module: str
    majors: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Tool:
    """A generator: where its command is imported from, and its options: those with a value, of these paths, switches.

    `packages` are the commands by the releases of their modules that are known, `values` what an option may be given,
    `output` the option that may name what it writes.
    """

    name: str
    packages: Mapping[str, Release]
    values: Mapping[str, re.Pattern[str]]
    paths: frozenset[str]
    switches: frozenset[str]
    output: str


TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            "mockgen",
            {
                "go.uber.org/mock/mockgen": Release("go.uber.org/mock", (0,)),
                "github.com/golang/mock/mockgen": Release("github.com/golang/mock", (1,)),
            },
            {
                "package": _NAME,
                "self_package": _PACKAGE_PATH,
                "mock_names": _PAIRS,
                "imports": _IMPORTS,
                "exclude_interfaces": _NAMES,
            },
            frozenset({"source", "destination", "copyright_file"}),
            frozenset({"typed", "write_package_comment", "write_source_comment", "write_generate_directive"})
            | {"write_command_comment"},
            "destination",
        ),
        Tool(
            "moq",
            {"github.com/matryer/moq": Release("github.com/matryer/moq", (0,))},
            {"pkg": _NAME, "fmt": _FORMATTER},
            frozenset({"out"}),
            frozenset({"stub", "rm", "skip-ensure", "with-resets"}),
            "out",
        ),
        Tool(
            "counterfeiter",
            {"github.com/maxbrunsfeld/counterfeiter/v6": Release("github.com/maxbrunsfeld/counterfeiter/v6", (6,))},
            {"fake-name": _NAME},
            frozenset({"o", "header"}),
            frozenset({"q"}),
            "o",
        ),
        Tool(
            "mockery",
            {"github.com/vektra/mockery/v2": Release("github.com/vektra/mockery/v2", (2,))},
            {"name": _NAME, "case": _CASE, "outpkg": _NAME, "structname": _NAME, "filename": _FILE},
            frozenset({"output", "dir"}),
            frozenset({"inpackage", "testonly", "with-expecter", "exported", "quiet", "disable-version-string"}),
            "output",
        ),
    )
}


def named(word: str, source: str) -> Tool | None:
    """The generator that a line means by its first word; `source` is what it gives to `go run` or `go tool`."""
    if not source or source == word == source.rpartition("/")[2]:
        return TOOLS.get(word)
    path = source.partition("@")[0]
    return next((tool for tool in TOOLS.values() if path in tool.packages), None)


def parsed_words(tool: Tool, words: Sequence[str]) -> tuple[dict[str, str], list[str]] | None:
    """The options and the other arguments of a command; None with an option that is not known."""
    flags: dict[str, str] = {}
    others: list[str] = []
    rest = list(reversed(words))
    while rest:
        word = rest.pop()
        if not word.startswith("-"):
            others.append(word)
            continue
        name, given, value = word[2 if word.startswith("--") else 1 :].partition("=")
        if name in tool.switches:
            flags[name] = value if given else "true"
        elif name in tool.values.keys() | tool.paths and (given or rest):
            flags[name] = value if given else rest.pop()
        else:
            return None
    return flags, others


def paths_of(tool: Tool, others: Sequence[str]) -> list[str]:
    """The arguments without an option that name a folder or package."""
    return list(others[:1]) if tool.name in ("moq", "counterfeiter", "mockgen") else []


def are_names(tool: Tool, flags: Mapping[str, str], others: Sequence[str]) -> bool:
    """Whether a command's words are plain names where it takes names, as many as it takes."""
    if not all(pattern.fullmatch(flags[flag]) for flag, pattern in tool.values.items() if flag in flags):
        return False
    package, *names = others or ("",)
    wanted, fits = _NAME, False
    if tool.name == "mockgen":
        wanted, fits = _NAMES, len(names) == 1 or (not others and "source" in flags)
    elif tool.name == "moq":
        wanted, fits = _ALIASED, bool(names)
    elif tool.name == "counterfeiter":
        fits = len(names) == 1 or (not names and "." in package)
    elif tool.name == "mockery":
        fits = not others
    return fits and (not package or bool(_PACKAGE_PATH.fullmatch(package))) and all(map(wanted.fullmatch, names))
