"""Imports of an edited file: what its code names now is imported, what it has stopped to name is not.

Only packages that edits write are added; of the others nothing is known but what the file had.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection

from ast_grep_py import SgNode

from audit_lib.change.edits import apply
from audit_lib.change.gotext import GoText, named_children
from audit_lib.model import Edit
from audit_lib.read.imports import BLANK, DOT, default_name
from audit_lib.read.scopes import Scopes

CONTEXT = "context"
OTHER_NAMES = ("stdctx", "gocontext")
"""What the standard library's context is imported as where its own name means something else."""

_PATHS = {CONTEXT: CONTEXT, **dict.fromkeys(OTHER_NAMES, CONTEXT), "time": "time", "net": "net", "http": "net/http"}

_BEFORE_DOT = re.compile(rb"(?<![\w\x80-\xff])([\w\x80-\xff]++)\s*+\.")

_EXPORTED = frozenset(
    {"Background", "TODO", "Context", "CancelFunc", "WithCancel", "WithTimeout", "WithDeadline", "WithValue"}
    | {"WithoutCancel", "WithCancelCause", "WithTimeoutCause", "WithDeadlineCause", "AfterFunc", "Cause", "Canceled"}
    | {"DeadlineExceeded", "CancelCauseFunc"}
)


def qualifier(text: GoText, at: int) -> str:
    """The name by which a file can say `context` at an offset: one that it imports it by, else one to import it by.

    No variable, parameter or type hides it there, and nothing else in the package has it.
    """
    for path in (CONTEXT, "golang.org/x/net/context"):  # the second one's Context is the first one's
        for name in sorted(text.imports.names(path, CONTEXT) - {DOT}):
            if not text.hides(name, at):
                return name
    free = (name for name in (CONTEXT, *OTHER_NAMES) if not _is_taken(text, name) and not text.hides(name, at))
    return next(free, OTHER_NAMES[-1])


def of_context(text: GoText, name: str, at: int) -> str:
    """How a file says, at an offset, what the context package exports: plainly, if it imports it for all its names."""
    plain = text.imports.names(CONTEXT, CONTEXT) == {DOT} and not text.hides(name, at)
    return name if plain else f"{qualifier(text, at)}.{name}"


def _is_taken(text: GoText, name: str) -> bool:
    """Whether no import of a file can have a name: another one has it, or its package declares it."""
    if name == CONTEXT and package_name(text) == CONTEXT:
        return True  # what imports this package, or is in it, would be misread
    return name in text.imports.all_names or text.is_declared_in_package(name)


def repaired(before: bytes | None, after: bytes) -> bytes:
    """The edited file with the imports that it needs, and without those that only the file before needed.

    Only names that stand in it more often or more rarely than before are looked at.
    """
    old, new = GoText("", before or b""), GoText("", after)
    names = {_name_of(spec) for spec in _specs(new)} | set(_PATHS)
    was, now = _mentions(old.data), _mentions(new.data)
    changed = {name for name in names if was[name.encode()] != now[name.encode()]}
    if DOT in names and _named_plainly(old.root) and not _named_plainly(new.root):
        changed.add(DOT)
    if not changed:
        return after
    used = used_names(new, changed)
    gone = (changed - used) & (used_names(old, changed) | {DOT})
    return _with(_without(new, gone), used)


def used_names(text: GoText, names: Collection[str]) -> set[str]:
    """Which of these names stand before a dot and may be packages: no local variable is in the way."""
    scopes = Scopes(text.root, text.text)
    found: set[str] = set()
    for name in names:
        for match in re.finditer(rf"\b{re.escape(name)}\b(?=\s*\.)", text.text) if name != DOT else ():
            node = text.around(text.byte(match.start()), "identifier", "package_identifier")
            plain = node is not None and node.text() == name and not scopes.hides(name, match.start())
            parent = node.parent() if node is not None and plain else None
            if parent is not None and parent.kind() in ("selector_expression", "qualified_type"):
                found.add(name)
                break
    return found


def _mentions(data: bytes) -> Counter[bytes]:
    """How often each name stands before a dot: all in one go, since a file may have tens of thousands of imports."""
    return Counter(_BEFORE_DOT.findall(data))


def _named_plainly(root: SgNode) -> bool:
    """Whether a file names what the context package exports without saying the package."""
    found = (node.text() for kind in ("identifier", "type_identifier") for node in root.find_all(kind=kind))
    return not _EXPORTED.isdisjoint(found)


def package_name(text: GoText) -> str:
    """The name that a file's package clause says."""
    clause = text.root.find(kind="package_clause")
    return named_children(clause)[0].text() if clause is not None and named_children(clause) else ""


