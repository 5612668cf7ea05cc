"""A fix made by hand: what texts and files are made from."""

from __future__ import annotations

from typing import Any

from audit_lib.change.bench import Carried
from audit_lib.change.edits import span_of
from audit_lib.change.phased import Phase
from audit_lib.change.planned import Component, Plan
from audit_lib.change.result import fixed
from audit_lib.change.rewrite import Rewritten
from audit_lib.fixed import Fixed
from audit_lib.model import Audit, Change, Edit, Finding, Refusal, Site, Source, Span, Verification, totals_of

STORE = b"package store\n\nfunc Get() { wait(context.TODO()) }\n"
API = b"package api\n\nfunc handle() { store.Get() }\n"
LATE = b"package api\n\nfunc late() { defer done(context.Background()) }\n"
BEFORE: dict[str, bytes | None] = {"api/api.go": API, "api/late.go": LATE, "store/store.go": STORE}


def finding(name: str, file: str, line: int = 3, **changes: Any) -> Finding:
    fields: dict[str, Any] = {
        "fingerprint": name,
        "site": Site("root", "context.TODO", Span(file, 10 * line, 10 * line + 14, line, 1), "Store.Get"),
        "category": "request",
        "verdict": "fix",
        "priority": "high",
        "phase": file.partition("/")[0].replace("store", "storage"),
        "reason": f"a request's context is near {name}",
        "recommendation": "thread it",
        "rule": "request",
        "source": Source("r.Context()", "request", Span("api/api.go", 1, 2, 3, 1)),
    }
    return Finding(**(fields | changes))


FINDINGS = (
    finding("late", "api/late.go", verdict="detach"),
    finding("kept", "cmd/main.go", verdict="keep"),
    finding("closed", "store/other.go", 9),
    finding("get", "store/store.go"),
    finding("unsure", "store/unsure.go", verdict="review"),
)


def edit(file: str, old: str, new: str) -> Edit:
    data = BEFORE[file] or b""
    at = data.index(old.encode())
    return Edit(span_of(data, file, at, at + len(old)), new)


GET = Component(
    "Store.Get",
    (
        Change(
            "get",
            "thread",
            ("api/api.go", "store/store.go"),
            (
                edit("api/api.go", "Get()", "Get(r.Context())"),
                edit("store/store.go", "Get()", "Get(ctx context.Context)"),
                edit("store/store.go", "context.TODO()", "ctx"),
            ),
        ),
    ),
    moved=1,
    notes=("The mock of | Store was edited by hand; regenerate it with <mockgen>.",),
)
DETACHED = Component(
    "api/late.go:3",
    (Change("late", "detach", ("api/late.go",), (edit("api/late.go", "context.Background()", "detached"),)),),
)
STEPS = (Verification("gofmt", True, 0.1, "3 files"), Verification("compile", True, 2.34, "2 packages"))
CLOSED = Refusal("closed", "Store.Put implements io.Closer | which *others* own", "store/other.go:9")


def audit() -> Audit:
    """What was found before the fix."""
    config: dict[str, object] = {"phases": {"api": ["api/**"], "storage": ["store/**"]}}
    return Audit("ctxaudit 0.1.0", "example.org/shop", "abc", config, FINDINGS, totals_of(FINDINGS, files=3))


def a_fix(
    *components: Component,
    refusals: tuple[Refusal, ...] = (CLOSED,),
    left_out: tuple[Refusal, ...] = (),
    steps: tuple[Verification, ...] = STEPS,
    **changes: Any,
) -> Fixed:
    """A fix of these components; without one, of both."""
    chosen = components or (DETACHED, GET)
    late, api = LATE.replace(b"context.Background()", b"detached"), API.replace(b"()  }", b"")
    after = {"api/api.go": api.replace(b"Get()", b"Get(r.Context())"), "api/late.go": late}
    after["store/store.go"] = STORE.replace(b"Get()", b"Get(ctx context.Context)").replace(b"context.TODO()", b"ctx")
    carried = Carried(
        Plan(chosen, refusals),
        Rewritten(BEFORE, after),
        steps,
        refusals,
        guarded=frozenset({"get"}),
        unbuilt=("api/late.go",),
        **changes,
    )
    phases = (
        Phase("api", (DETACHED,), {"api/late.go": late}),
        Phase("storage", (GET,), after),
    )
    return fixed(audit(), carried, phases if carried.ok else (), left_out, below_top=False, level="test")
