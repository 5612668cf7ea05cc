"""Signature groups: what must change together when a function takes a context, and why some cannot.

A group is a method with the interfaces' methods that it implements, all that implement those, and so on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ast_grep_py import SgNode

from audit_lib.change.gotext import FUNCTIONS, GoText, named_children
from audit_lib.change.holders import KINDS, Holders, is_left_alone, is_mock, is_run_there
from audit_lib.change.imports import of_context
from audit_lib.change.naming import name_in
from audit_lib.change.obstacle import Obstacle
from audit_lib.change.problem import Problem, where
from audit_lib.judge.accessors import is_accessor
from audit_lib.judge.lifetime import is_init, is_main
from audit_lib.model import Edit
from audit_lib.read.facts import Call, Dispatch, Func, Place

REGISTERS = frozenset(
    {"net/rpc.Register", "net/rpc.RegisterName", "net/rpc.Server.Register", "net/rpc.Server.RegisterName"}
    | {f"github.com/gorilla/rpc{version}.Server.RegisterService" for version in ("", "/v2")}
)
"""Functions that call the methods of what they are given by name; gofacts has the same list."""

VARIANT = "Context"
"""What the name of a function that takes a context ends in, beside the one that stays."""

_TESTING = re.compile(r"\*testing\.[TBF]$|testing\.TB$")
_TEST_NAMES = ("Test", "Benchmark", "Fuzz", "Example")
_DIRECTIVE = re.compile(rb"^//(export|go:linkname) ", re.MULTILINE)


@dataclass(frozen=True)
class Group:
    """What changes together, by node: functions and literals, interfaces' methods, and what holds functions.

    `written` is where function types are written for what holds them; `closed` says why the group must not change.
    `variant` says that its one function stays as it is for others, beside a form of it that takes a context.
    `behind` says that what holds its functions takes their receivers first, since methods are named by their types
    (`T.Method`): the context stands behind that.
    """

    functions: tuple[str, ...]
    interfaces: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    written: tuple[Place, ...] = ()
    closed: Obstacle | None = None
    variant: bool = False
    behind: bool = False

    @property
    def key(self) -> str:
        """What tells groups apart."""
        return self.functions[0]

    @property
    def declared_by(self) -> frozenset[str]:
        """The interfaces whose methods are in the group."""
        return frozenset(node.rpartition(".")[0] for node in self.interfaces)

    @property
    def nodes(self) -> tuple[str, ...]:
        """All that a call may name."""
        return (*self.functions, *self.interfaces, *self.holders)


class Groups:
    """The signature groups of a problem, each found once."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._holders = Holders(problem)
        self._known: dict[str, Group] = {}

    def of(self, function: str) -> Group:
        """The group of a declared function, or of a literal that something holds."""
        group = self._known.get(function)
        if group is None:
            group = self._find(function)
            for member in group.functions:
                self._known[member] = group
        return group

    def _find(self, function: str) -> Group:
        graph = self._problem.graph
        functions: set[str] = set()
        interfaces: set[str] = set()
        holders: set[str] = set()
        queue = [function]
        while queue:
            member = queue.pop()
            if member in functions or member in interfaces or member in holders:
                continue
            node = graph.dispatch.get(member) if member not in graph.funcs else None
            if node is not None and node.kind == "interface":
                interfaces.add(member)  # or a struct embeds it, and has its methods by that
                queue += (*node.targets, *self._holders.of(member))
            elif node is not None or member.startswith(KINDS):
                holders.add(member)
                queue += self._holders.joined_with(member)
            else:
                functions.add(member)
                queue += self._holders.of(member)
            queue += [holder.id for holder in graph.interfaces_of(member) if not holder.external]
        variant = not interfaces and not holders and self._has_variant(function)
        obstacles = (
            *(self._why_closed(graph.funcs.get(member), member) for member in sorted(functions)),
            *(self._why_interface_closed(graph.dispatch[node]) for node in sorted(interfaces)),
            *(self._holders.why_closed(node) for node in sorted(holders)),
            *(() if variant else (self._why_needed(node) for node in sorted(functions | interfaces | holders))),
        )
        used = (self._why_used(use) for node in sorted(functions | interfaces) for use in graph.calls_of(node))
        behind, mixed = self._behind(functions) if holders else (False, [])
        return Group(
            tuple(sorted(functions)),
            tuple(sorted(interfaces)),
            tuple(sorted(holders)),
            self._holders.written(sorted(holders)),
            next((obstacle for obstacle in (*obstacles, *used, *mixed) if obstacle is not None), None),
            variant,
            behind,
        )

    def _behind(self, functions: set[str]) -> tuple[bool, list[Obstacle]]:
        """Whether functions are held as methods that take their receivers first; an obstacle where others are not."""
        graph = self._problem.graph
        own = sorted(functions & graph.funcs.keys())  # one of another module closes the group anyway
        held = [use for name in own for use in graph.calls_of(name) if self._is_held(use)]
        first = next((use for use in held if use.method_expr), None)
        other = next((use for use in held if not use.method_expr and not graph.funcs[use.callee].parent), None)
        if first is None or other is None:
            return first is not None, []
        name = graph.funcs[other.callee].name
        reason = f"{name} would take its context first, and what it is held with behind a receiver"
        return True, [Obstacle(reason, where(other.place))]

    def _is_held(self, use: Call) -> bool:
        return use.kind == "value" and use.use is not None and not is_left_alone(use) and self._holders.takes(use)

    def _has_variant(self, function: str) -> bool:
        """Whether a function is exported and stays, by policy, beside a form with a context; the name is free."""
        func = self._problem.graph.funcs.get(function)
        if func is None or func.parent or func.test or not func.exported or not self._problem.is_frozen(func.package):
            return False
        free = f"{function}{VARIANT}" not in self._problem.graph.funcs
        return self._problem.config.policy.exported == "variant" and free

    def _why_closed(self, func: Func | None, member: str) -> Obstacle | None:
        if func is None:
            return self._why_outside(member)
        at = where(func.place)
        if func.parent:
            held = self._problem.graph.held_by(func.id)
            return None if held else Obstacle(f"{func.name} is a literal that is called where it stands", at)
        if is_main(func) or is_init(func):
            return Obstacle(f"{func.name or 'a package-level initialiser'} takes no parameters", at)
        if func.test and not func.receiver and func.name.startswith(_TEST_NAMES):
            return Obstacle(f"{func.name} is called by go test", at)
        if func.closed_by:
            method = func.closed_by[0].rpartition("/")[2]
            return Obstacle(f"{func.name} implements {method}, which this module does not own", at)
        if is_accessor(func):
            return Obstacle(f"{func.name} gives the context of what it is called on, and is read by its form", at)
        register = next((target for target in self._problem.graph.given_to(member) if target in REGISTERS), "")
        if register:
            asker = register.rpartition("/")[2]
            return Obstacle(f"{func.name} is called by its name: its type is given to {asker}", at)
        caller = self._problem.named.caller(func)
        if caller:
            return Obstacle(f"{func.name} may be called by its name when the program runs", caller)
        unread = self._problem.unread_user(func)
        if unread:
            built = self._problem.constraints[unread]
            return Obstacle(f"{func.name} is named in {unread}, which is not built here (go:build {built})", unread)
        generator = self._generator(func.place.file)
        if generator:
            return Obstacle(f"{func.name} is generated by {generator}: change what it is made from", at)
        if _DIRECTIVE.search(self._comment_above(func)):
            return Obstacle(f"{func.name} is exported to C or linked by name", at)
        frozen = func.exported and not func.test and self._problem.is_frozen(func.package)
        if frozen and not self._has_variant(member):
            return Obstacle(f"{func.name} is exported by a library, and others may call it (policy exported)", at)
        return None

    def _why_outside(self, member: str) -> Obstacle:
        """Why what is not declared here cannot change: who made it stand for an interface is where that began."""
        outside = self._problem.outside.get(member)
        name = member.rpartition("/")[2]
        if outside is None:
            return Obstacle(f"{name} is declared where it cannot be changed", "")
        how = f"implements {outside.of.rpartition('/')[2]}" if outside.of else "is embedded with its type"
        return Obstacle(f"{name} {how}, and this module does not own it", where(outside.place))

    def _why_needed(self, node: str) -> Obstacle | None:
        """Why what another module uses cannot change, where that needs this one and this one needs it."""
        user = self._problem.dependents.get(node)
        if user is None:
            return None
        name = node.rpartition("/")[2]
        how = f"is implemented by {user.method.rpartition('/')[2]}" if user.method else "is used"
        return Obstacle(f"{name} {how} in a module that needs this one in turn: both must change", where(user.place))

    def _why_used(self, call: Call) -> Obstacle | None:
        """Why a function that is used as a value cannot take one more argument: who calls it there is not known."""
        if is_left_alone(call):
            return None
        if call.kind == "value" and not is_run_there(self._problem, call) and not self._holders.takes(call):
            name = call.callee.rpartition("/")[2]
            return Obstacle(f"{name} is used as a value, and who holds it calls it as it is", where(call.place))
        if call.kind == "value" or not self._generator(call.place.file):
            return None
        return Obstacle(f"it is called in a file that {self._generator(call.place.file)} generates", where(call.place))

    def _why_interface_closed(self, node: Dispatch) -> Obstacle | None:
        at = where(node.place)
        if node.external:
            return Obstacle(f"{node.name} comes from an interface that this module does not own", "")
        if not node.place.file:
            return Obstacle(f"the interface of {node.name} is declared where it cannot be changed", at)
        generator = self._generator(node.place.file)
        if generator:
            return Obstacle(f"{node.name} is generated by {generator}: change what it is made from", at)
        package = node.id.rpartition(".")[0].rpartition(".")[0]
        name = node.id.rpartition(".")[0].rpartition(".")[2]
        if name[:1].isupper() and self._problem.is_frozen(package):
            return Obstacle(f"{node.name} is exported by a library, and others may implement it (policy exported)", at)
        return None

    def _generator(self, file: str) -> str:
        """Who generates a file whose signatures are not to be edited; nobody for mocks."""
        return "" if is_mock(self._problem, file) else self._problem.generators.get(file, "")

    def _comment_above(self, func: Func) -> bytes:
        data = self._problem.text_of(func.place).data[: func.place.start]
        return data[data.rstrip().rfind(b"\n\n") + 1 :]


