"""Which components of a plan a failure comes from: by the files that it names first, and then by trying."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Generator, Iterable, Sequence
from typing import TypeVar

from audit_lib.change.difference import hunks, lines_of
from audit_lib.change.failures import Failure
from audit_lib.change.planned import Component
from audit_lib.change.rewrite import Rewritten
from audit_lib.model import Change, Edit

Failures = tuple[Failure, ...]
Unit = TypeVar("Unit")
Trial = Callable[[Sequence[Unit]], Failures]
"""What fails when only these are done, of what failed when all were."""
Search = Generator[Sequence[Unit], Failures, list[tuple[Unit, Failures]]]
"""A search that asks for trials and is told what fails in them; in the end it gives those to blame."""

_PLACE = re.compile(r"(?<![^\s:])([^\s:]+\.go):(\d+)")
_NIL = re.compile(r"\bnil\b|panic: ")


def suspicion(component: Component, failures: Iterable[Failure]) -> int:
    """How near a component is to failures: 2 edits a file that one names, 1 one that its package needs, 0 neither."""
    files = set(component.files)
    near = 0
    for failure in failures:
        if not files.isdisjoint(failure.files):
            return 2
        near = max(near, int(not files.isdisjoint(failure.suspects)))
    return near


def culprits(units: Sequence[Unit], calm: int, why: Failures, trial: Trial[Unit]) -> list[tuple[Unit, Failures]]:
    """The units without which nothing fails, each with what fails when it joins those before it.

    `units` are in order of suspicion, the first `calm` of them under none; together they fail, as `why` says. As few
    trials as can be: each halves what may be to blame.
    """
    (found,) = together([search(units, calm, why)], lambda parts: [trial(part) if part else () for part in parts])
    return found


def together(
    searches: Sequence[Search[Unit]], trial: Callable[[Sequence[Sequence[Unit]]], Sequence[Failures]]
) -> list[list[tuple[Unit, Failures]]]:
    """The results of searches that have nothing to do with each other: what each asks for is tried at once.

    `trial` gets the units that each search wants done, none for one that has ended, and gives what fails for each.
    """
    results: list[list[tuple[Unit, Failures]]] = [[] for _ in searches]
    answers: dict[int, Failures | None] = dict.fromkeys(range(len(searches)))
    while answers:
        wanted: list[Sequence[Unit]] = [()] * len(searches)
        for number in list(answers):
            answer = answers.pop(number)
            try:
                wanted[number] = next(searches[number]) if answer is None else searches[number].send(answer)
            except StopIteration as end:
                results[number] = end.value
            else:
                answers[number] = ()
        if answers:
            said = trial(wanted)
            answers = {number: said[number] for number in answers}
    return results


def search(units: Sequence[Unit], calm: int, why: Failures) -> Search[Unit]:
    """The search of `culprits`, for who tries what it asks for together with others."""
    rest = list(units)
    found: list[tuple[Unit, Failures]] = []
    low = 0
    while why and low < len(rest):
        size, why = yield from _first_failing(rest, low, calm, why)
        found.append((rest.pop(size - 1), why))
        low = size - 1
        calm = min(calm, low)
        why = (yield rest) if low < len(rest) else ()
    return found


def _first_failing(
    units: Sequence[Unit], low: int, calm: int, why: Failures
) -> Generator[Sequence[Unit], Failures, tuple[int, Failures]]:
    """The size of the smallest beginning of `units` that fails, and how. The first `low` do not fail, all do."""
    high = len(units)
    middle = calm if low < calm < high else (low + high) // 2
    while high - low > 1:
        failures = yield units[:middle]
        if failures:
            high, why = middle, failures
        else:
            low = middle
        middle = (low + high) // 2
    return high, why


def accused(
    components: Sequence[Component], failures: Failures, rewritten: Rewritten
) -> list[tuple[Component, Failures]]:
    """The components on whose own edits failures stand, each with these; if no other edits that line.

    `rewritten` is what failed. Nobody is accused of a test: where that fails is seldom where the fault is.
    """
    found: dict[int, list[Failure]] = {}
    for failure in failures:
        lines = set(_before(failure, rewritten)) if failure.step != "test" else set()
        near = [number for number, one in enumerate(components) if _stands_on(one, lines, rewritten)]
        if len(near) == 1:
            found.setdefault(near[0], []).append(failure)
    return [(components[number], tuple(why)) for number, why in sorted(found.items())]


def at_fault(component: Component, failures: Failures, rewritten: Rewritten) -> frozenset[str]:
    """The findings of a component whose own edits, that no other finding of it needs, stand where failures point to.

    Empty where the failures point elsewhere, or at what they share.
    """
    owners: dict[Edit, set[str]] = {}
    for change in component.changes:
        for edit in change.edits:
            owners.setdefault(edit, set()).add(change.fingerprint)
    lines = {place for failure in failures for place in _before(failure, rewritten)}
    found = set()
    for edit, fingerprints in owners.items():
        if any((edit.span.file, line) in lines for line in _lines(edit, rewritten)):
            if len(fingerprints) > 1:
                return frozenset()
            found |= fingerprints
    return frozenset(found)


def of_nil(failures: Failures) -> bool:
    """Whether tests fail in the way that a context which is nil makes them fail."""
    return all(failure.step == "test" for failure in failures) and any(_NIL.search(one.message) for one in failures)


def place_of(failures: Failures, change: Change | None = None) -> str:
    """Where failures are seen (`file:line`), or else where a change is."""
    for failure in failures:
        match = _PLACE.search(failure.message)
        if match:
            file = next((file for file in failure.files if _names(match[1], file)), match[1])
            return f"{file}:{match[2]}"
    if change is not None and change.edits:
        span = change.edits[0].span
        return f"{span.file}:{span.line}"
    return next((file for failure in failures for file in failure.files), "")


def reason_of(failures: Failures) -> str:
    """Why something was rolled back: the words of the compiler, or of a test, in one line."""
    first = failures[0]
    said = "; ".join(line.strip() for line in first.message.splitlines() if line.strip())
    how = {
        "gofmt": "gofmt does not take it",
        "compile": "it does not compile",
        "vet": "go vet finds a fault",
        "test": f"{first.name or 'the package'} of {first.package} fails",
    }
    more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
    return f"rolled back, {how[first.step]}: {said}{more}"


def _stands_on(component: Component, lines: Container[tuple[str, int]], rewritten: Rewritten) -> bool:
    edits = (edit for change in component.changes for edit in change.edits)
    return any((edit.span.file, line) in lines for edit in edits for line in _lines(edit, rewritten))


def _lines(edit: Edit, rewritten: Rewritten) -> range:
    before = rewritten.before.get(edit.span.file) or b""
    return range(edit.span.line, edit.span.line + before.count(b"\n", edit.span.start, edit.span.end) + 1)


def _before(failure: Failure, rewritten: Rewritten) -> Iterable[tuple[str, int]]:
    """The lines of the file as it was that became the one which a failure names first."""
    match = _PLACE.search(failure.message)
    for file in failure.files if match else ():
        if match and _names(match[1], file) and file in rewritten.after:
            old, new = lines_of(rewritten.before[file] or b""), lines_of(rewritten.after[file])
            yield from ((file, line) for line in _old_lines(int(match[2]), old, new))


def _old_lines(line: int, old: list[bytes], new: list[bytes]) -> range:
    shift = 0
    for hunk in hunks(old, new):
        if line - 1 < hunk.new_start:
            break
        if line - 1 < hunk.new_end:
            return range(hunk.start + 1, hunk.end + 1)
        shift = hunk.end - hunk.new_end
    return range(line + shift, line + shift + 1)


def _names(name: str, file: str) -> bool:
    """Whether a tool's name for a file, which may leave folders out, is that of a file."""
    return f"/{file}".endswith(f"/{name.removeprefix('./')}")
