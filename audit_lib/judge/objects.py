"""Objects that are made with a context: whether they are kept, or work on, when their function has returned.

And functions that a function returns: whether they run at the end, as what is to be deferred does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from audit_lib.judge.foreign import Fate
from audit_lib.judge.graph import LATER, Edge, Graph, Told
from audit_lib.read.facts import Func, Use

Late = Literal[Fate, "defer"]
"""How work is done: in line (empty), or as its `Fate` says, or deferred."""

_RUN_LATER = tuple(f"param:{function}#" for function in sorted(LATER))
"""How the parameters are named of functions that run a callback when their caller is gone."""

_NAMED = ("local:", "field:", "var:")
"""How the nodes begin by which a literal is called that has got a name."""


def is_kept(graph: Graph, becomes: Iterable[Use], maker: str) -> bool:
    """Whether an object that `maker` makes is put where others find it."""
    return any(use.kind == "kept" for use, _ in _all_of(graph, becomes, maker))


def works_on(graph: Graph, becomes: Iterable[Use], maker: str) -> bool:
    """Whether an object that `maker` makes, and that works no longer than its context, is to work on afterwards."""
    return any(
        use.kind in ("left", "sent")
        or (use.kind == "works" and _fate_of_work(graph, use, function) not in ("", "defer"))
        for use, function in _all_of(graph, becomes, maker)
    )


def is_left_behind(graph: Graph, becomes: Iterable[Use], maker: str) -> bool:
    """Whether an object that `maker` makes is there when it has returned: its caller has it, or others have."""
    return any(
        use.kind in ("returned", "kept", "sent", "left") or (use.go and not use.waited)
        for use, _ in _all_of(graph, becomes, maker)
    )


def called_late(graph: Graph, literal: Func) -> frozenset[Late]:
    """How a literal is called that its function returns, or gives a name: at the end, in a goroutine, or whenever.

    Nothing of that where it is called in line. Who gets one of the form `func()` or `func() error` from a function that
    nobody calls here may call it whenever he likes.
    """
    found: set[Late] = {late for late, told in _BY_NAME.items() if any(graph.ways_that(literal.id, told))}
    if f"result:{literal.parent}" not in _holders_above(graph, literal.id):
        return frozenset(found)
    queue, seen, called = [literal.parent], {""}, False
    while queue:
        maker = queue.pop()
        if maker in seen:
            continue
        seen.add(maker)
        for call in (edge.call for edge in graph.callers(maker) if edge.kind != "closure" and not edge.call.test):
            called = True
            made = tuple(_all_of(graph, call.becomes, call.caller))
            found |= _called_in(graph, made)
            queue += [function for use, function in made if use.kind == "returned"]
    plain = not literal.params and literal.results in ((), ("error",))
    return frozenset(found - {""} if called or not plain else {"kept"})


def called_when(graph: Graph, becomes: Iterable[Use], maker: str) -> set[Late]:
    """How a function is called that `maker` gets from a call, by what becomes of it."""
    return _called_in(graph, _all_of(graph, becomes, maker))


def _called_in(graph: Graph, made: Iterable[tuple[Use, str]]) -> set[Late]:
    found: set[Late] = set()
    for use, function in made:
        if use.kind in ("kept", "sent"):
            found.add("kept")
        elif use.kind == "works":
            found.add(_fate_of_work(graph, use, function))
        elif use.kind == "given" and use.target.startswith(_RUN_LATER):
            found.add("go")
    return found


def _is_left(graph: Graph, edge: Edge) -> bool:
    """Whether what a call by a name runs may run when the function around the call has returned."""
    call = edge.call
    named = edge.through is not None and edge.through.id.startswith(_NAMED)
    return named and not call.test and graph.leaves(call, graph.top(call.caller))


def _is_left_in_goroutine(graph: Graph, edge: Edge) -> bool:
    return edge.call.go and _is_left(graph, edge)


def _is_left_to_the_end(graph: Graph, edge: Edge) -> bool:
    return not edge.call.go and _is_left(graph, edge)


_BY_NAME: dict[Late, Told] = {"go": _is_left_in_goroutine, "defer": _is_left_to_the_end}


def _holders_above(graph: Graph, node: str) -> set[str]:
    """What may hold a literal, by way of the variables of its function."""
    found: set[str] = set()
    queue = [node]
    while queue:
        for holder in graph.held_by(queue.pop()):
            if holder not in found:
                found.add(holder)
                queue += [holder] if holder.startswith("local:") else []
    return found


def _all_of(graph: Graph, becomes: Iterable[Use], maker: str) -> Iterator[tuple[Use, str]]:
    """What becomes of an object, and the function in which it does; what functions do that it is given to with it."""
    queue = [(use, maker) for use in becomes]
    seen: set[str] = set()
    while queue:
        use, function = queue.pop()
        graph.effort.spend()
        yield use, function
        if use.kind == "given" and use.target not in seen:
            seen.add(use.target)
            queue += _given(graph, use.target)


def above(
    graph: Graph, becomes: Iterable[Use], maker: str, ways: Mapping[str, Edge]
) -> Iterator[tuple[tuple[Use, ...], str]]:
    """What becomes of an object in the functions that it is returned to, each with its name.

    `ways` are the edges to a source, by what they call; of a function that is not on the way every caller counts.
    """
    seen: set[str] = set()
    while any(use.kind == "returned" for use in becomes) and maker not in seen:
        seen.add(maker)
        graph.effort.spend()
        edges = (ways[maker],) if maker in ways else graph.callers(maker)
        calls = [edge.call for edge in edges if not edge.call.test]
        yield from ((call.becomes, call.caller) for call in calls)
        back = next((call for call in calls if any(use.kind == "returned" for use in call.becomes)), None)
        if back is None:
            return
        becomes, maker = back.becomes, back.caller


def _fate_of_work(graph: Graph, use: Use, maker: str) -> Late:
    """Whether work on an object is done in line, at the end, in a goroutine that nobody waits for, or whenever."""
    if use.go and use.waited <= use.at:
        return "go"
    at_end = use.defer
    for func in graph.chain(use.function):
        if func.id == maker or func.use is None:
            break
        fate = graph.fate_of(func.use)
        if fate == "kept" or (fate == "go" and func.use.waited <= use.at):
            return fate
        at_end = at_end or func.use.kind == "defer" or func.use.defer
    return "defer" if at_end else ""


def _given(graph: Graph, parameter: str) -> list[tuple[Use, str]]:
    """What becomes of an object that goes to a parameter: of a function, or of all that an interface's method is."""
    function, _, index = parameter.removeprefix("param:").partition("#")
    node = graph.dispatch.get(function)
    found = []
    for name in (function, *(node.targets if node is not None else ())):
        func = graph.funcs.get(name)
        params = func.params if func is not None and index.isdigit() else ()
        found += [(use, name) for param in params[int(index) : int(index) + 1] for use in param.becomes]
    return found
