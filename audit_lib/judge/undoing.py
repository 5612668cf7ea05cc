"""What takes back what was done, or writes down how it ended, by its name: it runs although a context has ended."""

from __future__ import annotations

from audit_lib.judge.case import Case

ALWAYS = ("rollback", "undo", "revert", "abort", "unlock", "release", "compensate")
"""How functions begin, in lower case, that take something back whatever became of the work."""

AFTER_FAILURE = ("delete", "remove", "clean", "destroy", "restore", "discard", "drop")
"""How functions begin that take something back where the work has failed."""

WRITING_DOWN = ("mark", "setstatus", "setstate", "setfail", "fail", "finish", "endjob", "complete", "record")
"""How functions begin that write down how the work has ended."""

STOPPING = ("stop", "onstop", "close", "onclose", "shutdown", "onshutdown", "drain", "terminate", "teardown", "finish")
"""How functions begin that are given the time which is left to stop: their context is alive."""


def takes_back(case: Case) -> bool:
    """Whether a root is given to what takes back what was done, as an unlock, or a deletion where the work failed."""
    return _all_begin(case, ALWAYS) or (case.has("failed") and _all_begin(case, AFTER_FAILURE))


def writes_down_failure(case: Case) -> bool:
    """Whether a root is given to what writes down that the work has failed: its context's end may be why."""
    return case.has("failed") and _all_begin(case, WRITING_DOWN)


def stops_with_it(case: Case) -> bool:
    """Whether the context that is there is the one of a function that stops things: who calls it gives it the time.

    The function is told by its own name, or by that of the field which holds it: `Stop(ctx)`, `OnStop: func(ctx)`.
    """
    supply = case.trail.supply
    func = case.graph.funcs.get(supply.source.owner) if supply is not None and supply.source.param else None
    if func is None:
        return False
    names = [func.name, *([func.use.target] if func.use is not None else [])]
    return any(name.rpartition(".")[2].lower().startswith(STOPPING) for name in names)


def _all_begin(case: Case, words: tuple[str, ...]) -> bool:
    names = [target.rpartition(".")[2].lower() for target in case.targets]
    return case.site.kind == "root" and bool(names) and all(name.startswith(words) for name in names)
