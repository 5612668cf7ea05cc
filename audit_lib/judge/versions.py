"""Which Go a package is written for, by its module's go.mod, and what that has."""

from __future__ import annotations

from audit_lib.read.facts import Facts

FIRST_WITHOUT_CANCEL = (1, 21)
"""The first Go with `context.WithoutCancel`."""

FIRST_TEST_CONTEXT = (1, 24)
"""The first Go with `t.Context()`."""


def has_without_cancel(version: tuple[int, ...]) -> bool:
    """Whether a `go` line has `context.WithoutCancel`; where there is none it is taken to be new enough."""
    return not version or version >= FIRST_WITHOUT_CANCEL


class Versions:
    """The `go` lines of a target's modules."""

    def __init__(self, facts: Facts) -> None:
        lines = {
            module.path: tuple(int(part) for part in module.go.split(".")[:2] if part.isdigit())
            for module in facts.modules
        }
        self._lines = {package.path: lines.get(package.module, ()) for package in facts.packages}

    def of(self, package: str) -> tuple[int, ...]:
        """The `go` line of the module that a package is in, as numbers: (1, 21); empty where there is none."""
        return self._lines.get(package, ())
