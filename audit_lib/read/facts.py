"""The typed facts: what gofacts prints, as records.

Nodes are named by package path: functions and methods (`path.Type.Method`), literals (`….func1`), interface methods,
and variables, fields, elements, parameters and results that hold functions (`field:path.Type.name`). Positions are byte
offsets from 0; lines and columns from 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import msgspec

from audit_lib.errors import ToolchainError

EdgeKind = Literal["static", "interface", "value", "closure"]


class Place(msgspec.Struct, frozen=True):
    """Where a node stands."""

    file: str = ""
    line: int = 0
    column: int = 0
    start: int = 0
    end: int = 0


class Module(msgspec.Struct, frozen=True):
    """A module of the target: its path, its folder, and the `go` line of its go.mod."""

    path: str = ""
    dir: str = ""
    go: str = ""


class Package(msgspec.Struct, frozen=True):
    """A package that was read, how many of its files are the target's, and how often it hands contexts to loggers."""

    path: str = ""
    name: str = ""
    module: str = ""
    dir: str = ""
    files: int = 0
    logs: int = 0


class Problem(msgspec.Struct, frozen=True):
    """Something that was not read, or not whole, and why."""

    where: str = ""
    reason: str = ""


class Use(msgspec.Struct, frozen=True):
    """Where a value goes.

    A context: `arg` of `target`, `field`, `global`, `return`, `wrap:WithTimeout`, `method`, `written` and so on. A
    literal: `go`, `defer`, `call`, `arg`, `var`, `field`, `return`. `values`: the target only reads values, as a logger
    does. `makes`: it makes an object, which may keep what it is given. `tx`: the call is part of a transaction.
    `lasts`: what gets a literal, or the field that gets a context, lives longer than the function around it. `waited`:
    up to which offset somebody waits for what is done in the goroutine that it is started in; 0 where nobody does.

    What a context is used for stands `at` an offset of `function`.

    An object that the target makes, or that a literal makes with a context, `becomes` something: it is `kept` where
    others find it. One that works no longer than its context lives is `sent` over a channel, `returned` to the
    caller, `given` to a parameter (`target`), `works` in another function or a go statement (`function`, at offset
    `at`), or is `left`: started, and nothing more.
    """

    kind: str = ""
    target: str = ""
    arg: int = 0
    go: bool = False
    defer: bool = False
    line: int = 0
    function: str = ""
    values: bool = False
    makes: bool = False
    tx: bool = False
    lasts: bool = False
    waited: int = 0
    at: int = 0
    becomes: tuple[Use, ...] = ()


class Param(msgspec.Struct, frozen=True):
    """A parameter; its role is `context`, `carrier` (gives a context) or empty. An object given there `becomes` …"""

    name: str = ""
    type: str = ""
    role: str = ""
    becomes: tuple[Use, ...] = ()


class Func(msgspec.Struct, frozen=True):
    """A function, a method, a literal (with its `parent`), or a file's package-level initialisers."""

    id: str
    name: str = ""
    package: str = ""
    place: Place = Place()
    receiver: str = ""
    exported: bool = False
    test: bool = False
    parent: str = ""
    params: tuple[Param, ...] = ()
    results: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    use: Use | None = None
    closed_by: tuple[str, ...] = ()


class Dispatch(msgspec.Struct, frozen=True):
    """A node with several bodies: an interface's method (`interface`), or something that holds functions (`value`)."""

    id: str
    name: str = ""
    kind: Literal["interface", "value"] = "value"
    external: bool = False
    targets: tuple[str, ...] = ()
    place: Place = Place()


