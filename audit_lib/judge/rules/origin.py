"""Origins: roots that start a lifetime, since nobody above has a better context."""

from __future__ import annotations

from audit_lib.judge.accessors import is_accessor
from audit_lib.judge.case import Case, Decision
from audit_lib.judge.category import category_of, takes_context
from audit_lib.judge.lifetime import is_main
from audit_lib.judge.timing import is_handed_off
from audit_lib.model import Category

BASES = frozenset({"field:net/http.Server.BaseContext", "field:net/http.Server.ConnContext"})
"""Callbacks that give the context from which a server makes those of its requests."""

SUFFIXES = ("Context", "WithContext", "Ctx", "WithCtx")


def of_shape(case: Case) -> Decision | None:
    """Roots whose shape says that they are origins, whatever is in scope."""
    if case.site.kind != "root":
        return None
    if case.has("guard"):
        return _keep(
            case,
            "request" if takes_context(case.top) else category_of(case),
            "a guard against a nil context: it stands in where a caller gave none",
        )
    if case.has("stands_in") and (case.trail.supply is None or case.trail.ways):
        return _keep(case, "request", "it stands in where what would give the context is not there")
    if case.has("joined"):
        return _keep(case, "request", "it is joined with another context, which gives its values and not its end")
    if is_accessor(case.top) and (case.trail.supply is None or case.trail.ways):
        return _keep(case, "request", f"{case.top.name} gives the context of what it is called on, and has no other")
    if _is_wrapper(case):
        return _keep(case, "request", f"{case.top.name} is the form without a context of what it calls")
    if "package_level" in case.func.flags:
        return _keep(case, "init", "a package-level variable is made before anything has a context")
    return None


def of_lifetime(case: Case) -> Decision | None:
    """Roots that start a lifetime of their own although a context is near: kept in a struct for an object's life."""
    if case.site.kind != "root":
        return None
    if case.has("cancel_kept"):
        made: Category = "init" if case.constructs and case.trail.unwaited is None else "background"
        return _keep(case, made, "a life of its own begins here, and what ends it is kept for its owner")
    if _begins_a_process(case):
        return _keep(case, "background", "the life of a process begins here, and a signal ends it")
    if _is_beside(case):
        return _keep(case, "background", "a life of its own begins here, and who is to end it is told how")
    if case.used_as("return") in BASES:
        return _keep(case, "background", "a server's requests are made from it: it ends when they have")
    field = case.used_as("field")
    if field is not None and not any(map(is_handed_off, case.site.uses)) and (case.constructs or not case.targets):
        wired = case.starts_up or (case.constructs and case.trail.unwaited is None)
        category: Category = "init" if wired else "background"
        return _keep(case, category, "the context is kept for the life of an object, which ends it by itself")
    if case.constructs and case.trail.ways:
        if case.makes:
            return _keep(case, "init", f"{case.top.name} makes an object that may keep the context for its whole life")
        if case.trail.supply is not None and case.trail.supply.lifetime == "process":
            return _keep(case, "init", f"{case.top.name} makes its object at start-up, as the process does")
    return None


def _begins_a_process(case: Case) -> bool:
    """Whether a function without a context makes one that ends with a signal, and gives it to its callers."""
    supply = case.trail.supply
    above = supply is None or bool(case.trail.ways)
    return above and "signals" in case.func.flags and case.used_as("return") is not None


def _is_beside(case: Case) -> bool:
    """Whether a program's life begins here beside another one, which ends at another time."""
    supply = case.trail.supply
    if supply is None or case.trail.ways or not case.has("cancel_given"):
        return False
    return supply.lifetime == "process" and supply.source.lives and not supply.source.param


def without_source(case: Case) -> Decision | None:
    """What is left when no context is there and none can be threaded."""
    if _only_tests_call(case):
        return Decision(category_of(case), "keep", f"only tests call {case.top.name}", "nothing", "test")
    if is_main(case.top):
        return _keep(case, "init", "main is where contexts begin")
    if case.starts_up:
        return _keep(case, "init", "it runs at start-up, before anything has a context")
    category = category_of(case)
    if case.site.kind == "root" and (named := _named_beside(case)) is not None:
        return named
    if not case.top.exported and not case.top.closed_by and not case.ancestry.is_used(case.top.id):
        return Decision(
            category,
            "review",
            f"nothing that was read calls {case.top.name}",
            "say who calls it: what Go code does not show, as assembly or a linked name, or nobody yet",
            "unused",
        )
    own = _own_context(case)
    if case.top.closed_by:
        of = case.top.closed_by[0].rpartition("/")[2]
        reason = f"{case.top.name} implements {of}, whose form is not this module's, and it is handed no context{own}"
    elif category == "init":
        reason = f"{case.top.name} runs at start-up, and no context that can end is above it"
    elif category == "background":
        reason = f"{case.top.name} is work of its own, and is handed no context{own}"
    else:
        reason = f"no caller of {case.top.name} has a context to give{own}"
    return _keep(case, category, reason)


def _own_context(case: Case) -> str:
    """What is said of a context that the receiver keeps: whether it is right for this is not known."""
    sources = case.graph.sources_at(case.site.function, case.site.place.start)
    own = next((source.expr for source in sources if source.role == "stored"), "")
    return f"; its receiver keeps {own}" if own else ""


def _named_beside(case: Case) -> Decision | None:
    """Where a function is named, and runs, beside a context that cannot be handed to it by its name.

    It is gone over by `range`, or given to what the naming function has made for itself.
    """
    for edge in case.graph.direct(case.func.id):
        call, use = edge.call, edge.call.use
        if call.test or call.kind != "value" or use is None or use.lasts:
            continue
        if use.kind != "other" and not (use.kind == "arg" and case.graph.fate_of(use) == "kept"):
            continue
        supply = case.reach.supply_at(call.caller, call.place.start)
        if supply is not None and supply.lifetime == "request":
            given_to = use.target.rpartition("/")[2] or "range"
            return Decision(
                "request",
                "review",
                f"{case.func.name} is given to {given_to} where {supply.source.expr} is in scope, by its name alone",
                f"give a literal that hands {supply.source.expr} on, where it runs within that call",
                "origin",
            )
    return None


def _is_wrapper(case: Case) -> bool:
    name = case.top.name.rpartition(".")[2]
    called = {target.rpartition(".")[2] for target in case.targets}
    return any(name + suffix in called for suffix in SUFFIXES)


def _only_tests_call(case: Case) -> bool:
    """Whether every caller, up to all ends, is a test, and there is one.

    Exported methods, and a library's exported functions, may have others elsewhere.
    """
    if case.top.exported and (case.top.receiver or case.graph.is_library(case.top.package)):
        return False
    return case.ancestry.is_for_tests(case.top.id)


def _keep(case: Case, category: Category, reason: str) -> Decision:
    if category == "request" and (case.constructs or case.starts_up):
        category = "init"
    return Decision(category, "keep", reason, "say why it is kept: //ctxaudit:keep <reason>", "origin")