def parameter_edits(problem: Problem, group: Group, names: dict[str, str]) -> Iterator[Edit]:
    """The edits that give every member of a group its context parameter; `names` by function."""
    for member in group.functions:
        func = problem.graph.funcs[member]
        text = problem.text_of(func.place)
        declaration = text.find(func.place.start, func.place.end, *FUNCTIONS)
        parameters = declaration.field("parameters") if declaration is not None else None
        if parameters is not None:
            behind, body = group.behind and bool(func.parent), member in problem.working
            yield from with_context(text, parameters, names.get(member, "ctx"), body=body, behind=behind)
    for node in group.interfaces:
        place = problem.graph.dispatch[node].place
        text = problem.texts[place.file]
        for method in methods_of(text, place.start, node.rpartition(".")[2]):
            parameters = method.field("parameters")
            if parameters is not None:
                yield from with_context(text, parameters, name_in(text, method), body=False)

    for place in group.written:
        text = problem.texts[place.file]
        written = text.find(place.start, place.end, "function_type")
        parameters = written.field("parameters") if written is not None else None
        if written is not None and parameters is not None:
            yield from with_context(text, parameters, name_in(text, written), body=False, behind=group.behind)


def methods_of(text: GoText, start: int, name: str) -> Iterator[SgNode]:
    """The methods of a name in the interface whose declaration begins at a position."""
    spec = text.around(start, "type_spec", "type_alias")
    if spec is None:
        return
    for method in spec.find_all(kind="method_elem"):
        declared = method.field("name")
        if declared is not None and declared.text() == name:
            yield method


def with_context(
    text: GoText, parameters: SgNode, name: str, *, body: bool = True, behind: bool = False
) -> Iterator[Edit]:
    """The edits that put a context first in a parameter list, behind a leading `t *testing.T`, or whatever is there.

    Where the others have no names it has none, unless there is a `body` to use it: then they become `_`.
    """
    declared = named_children(parameters)
    named = not declared or any(node.field("name") is not None for node in declared)
    kind = of_context(text, "Context", text.start(parameters))
    written = f"{name} {kind}" if named or body else kind
    unnamed = declared if body and not named else []
    for node in unnamed[1:]:
        yield text.insert(text.start(node), "_ ")
    if declared and (behind or _is_testing(declared[0])):
        yield text.insert(text.end(declared[0]), f", {written}")
        yield from (text.insert(text.start(node), "_ ") for node in unnamed[:1])
    else:
        yield text.first_in(text.listed(parameters), written, before="_ " if unnamed else "")


def _is_testing(declared: SgNode) -> bool:
    kind = declared.field("type")
    return kind is not None and _TESTING.match(kind.text()) is not None