class Call(msgspec.Struct, frozen=True):
    """An edge of the graph: how `caller` reaches `callee`; `context` says where its first context argument comes from.

    `timed`: that has a timeout or a deadline; told of calls of the target's own functions.
    `waited`: of a `go` statement, up to which offset somebody waits for what is done in it; 0 where nobody does.
    `after` says that it comes behind the end of a context, a signal or a stop, and `common` that it is in work which is
    others' too: a `flight` for which they wait, a `batch` which they have filled.
    `kind` is `static`, `interface`, `value` (also: given away) or `closure` (a literal in the function around it).
    `method_expr`: the receiver is the first argument (`T.Method(t)`, `T.Method`). `spread`: all arguments are the
    results, so many, of one call (`f(g())`). `use`: where a function goes that is only named, and not called.
    `becomes`: what becomes of the object that a function of the target makes. `streamed`: it gives a channel that only
    goroutines read for which nobody waits.
    """

    caller: str
    callee: str
    kind: EdgeKind = "static"
    place: Place = Place()
    go: bool = False
    waited: int = 0
    streamed: bool = False
    defer: bool = False
    loop: bool = False
    lazy: bool = False
    common: str = ""
    after: bool = False
    context: tuple[str, ...] = ()
    timed: bool = False
    test: bool = False
    method_expr: bool = False
    spread: int = 0
    use: Use | None = None
    becomes: tuple[Use, ...] = ()


class Origin(msgspec.Struct, frozen=True):
    """A way to get a context, usable in `[from, to)` of its file.

    `role` is `context`, `method`, `field`, `stored` (in the receiver) or `shadow` (hides a name). Of a local,
    `origins` says what it was made from, and `ends` whether it can end, and `lives` whether somebody ends it, not a
    time only. A parameter has `ends` and `assigned` where it is assigned another context. `ended` are the parts of the
    file in which it has been ended by hand, `absent` those in which it, or what it is read from, was found to be nil or
    not to be there. `calls` names the target's functions that are called to read it.
    """

    expr: str = ""
    role: str = ""
    type: str = ""
    gives: str = ""
    name: str = ""
    owner: str = ""
    param: bool = False
    file: str = ""
    start: int = msgspec.field(default=0, name="from")
    stop: int = msgspec.field(default=0, name="to")
    declared: int = 0
    line: int = 0
    column: int = 1
    origins: tuple[str, ...] = ()
    ends: bool = False
    lives: bool = False
    ended: tuple[tuple[int, int], ...] = ()
    absent: tuple[tuple[int, int], ...] = ()
    calls: tuple[str, ...] = ()
    nilable: bool = False
    assigned: int = 0

    def has_ended(self, offset: int) -> bool:
        """Whether somebody has ended it where a position is reached."""
        return any(start <= offset < stop for start, stop in self.ended)

    def is_absent(self, offset: int) -> bool:
        """Whether there is nothing to read it from where a position is reached."""
        return any(start <= offset < stop for start, stop in self.absent)


class Forward(msgspec.Struct, frozen=True):
    """What a function does with a context that it is given (`function` is the parameter's node), or is used as.

    `makes`: it hands it to what makes what it returns. Of a parameter that is a function: that it is `kept` for
    later, or which variable goes over `each` of it. A context that is not used in line in the function itself is used
    `within` a literal, or in a `go` statement, as in `Use`, at offset `at`. `lasts`: the field is of what
    was there before.
    """

    function: str
    kind: str = ""
    target: str = ""
    arg: int = 0
    within: str = ""
    go: bool = False
    waited: int = 0
    at: int = 0
    lasts: bool = False


class Foreign(msgspec.Struct, frozen=True):
    """What a function of another module does with an argument: with the function `arg`, or with its `context`.

    A function is called `here`, before it returns; in a goroutine that it has `waited` for, or that nobody waits for
    (`go`); `once` for all who wait for it; or it is `kept`, or held by what is `returned`. A context is listened to
    (`listens`), asked for its `values`, or used in a goroutine that goes on (`lives`). `unknown`: there is more.
    """

    function: str
    arg: int = 0
    context: bool = False
    does: tuple[str, ...] = ()


class Holder(msgspec.Struct, frozen=True):
    """The type of a node that holds functions: a declared one (`type:path.Name`), `interface`, or what is written.

    `place` is where a function type is written for it.
    """

    node: str
    type: str = ""
    place: Place = Place()


class Outside(msgspec.Struct, frozen=True):
    """A method of another module that stands for one of the target's interfaces, and where it came to do so.

    `of` is the interface's method; it is empty for one that a type of the target has by embedding.
    """

    method: str = ""
    of: str = ""
    place: Place = Place()


class Dependent(msgspec.Struct, frozen=True):
    """A node of the target that a module which needs the target in turn uses as it is, and where it does so first.

    `method` is that module's where it stands for the node, a method of one of the target's interfaces.
    """

    node: str
    method: str = ""
    place: Place = Place()


