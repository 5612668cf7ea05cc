"""Objects that are made with a context: whether they are kept, or work on, when their function has returned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from audit_lib.judge.graph import Edge, Graph
from audit_lib.read.facts import Use


def is_kept(becomes: Iterable[Use]) -> bool:
    """Whether an object is put where others find it."""
    return any(use.kind == "kept" for use in becomes)


def works_on(graph: Graph, becomes: Iterable[Use], maker: str) -> bool:
    """Whether an object that `maker` makes, and that works no longer than its context, is to work on afterwards."""
    queue = [(use, maker) for use in becomes]
    seen: set[str] = set()
    while queue:
        use, function = queue.pop()
        if use.kind in ("left", "sent") or (use.kind == "works" and _is_elsewhere(graph, use, function)):
            return True
        if use.kind == "given" and use.target not in seen:
            seen.add(use.target)
            queue += _given(graph, use.target)
    return False


def works_on_above(graph: Graph, becomes: Iterable[Use], maker: str, ways: Mapping[str, Edge]) -> bool:
    """Whether an object is returned to a caller by which it is to work on.

    `ways` are the edges to a source, by what they call; of a function that is not on the way every caller counts.
    """
    seen: set[str] = set()
    while any(use.kind == "returned" for use in becomes) and maker not in seen:
        seen.add(maker)
        edges = (ways[maker],) if maker in ways else graph.callers(maker)
        calls = [edge.call for edge in edges if not edge.call.test]
        if any(works_on(graph, call.becomes, call.caller) for call in calls):
            return True
        back = next((call for call in calls if any(use.kind == "returned" for use in call.becomes)), None)
        if back is None:
            return False
        becomes, maker = back.becomes, back.caller
    return False


def _is_elsewhere(graph: Graph, use: Use, maker: str) -> bool:
    """Whether work on an object is done in a goroutine that nobody waits for, or whenever somebody has it done."""
    if use.go and use.waited <= use.at:
        return True
    for func in graph.chain(use.function):
        if func.id == maker or func.use is None:
            return False
        fate = graph.fate_of(func.use)
        if fate == "kept" or (fate == "go" and func.use.waited <= use.at):
            return True
    return False


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
