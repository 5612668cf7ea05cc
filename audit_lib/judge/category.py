"""What a site is part of, told by what runs there: a request or a command, work of its own, start-up, or a test."""

from __future__ import annotations

import re

from audit_lib.judge.case import Case, Decision, is_constructor
from audit_lib.judge.graph import Edge, Graph
from audit_lib.judge.lifetime import is_main
from audit_lib.model import Category
from audit_lib.read.facts import Func

STANDS_IN_WORK = frozenset({"loop", "after_stop", "after_signal", "after_tick"})
"""How sites stand that belong to work of its own: in an endless loop, after a signal, a stop or a tick."""

_FOLDER = re.compile(
    r"^tests?\b|^test(ing|utils?|helpers?)|^(integration|e2e)$|(tests?|testing|testutils?|mocks?|fakes?|fixtures?)$"
)
_FUNCTION = re.compile(r"^(test|fake|mock|stub)|(^|[a-z.*)])(Test|Fake|Mock|Stub|Fixture)")
"""How folders and functions are called that are there for tests: Go has no other mark for what tests of others use."""

_SETTING_UP = re.compile(r"(^|[.)])([iI]nit|[sS]et[uU]p|[pP]rovide|[bB]ootstrap)([A-Z]|$)|[a-z]New$")
"""How functions are called that others call to set something up: `initQuerier`, `ProvideStore`, `internalNew`."""


def category_of(case: Case) -> Category:
    """What a site is for that has no source: told by what starts the work that it is in."""
    if is_for_tests(case):
        return "test"
    if case.starts_up:
        return "init"
    supply = case.trail.supply
    if supply is not None:
        return "background" if supply.lifetime in ("worker", "process") else "request"
    if case.constructs:
        return "init"
    if case.trail.unwaited or STANDS_IN_WORK & set(case.site.flags):
        return "background"
    start = case.ancestry.started_by(case.func.id)
    if start == "command":
        return "init" if _is_for_making(case) else "request"
    if start == "init" and case.graph.is_program(case.top.package):
        return "init" if _is_for_making(case) else "request"  # a program's own function does a command's work
    return "init" if start == "background" and _SETTING_UP.search(case.top.name) else start


def settled(case: Case, decision: Decision) -> Decision:
    """A decision with the category of what runs at the site, whatever the source stands for that it names.

    What only tests use is a test's; what makes an object is wiring, unless it is given a context for its own work.
    """
    category = decision.category
    if category != "test" and is_for_tests(case):
        category = "test"
    elif category == "request" and case.constructs and _is_wiring(case, decision):
        category = "init"
    if category == decision.category:
        return decision
    return Decision(category, decision.verdict, decision.reason, decision.recommendation, decision.rule)


def _is_wiring(case: Case, decision: Decision) -> bool:
    """Whether what a constructor does is start-up: it is made for a program or its command, not for a request."""
    if decision.verdict == "review":
        return not takes_context(case.top)
    supply = case.trail.supply
    return supply is not None and supply.lifetime in ("process", "command")


def is_for_tests(case: Case) -> bool:
    """Whether a site is test code: in a test, or in what is called as what is there for tests, and no other uses.

    Production code that happens to have no caller but tests is none.
    """
    if case.site.test:
        return True
    folders = case.site.place.file.split("/")[:-1]
    named = any(map(_FOLDER.search, folders)) or _FUNCTION.search(case.top.name) is not None
    return named and (is_main(case.top) or case.ancestry.has_no_other_users(case.top.id))


def takes_context(func: Func) -> bool:
    """Whether a function has a parameter that is a context, or gives one."""
    return any(param.role for param in func.params)


def _is_for_making(case: Case) -> bool:
    """Whether what a command does there makes something for it to work with."""
    return any(case.graph.ways_that(case.top.id, _is_from_constructor))


def _is_from_constructor(graph: Graph, edge: Edge) -> bool:
    func = graph.funcs.get(graph.top(edge.call.caller))
    return func is not None and is_constructor(func)
