"""The graph over hand-made facts: which contexts can be written at a place, and who calls a function through what."""

from __future__ import annotations

import pytest

from audit_lib.judge.graph import Graph
from audit_lib.read.facts import Call, Dispatch, Facts, Forward, Func, Module, Origin, Place

SHOP = "example.org/shop"


def func(name: str, *, parent: str = "") -> Func:
    return Func(f"{SHOP}.{name}", name, SHOP, parent=f"{SHOP}.{parent}" if parent else "")


def source(owner: str, name: str, start: int, stop: int, *, role: str = "context", expr: str = "") -> Origin:
    return Origin(expr or name, role, name=name, owner=f"{SHOP}.{owner}", start=start, stop=stop)


def call(caller: str, callee: str, start: int = 0, **more: object) -> Call:
    return Call(f"{SHOP}.{caller}", f"{SHOP}.{callee}", place=Place("shop.go", 1, 1, start, start + 1), **more)  # type: ignore[arg-type]


def written_at(graph: Graph, function: str, offset: int) -> list[str]:
    return [found.expr for found in graph.sources_at(f"{SHOP}.{function}", offset)]


# Contexts at a place.


def test_a_context_is_there_where_its_range_is() -> None:
    graph = Graph(Facts(funcs=(func("handle"),), sources=(source("handle", "ctx", 10, 90),)))
    assert written_at(graph, "handle", 9) == []
    assert written_at(graph, "handle", 10) == ["ctx"]
    assert written_at(graph, "handle", 89) == ["ctx"]
    assert written_at(graph, "handle", 90) == []


def test_the_innermost_of_a_name_hides_the_others() -> None:
    outer = source("handle", "r", 10, 90, role="method", expr="r.Context()")
    inner = source("handle", "r", 40, 60, role="field", expr="r.Request.Context()")
    for sources in ((outer, inner), (inner, outer)):
        graph = Graph(Facts(funcs=(func("handle"),), sources=sources))
        assert written_at(graph, "handle", 30) == ["r.Context()"]
        assert written_at(graph, "handle", 50) == ["r.Request.Context()"]
        assert written_at(graph, "handle", 70) == ["r.Context()"]


def test_another_type_of_the_same_name_hides_a_context() -> None:
    sources = (source("handle", "ctx", 10, 90), source("handle", "ctx", 40, 60, role="shadow"))
    graph = Graph(Facts(funcs=(func("handle"),), sources=sources))
    assert written_at(graph, "handle", 50) == []
    assert written_at(graph, "handle", 70) == ["ctx"]


def test_the_innermost_declared_comes_first() -> None:
    sources = (source("handle", "ctx", 10, 90), source("handle", "attempt", 40, 60), source("handle", "r", 10, 90))
    graph = Graph(Facts(funcs=(func("handle"),), sources=sources))
    assert written_at(graph, "handle", 50) == ["attempt", "ctx", "r"]


def test_parameters_named_underscore_hide_nothing() -> None:
    sources = (source("handle", "_", 10, 90), source("handle", "ctx", 10, 90))
    graph = Graph(Facts(funcs=(func("handle"),), sources=sources))
    assert set(written_at(graph, "handle", 50)) == {"_", "ctx"}


def test_a_literal_sees_what_the_functions_around_it_declare() -> None:
    funcs = (func("handle"), func("handle.func1", parent="handle"), func("handle.func1.1", parent="handle.func1"))
    sources = (source("handle", "ctx", 10, 90), source("handle.func1", "attempt", 40, 60))
    graph = Graph(Facts(funcs=funcs, sources=sources))
    assert written_at(graph, "handle.func1.1", 50) == ["attempt", "ctx"]
    assert written_at(graph, "handle", 50) == ["ctx"]


def test_a_package_level_context_is_there_unless_its_name_is_taken() -> None:
    running = Origin("running", "global", name="running", owner=f"package:{SHOP}")
    taken = source("draw", "running", 10, 90, role="shadow")
    graph = Graph(Facts(funcs=(func("handle"), func("draw")), sources=(running, taken)))
    assert written_at(graph, "handle", 5) == ["running"]
    assert written_at(graph, "draw", 50) == []


