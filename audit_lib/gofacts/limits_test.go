package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"testing"
	"time"
)

func readerOf(t *testing.T, code string) (*extractor, *ast.File) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "shop.go", code, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return &extractor{checked: &checked{fset: fset}, out: new(packageFacts), file: "shop.go"}, file
}

func TestADeclarationThatTakesTooManyStepsIsDroppedByNameAndTheRestStays(t *testing.T) {
	x, file := readerOf(t, "package shop\n\nfunc a() {}\n\nfunc endless() {}\n\nfunc b() {}\n")
	for _, d := range file.Decls {
		fn := d.(*ast.FuncDecl)
		x.bounded(fn.Name.Name, fn, func() {
			x.out.Funcs = append(x.out.Funcs, &funcFact{ID: fn.Name.Name})
			for fn.Name.Name == "endless" {
				x.spend(1)
			}
		})
	}
	if len(x.out.Funcs) != 2 || x.out.Funcs[0].ID != "a" || x.out.Funcs[1].ID != "b" {
		t.Error(x.out.Funcs)
	}
	if len(x.out.Skipped) != 1 || x.out.Skipped[0].Place.Line != 5 || x.out.Skipped[0].Reason == "" {
		t.Error(x.out.Skipped)
	}
	if len(x.out.Errors) != 1 || !strings.HasPrefix(x.out.Errors[0], "shop.go:5: endless: reading it takes more than") {
		t.Error(x.out.Errors)
	}
}

func TestAPanicThatIsNoLimitIsNotHidden(t *testing.T) {
	x, file := readerOf(t, "package shop\n\nfunc a() {}\n")
	defer func() {
		if recover() != "broken" {
			t.Error("the panic is gone")
		}
	}()
	x.bounded("a", file.Decls[0], func() { panic("broken") })
}

func TestStepsBeyondADeclarationsOwnComeFromWhatThePackageHasToSpare(t *testing.T) {
	e := &effort{own: 10, spare: 20}
	e.spend(25)
	if e.own != 0 || e.spare != 5 {
		t.Error(e)
	}
	defer func() {
		if _, costly := recover().(tooCostly); !costly {
			t.Error("nothing is left, and it goes on")
		}
	}()
	e.spend(6)
}

func TestATypeThatDoublesIsTooLongToWrite(t *testing.T) {
	var doubled types.Type = types.Typ[types.Int]
	depth := 0
	long := func() (gone bool) {
		defer func() { _, gone = recover().(tooCostly) }()
		checkSize(doubled)
		return false
	}
	for ; !long(); depth++ {
		field := func(name string) *types.Var { return types.NewField(token.NoPos, nil, name, doubled, false) }
		doubled = types.NewStruct([]*types.Var{field("a"), field("b")}, nil)
	}
	if depth < 10 || depth > 14 {
		t.Error(depth)
	}
}

func TestAPackageThatBreaksOrDoesNotEndIsGivenUpWithTheReason(t *testing.T) {
	w := newWatch()
	if err := w.within("shop", time.Minute, func() {}); err != nil {
		t.Error(err)
	}
	if err := w.within("shop", time.Minute, func() { panic("nil map\ngoroutine 1") }); err == nil ||
		err.Error() != "checking its types fails (nil map …)" {
		t.Error(err)
	}
	if len(w.names()) != 0 {
		t.Error(w.names())
	}
	stop := make(chan struct{})
	defer close(stop)
	spin := func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
		}
	}
	if err := w.within("bomb", 50*time.Millisecond, spin); err == nil {
		t.Error("it goes on")
	}
	if names := w.names(); len(names) != 1 || names[0] != "bomb" {
		t.Error(names)
	}
}

func TestSpansAreJoinedAndSought(t *testing.T) {
	spans := joinSpans([]span{{50, 60}, {10, 20}, {15, 30}, {40, 40}, {30, 35}})
	if len(spans) != 2 || spans[0] != (span{10, 35}) || spans[1] != (span{50, 60}) {
		t.Fatal(spans)
	}
	for at, want := range map[int]bool{9: false, 10: true, 34: true, 35: false, 40: false, 50: true, 59: true, 60: false} {
		if holds(spans, at) != want {
			t.Error(at, !want)
		}
	}
}
