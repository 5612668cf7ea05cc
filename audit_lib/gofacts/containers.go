package main

import (
	"go/ast"
	"go/types"
	"strings"
)

// Containers that are no language's: what puts a value into one that is there for others too.

// putting lists how the methods of containers begin that keep what they are given.
var putting = []string{
	"Add", "CompareAndSwap", "Enqueue", "Insert", "LoadOrStore", "Push", "Put", "Register", "Set", "Store", "Swap",
}

// isPutting tells a method that knows nothing of the value that it is given, and by its name keeps it: the parameter is
// of any type, or of one that the container is made for. So are sync.Map.Store and atomic.Pointer[T].Store.
func (d *decl) isPutting(call *ast.CallExpr, fn *types.Func, value ast.Expr) bool {
	sig := fn.Origin().Signature()
	if sig.Recv() == nil {
		return false
	}
	named := false
	for _, name := range putting {
		named = named || strings.HasPrefix(fn.Name(), name)
	}
	for i, arg := range call.Args {
		if named && arg == value && i < sig.Params().Len() && (!sig.Variadic() || i < sig.Params().Len()-1) {
			return isAnything(sig.Params().At(i).Type())
		}
	}
	return false
}

// isAnything tells a type parameter, a pointer to one, and the interface without methods.
func isAnything(t types.Type) bool {
	if pointer, ok := types.Unalias(t).(*types.Pointer); ok {
		t = pointer.Elem()
	}
	if _, ok := types.Unalias(t).(*types.TypeParam); ok {
		return true
	}
	iface, ok := t.Underlying().(*types.Interface)
	return ok && iface.Empty()
}

// ownerOf gives what a method is called on, or nil for a function.
func (d *decl) ownerOf(call *ast.CallExpr) ast.Expr {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || d.info.Selections[sel] == nil {
		return nil
	}
	return sel.X
}
