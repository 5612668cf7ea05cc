"""The graph over hand-made facts: which contexts can be written at a place, and who calls a function through what."""

from __future__ import annotations

from audit_lib.judge.graph import Graph
from audit_lib.read.facts import Call, Dispatch, Facts, Func, Origin, Place

SHOP = "example.org/shop"


def func(name: str, *, parent: str = "") -> Func:
    return Func(f"{SHOP}.{name}", name, SHOP, parent=f"{SHOP}.{parent}" if parent else "")


def source(owner: str, name: str, start: int, stop: int, *, role: str = "context", expr: str = "") -> Origin:
    return Origin(expr or name, role, name=name, owner=f"{SHOP}.{owner}", start=start, stop=stop)


def call(caller: str, callee: str, start: int = 0, **more: object) -> Call:
    return Call(f"{SHOP}.{caller}", f"{SHOP}.{callee}", place=Place("shop.go", 1, 1, start, start + 1), **more)  # type: ignore[arg-type]


def written_at(graph: Graph, function: str, offset: int) -> list[str]:
    return [found.expr for found in graph.sources_at(f"{SHOP}.{function}", offset)]


def callers(graph: Graph, function: str) -> list[tuple[str, str]]:
    return [(edge.call.caller.removeprefix(f"{SHOP}."), edge.kind) for edge in graph.callers(f"{SHOP}.{function}")]


def test_calls_through_what_holds_a_function_reach_it_over_several_hands() -> None:
    field = Dispatch(f"field:{SHOP}.mailer.send", targets=(f"param:{SHOP}.newMailer#0",))
    param = Dispatch(f"param:{SHOP}.newMailer#0", targets=(f"{SHOP}.sendMail",))
    through = Call(f"{SHOP}.handle", field.id, "value")
    direct = call("retry", "sendMail")
    graph = Graph(Facts(dispatch=(field, param), calls=(through, direct)))
    assert callers(graph, "sendMail") == [("retry", "static"), ("handle", "value")]
