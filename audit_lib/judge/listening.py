"""What a context changes for the functions that it is given to: nothing, what they write with its values, or more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from audit_lib.judge.graph import Graph
from audit_lib.read.facts import TypedSite

IDLE = "idle"
"""The flag of functions that do all of their work in memory, with all that they call: nothing in it could listen."""


def changes_nothing(graph: Graph, targets: Iterable[str]) -> bool:
    """Whether nothing that a context is given to does anything with it, or anything that could end with it.

    What loses the context itself does not count: it will listen when it is mended.
    """
    given = tuple(targets)
    return bool(given) and all(graph.ignores(target) and is_idle(graph, target) for target in given)


def only_reads_values(graph: Graph, target: str) -> bool:
    """Whether a function of the module does nothing with a context but read its values, as a logger's wrapper does."""
    queue, seen, reads = [target], set[str](), False
    while queue:
        current = queue.pop()
        if current in seen:
            continue
        seen.add(current)
        if not is_idle(graph, current):
            return False
        for body in _bodies(graph, current):
            for kind, to in graph.forwards(body):
                graph.effort.spend()
                if kind == "arg" and to:
                    queue.append(to)
                elif kind == "values" or (kind == "method" and to == "Value"):
                    reads = True
                elif kind not in ("compared", "makes"):
                    return False
    return reads


def is_idle(graph: Graph, target: str) -> bool:
    """Whether a function of the module, and all that may stand for it, does its work in memory."""
    bodies = tuple(_bodies(graph, target))
    return bool(bodies) and all(body in graph.funcs and IDLE in graph.funcs[body].flags for body in bodies)


def sibling_of(site: TypedSite) -> str:
    """The function with a context beside the one that a bare call calls."""
    target = site.uses[0].target if site.uses else ""
    return f"{target.rpartition('.')[0]}.{site.sibling}" if site.sibling and target else ""


def _bodies(graph: Graph, target: str) -> Iterator[str]:
    """The functions that a target may be: itself, or all that stand for it."""
    queue, seen = [target], set[str]()
    while queue:
        current = queue.pop()
        if current in seen:
            continue
        seen.add(current)
        graph.effort.spend()
        node = graph.dispatch.get(current) if current not in graph.funcs else None
        if node is None or node.external or node.kind == "value":
            yield current  # a function of the module, or nobody knows what
        else:
            queue += node.targets
