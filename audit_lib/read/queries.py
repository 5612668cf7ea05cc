"""What is asked of ast-grep, put together at run time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from ast_grep_py import Config, SgNode

Query = Mapping[str, object]

FUNCTION_KINDS = ("function_declaration", "method_declaration", "func_literal")
BLOCKS = ("block", "expression_case", "type_case", "default_case", "communication_case", "statement_list")
# A token that the parser had to make up has no text; an empty raw string and an empty file are not made up.
_MADE_UP: Query = {"regex": "^$", "not": {"any": [{"kind": "raw_string_literal_content"}, {"kind": "source_file"}]}}
# The text of each node is made to be looked at: of a large file only that of leaves.
_MADE_UP_LEAF: Query = {"all": [{"not": {"has": {"pattern": "$_"}}}, _MADE_UP]}
_LARGE = 600_000  # characters
_NAMES = ("identifier", "type_identifier", "field_identifier", "package_identifier")


def find_all(node: SgNode, query: Query) -> list[SgNode]:
    """The nodes below a node that a rule of ast-grep matches, in the order of the source."""
    return find_configured(node, {"rule": query})


def find_configured(node: SgNode, config: Query) -> list[SgNode]:
    """The same for a whole configuration: `rule`, `constraints`, `utils`."""
    # Its TypedDicts ask for keys that ast-grep itself leaves open.
    return node.find_all(cast(Config, config))


def any_of(queries: Iterable[Query]) -> Query:
    """One query for several: a walk through a tree costs more than what is asked on it."""
    return {"any": list(queries)}


def errors_in(text: str) -> list[Query]:
    """What does not parse. Made-up brackets leave a text unbalanced; in others only names are looked at, for speed."""
    balanced = all(text.count(opening) == text.count(closing) for opening, closing in ("()", "[]", "{}"))
    made_up = (
        {"all": [any_of(of_kinds(_NAMES)), _MADE_UP]} if balanced else _MADE_UP if len(text) < _LARGE else _MADE_UP_LEAF
    )
    return [{"kind": "ERROR"}, made_up]


def of_kinds(kinds: Iterable[str]) -> list[Query]:
    """Every node of one of these kinds."""
    return [{"kind": kind} for kind in kinds]


def calls_of(names: Iterable[str], *, plain: bool) -> Query:
    """Every call of something with one of these names: `x.Name(…)`, `(x.Name)(…)` and, where `plain`, `Name(…)`."""
    fields = [{"pattern": {"context": f"func f() {{ x.{name}() }}", "selector": "field_identifier"}} for name in names]
    selector = {"kind": "selector_expression", "has": {"field": "field", "any": fields}}
    called: list[Query] = [selector]
    if plain:
        called.append({"kind": "identifier", "any": [{"pattern": name} for name in names]})
    wrapped = {"kind": "parenthesized_expression", "has": {"any": called}}
    return {"kind": "call_expression", "has": {"field": "function", "any": [*called, wrapped]}}


def declarations_of(name: str) -> Query:
    """Every use of a name on its own, as a declaration is; `name.X` declares nothing, and is what files mostly have."""
    return any_of(
        (
            {"kind": "identifier", "pattern": name, "not": {"inside": {"kind": "selector_expression"}}},
            {"pattern": {"context": f"type {name} int", "selector": "type_identifier"}},
        )
    )
