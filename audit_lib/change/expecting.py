"""What tests expect of a mock that was generated again: its context too, wherever the compiler says that it is missing.

`m.EXPECT().Get("1")` gets a matcher for any context, a literal that stands for a method a parameter, and a list of the
arguments of a call one more place. Nothing else is touched; what a compiler cannot see, is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ast_grep_py import SgNode

from audit_lib.change.edits import apply, merged
from audit_lib.change.failures import Failure
from audit_lib.change.gotext import GoText, named_children
from audit_lib.change.imports import qualifier, repaired, with_import
from audit_lib.model import Edit

_PLACE = re.compile(r"^(\S+\.go):(\d+):(\d+): (.*)", re.DOTALL)
_RECORDER = re.compile(rb"^(func \(\w+ \*?\w+(?:MockRecorder|_Expecter)(?:\[.*?\])?\) \w+)(\(.*)$", re.MULTILINE)
HIDDEN = b"HiddenFromTests"
"""What the names of expecting methods end in while the compiler is asked who calls them, and of those it has named."""

_UNDEFINED = re.compile(r"\S+ undefined \(type \S+ has no field or method (\w+)")
_OTHER = "cannot use func("
_WITH_CONTEXT = re.compile(r"func\((?:\w+ )?context\.Context\b")
_RESULTS = re.compile(r"assignment mismatch: (\d+) variables? but (?:\S+ returns )?(\d+) values?")
_QUOTED = re.compile(r'"(\w+)"')
_EXPECTS = (".On(", ".AssertCalled(", ".AssertNotCalled(")
_MATCHERS = {"gomock": "Any()", "mock": "Anything"}
_LIBRARIES = {
    "go.uber.org/mock/gomock": "gomock",
    "github.com/golang/mock/gomock": "gomock",
    "github.com/stretchr/testify/mock": "mock",
}
_RUNS = ("Do", "DoAndReturn")
"""Methods of gomock that take a function of the mocked method's form, which no compiler compares."""


def by_name(text: str, methods: Iterable[str]) -> str:
    """A method that a file's expectations name by a string, as testify's do; empty where there is none."""
    wanted = set(methods)
    named = (match for match in _QUOTED.finditer(text) if match[1] in wanted)
    return min((match[1] for match in named if _is_expected(text, match.start())), default="")


def _is_expected(text: str, quote: int) -> bool:
    """Whether a string is the first argument of a method that names another, or the second behind a simple one."""
    if text.endswith(_EXPECTS, 0, quote):
        return True
    if not text.endswith(", ", 0, quote):
        return False
    end = start = quote - 2
    while start and (text[start - 1] in "_.()" or text[start - 1].isalnum()):
        start -= 1
    return any(0 <= text.find(call, start, end) < end - len(call) for call in _EXPECTS)


def hidden(mock: bytes, before: bytes) -> bytes:
    """A mock in which the expecting methods that take another list of arguments than before have other names.

    They take arguments of any type, and as many as one likes where the method does: with these names the compiler
    tells where they are called.
    """
    known = {match[0] for match in _RECORDER.finditer(before)}
    return _RECORDER.sub(lambda match: match[0] if match[0] in known else match[1] + HIDDEN + match[2], mock)


def adapted(files: Mapping[str, bytes], failures: Iterable[Failure], libraries: Mapping[str, str]) -> dict[str, bytes]:
    """The files with room for a context where failures of the compiler say that it is missing; those that change.

    `libraries` are the import paths of the mocks' packages, by the name that has their matcher.
    """
    edits: dict[str, list[Edit]] = {}
    texts = {file: GoText(file, data) for file, data in files.items()}
    for failure in failures:
        match = _PLACE.match(failure.message)
        text = texts.get(failure.files[0]) if failure.files else None
        if match and text is not None:
            start = _offset(text.data, int(match[2]), int(match[3]))
            edits.setdefault(text.file, []).extend(_repair(text, start, match[4], libraries))
    return {file: _done(texts[file], own, libraries) for file, own in edits.items() if own}


