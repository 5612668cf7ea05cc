"""When the uses of a context come, over hand-made facts."""

from __future__ import annotations

from audit_lib.judge.graph import Graph
from audit_lib.judge.timing import late_uses, left_by
from audit_lib.read.facts import Facts, Forward, Func, Module, Place, TypedSite, Use

SHOP = "example.org/shop"
SITE = TypedSite("root", function=f"{SHOP}.handle", place=Place("shop.go", 1, 1, 10, 20))


def passed_to(function: str) -> TypedSite:
    return TypedSite(
        SITE.kind,
        function=SITE.function,
        place=SITE.place,
        uses=(Use("arg", f"{SHOP}.{function}", function=SITE.function),),
    )


def test_a_site_is_followed_into_callees_once_however_often_it_is_asked_for() -> None:
    funcs = tuple(Func(f"{SHOP}.{name}", name, SHOP) for name in ("handle", "first", "second"))
    forwards = (
        Forward(f"param:{SHOP}.first#0", "arg", f"{SHOP}.second"),
        Forward(f"param:{SHOP}.second#0", "arg", f"{SHOP}.send", go=True),
    )
    graph = Graph(Facts(modules=(Module(SHOP),), funcs=funcs, forwards=forwards))
    early = graph.effort.spent
    found = late_uses(graph, passed_to("first"))
    assert [(one.use.target, one.crossing.kind) for one in found] == [(f"{SHOP}.first", "go")]
    assert left_by(graph, passed_to("first")) == "elsewhere"
    walked = graph.effort.spent
    assert walked > early
    assert late_uses(graph, passed_to("first")) == found
    assert left_by(graph, passed_to("first")) == "elsewhere"
    assert graph.effort.spent == walked
    assert late_uses(graph, passed_to("third")) == ()
