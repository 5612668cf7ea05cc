"""An exported function that others may call stays, beside a form of it that takes a context: `Find`, `FindContext`."""

from __future__ import annotations

from collections.abc import Iterator

from audit_lib.change.gotext import DECLARATIONS, named_children, names_of
from audit_lib.change.imports import of_context
from audit_lib.change.problem import Problem
from audit_lib.change.signatures import VARIANT, with_context
from audit_lib.model import Edit
from audit_lib.read.facts import Call


def variant_edits(problem: Problem, function: str, name: str) -> Iterator[Edit]:
    """The edits that put a function's body into the form with a context, and make the function call that.

    `name` is the context's. The comment above stays with the function that has always been there.
    """
    func = problem.graph.funcs[function]
    text = problem.text_of(func.place)
    node = text.find(func.place.start, func.place.end, *DECLARATIONS)
    own = node.field("name") if node is not None else None
    parameters = node.field("parameters") if node is not None else None
    body = node.field("body") if node is not None else None
    if node is None or own is None or parameters is None or body is None:
        return
    receiver = node.field("receiver")
    holder = named_children(receiver)[0].field("name") if receiver is not None else None
    target = f"{holder.text()}." if holder is not None else ""
    passed = [f"{of_context(text, 'Background', text.start(body) + 1)}()"]
    for declared in named_children(parameters):
        dots = "..." if declared.kind() == "variadic_parameter_declaration" else ""
        passed += [given + dots for given in names_of(declared)]
    head = text.said(text.start(node), text.start(body))
    results = "return " if node.field("result") is not None else ""
    call = f"{target}{own.text()}{VARIANT}({', '.join(passed)})"
    comment = f"// {own.text()}{VARIANT} is {own.text()} with a context.\n"
    yield text.insert(text.start(node), f"{head}{{\n\t{results}{call}\n}}\n\n{comment}")
    yield text.replace(own, f"{own.text()}{VARIANT}")
    yield from with_context(text, parameters, name)


def has_names(problem: Problem, function: str) -> bool:
    """Whether a function's parameters and receiver have names by which they can be handed on."""
    func = problem.graph.funcs[function]
    text = problem.text_of(func.place)
    node = text.find(func.place.start, func.place.end, *DECLARATIONS)
    lists = [node.field("parameters"), node.field("receiver")] if node is not None else [None]
    declared = [item for listed in lists if listed is not None for item in named_children(listed)]
    return all(names and "_" not in names for names in map(names_of, declared))


def renamed(problem: Problem, call: Call) -> tuple[Edit, ...]:
    """The edit that makes a call name the form with a context."""
    text = problem.text_of(call.place)
    node = text.find(call.place.start, call.place.end, "call_expression")
    function = node.field("function") if node is not None else None
    name = function.field("field") if function is not None and function.kind() == "selector_expression" else function
    return (text.insert(text.end(name), VARIANT),) if name is not None else ()
