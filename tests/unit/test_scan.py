"""The scan of one file: what is a site, what is none, and which function it is in."""

from __future__ import annotations

import pytest

from audit_lib.read.rules import own_rules
from audit_lib.read.scan import scan_text
from audit_lib.read.syntax import SyntaxSite


def sites(code: str) -> tuple[SyntaxSite, ...]:
    return scan_text(code, own_rules(), "store/a.go")


def roots(code: str, imports: str = 'import "context"') -> list[str]:
    """The callees of the roots in a file with these imports and this code."""
    return [site.callee for site in sites(f"package a\n\n{imports}\n\n{code}\n") if site.kind == "root"]


NO_ROOTS = {
    "a comment": "// context.Background() is wrong here\nfunc f() {}",
    "a block comment": "/*\nfunc f() { query(context.TODO()) }\n*/",
    "strings": 'var a, b = "context.TODO()", `\ncontext.Background()\n`',
    "a function value": "var server = http.Server{BaseContext: context.Background}",
    "another function": "func f(ctx context.Context) { context.WithCancel(ctx); context.Cause(ctx) }",
    "a field of the name": "func f(s *Service) { s.context.Background() }",
    "a method of the name": "func f(t tracer) { t.Background() }",
    "a function of the package": "func TODO() int { return 1 }\nvar x = TODO()",
}


@pytest.mark.parametrize("code", NO_ROOTS.values(), ids=NO_ROOTS.keys())
def test_what_is_no_root(code: str) -> None:
    assert roots(code) == []


HIDDEN = {
    "a parameter": "func f(context tracer) { context.Background() }",
    "a receiver": "func (context *tracer) f() { context.Background() }",
    "a named result": "func f() (context tracer) { context.Background(); return }",
    "a variadic": "func f(n int, context ...tracer) { context.Background() }",
    "a variable": "func f() { context := tracer{}; context.Background() }",
    "one of several": "func f() { a, context := g(); context.Background() }",
    "a var": "func f() { var context tracer; context.Background() }",
    "a var in a group": "func f() { var ( a int; b, context = g() ); context.Background() }",
    "a local type": "func f() { type context struct{}; context.Background() }",
    "a range": "func f() { for _, context := range all { context.Background() } }",
    "a loop": "func f() { for context := first(); ; { context.Background() } }",
    "an if": "func f() { if context := g(); context.Background() { } }",
    "the else of an if": "func f() { if context := g(); ok { } else { context.Background() } }",
    "a switch": "func f() { switch context := g(); { case ok: context.Background() } }",
    "a type switch": "func f() { switch context := v.(type) { case tracer: context.Background() } }",
    "a select": "func f() { select { case context := <-ch: context.Background() } }",
    "around a literal": "func f(context tracer) { go func() { context.Background() }() }",
    "of a literal": "func f() { g(func(context tracer) { context.Background() }) }",
}


@pytest.mark.parametrize("code", HIDDEN.values(), ids=HIDDEN.keys())
def test_a_local_name_hides_the_package(code: str) -> None:
    assert roots(code) == []


STILL_SEEN = {
    "its own declaration": "func f() { context := context.Background(); use(context) }",
    "before the declaration": "func f() { use(context.TODO()); context := g(); _ = context }",
    "after the block": "func f() { if ok { context := g(); _ = context }; use(context.TODO()) }",
    "after the loop": "func f() { for _, context := range all { _ = context }; use(context.TODO()) }",
    "what is ranged over": "func f() { for _, context := range list(context.TODO()) { _ = context } }",
    "another case": "func f() { switch { case a: context := g(); _ = context; case b: use(context.TODO()) } }",
    "another function": "func f(context tracer) {}\nfunc g() { use(context.TODO()) }",
    "a function type's parameter": "func f() { var g func(context tracer); g(nil); use(context.TODO()) }",
    "an interface's parameter": "type T interface { M(context int) }\nfunc f() { use(context.TODO()) }",
    "a field": "type T struct { context tracer }\nfunc f() { use(T{context: nil}, context.TODO()) }",
    "a parameter of its type": "func f(ctx context.Context) { use(context.TODO()) }",
}


@pytest.mark.parametrize("code", STILL_SEEN.values(), ids=STILL_SEEN.keys())
def test_where_the_name_means_the_package(code: str) -> None:
    assert len(roots(code)) == 1


IMPORTS = {
    'import "context"': "context",
    "import `context`": "context",
    'import stdctx "context"': "stdctx",
    'import (\n\t"os"\n\n\tcontext "context"\n)': "context",
    'import "golang.org/x/net/context"': "context",
    'import old "golang.org/x/net/context"': "old",
    'import "context"; import again "context"': "again",
    'import größe "context"': "größe",
}


@pytest.mark.parametrize(("imports", "name"), IMPORTS.items())
def test_a_root_under_any_import_name(imports: str, name: str) -> None:
    assert roots(f"func f() {{ use({name}.TODO()) }}", imports) == ["context.TODO"]


def test_a_dot_import_needs_no_name() -> None:
    assert roots("func f() { use(Background()) }", 'import . "context"') == ["context.Background"]
    assert roots("func f(Background func() int) { use(Background()) }", 'import . "context"') == []


def test_another_package_called_context_has_no_roots() -> None:
    assert roots("var x = context.Background()", 'import "example.org/shop/context"') == []
    assert roots("var x = context.Background()", 'import _ "context"; import "example.org/shop/context"') == []


def test_both_context_packages_side_by_side() -> None:
    imports = 'import (\n\t"context"\n\told "golang.org/x/net/context"\n)'
    assert roots("var x, y = context.TODO(), old.Background()", imports) == ["context.TODO", "context.Background"]


