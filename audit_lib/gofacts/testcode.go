package main

import (
	"go/ast"
	"strings"
)

// isTestCode tells whether a file is test code: by its name, or since most of its functions are about tests. A program
// may import testing for one of many functions, or to ask whether it is being tested.
func isTestCode(file *ast.File, path string) bool {
	if strings.HasSuffix(path, "_test.go") {
		return true
	}
	names := namesOfTesting(file)
	if len(names) == 0 || names["."] {
		return len(names) > 0
	}
	holders := holdersOfTests(file, names)
	functions, tests := 0, 0
	for _, d := range file.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			functions++
			if mentionsTesting(fn, names) || holders[receiverName(fn)] {
				tests++
			}
		}
	}
	return 2*tests >= functions
}

// namesOfTesting are the names that a file knows package testing by.
func namesOfTesting(file *ast.File) map[string]bool {
	names := map[string]bool{}
	for _, spec := range file.Imports {
		switch {
		case spec.Path.Value != `"testing"`:
		case spec.Name == nil:
			names["testing"] = true
		case spec.Name.Name != "_":
			names[spec.Name.Name] = true
		}
	}
	return names
}

// holdersOfTests are the types of a file that have something of package testing in them, as suites do.
func holdersOfTests(file *ast.File, names map[string]bool) map[string]bool {
	holders := map[string]bool{}
	for _, d := range file.Decls {
		types, _ := d.(*ast.GenDecl)
		if types == nil {
			continue
		}
		for _, spec := range types.Specs {
			if spec, ok := spec.(*ast.TypeSpec); ok && mentionsTesting(spec, names) {
				holders[spec.Name.Name] = true
			}
		}
	}
	return holders
}

// mentionsTesting tells whether something names what package testing has, but for `testing.Testing`, which programs ask.
func mentionsTesting(n ast.Node, names map[string]bool) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name != "Testing" {
			name, plain := sel.X.(*ast.Ident)
			found = found || plain && names[name.Name]
		}
		return !found
	})
	return found
}

// receiverName is the name of the type that a method belongs to, or empty.
func receiverName(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return ""
	}
	for t := fn.Recv.List[0].Type; ; {
		switch e := t.(type) {
		case *ast.StarExpr:
			t = e.X
		case *ast.IndexExpr:
			t = e.X
		case *ast.IndexListExpr:
			t = e.X
		case *ast.Ident:
			return e.Name
		default:
			return ""
		}
	}
}
