"""Which packages a component of a plan concerns: what of a plan is proved when some of its packages are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from audit_lib.change.packages import Package, from_elsewhere
from audit_lib.change.planned import Component

_ELSEWHERE = 6
"""About as many files as a package of another module has."""
_VERIFIED = 2
"""So many times what compiling a package takes it takes to compile its tests, too, and to vet it."""
_BESIDES = 1.2
"""So many times what the first component takes may it and those take that need hardly more."""

Work = frozenset[tuple[str, bool]]
"""Packages that are compiled, and, with True, compiled with their tests and vetted besides."""


class Concern:
    """The packages (import paths) that hold files of a component, or need one that does; one for a list of packages.

    With `cold`, what they need of other modules has to be compiled, too.
    """

    def __init__(self, packages: Sequence[Package], *, cold: bool = False) -> None:
        self._packages = packages
        self._needs = {one.path: one.needs for one in packages}
        self._sizes = {one.path: 1 + len(one.files) for one in packages}
        if cold:
            self._sizes |= dict.fromkeys(from_elsewhere(packages), _ELSEWHERE)
        self._in_folder: dict[str, set[str]] = {}
        for package in packages:
            self._in_folder.setdefault(package.folder, set()).add(package.path)

    def of(self, component: Component) -> frozenset[str]:
        """The packages whose build a component has a part in."""
        folders = {file.rpartition("/")[0] or "." for file in component.files}
        own = {path for folder in folders for path in self._in_folder.get(folder, ())}
        return frozenset(one.path for one in self._packages if one.path in own or not own.isdisjoint(one.needs))

    def by_directness(self, components: Iterable[Component]) -> list[Package]:
        """The packages, those first that most components edit: what they say, they say of most."""
        edits: dict[str, int] = {}
        for component in components:
            for folder in {file.rpartition("/")[0] or "." for file in component.files}:
                edits[folder] = edits.get(folder, 0) + 1
        return sorted(self._packages, key=lambda one: (-edits.get(one.folder, 0), one.module, one.path))

    def held(
        self, components: Sequence[Component], tried: Sequence[Component], proved: Collection[str]
    ) -> list[Component]:
        """Those components whose proof holds though no more is run: as they were tried, and alone in what they concern.

        `tried` is the plan that was verified, `proved` the packages that passed. A package that is built from something
        that goes is another one than was proved.
        """
        kept = [one for one in components if one in tried and self.of(one) <= set(proved)]
        while True:
            changed = {path for one in tried if one not in kept for path in self.of(one)}
            names = {name for one in kept for name in one.fingerprints}
            left = [one for one in kept if self.of(one).isdisjoint(changed) and self._has_needed(one, names, tried)]
            if len(left) == len(kept):
                return kept
            kept = left

    def smaller(self, components: Sequence[Component], share: float) -> list[Component]:
        """Fewer of the components, for a build that takes no more than this share of what all of them take.

        Those first for which least is built, and among these those that change most sites. Never none where two are
        independent, however little the share: the first may be quick, since Go keeps what it has built. Where it takes
        more than the share, since nearly all is needed for anything, those join it that need hardly more.
        """
        if len(components) < 2:
            return []
        alone = [self._work_for(one) for one in components]
        wanted = [self._with_needed(number, components) for number in range(len(components))]
        works = [Work().union(*(alone[one] for one in numbers)) for numbers in wanted]
        limit = share * self._weight(Work().union(*alone))
        order = sorted(
            range(len(components)), key=lambda number: (self._weight(works[number]), -len(components[number].changes))
        )
        chosen: set[int] = set()
        done = Work()
        for number in order[:-1]:
            more = done | works[number]
            if len(chosen | wanted[number]) < len(components) and (not chosen or self._weight(more) <= limit):
                limit = limit if chosen else max(limit, _BESIDES * self._weight(more))
                chosen |= wanted[number]
                done = more
        return [one for number, one in enumerate(components) if number in chosen]

    def share(self, some: Iterable[Component], whole: Iterable[Component]) -> float:
        """Which part of the build of all components that of some is, about."""
        part, built = (Work().union(*map(self._work_for, components)) for components in (some, whole))
        return self._weight(part) / max(self._weight(built), 1)

    def _work_for(self, component: Component) -> Work:
        """What is done to verify a component, as far as it is among the packages: what these need is compiled, too."""
        verified = self.of(component)
        built = {path for one in verified for path in (one, *self._needs[one]) if path in self._sizes}
        return frozenset([*((path, False) for path in built), *((path, True) for path in verified)])

    def _weight(self, work: Work) -> int:
        """About how long packages take, by their files."""
        return sum(self._sizes[path] * (_VERIFIED if verified else 1) for path, verified in work)

    def _with_needed(self, number: int, components: Sequence[Component]) -> set[int]:
        """A component by number, and those without whose changes it may not compile."""
        if not components[number].needs:
            return {number}
        owners = {name: at for at, one in enumerate(components) for name in one.fingerprints}
        found, todo = {number}, [number]
        while todo:
            more = {owners[name] for name in components[todo.pop()].needs if name in owners} - found
            found |= more
            todo += more
        return found

    def _has_needed(self, one: Component, names: set[str], tried: Sequence[Component]) -> bool:
        planned = {name for other in tried for name in other.fingerprints}
        return (one.needs & planned) <= names


def independent(
    components: Sequence[Component], near: Iterable[tuple[str, Collection[int]]]
) -> list[tuple[set[str], list[int]]]:
    """Packages that fail with the components (by number) that each may fail for: groups that share none of these.

    `near` gives a package and the numbers of its components. Groups are in the order of their first packages.
    """
    groups: list[tuple[set[str], set[int]]] = []
    for package, numbers in near:
        touching = [group for group in groups if not group[1].isdisjoint(numbers)]
        joined = ({package}.union(*(names for names, _ in touching)), set(numbers).union(*(own for _, own in touching)))
        place = groups.index(touching[0]) if touching else len(groups)
        groups = [group for group in groups if group not in touching]
        groups.insert(min(place, len(groups)), joined)
    return [(names, [number for number in range(len(components)) if number in own]) for names, own in groups]