def _specs(text: GoText) -> list[SgNode]:
    return [
        spec
        for declaration in text.root.children()
        if declaration.kind() == "import_declaration"
        for spec in declaration.find_all(kind="import_spec")
    ]


def _path_of(spec: SgNode) -> str:
    path = spec.field("path")
    return path.text()[1:-1] if path is not None else ""


def _name_of(spec: SgNode) -> str:
    """The name that a spec gives, or the one that its path leads to expect."""
    name = spec.field("name")
    return name.text() if name is not None else default_name(_path_of(spec))


def _without(text: GoText, idle: set[str]) -> bytes:
    """The file without the imports of these names."""
    edits: list[Edit] = []
    for declaration in text.root.children():
        if declaration.kind() != "import_declaration":
            continue
        specs = declaration.find_all(kind="import_spec")
        gone = [spec for spec in specs if _name_of(spec) in idle and _is_ours(spec)]
        if len(gone) == len(specs) and gone:
            edits.append(text.without_lines(text.start(declaration), text.end(declaration)))
        else:
            edits += [text.without_lines(text.start(spec), text.end(spec)) for spec in gone]
    return apply(text.data, edits)


def _is_ours(spec: SgNode) -> bool:
    """Whether an import may go: it is no import for its effects, and of those for all names only context's."""
    return _name_of(spec) != BLANK and (_name_of(spec) != DOT or _path_of(spec) == CONTEXT)


def _with(data: bytes, used: set[str]) -> bytes:
    """The file with imports for those names that only edits can have written."""
    text = GoText("", data)
    known = text.imports.all_names
    for name in sorted(used & set(_PATHS)):
        path = _PATHS[name]
        if name in known or (path != CONTEXT and path in text.imports and name in text.imports.names(path, name)):
            continue
        spec = f'"{path}"' if default_name(path) == name else f'{name} "{path}"'
        text = GoText("", apply(text.data, [_addition(text, path, spec)]))
    return text.data


def with_import(data: bytes, path: str) -> bytes:
    """The file with an import of a module's package, where it has none: behind those of the standard library."""
    text = GoText("", data)
    if path in text.imports:
        return data
    groups = [node for node in text.root.children() if node.kind() == "import_declaration"]
    listed = next((node for node in groups if node.find(kind="import_spec_list") is not None), None)
    specs = listed.find_all(kind="import_spec") if listed is not None else []
    if not specs:
        return apply(data, [_addition(text, path, f'"{path}"')])
    modules = [node for node in specs if "." in _path_of(node).partition("/")[0]]
    later = next((node for node in modules if _path_of(node) > path), None)
    if later is not None:
        edit = text.insert(text.line_start(text.start(later)), f'\t"{path}"\n')
    else:
        blank = "" if modules else "\n"
        edit = text.insert(text.line_end(text.end((modules or specs)[-1])), f'{blank}\t"{path}"\n')
    return apply(data, [edit])


def _addition(text: GoText, path: str, spec: str) -> Edit:
    """The edit that adds an import: in order among those of the standard library, in the first group."""
    declarations = [node for node in text.root.children() if node.kind() == "import_declaration"]
    usable = [node for node in declarations if '"C"' not in [_path(spec) for spec in node.find_all(kind="import_spec")]]
    if not usable:
        clause = text.root.find(kind="package_clause")
        anchor = declarations[-1] if declarations else clause
        at = text.end(anchor) if anchor is not None else 0
        return text.insert(at, f"\n\nimport {spec}")
    first = usable[0]
    specs = first.find_all(kind="import_spec")
    if first.find(kind="import_spec_list") is None:
        old = specs[0].text()
        both = sorted((old, spec), key=lambda line: line.partition('"')[2])
        own_group = "." in _path_of(specs[0]).partition("/")[0]
        lines = [spec, "", old] if own_group else both
        body = "".join(f"\t{line}\n" if line else "\n" for line in lines)
        return text.edit(text.start(first), text.end(first), f"import (\n{body})")
    return _into_group(text, first, specs, path, spec)


def _path(spec: SgNode) -> str:
    path = spec.field("path")
    return path.text() if path is not None else ""


def _into_group(text: GoText, declaration: SgNode, specs: list[SgNode], path: str, spec: str) -> Edit:
    standard = [node for node in specs if "." not in _path_of(node).partition("/")[0]]
    later = next((node for node in standard if _path_of(node) > path), None)
    if later is not None:
        at = text.line_start(text.start(later))
        return text.insert(at, f"\t{spec}\n")
    if standard:
        return text.insert(text.line_end(text.end(standard[-1])), f"\t{spec}\n")
    if specs:
        return text.insert(text.line_start(text.start(specs[0])), f"\t{spec}\n\n")
    return text.replace(declaration, f"import (\n\t{spec}\n)")
