"""Calls that hear of no context, upgraded to the form that does."""

from __future__ import annotations

from collections.abc import Callable

from ast_grep_py import SgNode

from audit_lib.change.gotext import GoText, named_children
from audit_lib.change.obstacle import Obstacle
from audit_lib.change.problem import where
from audit_lib.change.requests import requested
from audit_lib.model import Edit
from audit_lib.read.facts import TypedSite

UNUSUAL = "the call is written as this tool cannot edit it"
"""Why a call stays that has another shape than such calls have."""

Upgrade = tuple[Edit, ...] | Obstacle


def upgraded(text: GoText, site: TypedSite, written: str) -> Upgrade:
    """The edits that call the form with a context, or why that is for a person to write."""
    node = text.find(site.place.start, site.place.end, "call_expression")
    function = node.field("function") if node is not None else None
    arguments = node.field("arguments") if node is not None else None
    if node is None or function is None or arguments is None:
        return Obstacle(UNUSUAL, where(site.place))
    target = site.uses[0].target if site.uses else ""
    special = _SPECIAL.get(target)
    if special is not None:
        return special(text, node, arguments, written)
    if site.sibling == "NewRequestWithContext" and target != "net/http.NewRequest":
        return requested(text, node, target, written)
    if "." in site.sibling:
        return Obstacle(
            f"{site.callee} has no form with a context that takes the same: see {site.sibling}", where(site.place)
        )
    name = function.field("field") if function.kind() == "selector_expression" else function
    if name is None or name.kind() not in ("field_identifier", "identifier"):
        return _unusual(text, node)
    return (text.replace(name, site.sibling), text.first_in(text.listed(arguments), written))


def _unusual(text: GoText, node: SgNode) -> Obstacle:
    return Obstacle(UNUSUAL, f"{text.file}:{text.line_of(text.start(node))}")


def _begin(text: GoText, node: SgNode, arguments: SgNode, written: str) -> Upgrade:
    """`db.Begin()` is `db.BeginTx(ctx, nil)`."""
    function = node.field("function")
    name = function.field("field") if function is not None else None
    if name is None:
        return _unusual(text, node)
    return (text.replace(name, "BeginTx"), text.replace(arguments, f"({written}, nil)"))


def _dial(text: GoText, node: SgNode, arguments: SgNode, written: str) -> Upgrade:
    """`net.Dial(…)` is `(&net.Dialer{}).DialContext(ctx, …)`."""
    package = _package(node)
    function = node.field("function")
    assert function is not None
    dialer = f"(&{package}.Dialer{{}}).DialContext"
    return (text.replace(function, dialer), text.first_in(text.listed(arguments), written))


def _dial_timeout(text: GoText, node: SgNode, arguments: SgNode, written: str) -> Upgrade:
    """`net.DialTimeout(n, a, d)` is `(&net.Dialer{Timeout: d}).DialContext(ctx, n, a)`."""
    package = _package(node)
    items = [item.text() for item in named_children(arguments)]
    if len(items) != 3:
        return _unusual(text, node)
    call = f"(&{package}.Dialer{{Timeout: {items[2]}}}).DialContext({written}, {items[0]}, {items[1]})"
    return (text.replace(node, call),)


def _lookup(text: GoText, node: SgNode, arguments: SgNode, written: str) -> Upgrade:
    """`net.LookupHost(h)` is `net.DefaultResolver.LookupHost(ctx, h)`."""
    function = node.field("function")
    name = function.field("field") if function is not None else None
    if function is None or name is None:
        return _unusual(text, node)
    resolver = f"{_package(node)}.DefaultResolver.{name.text()}"
    return (text.replace(function, resolver), text.first_in(text.listed(arguments), written))


def _package(node: SgNode) -> str:
    function = node.field("function")
    operand = function.field("operand") if function is not None else None
    return operand.text() if operand is not None else ""


_SPECIAL: dict[str, Callable[[GoText, SgNode, SgNode, str], Upgrade]] = {
    "database/sql.DB.Begin": _begin,
    "database/sql.Conn.Begin": _begin,
    "net.Dial": _dial,
    "net.DialTimeout": _dial_timeout,
    **{f"net.Lookup{what}": _lookup for what in ("Addr", "CNAME", "Host", "MX", "NS", "Port", "SRV", "TXT")},
}
