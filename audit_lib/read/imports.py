"""What a Go file imports, and the names it knows those packages by."""

from __future__ import annotations

from functools import cached_property

from ast_grep_py import SgNode

DOT = "."
BLANK = "_"


class Imports:
    """The imports of one file: for each path the names it is given there, empty for the package's own name."""

    def __init__(self, root: SgNode) -> None:
        self._names: dict[str, set[str]] = {}
        self._known: dict[tuple[str, str], frozenset[str]] = {}
        # Imports stand at the top: there is no need to walk the whole tree for them.
        for declaration in root.children():
            if declaration.kind() == "import_declaration":
                for spec in declaration.find_all(kind="import_spec"):
                    self._add(spec)

    def _add(self, spec: SgNode) -> None:
        path, name = spec.field("path"), spec.field("name")
        if path is not None:
            self._names.setdefault(path.text()[1:-1], set()).add(name.text() if name else "")

    def __contains__(self, path: str) -> bool:
        return path in self._names

    def names(self, path: str, declared: str) -> frozenset[str]:
        """The local names of a package that calls itself `declared`; `DOT` where its names need none."""
        known = self._known.get((path, declared))
        if known is None:  # it is asked for each call, and a file may import one package by many names
            known = frozenset(name or declared for name in self._names.get(path, ())) - {BLANK}
            self._known[path, declared] = known
        return known

    def any_dot(self) -> bool:
        """Whether some package's names are used without it."""
        return any(DOT in names for names in self._names.values())

    @cached_property
    def all_names(self) -> set[str]:
        """Every local name of an imported package. Where a package's own name can only be guessed, the guesses."""
        names: set[str] = set()
        for path, given in self._names.items():
            for name in given - {DOT, BLANK}:
                names.update({name} if name else guessed_names(path))
        return names


def default_name(path: str) -> str:
    """The name that a package with this path goes by, by convention: its last element, a major version left out."""
    parts = path.split("/")
    if len(parts) > 1 and parts[-1][:1] == "v" and parts[-1][1:].isdigit():
        parts.pop()
    return parts[-1]


def guessed_names(path: str) -> set[str]:
    """The names that a package may go by: `go-store`, `store.v2` and `store-go` mostly call themselves `store`."""
    name = default_name(path)
    plain = name.split(".v")[0]
    return {name, plain, plain.removeprefix("go-"), plain.removesuffix("-go"), plain.replace("-", "_")}
