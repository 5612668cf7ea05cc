"""Lifetimes over hand-made facts: what a context stands for, up to how the functions that take it are called."""

from __future__ import annotations

import itertools

from audit_lib.judge.graph import Graph
from audit_lib.judge.lifetime import Lifetimes
from audit_lib.model import Lifetime
from audit_lib.read.facts import Call, Facts, Func

SHOP = "example.org/shop"
REQUEST = "method:net/http.Request"


def func(name: str, *flags: str, test: bool = False) -> Func:
    return Func(f"{SHOP}.{name}", name, SHOP, flags=flags, test=test)


def call(caller: str, callee: str, *context: str, go: bool = False, test: bool = False) -> Call:
    return Call(f"{SHOP}.{caller}", f"{SHOP}.{callee}", context=context, go=go, test=test)


def param(function: str) -> str:
    return f"param:{SHOP}.{function}#0"


def lifetimes(*calls: Call, funcs: tuple[Func, ...] = ()) -> Lifetimes:
    return Lifetimes(Graph(Facts(funcs=funcs, calls=calls)))


def of_param(told: Lifetimes, function: str) -> Lifetime | None:
    return told.of_param(f"{SHOP}.{function}")


def test_mutual_recursion_is_the_same_whoever_is_asked_first() -> None:
    calls = (
        call("handle", "walk", REQUEST),
        call("walk", "visit", param("walk")),
        call("visit", "walk", param("visit")),
    )
    for first, then in itertools.permutations(("walk", "visit")):
        told = lifetimes(*calls, funcs=(func("walk"), func("visit")))
        assert (of_param(told, first), of_param(told, then)) == ("request", "request")
