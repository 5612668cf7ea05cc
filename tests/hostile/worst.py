"""The worst inputs for a regular expression, made from its own parts, and the run on them in a process of its own."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, product
from typing import Any

SIZES = (1_000, 10_000, 100_000, 1_000_000)
LATE = 4.0
"""Seconds: where the times of shorter inputs say that the longest would take less, be it quadratic, it is not tried."""

MANY = 8  # a part that may come so often, or more, is one that repeats
EACH = 4  # samples of a part
FIXED = (
    *(" ", "\n", "\r\n", "\t", "/**/", "/*", "*/", "//", "{{", "{{ ", "}}", '"', "'", "`", "\\", "a", "A", "0", "_"),
    *("a.", ".A", "../", "/", "(", ")", "[", "]", "=", ", ", "é", "\0", "a b ", "=> ../", "func (a ", "--a=", "\na"),
    *("\n ", " \n", "a.go:1:1: ", "a,"),
)
ENDINGS = ("", "\0")


def inputs(pattern: str | bytes, flags: int) -> Iterator[tuple[str, str, str]]:
    """What texts are made of: a beginning, what comes again and again, and an end.

    Each part of the expression is repeated, behind what comes before it, and what people would think of.
    """
    text = pattern if isinstance(pattern, str) else pattern.decode("latin-1")
    tree = list(re._parser.parse(text, flags))  # type: ignore[attr-defined]
    first = next((sample for sample in _samples(tree) if sample), "")
    pieces = [*_pieces(tree, [""]), *(("", piece) for piece in FIXED)]
    yield from dict.fromkeys((before, piece, end) for before, piece in pieces for end in ENDINGS)
    if first:
        yield from (("", first + piece, "") for piece in FIXED)


def _pieces(parts: Iterable[Any], before: list[str]) -> Iterator[tuple[str, str]]:
    """What may be repeated in a sequence: what repeats in it, and all of its beginnings; with what comes before."""
    for operation, argument in parts:
        name = str(operation)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            _, most, inner = argument
            if int(most) >= MANY:
                yield from ((head, piece) for head in before for piece in _samples(inner) if piece)
            yield from _pieces(inner, before)
        elif name == "BRANCH":
            for branch in argument[1]:
                yield from _pieces(branch, before)
        elif name == "SUBPATTERN":
            yield from _pieces(argument[-1], before)
        elif name in ("ASSERT", "ASSERT_NOT"):
            yield from _pieces(argument[1], before)
        elif name == "ATOMIC_GROUP":
            yield from _pieces(argument, before)
        before = list(islice((head + sample for head in before for sample in _one(name, argument)), EACH))
        yield from (("", head) for head in before if head)


def _samples(parts: Iterable[Any]) -> list[str]:
    """Some texts that a sequence matches, or nearly."""
    each = [_one(str(operation), argument) for operation, argument in parts]
    return list(islice(("".join(chosen) for chosen in product(*each)), EACH * 2))


def _one(name: str, argument: Any) -> list[str]:
    if name == "LITERAL":
        return [chr(argument)]
    if name == "NOT_LITERAL":
        return [next(c for c in "a \n" if ord(c) != argument)]
    if name == "ANY":
        return ["a", " "]
    if name == "IN":
        return _of_set(argument)
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, most, inner = argument
        times = max(int(least), 1)
        return [sample * times for sample in _samples(inner)[:EACH]] + ([""] if least == 0 else []) if most else [""]
    if name == "SUBPATTERN":
        return _samples(argument[-1])
    if name == "ATOMIC_GROUP":
        return _samples(argument)
    if name == "BRANCH":
        return [sample for branch in argument[1] for sample in _samples(branch)[:2]][: EACH * 3]
    return [""]  # a place, a look around, what was found before


def _of_set(members: Any) -> list[str]:
    """Characters of a set, each kind once; for one of what is not in it, some that are in hardly any."""
    if str(members[0][0]) == "NEGATE":
        found = re.compile("[" + "".join(map(_written, members[1:])) + "]")
        return [c for c in "a /*\n\"'" if not found.match(c)][:EACH]
    kinds = {"CATEGORY_DIGIT": "0", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "a"}
    found_here = []
    for operation, argument in members:
        if str(operation) == "LITERAL":
            found_here.append(chr(argument))
        elif str(operation) == "RANGE":
            found_here.append(chr(argument[0]))
        else:
            found_here.append(kinds.get(str(argument), "!"))
    return [*found_here[: EACH + 1], *(["\n"] if " " in found_here and len(found_here) == 1 else [])]


def _written(member: Any) -> str:
    operation, argument = member
    if str(operation) == "LITERAL":
        return re.escape(chr(argument))
    if str(operation) == "RANGE":
        return f"{re.escape(chr(argument[0]))}-{re.escape(chr(argument[1]))}"
    return {"CATEGORY_DIGIT": r"\d", "CATEGORY_SPACE": r"\s", "CATEGORY_WORD": r"\w"}.get(str(argument), r"\W")


class TooLongError(Exception):
    """The time is over."""


def _over(number: int, frame: object) -> None:
    raise TooLongError


def tried(pattern: str | bytes, flags: int, ways: Iterable[str], seconds: int) -> Iterator[str]:
    """A line for each way of using an expression in which some input takes longer than so many seconds for itself."""
    compiled = re.compile(pattern, flags)
    signal.signal(signal.SIGALRM, _over)
    for way in ways:
        use: Callable[[Any], Any] = getattr(compiled, way) if way not in ("sub", "subn") else _substituted(compiled)
        for before, piece, end in inputs(pattern, flags):
            earlier = 0.0
            for size in SIZES:
                text = before + piece * (size // len(piece)) + end
                data = text.encode() if isinstance(pattern, bytes) else text
                signal.alarm(seconds)
                try:
                    taken = _time(use, data, 2 if size < SIZES[-2] else 1)
                except TooLongError:
                    yield f"{way} took too long on {size} characters: {text[:40]!r}…{text[-10:]!r}"
                    return
                finally:
                    signal.alarm(0)
                if _longest(taken, earlier, size) < LATE:
                    break
                earlier = taken


def _longest(taken: float, earlier: float, size: int) -> float:
    """How many seconds the longest input can take, for what this one took, and `earlier` one of a tenth of its size."""
    times = SIZES[-1] / size
    curved = taken - 10 * earlier if earlier else taken
    return taken * times + max(curved, 0.0) * times**2


def _time(use: Callable[[Any], Any], data: str | bytes, runs: int) -> float:
    """What it takes, the least of some runs: what comes between is not the expression's."""
    taken = []
    for _ in range(runs):
        begun = time.perf_counter()
        _all(use(data))
        taken.append(time.perf_counter() - begun)
    return min(taken)


def _substituted(compiled: re.Pattern[Any]) -> Callable[[Any], Any]:
    return lambda data: compiled.sub(data[:0], data)


def _all(found: Any) -> None:
    if hasattr(found, "__next__"):
        deque(found, maxlen=0)


if __name__ == "__main__":
    pattern, flags, seconds, *ways = sys.argv[1:]
    for line in tried(eval(pattern), int(eval(flags)), ways, int(seconds)):
        print(line)
