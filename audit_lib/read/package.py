"""The Go files of one folder, which share what they import and declare, and are each parsed once at most."""

from __future__ import annotations

from collections.abc import Iterable

from audit_lib.read.calls import Match, matches_in, names_in
from audit_lib.read.limits import LimitError
from audit_lib.read.positions import decode
from audit_lib.read.prefilter import has_quoted, has_word
from audit_lib.read.receivers import declared_in
from audit_lib.read.rules import Rule
from audit_lib.read.tree import Tree


class Package:
    """The files of a folder by name, and the rules that may match in each, judged by its bytes."""

    def __init__(self, contents: dict[str, bytes], rules: Iterable[Rule]) -> None:
        self._contents = contents
        self._rules = tuple(rules)
        # Fields that methods are called on are often declared in another file than the one that calls.
        self._methods = tuple(rule for rule in self._rules if rule.methods and self._is_imported(rule))
        self._by_function = {
            file: [rule for rule in self._rules if _may_match(rule, contents[file])] for file in contents
        }
        self._by_method = {
            file: [rule for rule in self._methods if _may_call(rule, contents[file])] for file in contents
        }
        self._receivers: dict[str, frozenset[str]] = {}
        self._trees: dict[str, Tree] = {}

    def may_match(self, file: str) -> bool:
        """Whether any rule may match in a file."""
        return bool(self._by_function[file] or self._by_method[file])

    def matches(self, file: str) -> list[Match]:
        """The matches in a file, in no order."""
        tree = self.tree(file)
        return list(matches_in(tree, self._by_function[file], self._by_method[file], self._receivers_of))

    def tree(self, file: str) -> Tree:
        """A file parsed, with the calls found that its rules ask for."""
        if file not in self._trees:
            text, _ = decode(self._contents[file])
            self._trees[file] = Tree(text, names_in(self._by_function[file], self._by_method[file]))
        return self._trees[file]

    def _is_imported(self, rule: Rule) -> bool:
        return any(_imports(data, rule) for data in self._contents.values())

    def _receivers_of(self, rule: Rule) -> frozenset[str]:
        """The names that the package declares as a receiver of a rule's methods."""
        if rule.id not in self._receivers:
            # The imported package's own variables, such as http.DefaultClient, are receivers by their name.
            names = set(rule.receivers)
            for file, data in self._contents.items():
                if _imports(data, rule) and any(has_word(data, receiver) for receiver in rule.receivers):
                    names.update(self._declared_in(file, rule))
            self._receivers[rule.id] = frozenset(names)
        return self._receivers[rule.id]

    def _declared_in(self, file: str, rule: Rule) -> set[str]:
        try:
            return set(declared_in(self.tree(file), rule))
        except LimitError as error:  # the file that is read at the moment may be another one
            raise LimitError(f"{file} declares what it calls, and: {error}") from error


def _may_match(rule: Rule, data: bytes) -> bool:
    if rule.packages and not _imports(data, rule):
        return False
    return rule.rule is not None or any(has_word(data, name) for name in rule.functions)


def _may_call(rule: Rule, data: bytes) -> bool:
    return any(has_word(data, name) for name in rule.methods)


def _imports(data: bytes, rule: Rule) -> bool:
    return any(has_quoted(data, path) for path in rule.packages)
