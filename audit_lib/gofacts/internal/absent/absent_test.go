package absent_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"

	"ctxaudit/gofacts/internal/absent"
)

const prelude = `package shop
type carrier struct{ in *carrier; ok bool }
func find(string) (*carrier, error) { return nil, nil }
func leave() {}
func at(string) {}
var all map[string]*carrier
`

// absentAt gives, for each call `at("name")` in a function's body, the names that are absent there: `c.in`.
func absentAt(t *testing.T, body string) map[string][]string {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "shop.go", prelude+"func f(c *carrier, v any, b bool) {\n"+body+"\n}\n", 0)
	if err != nil {
		t.Fatal(err)
	}
	info := &types.Info{
		Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{},
	}
	conf := types.Config{Importer: importer.Default(), Error: func(error) {}}
	_, _ = conf.Check("shop", fset, []*ast.File{file}, info)
	root := file.Decls[len(file.Decls)-1]
	found := absent.Find(absent.Reader{
		Info:  info,
		Gives: func(t types.Type) bool { return strings.HasSuffix(t.String(), "carrier") },
		Leaves: func(list []ast.Stmt) bool {
			if len(list) == 0 {
				return false
			}
			_, returns := list[len(list)-1].(*ast.ReturnStmt)
			return returns
		},
		Spend: func(int) {},
	}, root)
	names := map[string][]string{}
	ast.Inspect(root, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 {
			return true
		}
		if fun, ok := call.Fun.(*ast.Ident); ok && fun.Name == "at" {
			where := strings.Trim(call.Args[0].(*ast.BasicLit).Value, `"`)
			names[where] = []string{}
			for _, one := range found {
				if name := "a type"; one.Covers(call.Pos()) {
					if one.Base != nil {
						name = one.Base.Name() + one.Path
					}
					names[where] = append(names[where], name)
				}
			}
		}
		return true
	})
	return names
}

func TestWhatIsNotThere(t *testing.T) {
	for name, test := range map[string]struct {
		body string
		want map[string]string
	}{
		"a test tells of its branches": {
			`if c == nil { at("then") } else { at("else") }; at("behind")`,
			map[string]string{"then": "c", "else": "", "behind": ""},
		},
		"a branch that leaves tells of what is behind": {
			`if c != nil { return }; at("behind")`, map[string]string{"behind": "c"},
		},
		"what is behind a nested block comes from elsewhere too": {
			`if b { if c != nil { return }; at("inside") }; at("behind")`, map[string]string{"inside": "c", "behind": ""},
		},
		"a value that is given ends it, up to the end of that block": {
			`if c == nil { if b { c = all["a"]; at("given") }; at("not always"); c = all["b"]; at("at last") }`,
			map[string]string{"given": "", "not always": "c", "at last": ""},
		},
		"one of several reasons may be it": {
			`if c == nil || c.in == nil { at("either") }`, map[string]string{"either": "c c.in"},
		},
		"what is used all the same is there": {
			`if c != nil && b { return }; _ = c.ok; at("used")`, map[string]string{"used": ""},
		},
		"what is used behind another test may not be there": {
			`if c != nil && b { return }; if c != nil { _ = c.ok }; at("unsure")`, map[string]string{"unsure": "c"},
		},
		"what came with an error": {
			`d, err := find("a"); if err != nil { at("failed") } else { at("found") }; _ = d`,
			map[string]string{"failed": "d", "found": ""},
		},
		"an error of something else": {
			`d, err := find("a"); _ = d; _, err = find("b"); if err != nil { at("other") }`, map[string]string{"other": ""},
		},
		"a failed assertion": {
			`if d, ok := v.(*carrier); !ok { at("failed"); _ = d } else { at("ok") }`,
			map[string]string{"failed": "d", "ok": ""},
		},
		"a test that a variable holds": {
			`there := c != nil; if there { at("there") } else { at("gone") }`, map[string]string{"there": "", "gone": "c"},
		},
		"the right side of a condition": {
			`_ = c != nil || func() bool { at("right"); return b }()`, map[string]string{"right": "c"},
		},
		"a switch": {
			`switch { case b: at("first"); case c == nil: at("nil"); case c.in != nil: at("third"); default: at("other") }`,
			map[string]string{"first": "", "nil": "c", "third": "", "other": "c.in"},
		},
		"a switch over types": {
			`switch v.(type) { case *carrier: at("carrier"); case string: at("string") }`,
			map[string]string{"carrier": "", "string": "a type"},
		},
		"what stays where a branch gives nothing else": {
			`d := func() *carrier { at("default"); return nil }(); if c != nil { d = c }; _ = d; at("behind")`,
			map[string]string{"default": "c", "behind": ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := absentAt(t, test.body)
			for where, want := range test.want {
				names := got[where]
				slices.Sort(names)
				if strings.Join(names, " ") != want {
					t.Errorf("at %s: %v, want %q", where, names, want)
				}
			}
		})
	}
}

func TestANameOfManyPartsIsNone(t *testing.T) {
	var e ast.Expr = ast.NewIdent("c")
	for range 1000 {
		e = &ast.SelectorExpr{X: e, Sel: ast.NewIdent("in")}
	}
	if name := absent.NameOf(&types.Info{}, e); name.Base != nil {
		t.Error(name)
	}
}
