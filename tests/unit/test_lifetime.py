"""Lifetimes over hand-made facts: what a context stands for, up to how the functions that take it are called."""

from __future__ import annotations

import itertools

import pytest

from audit_lib.judge.graph import Graph
from audit_lib.judge.lifetime import Lifetimes, is_init, is_main
from audit_lib.model import Lifetime
from audit_lib.read.facts import Call, Facts, Func, Origin

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


# What a source stands for by itself.


@pytest.mark.parametrize(
    ("source", "lifetime"),
    [
        (Origin("r.Context()", "method", gives="net/http.Request"), "request"),
        (Origin("stream.Context()", "method", gives="example.org/shop.Stream"), "request"),
        (Origin("cmd.Context()", "method", gives="github.com/spf13/cobra.Command"), "command"),
        (Origin("t.Context()", "method", gives="testing.T"), "test"),
        (Origin("s.ctx", "stored", gives="context.Context"), "worker"),
        (Origin("running", "global", gives="context.Context"), "process"),
        (Origin("ctx", "context", origins=(REQUEST,), ends=True), "request"),
        (Origin("ctx", "context", origins=("method:testing.T",)), "test"),
        (Origin("ctx", "context", origins=("method:github.com/spf13/cobra.Command",)), "command"),
    ],
    ids=lambda value: value.expr + value.gives if isinstance(value, Origin) else value,
)
def test_a_source_lives_as_long_as_what_it_stands_for(source: Origin, lifetime: Lifetime) -> None:
    assert lifetimes().of_source(source) == lifetime


def test_a_root_in_main_counts_only_where_it_can_end() -> None:
    told = lifetimes(funcs=(func("main"),))
    plain = Origin("ctx", "context", owner=f"{SHOP}.main", origins=("root:40",))
    ending = Origin("ctx", "context", owner=f"{SHOP}.main", origins=("root:40",), ends=True)
    assert told.of_source(plain) is None
    assert told.of_source(ending) == "process"


def test_the_shortest_of_several_origins_decides() -> None:
    both = Origin("ctx", "context", owner=f"{SHOP}.handle", origins=("global:x", REQUEST), ends=True)
    assert lifetimes(funcs=(func("handle"),)).of_source(both) == "request"


# Parameters take theirs from how the function is called.


def test_a_parameter_of_a_function_that_a_handler_calls() -> None:
    assert of_param(lifetimes(call("handle", "load", REQUEST), funcs=(func("load"),)), "load") == "request"


def test_a_request_travels_through_parameters() -> None:
    told = lifetimes(call("handle", "load", REQUEST), call("load", "query", param("load")))
    assert of_param(told, "query") == "request"


def test_the_shortest_among_callers_decides_in_any_order() -> None:
    calls = (call("handle", "load", REQUEST), call("loop", "load", "field:example.org/shop.worker.ctx"))
    for order in itertools.permutations(calls):
        assert of_param(lifetimes(*order), "load") == "request"


def test_tests_do_not_count() -> None:
    told = lifetimes(
        call("loop", "load", "field:example.org/shop.worker.ctx"), call("TestLoad", "load", REQUEST, test=True)
    )
    assert of_param(told, "load") == "worker"


def test_what_main_starts_in_a_goroutine_is_a_worker() -> None:
    told = lifetimes(call("main", "consume", "root:40", go=True), funcs=(func("main"), func("consume")))
    assert of_param(told, "consume") == "worker"


@pytest.mark.parametrize(
    ("function", "lifetime"),
    [
        (func("handleOrder"), "request"),
        (func("(*Refresher).Run"), "worker"),
        (func("(*Controller).Reconcile"), "worker"),
        (func("consume", "forever"), "worker"),
    ],
    ids=lambda value: value.name if isinstance(value, Func) else value,
)
def test_who_calls_a_function_that_nobody_here_calls(function: Func, lifetime: Lifetime) -> None:
    assert of_param(lifetimes(funcs=(function,)), function.name) == lifetime


def test_functions_that_only_call_themselves_end_the_search() -> None:
    told = lifetimes(call("walk", "walk", param("walk")), funcs=(func("walk"),))
    assert of_param(told, "walk") is None


def test_recursion_adds_nothing_to_what_a_caller_gives() -> None:
    told = lifetimes(call("walk", "walk", param("walk")), call("handle", "walk", REQUEST), funcs=(func("walk"),))
    assert of_param(told, "walk") == "request"


def test_mutual_recursion_ends_the_search() -> None:
    calls = (call("walk", "visit", param("walk")), call("visit", "walk", param("visit")))
    for first, then in itertools.permutations(("walk", "visit")):
        told = lifetimes(*calls, funcs=(func("walk"), func("visit")))
        assert (of_param(told, first), of_param(told, then)) == (None, None)


# Where a program begins.


def test_main_is_a_function_of_its_own() -> None:
    assert is_main(func("main"))
    assert not is_main(Func(f"{SHOP}.Task.main", "main", SHOP, receiver=f"{SHOP}.Task"))
    assert not is_main(Func(f"{SHOP}.run.main", "main", SHOP, parent=f"{SHOP}.run"))


def test_start_up_is_init_and_package_variables() -> None:
    assert is_init(func("init"))
    assert is_init(Func(f"{SHOP}.glob.@shop.go", package=SHOP, flags=("package_level",)))
    assert not is_init(Func(f"{SHOP}.Task.init", "init", SHOP, receiver=f"{SHOP}.Task"))


def test_mutual_recursion_is_the_same_whoever_is_asked_first() -> None:
    calls = (
        call("handle", "walk", REQUEST),
        call("walk", "visit", param("walk")),
        call("visit", "walk", param("visit")),
    )
    for first, then in itertools.permutations(("walk", "visit")):
        told = lifetimes(*calls, funcs=(func("walk"), func("visit")))
        assert (of_param(told, first), of_param(told, then)) == ("request", "request")
