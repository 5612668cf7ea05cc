"""The rules of judgement, one room a file, in the order in which they are asked; the first that decides wins."""

from __future__ import annotations

from collections.abc import Callable

from audit_lib.judge.case import Case, Decision
from audit_lib.judge.rules import directive, origin, outlive, reachable, shared, sibling, starting, tests, values, worth

Rule = Callable[[Case], Decision | None]

ORDER: tuple[Rule, ...] = (
    directive.decide,
    tests.decide,
    starting.decide,
    values.decide,
    origin.of_shape,
    reachable.given_later,
    worth.decide,
    shared.decide,
    outlive.decide,
    origin.of_lifetime,
    reachable.decide,
    sibling.decide,
    origin.without_source,
)
