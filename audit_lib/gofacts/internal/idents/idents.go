// Package idents tells what an expression names, and what functions and types are called wherever they are seen from.
package idents

import (
	"go/ast"
	"go/types"
)

// Declared names a declared function or method by its package: `path.Name`, `path.Type.Method`. It gives "" for a method
// of an interface without a name.
func Declared(fn *types.Func) string {
	path := "builtin"
	if fn.Pkg() != nil {
		path = fn.Pkg().Path()
	}
	recv := fn.Signature().Recv()
	if recv == nil {
		return path + "." + fn.Name()
	}
	if named := NamedOf(recv.Type()); named != nil {
		return path + "." + named.Obj().Name() + "." + fn.Name()
	}
	return ""
}

// NamedOf gives the named type behind aliases and one pointer, or nil.
func NamedOf(t types.Type) *types.Named {
	t = types.Unalias(t)
	if pointer, ok := t.(*types.Pointer); ok {
		t = types.Unalias(pointer.Elem())
	}
	named, _ := t.(*types.Named)
	return named
}

// Callee gives the function or method that a call names, or nil for values, conversions and built-ins.
func Callee(info *types.Info, call *ast.CallExpr) *types.Func {
	fun := ast.Unparen(call.Fun)
	switch index := fun.(type) {
	case *ast.IndexExpr:
		fun = ast.Unparen(index.X)
	case *ast.IndexListExpr:
		fun = ast.Unparen(index.X)
	}
	var ident *ast.Ident
	switch fun := fun.(type) {
	case *ast.Ident:
		ident = fun
	case *ast.SelectorExpr:
		ident = fun.Sel
	default:
		return nil
	}
	fn, _ := info.Uses[ident].(*types.Func)
	return fn
}

// Variable gives the variable that an expression declares or names, or nil.
func Variable(info *types.Info, e ast.Expr) *types.Var {
	ident, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return nil
	}
	obj := info.Defs[ident]
	if obj == nil {
		obj = info.Uses[ident]
	}
	v, _ := obj.(*types.Var)
	return v
}
