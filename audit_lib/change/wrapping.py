"""A function that is given by its name to what runs it: a literal stands for it, and hands the context over."""

from __future__ import annotations

from dataclasses import dataclass

from ast_grep_py import SgNode

from audit_lib.change.calls import Handed, naming, outlasts
from audit_lib.change.contexts import Given
from audit_lib.change.gotext import DECLARATIONS, GoText, named_children, names_of
from audit_lib.change.imports import of_context, qualifier
from audit_lib.change.obstacle import Obstacle
from audit_lib.change.problem import Problem, where
from audit_lib.change.signatures import methods_of
from audit_lib.read.facts import Call
from audit_lib.read.imports import default_name

PREDECLARED = frozenset(
    {"any", "bool", "byte", "comparable", "complex64", "complex128", "error", "float32", "float64", "int", "int8"}
    | {"int16", "int32", "int64", "rune", "string", "uint", "uint8", "uint16", "uint32", "uint64", "uintptr"}
)
"""Types that need no import."""


@dataclass(frozen=True)
class _Declared:
    """A function or an interface's method as it is declared: its file, its node there, and its package."""

    text: GoText
    node: SgNode
    package: str


def wrapped(problem: Problem, call: Call, given: Given) -> Handed:
    """`g.Go(s.work)` becomes `g.Go(func() error { return s.work(ctx) })`; `T.work` takes its receiver there."""
    text = problem.text_of(call.place)
    named = text.find(call.place.start, call.place.end, "selector_expression")
    if named is not None and named.find(kind="call_expression") is not None:
        reason = "a literal cannot stand for it there: what it is a method of is made once, and not with each call"
        return Handed(obstacle=Obstacle(reason, where(call.place)))
    declared = _declared(problem, call.callee)
    head = given.text.partition(".")[0]
    # Parameters of the literal that are called so would hide what its body says.
    value = text.said(call.place.start, call.place.end)
    own = set() if call.method_expr else {value.lstrip("(&*").partition(".")[0]}
    taken = frozenset({head, qualifier(text, call.place.start), *own})
    signature = _signature(problem, call, declared, taken) if declared is not None else None
    if declared is None or signature is None:
        reason = "a literal cannot stand for it there: its parameters' types have other names in this package"
        return Handed(obstacle=Obstacle(reason, where(call.place)))
    parameters, results, arguments = signature
    if call.method_expr:
        of, _, method = value.rpartition(".")
        receiver = _receiver(declared, [*arguments, head])
        parameters = ", ".join(filter(None, (f"{receiver} {of.removeprefix('(').removesuffix(')')}", parameters)))
        value = f"{receiver}.{method}"
    detached = outlasts(problem, call, given)
    context = f"{of_context(text, 'WithoutCancel', call.place.start)}({given.text})" if detached else given.text
    called = f"{value}({', '.join((context, *arguments))})"
    body = f"return {called}" if results else called
    literal = f"func({parameters}){' ' + results if results else ''} {{ {body} }}"
    edit = text.edit(call.place.start, call.place.end, literal)
    return Handed((edit, *naming(problem, given)), given, detached)


def _declared(problem: Problem, callee: str) -> _Declared | None:
    func = problem.graph.funcs.get(callee)
    if func is not None:
        text = problem.text_of(func.place)
        node = text.find(func.place.start, func.place.end, *DECLARATIONS)
        return _Declared(text, node, func.package) if node is not None else None
    method = problem.graph.dispatch.get(callee)
    if method is None or not method.place.file:
        return None
    text = problem.texts[method.place.file]
    interface, _, name = callee.rpartition(".")
    found = next(methods_of(text, method.place.start, name), None)
    return _Declared(text, found, interface.rpartition(".")[0]) if found is not None else None


def _receiver(declared: _Declared, taken: list[str]) -> str:
    """What a method's receiver is called, or another name where that is taken."""
    listed = declared.node.field("receiver")
    names = [name for item in named_children(listed) for name in names_of(item)] if listed is not None else []
    name = names[0] if names and names[0] != "_" else "v"
    return f"{name}0" if name in taken else name


def _signature(
    problem: Problem, call: Call, declared: _Declared, taken: frozenset[str]
) -> tuple[str, str, list[str]] | None:
    """The parameters, the results and the arguments of a literal that stands for a function; None where they differ."""
    parameters, results = declared.node.field("parameters"), declared.node.field("result")
    if parameters is None:
        return None
    names = _Names(problem, call, declared)
    listed = _arguments(parameters, names, taken)
    returned = names.said(results) if results is not None else ""
    if listed is None or returned is None:
        return None
    return ", ".join(f"{name} {kind}" for name, kind in listed), returned, _passed(listed)


class _Names:
    """How types of the file that declares a function are written in the file that names it."""

    def __init__(self, problem: Problem, call: Call, declared: _Declared) -> None:
        self._declared = declared.text
        self._used = problem.text_of(call.place)
        chain = problem.graph.chain(call.caller)
        near = bool(chain) and chain[0].package == declared.package
        known = self._used.imports.names(declared.package, default_name(declared.package))
        self._prefix = "" if near else f"{min(known)}." if known else None

    def said(self, node: SgNode) -> str | None:
        """A type as it is written there; None where it has no name there."""
        text = node.text()
        first = node.range().start.index
        pieces, done = [], 0
        for name in (node, *node.find_all(kind="type_identifier")):
            if name.kind() != "type_identifier" or name.text() in PREDECLARED:
                continue
            parent = name.parent()
            if parent is not None and parent.kind() == "qualified_type":
                package = parent.field("package")
                if package is None or not self._is_imported(package.text()):
                    return None
                continue
            if self._prefix is None or (self._prefix and not name.text()[:1].isupper()):
                return None
            at = name.range().start.index - first
            pieces += [text[done:at], self._prefix]
            done = at
        return "".join((*pieces, text[done:]))

    def _is_imported(self, name: str) -> bool:
        return name in self._used.imports.all_names and name in self._declared.imports.all_names


def _arguments(parameters: SgNode, names: _Names, taken: frozenset[str]) -> list[tuple[str, str]] | None:
    """Names and types, one by one; what has no name gets one, and what has a name that is taken another."""
    found: list[tuple[str, str]] = []
    for declared in named_children(parameters):
        kind = declared.field("type")
        said = names.said(kind) if kind is not None else None
        if said is None:
            return None
        variadic = "..." if declared.kind() == "variadic_parameter_declaration" else ""
        for name in names_of(declared) or ["_"]:
            found.append((_free(name, len(found), taken), variadic + said))
    return found


def _free(name: str, number: int, taken: frozenset[str]) -> str:
    """The name of a parameter, or another where that is taken or there is none."""
    if name not in {"_", *taken}:
        return name
    other = f"v{number + 1}"
    return f"{other}0" if other in taken else other


def _passed(listed: list[tuple[str, str]]) -> list[str]:
    return [f"{name}..." if kind.startswith("...") else name for name, kind in listed]
