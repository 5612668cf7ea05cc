package main

import (
	"go/ast"
	"go/types"
)

// Contexts in fields that may be nil, which a package reads through a function of its own: `ensureContext(opts.Context)`.

// ensuredFields lists the fields that are handed to a function that gives another context where it gets none, as
// `path.Type.Field`, with the function's name.
func (x *extractor) ensuredFields() map[string]string {
	ensuring := x.ensuring()
	if len(ensuring) == 0 {
		return nil
	}
	found := map[string]string{}
	for _, file := range x.files {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 1 {
				return true
			}
			fun, named := ast.Unparen(call.Fun).(*ast.Ident)
			field, selected := ast.Unparen(call.Args[0]).(*ast.SelectorExpr)
			if !named || !selected || !ensuring[x.info.Uses[fun]] {
				return true
			}
			if selection := x.info.Selections[field]; selection != nil && selection.Kind() == types.FieldVal {
				found[typeID(selection.Recv())+"."+field.Sel.Name] = fun.Name
			}
			return true
		})
	}
	return found
}

// ensuring lists the package's functions that take a context and give one, and ask whether it is nil.
func (x *extractor) ensuring() map[types.Object]bool {
	found := map[types.Object]bool{}
	for _, file := range x.files {
		for _, d := range file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || fn.Body == nil {
				continue
			}
			obj, ok := x.info.Defs[fn.Name].(*types.Func)
			if ok && isContextToContext(obj.Signature()) && x.asksForNil(fn.Body) {
				found[obj] = true
			}
		}
	}
	return found
}

func isContextToContext(sig *types.Signature) bool {
	return sig.Params().Len() == 1 && sig.Results().Len() == 1 &&
		isContext(sig.Params().At(0).Type()) && isContext(sig.Results().At(0).Type())
}

func (x *extractor) asksForNil(body *ast.BlockStmt) bool {
	for _, statement := range body.List {
		if test, ok := statement.(*ast.IfStmt); ok && x.isContextGuard(test.Cond) {
			return true
		}
	}
	return false
}
