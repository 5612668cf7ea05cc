"""Programs that cost more than they should: each family writes a module whose size grows with a number.

`FAMILIES` has one function per kind of growth. It gives the files of a module by their names; `write` puts them down.
Every family has at least one context root outside of the loop that makes it grow, so that a scan has something to find.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

Files = Mapping[str, str]
Family = Callable[[int], Files]

_MOD = "module example.com/grow\n\ngo 1.24\n"
_HEAD = 'package grow\n\nimport "context"\n\nfunc take(ctx context.Context) {}\n\n'
_ROOT = "func root() { take(context.Background()) }\n"


def write(folder: Path, files: Files) -> Path:
    """Write a module; gives its folder."""
    for name, text in {"go.mod": _MOD, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def _one(parts: Iterable[str], head: str = _HEAD) -> Files:
    return {"grow.go": head + _ROOT + "".join(parts)}


def _lines(size: int, line: str) -> str:
    return "".join(line.replace("#", str(i)) for i in range(size))


def sites(size: int) -> Files:
    """Many roots in one function."""
    return _one(["func many() {\n", _lines(size, "\ttake(context.Background())\n"), "}\n"])


def sites_after_cancel(size: int) -> Files:
    """Many roots in a function that ends contexts of others, which is looked for before each."""
    body = _lines(size, "\tif c != nil { c() }\n\ttake(context.Background())\n")
    return _one(["func many(c context.CancelFunc) {\n", body, "}\n"])


def statements(size: int) -> Files:
    """Many plain statements in one function."""
    return _one(["func many() int {\n\tx := 0\n", _lines(size, "\tx += #\n"), "\treturn x\n}\n"])


def nested_calls(size: int) -> Files:
    """A call in a call in a call, each with a context."""
    chain = "wrap(" * size + "context.Background()" + ")" * size
    return _one(
        ["func wrap(ctx context.Context) context.Context { return ctx }\n", f"func deep() {{ take({chain}) }}\n"]
    )


def with_values(size: int) -> Files:
    """A context made of a context, again and again, in one variable."""
    line = "\tctx = context.WithValue(ctx, #, #)\n\ttake(ctx)\n"
    return _one(["func deep() {\n\tctx := context.Background()\n", _lines(size, line), "}\n"])


def new_values(size: int) -> Files:
    """A context made of a context, each in a variable of its own."""
    body = "".join(f"\tc{i + 1} := context.WithValue(c{i}, {i}, {i})\n\ttake(c{i + 1})\n" for i in range(size))
    return _one(["func deep() {\n\tc0 := context.Background()\n", body, "}\n"])


def closures(size: int) -> Files:
    """Functions within functions."""
    return _one(["func deep() {\n", "\tfunc() {\n" * size, "take(context.Background())\n", "}()\n" * size, "}\n"])


def blocks(size: int) -> Files:
    """Conditions within conditions, with a root in each."""
    line = "if x != nil {\ntake(context.Background())\n"
    return _one(["func deep(x *int) {\n", line * size, "}\n" * size, "}\n"])


def loops(size: int) -> Files:
    """Endless loops within endless loops."""
    line = "for {\ntake(context.Background())\n"
    return _one(["func deep(c chan int) {\n", line * size, "<-c\n", "}\n" * size, "}\n"])


def slice_of_functions(size: int) -> Files:
    """Functions in one slice that all call what is in it."""
    parts = [f"func f{i}(n int) {{ all[n](n); take(context.Background()) }}\n" for i in range(size)]
    return _one(["var all []func(int)\n", *parts, "func init() {\n", _lines(size, "\tall = append(all, f#)\n"), "}\n"])


def ring(size: int) -> Files:
    """Functions that call each other in a ring."""
    parts = [f"func f{i}() {{ f{(i + 1) % size}(); take(context.Background()) }}\n" for i in range(size)]
    return _one(parts)


def mesh(size: int) -> Files:
    """Functions each of which calls every other: size is the number of calls."""
    count = max(int(size**0.5), 2)
    body = _lines(count, "\tf#()\n")
    return _one(f"func f{i}() {{\n{body}\ttake(context.Background())\n}}\n" for i in range(count))


def diamonds(size: int) -> Files:
    """Diamonds in a row: the number of paths doubles with each."""
    parts = []
    for i in range(size):
        parts.append(f"func a{i}() {{ b{i}(); c{i}() }}\nfunc b{i}() {{ a{i + 1}() }}\nfunc c{i}() {{ a{i + 1}() }}\n")
    return _one([*parts, f"func a{size}() {{ take(context.Background()) }}\n"])


def implementers(size: int) -> Files:
    """Interfaces with the same method, and types that have it."""
    faces = [f"type I{i} interface {{ Do(n int) }}\nfunc call{i}(x I{i}) {{ x.Do({i}) }}\n" for i in range(size)]
    kinds = [f"type T{i} int\nfunc (T{i}) Do(n int) {{ take(context.Background()) }}\n" for i in range(size)]
    return _one([*faces, *kinds])


def fields(size: int) -> Files:
    """A struct with many fields that hold functions, all of them called."""
    line = "\t\tf#: func() { take(context.Background()) },\n"
    struct = ["type S struct {\n", _lines(size, "\tf# func()\n"), "}\n"]
    filled = ["func fill() *S {\n\treturn &S{\n", _lines(size, line), "\t}\n}\n"]
    return _one([*struct, *filled, "func (s *S) run() {\n", _lines(size, "\ts.f#()\n"), "}\n"])


def methods(size: int) -> Files:
    """A type with many methods."""
    return _one(["type T struct{}\n", _lines(size, "func (t *T) M#() { take(context.Background()) }\n")])


def cases(size: int) -> Files:
    """A switch with many cases."""
    body = _lines(size, "\tcase #:\n\t\ttake(context.Background())\n")
    return _one(["func choose(n int) {\n\tswitch n {\n", body, "\t}\n}\n"])


def chosen(size: int) -> Files:
    """Many cases of a select, each behind an end."""
    body = _lines(size, "\tcase <-done:\n\t\ttake(context.Background())\n")
    return _one(["func choose(done chan struct{}) {\n\tselect {\n", body, "\t}\n}\n"])


def packages(size: int) -> Files:
    """Many packages of one file."""
    text = (
        'package p#\n\nimport "context"\n\nfunc Take(ctx context.Context) {}\nfunc F() { Take(context.Background()) }\n'
    )
    return {"grow.go": _HEAD + _ROOT} | {f"p{i}/p.go": text.replace("#", str(i)) for i in range(size)}


def closures_of_variable(size: int) -> Files:
    """Many closures that one variable gets in turn, which is called again and again."""
    line = "\tf = func() { take(context.Background()) }\n\tf()\n"
    return _one(["func many() {\n\tvar f func()\n", _lines(size, line), "\tf()\n}\n"])


def passed_on(size: int) -> Files:
    """Functions that go through a chain of variables."""
    chain = "".join(f"\tv{i + 1} := v{i}\n" for i in range(size))
    given = _lines(size, "\tv0 = func() { take(context.Background()) }\n")
    return _one(["func many() {\n\tvar v0 func()\n", given, chain, f"\tv{size}()\n}}\n"])


def goroutines(size: int) -> Files:
    """Many goroutines, each with a channel of its own that is waited for."""
    line = "\td# := make(chan int)\n\tgo func() { take(context.Background()); d# <- 1 }()\n\t<-d#\n"
    return _one(["func many() {\n", _lines(size, line), "}\n"])


def one_channel(size: int) -> Files:
    """Many goroutines that send to one channel."""
    line = "\tgo func() { take(context.Background()); done <- 1 }()\n\t<-done\n"
    return _one(["func many() {\n\tdone := make(chan int)\n", _lines(size, line), "}\n"])


def shadowed(size: int) -> Files:
    """Many variables of one name, each in the block of the last."""
    line = "{\nctx, cancel := context.WithCancel(ctx)\ncancel()\ntake(context.Background())\n"
    return _one(["func deep(ctx context.Context) {\n", line * size, "_ = ctx\n", "}\n" * size, "}\n"])


def derived(size: int) -> Files:
    """Many contexts in one block, each with its cancel function."""
    line = "\tc#, cancel# := context.WithCancel(ctx)\n\tcancel#()\n\ttake(c#)\n\ttake(context.Background())\n"
    return _one(["func many(ctx context.Context) {\n", _lines(size, line), "}\n"])


def asked(size: int) -> Files:
    """Many tests for an end, with a root behind each."""
    line = "\tif ctx.Err() != nil {\n\t\ttake(context.Background())\n\t}\n"
    return _one(["func many(ctx context.Context) {\n", _lines(size, line), "}\n"])


def lazy(size: int) -> Files:
    """Many fields that are made once, each in a block of its own, in one method."""
    struct = ["type S struct {\n", _lines(size, "\tf# *int\n"), "}\n"]
    line = "\tif s.f# != nil { return }\n\ts.f# = new(int)\n\ttake(context.Background())\n"
    return _one([*struct, "func (s *S) run() {\n", _lines(size, line), "}\n"])


def flights(size: int) -> Files:
    """Many calls that are put where others wait for them."""
    head = 'package grow\n\nimport (\n\t"context"\n\t"sync"\n)\n\nfunc take(ctx context.Context) {}\n'
    struct = "type call struct{ done chan int }\ntype S struct {\n\tmu sync.Mutex\n\tcalls map[int]*call\n}\n"
    line = (
        "\tif c, ok := s.calls[#]; ok { <-c.done }\n\tn# := &call{make(chan int)}\n\ts.calls[#] = n#\n"
        "\ttake(context.Background())\n\tclose(n#.done)\n"
    )
    return _one([struct, "func (s *S) run() {\n", _lines(size, line), "}\n"], head)


def commands(size: int) -> Files:
    """One command that much is done with, started again and again."""
    head = 'package grow\n\nimport (\n\t"context"\n\t"os/exec"\n)\n\nfunc take(ctx context.Context) {}\n'
    line = '\tc = exec.Command("true")\n\tc.Start()\n'
    return _one(["func many() {\n\tvar c *exec.Cmd\n", _lines(size, line), "\tc.Wait()\n}\n"], head)


def embedded(size: int) -> Files:
    """Interfaces that each embed the one before, with a method more."""
    parts = [f"type I{i} interface {{ I{i - 1}; M{i}() }}\n" for i in range(1, size)]
    return _one(["type I0 interface { M0() }\n", *parts, f"func call(x I{size - 1}) {{ x.M0() }}\n"])


def embeds(size: int) -> Files:
    """Structs that each embed the one before; the first has a method."""
    parts = [f"type T{i} struct {{ T{i - 1} }}\n" for i in range(1, size)]
    first = "type T0 struct{}\nfunc (T0) Do() { take(context.Background()) }\n"
    return _one([first, *parts, f"func call(x T{size - 1}) {{ x.Do() }}\n"])


def selectors(size: int) -> Files:
    """A chain of selectors."""
    return _one(
        ["type T struct{ next *T }\n", f"func deep(t *T) {{ _ = t{'.next' * size}; take(context.Background()) }}\n"]
    )


def concatenated(size: int) -> Files:
    """A sum of many terms."""
    terms = " + ".join(["x"] * size)
    return _one([f"func deep(x string) string {{ take(context.Background()); return {terms} }}\n"])


def called_sum(size: int) -> Files:
    """A sum of many calls, each with a root."""
    terms = " + ".join(["get(context.Background())"] * size)
    return _one(["func get(ctx context.Context) int { return 1 }\n", f"func deep() int {{ return {terms} }}\n"])


def parentheses(size: int) -> Files:
    """An expression in parentheses in parentheses."""
    return _one([f"func deep() int {{ take(context.Background()); return {'(' * size}1{')' * size} }}\n"])


def pointers(size: int) -> Files:
    """A type of pointers to pointers."""
    return _one([f"func deep(x {'*' * size}int) {{ take(context.Background()) }}\n"])


def lists(size: int) -> Files:
    """A type of lists of lists of functions, which are called."""
    return _one(
        [f"var deep {'[]' * size}func()\n", f"func run() {{ deep{'[0]' * size}(); take(context.Background()) }}\n"]
    )


def constants(size: int) -> Files:
    """Constants that are squared again and again."""
    parts = [f"const c{i + 1} = c{i} * c{i}\n" for i in range(size)]
    return _one(
        ["const c0 = 12345678901234567890\n", *parts, f"const big = 1{'0' * size}\n", f"const far = 1e{size}\n"]
    )


def strings(size: int) -> Files:
    """A constant text that doubles again and again."""
    parts = [f"const s{i + 1} = s{i} + s{i}\n" for i in range(size)]
    return _one(['const s0 = "0123456789"\n', *parts, f"var text = s{size}\n"])


def arrays(size: int) -> Files:
    """An array of arrays of arrays, larger than any memory."""
    return _one([f"type A {'[1 << 40]' * size}int\n", "func deep(a *A) { take(context.Background()) }\n"])


def expanding(size: int) -> Files:
    """A generic type that needs itself of itself."""
    parts = [f"type T{i}[P any] struct{{ f *T{i}[T{i}[P]] }}\nvar v{i} T{i}[int]\n" for i in range(size)]
    return _one(parts)


def instances(size: int) -> Files:
    """A type of two of the last, again and again: how it is written doubles with each."""
    body = "".join(f"\tx{i + 1} := pair(x{i}, x{i})\n" for i in range(size))
    head = "type P[A, B any] struct { a A; b B }\nfunc pair[A, B any](a A, b B) *P[A, B] { return &P[A, B]{a, b} }\n"
    return _one([head, "func deep() {\n\tx0 := 1\n", body, f"\t_ = x{size}\n\ttake(context.Background())\n}}\n"])


def structs(size: int) -> Files:
    """Unnamed structs of two of the last: how such a type is written doubles with each."""
    parts = [f"type S{i + 1} = struct {{ a, b S{i} }}\n" for i in range(size)]
    return _one(["type S0 = struct{ f func() }\n", *parts, f"func deep(x S{size}) {{ take(context.Background()) }}\n"])


def signatures(size: int) -> Files:
    """Function types of two of the last."""
    parts = [f"type F{i + 1} = func(F{i}, F{i}) F{i}\n" for i in range(size)]
    held = f"type I interface {{ Do(F{size}) }}\nvar f F{size}\nvar l []I\n"
    return _one(["type F0 = func()\n", *parts, held, f"func deep(x F{size}) {{ take(context.Background()) }}\n"])


def recursive(size: int) -> Files:
    """Types that hold each other in a ring."""
    parts = [f"type T{i} struct {{ next *T{(i + 1) % size}; f func(T{(i + 1) % size}) }}\n" for i in range(size)]
    return _one(parts)


def cycle(size: int) -> Files:
    """Packages that import each other in a ring."""
    return {"grow.go": _HEAD + _ROOT} | {
        f"p{i}/p.go": f'package p{i}\n\nimport (\n\t"context"\n\t"example.com/grow/p{(i + 1) % size}"\n)\n\n'
        f"func F(ctx context.Context) {{}}\nfunc G() {{ p{(i + 1) % size}.F(context.Background()) }}\n"
        for i in range(size)
    }


def globals_chain(size: int) -> Files:
    """Contexts of the package that are made of each other, each used in many places."""
    parts = [f"var g{i + 1} = context.WithValue(g{i}, {i}, {i})\n" for i in range(size)]
    return _one(["var g0 = context.Background()\n", *parts, "func use() {\n", _lines(size, "\ttake(g#)\n"), "}\n"])


def forwarded(size: int) -> Files:
    """A parameter that is used in very many places."""
    return _one(["func many(ctx context.Context) {\n", _lines(size, "\ttake(ctx)\n"), "}\n"])


def assigned(size: int) -> Files:
    """Contexts that are assigned to each other in every direction: size is the number of assignments."""
    count = max(int(size**0.5), 2)
    names = ", ".join(f"c{i}" for i in range(count))
    body = "".join(f"\tc{i} = c{j}\n" for i in range(count) for j in range(count) if i != j)
    uses = "".join(f"\ttake(c{i})\n" for i in range(count))
    return _one([f"func many(ctx context.Context) {{\n\tvar {names} context.Context\n\tc0 = ctx\n", body, uses, "}\n"])


def elements(size: int) -> Files:
    """A list with very many contexts and functions."""
    contexts = "var cs = []context.Context{\n" + "\tcontext.Background(),\n" * size + "}\n"
    return _one([contexts, "var fs = []func(){\n" + "\tfunc() { take(context.Background()) },\n" * size + "}\n"])


def arguments(size: int) -> Files:
    """A call with very many arguments."""
    args = "\t\tcontext.Background(),\n" * size
    return _one(["func all(cs ...context.Context) {}\n", f"func many() {{\n\tall(\n{args}\t)\n}}\n"])


def interfaces_wide(size: int) -> Files:
    """An interface with very many methods, and a type that has them."""
    face = ["type I interface {\n", _lines(size, "\tM#(n int)\n"), "}\n"]
    kind = ["type T int\n", _lines(size, "func (T) M#(n int) { take(context.Background()) }\n")]
    return _one([*face, *kind, "func call(x I) {\n", _lines(size, "\tx.M#(#)\n"), "}\n"])


def chain_of_calls(size: int) -> Files:
    """A chain of functions with a request at its top and a root in each."""
    head = 'package grow\n\nimport (\n\t"context"\n\t"net/http"\n)\n\nfunc take(ctx context.Context) {}\n'
    parts = [f"func f{i}() {{ f{i + 1}(); take(context.Background()) }}\n" for i in range(size)]
    first = "func serve(w http.ResponseWriter, r *http.Request) { f0() }\n"
    return _one([first, *parts, f"func f{size}() {{}}\n"], head)


FAMILIES: dict[str, Family] = {
    family.__name__: family
    for family in (
        sites, sites_after_cancel, statements, nested_calls, with_values, new_values, closures, blocks, loops,
        slice_of_functions, ring, mesh, diamonds, implementers, fields, methods, cases, chosen, packages,
        closures_of_variable, passed_on, goroutines, one_channel, shadowed, derived, asked, lazy, flights, commands,
        embedded, embeds, selectors, concatenated, called_sum, parentheses, pointers, lists, constants, strings,
        arrays, expanding, instances, structs, signatures, recursive, cycle, globals_chain, forwarded, assigned,
        elements, arguments, interfaces_wide, chain_of_calls,
    )
}  # fmt: skip
