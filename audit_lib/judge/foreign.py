"""What functions of other modules do with the functions and contexts that they are given, as gofacts has read there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from audit_lib.read.facts import Foreign as Answer

Fate = Literal["", "go", "kept", "shared", "unknown"]
"""When a function runs that is given away.

There and then (empty), in a goroutine that nobody waits for, some time later, once for all who wait for it, or nobody
knows when.
"""

_FATES: tuple[tuple[Fate, frozenset[str]], ...] = (
    ("kept", frozenset({"kept", "returned"})),
    ("go", frozenset({"go"})),
    ("shared", frozenset({"once"})),
    ("unknown", frozenset({"unknown"})),
)
"""The hardest first: what is kept runs more than once."""


class Foreign:
    """Answers by function: for a parameter that takes a function by its number, and for the context that it takes."""

    def __init__(self, facts: Iterable[Answer]) -> None:
        self._functions: dict[tuple[str, int], frozenset[str]] = {}
        self._contexts: dict[str, frozenset[str]] = {}
        self._named: dict[str, set[str]] = {}
        for fact in facts:
            if fact.context:
                self._contexts[fact.function] = frozenset(fact.does)
            else:
                self._functions[fact.function, fact.arg] = frozenset(fact.does)
                self._named.setdefault(fact.function, set()).update(fact.does or ("",))

    def fate(self, target: str, arg: int) -> Fate:
        """When a function runs that is given as an argument.

        `unknown` is what was looked for and not found: behind an interface. Of code that is not at hand nothing is
        said: it is taken to run there, as most of what is given away does.
        """
        does = self._functions.get((target, arg), frozenset())
        return next((fate for fate, telling in _FATES if does & telling), "")

    def runs_there(self, target: str) -> bool:
        """Whether all functions that a function is given run as part of its call, or are started by it."""
        does = self._named.get(target)
        return does is not None and not does & {"kept", "returned", "unknown", ""}

    def keeps(self, target: str) -> bool | None:
        """Whether a function keeps a context after it has returned: itself, or in what it makes. None: not known."""
        does = self._contexts.get(target)
        if does is None:
            return None
        if does & {"kept", "returned", "lives"}:
            return True
        return None if "unknown" in does else False

    def ignores(self, target: str) -> bool:
        """Whether it is known that a function does nothing with its context: neither its end nor its values count."""
        return self._contexts.get(target) == frozenset()
