"""Which functions, methods and methods of interfaces take a context, as the text of a package's files says it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from ast_grep_py import SgNode, SgRoot

from audit_lib.read.functions import declared_name
from audit_lib.read.imports import DOT, Imports

Signature = tuple[str, str]
"""The folder of a package, and a name in it: `New`, `Store.Get` of a type or of an interface."""

_CONTEXTS = ("context", "golang.org/x/net/context")
_DECLARATIONS = ("function_declaration", "method_declaration")


def gained(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> frozenset[Signature]:
    """What was there before, and takes a context after that it did not take. Both are files by their name.

    Files for several systems hold a name more than once: one of them is enough. What is new gains nothing.
    """
    old, new = _parameters(before), _parameters(after)
    return frozenset(
        signature for signature, lists in new.items() if signature in old and _taking(lists) > _taking(old[signature])
    )


def altered(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> frozenset[Signature]:
    """What is there before and after with other parameters: a context, or something else that may hold one."""
    old, new = _parameters(before), _parameters(after)
    return frozenset(
        signature
        for signature, lists in new.items()
        if signature in old and {text for text, _ in lists} - {text for text, _ in old[signature]}
    )


def declared(files: Mapping[str, bytes]) -> frozenset[Signature]:
    """All functions, methods and methods of interfaces in these files."""
    return frozenset(_parameters(files))


def _taking(lists: Iterable[tuple[str, bool]]) -> int:
    return sum(takes for _, takes in lists)


def _parameters(files: Mapping[str, bytes]) -> dict[Signature, list[tuple[str, bool]]]:
    """The parameters of each name's declarations, and whether a context is among them."""
    found: dict[Signature, list[tuple[str, bool]]] = defaultdict(list)
    for file, data in files.items():
        for name, node, contexts in _declarations(data):
            parameters = node.field("parameters")
            text = " ".join(parameters.text().split()) if parameters is not None else ""
            found[(file.rpartition("/")[0] or ".", name)].append((text, _takes(parameters, contexts)))
    return found


def _declarations(data: bytes) -> Iterator[tuple[str, SgNode, set[str]]]:
    """Each declaration with its name and what contexts are called in its file."""
    root = SgRoot(data.decode("utf-8", "replace"), "go").root()
    imports = Imports(root)
    names = {name for path in _CONTEXTS for name in imports.names(path, "context")}
    contexts = {"Context" if name == DOT else f"{name}.Context" for name in names}
    for kind in _DECLARATIONS:
        for node in root.find_all(kind=kind):
            yield declared_name(node).replace("(*", "").replace(")", ""), node, contexts
    for node in root.find_all(kind="type_spec"):
        name, interface = node.field("name"), node.field("type")
        if name is None or interface is None or interface.kind() != "interface_type":
            continue
        for method in interface.children():
            own = method.field("name")
            if method.kind() == "method_elem" and own is not None:
                yield f"{name.text()}.{own.text()}", method, contexts


def _takes(parameters: SgNode | None, contexts: set[str]) -> bool:
    kinds = (one.field("type") for one in parameters.named_children()) if parameters is not None else ()
    return any(kind is not None and kind.text() in contexts for kind in kinds)
