"""Work that must outlive what started it: detached and bounded, or left to its owner where it lives on by design."""

from __future__ import annotations

from audit_lib.judge.case import Case, Decision
from audit_lib.judge.crossings import Crossing
from audit_lib.judge.lifetime import WORKER_NAMES, is_main
from audit_lib.judge.rules.reachable import is_worth
from audit_lib.judge.undoing import stops_with_it, takes_back, writes_down_failure
from audit_lib.judge.ways import Supply
from audit_lib.model import Category

ENDINGS = frozenset({"net/http.Server.Shutdown", "google.golang.org/grpc.Server.GracefulStop"})
"""Calls that end a server: they run when the context that told them to has ended."""


WRITES = ("Record", "Write", "Append", "Insert", "Add", "Save", "Log", "Emit", "Audit", "record", "write", "append")
"""How functions begin that add an entry to a log."""


def decide(case: Case) -> Decision | None:
    """Decide goroutines that nobody waits for, deferred calls, and what follows the end of a context."""
    supply = case.trail.supply
    if supply is None or case.only_asked:
        return None
    category: Category = "background" if supply.lifetime == "worker" else "request"
    if supply.lifetime in ("request", "command") and (maker := case.made_to_work_on):
        return _works_on(maker, supply.source.expr, category)
    goroutine = case.trail.unwaited
    if goroutine is not None:
        decision = _in_goroutine(case, goroutine, category)
        if decision is not None:
            return decision
    if _is_audit_entry(case):
        return _detach(case, category, "it writes an audit entry on what has been done already")
    if case.has("committed") and supply.lifetime in ("request", "command"):
        return _after_commit(case, category)
    if takes_back(case):
        return _detach(case, category, "it takes back what was done, also where the context has ended")
    if writes_down_failure(case):
        return _detach(case, category, "it writes down a failure, which may be the end of the context")
    if supply.lifetime in ("worker", "process"):
        return _at_an_end(case) or _given_away(case, category)
    if _has_no_values(case) and (decision := _at_an_end(case)) is not None:
        return decision
    given_away = _given_away(case, category)
    if given_away is not None:
        return given_away
    if case.trail.first("defer"):
        return _detach(case, category, "it runs when the function returns, when the context may have ended")
    if case.trail.first("after") or _ends_a_server(case):
        return _detach(case, category, "it runs after the context has ended")
    return None


def _after_commit(case: Case, category: Category) -> Decision:
    """What follows a commit belongs to what others see already: it must not be left out, or is a mere look."""
    why = "it follows the commit of a transaction, and is to be done also where the context has ended since"
    if case.site.kind == "root":
        return _detach(case, category, why)
    supply = case.trail.supply
    expr = supply.source.expr if supply is not None else "ctx"
    advice = (
        f"decide whether it is a part of what was committed: context.WithoutCancel({expr}), or {expr} where it is not"
    )
    return Decision(category, "review", why, advice, "outlive")


def _given_away(case: Case, category: Category) -> Decision | None:
    """What is kept to be run later, or given to who knows whom, may run when the context that is there has ended.

    That of a command ends with its process, and so does one for which a function stays, in its loop or its wait: the
    worker itself, or who has given it.
    """
    supply = case.trail.supply
    crossing = case.trail.first("kept") or case.trail.first("unknown")
    if supply is None or crossing is None or not _may_end_before(case, supply):
        return None
    when = f"it runs whenever what keeps it has it run, and {supply.source.expr} may have ended by then"
    if crossing.kind == "unknown":
        given_to = crossing.target.rpartition("/")[2] or "what gets it"
        when = (
            f"what {given_to} does with the function that it is given is not known: {supply.source.expr} may end first"
        )
    return Decision(
        category,
        "review",
        when,
        "decide whose context it is to have: that of who runs it, or context.WithoutCancel of this one",
        "outlive",
    )


def _may_end_before(case: Case, supply: Supply) -> bool:
    """Whether a context may end while what its function has given away still runs: a request's, or that of a start."""
    if supply.lifetime == "request":
        return True
    if supply.lifetime != "worker" or not supply.source.param or supply.source.role != "context":
        return False
    return not case.reach.goes_on(supply.source)


def _at_an_end(case: Case) -> Decision | None:
    """What a worker or a process does when it ends has no context that goes on: one of its own is right."""
    kept = case.trail.first("kept") if _shuts_down(case) else None
    ends = case.trail.first("defer") or case.trail.first("after") or kept
    if ends is None and not _ends_a_server(case):
        return None
    return Decision(
        "background",
        "keep",
        "it runs when the context that is there has ended or is about to: a context of its own is right",
        "bound it by a timeout, and say why it is kept",
        "outlive",
    )