ODD_CALLS = ["(context.TODO)()", "context . TODO ( )", "context.\n\t\tTODO()", "context.TODO( /* why */ )"]


@pytest.mark.parametrize("call", ODD_CALLS)
def test_a_root_however_it_is_written(call: str) -> None:
    code = f'package a\n\nimport "context"\n\nfunc f() {{ use({call}) }}\n'
    (site,) = sites(code)
    assert code[site.span.start : site.span.end] == call


def test_a_root_in_each_place_an_expression_can_stand() -> None:
    code = """\
var boot = context.Background()

func f(m map[string]T) (context.Context, error) {
	defer stop(context.TODO())
	go run(context.TODO())
	ctx, cancel := context.WithTimeout(context.WithoutCancel(context.Background()), limit)
	x := T{ctx: context.TODO(), list: []context.Context{context.TODO()}}
	if err := x.load(context.TODO()); err != nil {
		return context.TODO(), err
	}
	ch <- context.TODO()
	return generic[int](context.TODO()), nil
}
"""
    assert len(roots(code)) == 10


def test_what_a_site_tells() -> None:
    code = 'package store\n\nimport "context"\n\nfunc (s *Store) Get() { s.q(context.TODO()) }\n'
    (site,) = sites(code)
    assert (site.kind, site.rule, site.callee, site.certain) == ("root", "context-root", "context.TODO", True)
    assert (site.function, site.package, site.replacement) == ("(*Store).Get", "store", "the caller's context")
    assert (site.span.file, site.span.line, site.span.column) == ("store/a.go", 5, 29)


FUNCTIONS = {
    "var x = {root}": "",
    "func handle() {{ {root} }}": "handle",
    "func init() {{ {root} }}": "init",
    "func Map[K comparable, V any](m map[K]V) {{ {root} }}": "Map",
    "func (s *Store) Get() {{ {root} }}": "(*Store).Get",
    "func (s Store) Get() {{ {root} }}": "Store.Get",
    "func (*Store) Get() {{ {root} }}": "(*Store).Get",
    "func (r *Repo[K, V]) Get() {{ {root} }}": "(*Repo).Get",
    "func (r Repo[_]) Get() {{ {root} }}": "Repo.Get",
    "func (s (*Store)) Get() {{ {root} }}": "(*Store).Get",
    "func größe() {{ {root} }}": "größe",
    "func f() {{ go func() {{ {root} }}() }}": "f.func1",
    "func f() {{ func() {{}}(); defer func() {{ {root} }}() }}": "f.func2",
    "func f() {{ a(func() {{ b(func() {{}}); c(func() {{ {root} }}) }}) }}": "f.func1.2",
    "func f() {{ a(func() {{ b(func() {{}}) }}, func() {{ {root} }}) }}": "f.func2",
    "func f() {{ a(func() {{ b(func() {{ c(func() {{ {root} }}) }}) }}) }}": "f.func1.1.1",
    "func f() {{ a(func() {{}}); {root} }}": "f",
    "func f() {{ a(func() {{ b(func() {{}}); {root} }}) }}": "f.func1",
    "func (s *Store) Run() {{ go func() {{ {root} }}() }}": "(*Store).Run.func1",
    "func g() {{ func() {{}}() }}\nfunc f() {{ func() {{ {root} }}() }}": "f.func1",
    "var x = func() {{ {root} }}": "glob..func1",
    "var x = func() {{}}\nvar y = func() {{ {root} }}": "glob..func2",
    "var x = func() {{ go func() {{ {root} }}() }}": "glob..func1.1",
}


@pytest.mark.parametrize(("code", "name"), FUNCTIONS.items())
def test_functions_are_named_as_the_go_runtime_names_them(code: str, name: str) -> None:
    filled = code.format(root="_ = context.TODO()" if "{{" in code else "context.TODO()")
    (site,) = sites(f'package a\n\nimport "context"\n\n{filled}\n')
    assert site.function == name


def test_methods_are_candidates_in_packages_that_import_theirs() -> None:
    body = "func f(s *Store) { s.db.Query(q) }\n"
    assert sites("package a\n\n" + body) == ()
    (site,) = sites('package a\n\nimport "database/sql"\n\n' + body)
    assert (site.callee, site.certain, site.replacement) == ("s.db.Query", False, "QueryContext")


CALLEES = {
    "db.Query(q)": "db.Query",
    "s.db.Query(q)": "s.db.Query",
    "s.\n\t\tdb.\n\t\tQuery(q)": "s.db.Query",
    "s.conn(a, b).Query(q)": "s.conn().Query",
    "open()().Query(q)": "open()().Query",
    "(s.db).Query(q)": "s.db.Query",
    "dbs[0].Query(q)": "(…).Query",
    "(*db).Query(q)": "(…).Query",
}


@pytest.mark.parametrize(("call", "callee"), CALLEES.items())
def test_a_method_s_callee_as_people_read_it(call: str, callee: str) -> None:
    (site,) = sites(f'package a\n\nimport "database/sql"\n\nfunc f() {{ {call} }}\n')
    assert site.callee == callee


def test_new_of_a_value_is_go_since_1_26() -> None:
    code = (
        'package a\n\nimport "context"\n\nfunc f() {\n'
        '\ta := T{name: new("a"), list: new([]string), size: new(len(b) + 1)}\n'
        "\tuse(a, new(g(context.TODO())))\n}\n"
    )
    (site,) = sites(code)
    assert (site.span.line, site.function) == (7, "f")