# Callers.


def callers(graph: Graph, function: str) -> list[tuple[str, str]]:
    return [(edge.call.caller.removeprefix(f"{SHOP}."), edge.kind) for edge in graph.callers(f"{SHOP}.{function}")]


def test_calls_through_an_interface_reach_each_implementer() -> None:
    node = Dispatch(f"{SHOP}.Storage.Get", "Storage.Get", "interface", targets=(f"{SHOP}.db.Get", f"{SHOP}.memory.Get"))
    graph = Graph(Facts(dispatch=(node,), calls=(call("handle", "Storage.Get", kind="interface"),)))
    assert callers(graph, "db.Get") == [("handle", "interface")]
    assert callers(graph, "memory.Get") == [("handle", "interface")]
    assert [held.name for held in graph.interfaces_of(f"{SHOP}.db.Get")] == ["Storage.Get"]


@pytest.mark.parametrize("hand", [f"var:{SHOP}.send", f"param:{SHOP}.newMailer#0"])
def test_calls_through_what_holds_a_function_reach_it_over_several_hands(hand: str) -> None:
    field = Dispatch(f"field:{SHOP}.mailer.send", targets=(hand,))
    variable = Dispatch(hand, targets=(f"{SHOP}.sendMail",))
    through = Call(f"{SHOP}.handle", field.id, "value")
    direct = call("retry", "sendMail")
    graph = Graph(Facts(dispatch=(field, variable), calls=(through, direct)))
    assert callers(graph, "sendMail") == [("retry", "static"), ("handle", "value")]


def test_nodes_that_hold_each_other_end_the_search() -> None:
    one = Dispatch("var:a", targets=("var:b", f"{SHOP}.run"))
    two = Dispatch("var:b", targets=("var:a",))
    graph = Graph(Facts(dispatch=(one, two), calls=(Call(f"{SHOP}.handle", "var:b", "value"),)))
    assert callers(graph, "run") == [("handle", "value")]


def test_naming_a_method_of_an_interface_is_no_call_of_its_implementers() -> None:
    node = Dispatch(f"{SHOP}.Storage.Get", "Storage.Get", "interface", targets=(f"{SHOP}.db.Get",))
    graph = Graph(Facts(dispatch=(node,), calls=(call("wire", "Storage.Get", kind="value"),)))
    assert callers(graph, "db.Get") == []


# Small questions.


def test_the_top_of_a_literal_is_its_declared_function() -> None:
    graph = Graph(Facts(funcs=(func("handle"), func("handle.func1", parent="handle"))))
    assert graph.top(f"{SHOP}.handle.func1") == f"{SHOP}.handle"
    assert graph.top(f"{SHOP}.handle") == f"{SHOP}.handle"
    assert graph.top(f"{SHOP}.unknown") == f"{SHOP}.unknown"


def test_what_the_module_owns() -> None:
    graph = Graph(Facts(modules=(Module(SHOP),)))
    assert graph.owns(f"{SHOP}.load")
    assert graph.owns(f"{SHOP}_test.fake.Load")
    assert graph.owns(f"{SHOP}/store.Store.Get")
    assert graph.owns(f"field:{SHOP}/store.Store.hook")
    assert graph.owns("local:shop.go:12")
    assert not graph.owns("example.org/shopping.load")
    assert not graph.owns("net/http.HandleFunc")


def test_what_becomes_of_a_context_and_of_a_function_is_told_apart() -> None:
    kept = Forward(f"param:{SHOP}.start#1", "field", f"field:{SHOP}.server.ctx")
    given = Forward(f"{SHOP}.handle", "value", "net/http.HandleFunc")
    graph = Graph(Facts(forwards=(kept, given)))
    assert list(graph.forwards(f"{SHOP}.start")) == [("field", f"field:{SHOP}.server.ctx")]
    assert graph.given_to(f"{SHOP}.handle") == ("net/http.HandleFunc",)