def libraries_of(mocks: Iterable[bytes]) -> dict[str, str]:
    """What mocks import to match arguments: its path by its name."""
    found = {}
    for data in mocks:
        for path, name in _LIBRARIES.items():
            if f'"{path}"'.encode() in data:
                found[name] = path
    return found


def _done(text: GoText, edits: list[Edit], libraries: Mapping[str, str]) -> bytes:
    after = repaired(text.data, apply(text.data, merged(edits)))
    for name, path in sorted(libraries.items()):
        if any(f"{name}.{_MATCHERS[name]}" in edit.text for edit in edits):
            after = with_import(after, path)
    return after


def _offset(data: bytes, line: int, column: int) -> int:
    """Where a place of the compiler's is; the end for one that the file does not have: `//line` may say anything."""
    start = 0
    for _ in range(line - 1):
        start = data.find(b"\n", start) + 1
        if not start:
            return len(data)
    return min(start + column - 1, len(data))


def _repair(text: GoText, at: int, message: str, libraries: Mapping[str, str]) -> list[Edit]:
    if _UNDEFINED.match(message):
        return _with_matcher(text, at, libraries)
    if message.startswith(_OTHER) and _WITH_CONTEXT.search(message.partition(") as ")[2]):
        literal = text.around(at, "func_literal")
        return _with_parameter(text, literal) if literal is not None and text.start(literal) == at else []
    results = _RESULTS.match(message)
    if results and int(results[2]) == int(results[1]) + 1:
        return _with_place(text, at)
    return []


def _with_place(text: GoText, at: int) -> list[Edit]:
    """A place for the context before what counterfeiter's `GetArgsForCall` gives."""
    statement = text.around(at, "short_var_declaration", "assignment_statement")
    left, right = (statement.field("left"), statement.field("right")) if statement is not None else (None, None)
    if left is None or right is None or not re.search(r"ArgsForCall\([^()]*\)$", right.text()):
        return []
    return [text.insert(text.start(left), "_, ")]


def _with_matcher(text: GoText, at: int, libraries: Mapping[str, str]) -> list[Edit]:
    """A matcher for the context in the call of an expecting method, and room in what stands for the mocked one."""
    call = _call_of(text, at)
    arguments = text.arguments(call) if call is not None else None
    field = text.around(at, "field_identifier")
    name = _matcher(text, libraries)
    if call is None or arguments is None or field is None or not name:
        return []
    edits = [text.insert(text.end(field), HIDDEN.decode()), text.first_in(arguments, name)]
    for outer in _chained(call):
        function, given = outer.field("function"), text.arguments(outer)
        field = function.field("field") if function is not None else None
        if field is not None and given is not None and field.text() in _RUNS:
            edits += [
                edit for item in given.items if item.kind() == "func_literal" for edit in _with_parameter(text, item)
            ]
    return edits


def _call_of(text: GoText, at: int) -> SgNode | None:
    """The call of the method whose name begins at a position."""
    selector = text.around(at, "selector_expression")
    call = selector.parent() if selector is not None else None
    return call if call is not None and call.kind() == "call_expression" else None


def _chained(call: SgNode) -> Iterable[SgNode]:
    """The calls that are made on what a call gives."""
    node = call.parent()
    while node is not None and node.kind() in ("selector_expression", "call_expression"):
        if node.kind() == "call_expression":
            yield node
        node = node.parent()


def _matcher(text: GoText, libraries: Mapping[str, str]) -> str:
    """What stands for any argument; empty where it is not clear whose."""
    known = [name for name, path in libraries.items() if text.imports.names(path, name)]
    names = known or list(libraries)
    if len(names) != 1:
        return ""
    said = text.imports.names(libraries[names[0]], names[0])
    return f"{min(said) if said else names[0]}.{_MATCHERS[names[0]]}"


def _with_parameter(text: GoText, literal: SgNode) -> list[Edit]:
    parameters = literal.field("parameters")
    if parameters is None:
        return []
    declared = named_children(parameters)
    named = not declared or any(node.field("name") is not None for node in declared)
    kind = f"{qualifier(text, text.start(parameters))}.Context"
    return [text.first_in(text.listed(parameters), f"_ {kind}" if named and declared else kind)]