class TypedSite(msgspec.Struct, frozen=True):
    """A root or a bare call as types show it, with what becomes of it.

    `variable` is the package's variable that holds a root and nothing else; each `use` of it is a site of its own.
    `waited`: of one in a `go` statement, up to which offset somebody waits for that; 0 where nobody does.
    """

    kind: str
    callee: str = ""
    sibling: str = ""
    place: Place = Place()
    function: str = ""
    wraps: tuple[str, ...] = ()
    uses: tuple[Use, ...] = ()
    flags: tuple[str, ...] = ()
    waited: int = 0
    values: bool = False
    io: bool = False
    test: bool = False
    variable: str = ""


class Skipped(msgspec.Struct, frozen=True):
    """A part of a file that was given up, and why: to the end of the file where its end is 0."""

    place: Place = Place()
    reason: str = ""

    def covers(self, offset: int) -> bool:
        """Whether a position of its file is in it."""
        return self.place.start <= offset and (offset < self.place.end or not self.place.end)


@dataclass(frozen=True)
class Facts:
    """All facts of a target, each kind in the order in which gofacts prints it: sorted."""

    modules: tuple[Module, ...] = ()
    packages: tuple[Package, ...] = ()
    problems: tuple[Problem, ...] = ()
    funcs: tuple[Func, ...] = ()
    dispatch: tuple[Dispatch, ...] = ()
    calls: tuple[Call, ...] = ()
    sources: tuple[Origin, ...] = ()
    forwards: tuple[Forward, ...] = ()
    foreign: tuple[Foreign, ...] = ()
    holders: tuple[Holder, ...] = ()
    outside: tuple[Outside, ...] = ()
    dependents: tuple[Dependent, ...] = ()
    sites: tuple[TypedSite, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    @property
    def size(self) -> int:
        """How many facts there are of what judging walks over."""
        return sum(map(len, (self.funcs, self.dispatch, self.calls, self.sources, self.forwards, self.sites)))


_TYPES: dict[str, tuple[str, type[msgspec.Struct]]] = {
    "module": ("modules", Module),
    "package": ("packages", Package),
    "problem": ("problems", Problem),
    "func": ("funcs", Func),
    "dispatch": ("dispatch", Dispatch),
    "call": ("calls", Call),
    "source": ("sources", Origin),
    "forward": ("forwards", Forward),
    "foreign": ("foreign", Foreign),
    "holder": ("holders", Holder),
    "outside": ("outside", Outside),
    "dependent": ("dependents", Dependent),
    "site": ("sites", TypedSite),
    "skipped": ("skipped", Skipped),
}


def decode(lines: Iterable[bytes]) -> Facts:
    """Facts from JSON Lines, each `["kind", {…}]`. Raises `ToolchainError` for a line that is none."""
    return decode_wide(lines)[0]


def decode_wide(lines: Iterable[bytes]) -> tuple[Facts, Facts]:
    """The facts that a judgement needs, and all of them, those with a `+` before their kind included.

    Raises `ToolchainError` for a line that is none.
    """
    decoders = {kind: msgspec.json.Decoder(record) for kind, (_, record) in _TYPES.items()}
    near: dict[str, list[msgspec.Struct]] = {kind: [] for kind in _TYPES}
    far: dict[str, list[msgspec.Struct]] = {kind: [] for kind in _TYPES}
    for line in lines:
        head, _, rest = line.partition(b",")
        mark, found = (3, far) if head[2:3] == b"+" else (2, near)
        kind = head[mark:-1].decode("ascii", "replace")
        try:
            found[kind].append(decoders[kind].decode(rest.rstrip()[:-1]))
        except (KeyError, msgspec.DecodeError) as error:
            raise ToolchainError(
                f"gofacts printed a line that cannot be read ({error}); is the cache damaged?"
            ) from error
    whole = {kind: near[kind] + far[kind] for kind in _TYPES}
    return _facts(near), _facts(whole)


def _facts(found: dict[str, list[msgspec.Struct]]) -> Facts:
    return Facts(**{name: tuple(found[kind]) for kind, (name, _) in _TYPES.items()})  # type: ignore[arg-type]
