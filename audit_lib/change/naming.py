"""The name of a context parameter: `ctx`, or another where that would mean something else in the function."""

from __future__ import annotations

from ast_grep_py import SgNode

from audit_lib.change.gotext import FUNCTIONS, GoText
from audit_lib.change.problem import Problem
from audit_lib.read.facts import Func, Origin

USUAL = "ctx"
OTHER_NAMES = {"r": ("req",), "c": ("reqCtx",), "cmd": ("command",), "s": ("stream",)}
"""What parameters are called that give contexts, where their usual names are taken."""

OTHERS = ("parentCtx", "callerCtx", "callCtx", "ctx2", "ctx3")
"""What a new context parameter is called where `ctx` is taken: what it is, whatever it is the context of."""


def is_fresh(source: Origin, replaced: frozenset[tuple[str, int]]) -> bool:
    """Whether a local context is made, where it is declared, from nothing but roots that are to be replaced."""
    roots = roots_of(source)
    return bool(roots) and len(roots) == len(source.origins) and all((source.file, at) in replaced for at in roots)


def roots_of(source: Origin) -> list[int]:
    """The offsets of the roots that a local context is made from."""
    return [int(origin[5:]) for origin in source.origins if origin.startswith("root:")]


def parameter_name(problem: Problem, top: Func, replaced: frozenset[tuple[str, int]], *, avoid: bool) -> str:
    """What a function's new context parameter is called: nothing in the function hides it where it is needed.

    `avoid` says that the usual name has been tried, and has come to mean something else.
    """
    text = problem.text_of(top.place)
    avoid = avoid or _captures(problem, top, replaced)
    if not avoid and not any(_takes_the_name(source, replaced) for source in declared_in(problem, top)):
        return USUAL
    start, end = top.place.start, top.place.end
    return next((name for name in OTHERS if not text.has_word(start, end, name)), "outerCtx")


def name_in(text: GoText, form: SgNode) -> str:
    """What a new context parameter is called in a method of an interface, or in a function type: no other has it."""
    start, end = text.start(form), text.end(form)
    return next((name for name in (USUAL, *OTHERS) if not text.has_word(start, end, name)), "outerCtx")


def name_of_unnamed(problem: Problem, func: Func, usual: str) -> str:
    """What a parameter is called that has no name and gives a context, but is none: nothing there has that name."""
    text, place = problem.text_of(func.place), func.place
    names: tuple[str, ...] = (usual, *OTHER_NAMES.get(usual, ()), *(f"{usual}{i}" for i in range(1, 10)))
    return next(name for name in names if not text.has_word(place.start, place.end, name))


def declared_in(problem: Problem, top: Func) -> list[Origin]:
    """All that a function and its literals declare and that is a context, gives one, or is called `ctx`."""
    place = top.place
    return [
        source
        for source in problem.declared.get(place.file, ())
        if place.start <= source.declared < place.end and source.role != "global"
    ]


def _takes_the_name(source: Origin, replaced: frozenset[tuple[str, int]]) -> bool:
    """Whether a declaration of `ctx` is in a parameter's way.

    What is derived from roots that are replaced is derived from the parameter then, and a literal's own parameter is
    what is meant in it. A variable that is declared without a value is nil until it is assigned.
    """
    if source.name != USUAL:
        return False
    if source.role != "context" or source.param:
        return source.role != "context"
    return not is_fresh(source, replaced) or source.assigned == 0 or source.assigned > source.start


def _captures(problem: Problem, func: Func, replaced: frozenset[tuple[str, int]]) -> bool:
    """Whether a function uses a `ctx` that it does not declare itself, or declares one that is no variable.

    A parameter of that name would take its place. A package's variable that is replaced there is in nobody's way.
    """
    place = func.place
    text = problem.text_of(place)
    node = text.find(place.start, place.end, *FUNCTIONS) if text.has_word(place.start, place.end, USUAL) else None
    if node is None:
        return False
    if any(name.text() == USUAL for name in node.find_all(kind="type_identifier")):
        return True
    own = [source for source in declared_in(problem, func) if source.name == USUAL]
    used = (text.start(name) for name in node.find_all(kind="identifier") if name.text() == USUAL)
    return any(not _is_own(at, own) and (place.file, at) not in replaced for at in used)


def _is_own(at: int, own: list[Origin]) -> bool:
    """Whether a name at a position is a declaration of its function, or means one."""
    return any(source.declared == at or source.start <= at < source.stop for source in own)