def _has_no_values(case: Case) -> bool:
    """Whether the context is that of a command, or of what is run for long: `Run(ctx)` that nobody here calls."""
    supply = case.trail.supply
    if supply is None:
        return False
    owner = case.graph.funcs.get(supply.source.owner)
    runs = owner is not None and supply.source.param and owner.name.rpartition(".")[2] in WORKER_NAMES
    return supply.lifetime == "command" or (runs and supply.source.role == "context")


def _ends_a_server(case: Case) -> bool:
    """Whether a server is ended, and not with the time that is given for it."""
    return any(target in ENDINGS for target in case.targets) and not stops_with_it(case)


def _shuts_down(case: Case) -> bool:
    """Whether the context is for a `Shutdown`, by its name: what others keep to call at their end."""
    return any(target.rpartition(".")[2] == "Shutdown" for target in case.targets)


def _in_goroutine(case: Case, goroutine: Crossing, category: Category) -> Decision | None:
    supply = case.trail.supply
    # A command's context ends with its process, unless it has a deadline.
    short = supply is not None and (supply.lifetime == "request" or case.trail.has_deadline)
    if goroutine.hijacked and short:
        return _detach(case, category, "it serves a connection that was taken over, and outlives the request")
    if goroutine.endless and (short or not _is_worker(case, goroutine.function)):
        started_with = supply is not None and case.graph.top(supply.source.owner) == case.graph.top(goroutine.function)
        if not (short or started_with):
            return None  # its life begins where it is started
        return _from_its_start(case, goroutine) or _lives_on(case)
    if short and supply is not None and supply.lifetime in ("worker", "process"):
        why = "it goes on when the work is over that its context has a deadline for: a context of its own is right"
        return Decision("background", "keep", why, "bound it by a timeout, and say why it is kept", "outlive")
    return _detach(case, category, "it runs in a goroutine that nobody waits for") if short else None


def _is_worker(case: Case, starter: str) -> bool:
    """Whether the starter's context is meant for what it starts: `Run(ctx)`, `main`, or one that waits."""
    func = case.graph.funcs.get(case.graph.top(starter))
    if func is None or is_main(func):
        return True
    return func.name.rpartition(".")[2] in WORKER_NAMES or bool({"forever", "waits"} & set(func.flags))


def _is_audit_entry(case: Case) -> bool:
    """Whether the context is for a write to an audit log, told by what is called: `AuditLog.Record`.

    What is written in a transaction is part of it and has its context.
    """
    for use in case.site.uses:
        callee = use.target.rpartition("/")[2]
        if use.kind == "arg" and not use.tx and "audit" in callee.lower():
            return callee.rpartition(".")[2].startswith(WRITES)
    return False


def _detach(case: Case, category: Category, why: str) -> Decision:
    supply = case.trail.supply
    expr = supply.source.expr if supply else "ctx"
    if case.too_old_to_detach:
        return Decision(
            category,
            "review",
            f"{why}; {case.too_old_to_detach}",
            "carry over the values that are needed by hand, with a timeout",
            "outlive",
        )
    return Decision(
        category,
        "detach",
        f"{why}: it needs the values of {expr} and not its end",
        f"context.WithTimeout(context.WithoutCancel({expr}), …)",
        "outlive",
    )


def _from_its_start(case: Case, goroutine: Crossing) -> Decision | None:
    """Threading from where a loop is started, down to what it calls: that is where its context begins.

    There a root is written, or the context that is in scope without its end.
    """
    start = case.graph.top(goroutine.function)
    below = next((at for at, way in enumerate(case.trail.ways) if case.graph.top(way.edge.call.caller) == start), 0)
    if below == 0 or _has_owner(case) or case.radius is None or not is_worth(case, case.radius):
        return None
    name = case.graph.funcs[start].name
    return Decision(
        "background",
        "fix",
        f"a loop calls it that {name} starts: its context begins there, and does not end with who starts it",
        f"thread a context through {case.top.name} from where the loop is started",
        "threaded",
    )


def _works_on(maker: str, expr: str, category: Category) -> Decision:
    return Decision(
        category,
        "review",
        f"what {maker.rpartition('/')[2]} makes is to work on, and would end with {expr}",
        "wait for it, or decide whose context it is to have: context.WithoutCancel of this one, with who ends it",
        "outlive",
    )


def _lives_on(case: Case) -> Decision:
    return Decision(
        "background",
        "keep" if _has_owner(case) else "review",
        "it goes on after the call that starts it, by design: it may get neither its end nor a deadline",
        "make sure that its owner ends it, and say why it is kept",
        "outlive",
    )


def _has_owner(case: Case) -> bool:
    """Whether somebody or something can end it: the root is made to end, or kept in a field."""
    return bool(case.site.wraps) or case.used_as("field") is not None
