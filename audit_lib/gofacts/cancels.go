package main

import (
	"go/ast"
	"go/types"
)

// Cancel functions: who is told how to end what is made from a root.

// cancelMade gives what the cancel function goes to of what is made from a root, or nil.
func (d *decl) cancelMade(root ast.Expr) ast.Expr {
	derived, ok := d.parent(root).(*ast.CallExpr)
	if !ok {
		return nil
	}
	made := d.resultsOf(derived)
	if len(made) != 2 || !isCancel(d.info.TypeOf(made[1])) {
		return nil
	}
	return made[1]
}

// keepsCancel tells whether the function that ends what is made from a root is kept for somebody else to call: in a
// field, or in what is returned. What starts such a life has its own owner.
func (d *decl) keepsCancel(root ast.Expr) bool {
	cancel := d.cancelMade(root)
	if cancel == nil {
		return false
	}
	if _, field := ast.Unparen(cancel).(*ast.SelectorExpr); field {
		return true
	}
	v := d.variable(cancel)
	if v == nil {
		return false
	}
	for _, ident := range d.usesOf(v) {
		if d.isStored(ident) || d.isInStored(ident, cancel) {
			return true
		}
	}
	return false
}

// givesCancel tells whether somebody else is told how to end what is made from a root: he is handed its cancel
// function, or a literal that calls it.
func (d *decl) givesCancel(root ast.Expr) bool {
	cancel := d.cancelMade(root)
	if cancel == nil {
		return false
	}
	home := d.literalAround(cancel)
	for _, ident := range d.usesOf(d.variable(cancel)) {
		for n := ast.Expr(ident); n != nil; {
			if call, ok := d.parent(n).(*ast.CallExpr); ok && call.Fun != n {
				return true
			}
			lit := d.literalAround(n)
			if lit == nil || lit == home {
				break
			}
			n = lit
		}
	}
	return false
}

// defersCancel tells whether what is made from a root ends when the function that makes it returns: `defer cancel()`.
func (d *decl) defersCancel(root ast.Expr) bool {
	cancel := d.cancelMade(root)
	if cancel == nil {
		return false
	}
	for _, ident := range d.usesOf(d.variable(cancel)) {
		call, ok := d.parent(ident).(*ast.CallExpr)
		if !ok || call.Fun != ast.Expr(ident) || d.around(ident) != d.around(root) {
			continue
		}
		if _, deferred := d.parent(call).(*ast.DeferStmt); deferred {
			return true
		}
	}
	return false
}

// isStored tells whether a value goes into a field, a list or a result.
func (d *decl) isStored(e ast.Expr) bool {
	switch p := d.parent(e).(type) {
	case *ast.AssignStmt:
		for i, right := range p.Rhs {
			if right == e && i < len(p.Lhs) {
				_, field := ast.Unparen(p.Lhs[i]).(*ast.SelectorExpr)
				return field
			}
		}
	case *ast.KeyValueExpr, *ast.CompositeLit, *ast.ReturnStmt:
		return true
	case *ast.CallExpr:
		fun, ok := ast.Unparen(p.Fun).(*ast.Ident)
		return ok && fun.Name == "append" && p.Args[0] != e
	}
	return false
}

// isInStored tells whether an identifier stands in a literal that is stored, within the function of another node.
func (d *decl) isInStored(ident *ast.Ident, within ast.Node) bool {
	home := d.literalAround(within)
	for lit := d.literalAround(ident); lit != nil && lit != home; lit = d.literalAround(lit) {
		if d.isStored(lit) {
			return true
		}
	}
	return false
}

func isCancel(t types.Type) bool {
	id := ""
	if t != nil {
		id = typeID(t)
	}
	return id == "context.CancelFunc" || id == "context.CancelCauseFunc"
}

// resultsOf gives what a call's results are assigned to, or are the values of; nothing where it is one value of many.
func (d *decl) resultsOf(call ast.Expr) []ast.Expr {
	switch p := d.parent(call).(type) {
	case *ast.AssignStmt:
		if len(p.Rhs) == 1 {
			return p.Lhs
		}
	case *ast.ValueSpec:
		if len(p.Values) == 1 {
			names := make([]ast.Expr, len(p.Names))
			for i, name := range p.Names {
				names[i] = name
			}
			return names
		}
	}
	return nil
}
