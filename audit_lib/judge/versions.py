"""Which Go a package is written for, by its module's go.mod, and what that has."""

from __future__ import annotations

from audit_lib.read.facts import Facts

FIRST_WITHOUT_CANCEL = (1, 21)
"""The first Go with `context.WithoutCancel`."""

FIRST_TEST_CONTEXT = (1, 24)
"""The first Go with `t.Context()`."""


class Versions:
    """The `go` lines of a target's modules."""

    def __init__(self, facts: Facts) -> None:
        self._lines = {
            module.path: tuple(int(part) for part in module.go.split(".")[:2] if part.isdigit())
            for module in facts.modules
        }

    def of(self, package: str) -> tuple[int, ...]:
        """The `go` line of the module that a package is in, as numbers: (1, 21); empty where there is none."""
        above = (path for path in self._lines if package == path or package.startswith(path + "/"))
        return self._lines.get(max(above, key=len, default=""), ())
