package main

import (
	"go/ast"
	goimporter "go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"testing"
)

// checkSource type-checks one file of a package shop that imports nothing but the standard library.
func checkSource(t *testing.T, source string) (*types.Package, *types.Info, *ast.File) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "shop.go", "package shop\n"+source, 0)
	if err != nil {
		t.Fatal(err)
	}
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: goimporter.ForCompiler(fset, "source", nil)}
	pkg, err := conf.Check("example.org/shop", fset, []*ast.File{file}, info)
	if err != nil {
		t.Fatal(err)
	}
	return pkg, info, file
}

func method(t *testing.T, pkg *types.Package, typeName, name string) *types.Func {
	t.Helper()
	obj, _, _ := types.LookupFieldOrMethod(pkg.Scope().Lookup(typeName).Type(), true, pkg, name)
	fn, ok := obj.(*types.Func)
	if !ok {
		t.Fatalf("no method %s.%s", typeName, name)
	}
	return fn
}

func TestIdenticalSignaturesHaveOneKeyWhateverTheirParametersAreCalled(t *testing.T) {
	pkg, _, _ := checkSource(t, `
type A struct{}
func (A) Each(visit func(key string, value []byte) error, limit ...int) (n int, err error) { return 0, nil }
type B struct{}
func (B) Each(f func(string, []byte) error, at_most ...int) (int, error) { return 0, nil }
type C struct{}
func (C) Each(f func(string, []byte) error, limit []int) (int, error) { return 0, nil }
`)
	a := signatureKey(method(t, pkg, "A", "Each").Signature())
	if b := signatureKey(method(t, pkg, "B", "Each").Signature()); a != b {
		t.Errorf("the same signature has two keys: %s and %s", a, b)
	}
	if c := signatureKey(method(t, pkg, "C", "Each").Signature()); a == c {
		t.Errorf("a variadic parameter is no slice: %s", c)
	}
}

func TestMethodsOfGenericTypesHaveOneName(t *testing.T) {
	pkg, _, _ := checkSource(t, `
type Repo[T any] struct{}
func (r *Repo[T]) Get() T { var zero T; return zero }
type Orders struct{ Repo[int] }
`)
	if id := funcID(method(t, pkg, "Orders", "Get")); id != "example.org/shop.Repo.Get" {
		t.Error(id)
	}
	if name := displayName(method(t, pkg, "Repo", "Get")); name != "(*Repo).Get" {
		t.Error(name)
	}
}

func TestOnlyTheFunctionThatTakesTheSameAndAContextIsASibling(t *testing.T) {
	pkg, _, _ := checkSource(t, `
import "context"
type Client struct{}
func (Client) Get(id string) error { return nil }
func (Client) GetContext(ctx context.Context, id string) error { return nil }
func (Client) Put(id string) error { return nil }
func (Client) PutContext(ctx context.Context, id string, twice bool) error { return nil }
func (Client) With() Client { return Client{} }
func (Client) WithContext(ctx context.Context) context.Context { return ctx }
`)
	x := &extractor{pkg: pkg, siblings: map[*types.Func]string{}}
	client := pkg.Scope().Lookup("Client").Type()
	for name, want := range map[string]string{"Get": "GetContext", "Put": "", "With": "", "GetContext": ""} {
		if got := x.siblingOf(method(t, pkg, "Client", name), client); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestWhatGivesAContextIsToldByType(t *testing.T) {
	pkg, _, _ := checkSource(t, `
import ("context"; "net/http")
type Gin struct{ Request *http.Request }
type Params struct{ HTTPRequest *http.Request; secret int }
type Stream interface{ Context() context.Context; Send(int) error }
type Options struct{ Ctx context.Context }
type Wide interface{ context.Context; Block() int }
type Plain struct{ Name string }
`)
	x := &extractor{t: new(target), pkg: pkg, givers: map[types.Type]*giver{}, effort: effort{own: 1000}}
	for name, want := range map[string]string{
		"Gin": "method .Request.Context()", "Params": "method .HTTPRequest.Context()", "Stream": "method .Context()",
		"Options": "field .Ctx", "Wide": "context ", "Plain": "",
	} {
		got := ""
		if g := x.giverOf(pkg.Scope().Lookup(name).Type()); g != nil {
			got = g.role + " " + g.suffix
		}
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
