"""The kinds of places that the made-up shop of the saved audits is put together from."""

from __future__ import annotations

from typing import NamedTuple

from audit_lib.model import Category, Kind, Lifetime, Priority, Verdict


class Shape(NamedTuple):
    """One kind of place where a context gets lost: its Go code, and what an audit says of it."""

    function: str
    body: str
    callee: str
    kind: Kind
    category: Category
    verdict: Verdict
    priority: Priority
    lifetime: Lifetime | None
    reason: str
    recommendation: str
    rule: str


SHAPES = {
    "query": Shape(
        "(*Store).Get{}",
        "ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)\n\tdefer cancel()\n"
        "\treturn s.db.QueryContext(ctx, q{})",
        "context.Background", "root", "request", "fix", "critical", "request",
        "a request's context is three calls up, and this call waits for the database",
        "take a context parameter and pass the caller's context to WithTimeout", "request-source",
    ),
    "handler": Shape(
        "(*Server).handle{}",
        "item, err := s.store.Load(context.TODO(), r.PathValue(\"{}\"))\n\ts.write(w, item, err)",
        "context.TODO", "root", "request", "fix", "high", "request",
        "the request's context is in scope", "use r.Context()", "request-source",
    ),
    "bare": Shape(
        "(*Store).List{}",
        "rows, err := s.db.Query(\"SELECT id FROM {}\")\n\treturn scan(rows, err)",
        "database/sql.DB.Query", "bare_call", "request", "fix", "critical", "request",
        "QueryContext takes the request's context that is two calls up", "call QueryContext with the caller's context",
        "bare-call",
    ),
    "worker": Shape(
        "(*Engine).process{}",
        "e.evaluate(context.Background(), event{})",
        "context.Background", "root", "background", "fix", "medium", "worker",
        "the worker's context was given to Run and is not passed on", "pass the context of Run", "worker-source",
    ),
    "detach": Shape(
        "(*Executor).notify{}",
        "go e.deliver(context.Background(), alert{})",
        "context.Background", "root", "request", "detach", "high", "request",
        "nobody waits for this goroutine: it must outlive the request that starts it",
        "context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)", "outlives",
    ),
    "shared": Shape(
        "(*Cache).load{}",
        "return c.group.Do(key, func() (any, error) { return c.fetch{}(context.Background(), key) })",
        "context.Background", "root", "request", "review", "high", "request",
        "singleflight: one caller's cancellation must not end what others wait for",
        "decide which lifetime the shared load has", "shared-work",
    ),
    "main": Shape(
        "run{}",
        "ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)\n\tdefer stop()\n\treturn serve{}(ctx)",
        "context.Background", "root", "init", "keep", "low", None,
        "the process's own lifetime starts here: nobody above has a context", "keep it, and say why in a comment",
        "origin",
    ),
    "ticker": Shape(
        "(*Trainer).loop{}",
        "t.train{}(context.Background())",
        "context.Background", "root", "background", "keep", "low", None,
        "a loop that its owner ends by Close: no caller has a context", "keep it, and say why in a comment", "origin",
    ),
    "test": Shape(
        "Test{}",
        "require.NoError(t, store.Save(context.Background(), sample{}))",
        "context.Background", "root", "test", "fix", "low", "test",
        "testing.T has Context() in this module's Go version", "use t.Context()", "tests",
    ),
}  # fmt: skip

FILES = {
    "api/auth.go": "handler handler handler detach",
    "api/jwt.go": "handler handler",
    "api/orders.go": "handler handler handler handler shared",
    "api/server.go": "main handler",
    "cmd/shop/main.go": "main main",
    "core/cache.go": "shared shared ticker",
    "core/bus.go": "worker ticker",
    "core/übersicht.go": "ticker query",
    "detect/actions.go": "detach detach detach worker",
    "detect/engine.go": "worker worker worker worker ticker",
    "detect/engine_test.go": "test test test test test",
    "ml/trainer.go": "ticker ticker worker",
    "soar/playbook.go": "detach worker worker shared",
    "storage/clickhouse_events.go": "query query query bare bare bare bare",
    "storage/sqlite_alerts.go": "query query query query query bare bare",
    "storage/sqlite_orders.go": "query query query query query query query bare bare",
    "storage/sqlite_users.go": "query query query query bare bare",
    "storage/sqlite_test.go": "test test test test test test test test test test test",
}
NOUNS = ("Order", "User", "Alert", "Event", "Rule", "Token", "Session", "Invoice", "Item", "Report", "Tenant", "Policy")
