package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"sort"
)

// Where values go: what is assigned, passed, returned or put into something, and the type that it has there.

// flows gives each value that a node hands on, with its own type and that of what takes it. The expression is nil for
// one of several results of a call.
func (d *decl) flows(n ast.Node, give func(e ast.Expr, from, to types.Type)) {
	each := func(values []ast.Expr, to func(i int) types.Type) {
		d.spend(len(values))
		for i, e := range values {
			if t := to(i); t != nil && d.info.TypeOf(e) != nil {
				give(e, d.info.TypeOf(e), t)
			}
		}
	}
	switch n := n.(type) {
	case *ast.CallExpr:
		each(n.Args, d.parameterOf(n))
	case *ast.AssignStmt:
		if n.Tok == token.ASSIGN {
			d.flowsInto(n.Lhs, n.Rhs, each, give)
		}
	case *ast.ValueSpec:
		if n.Type != nil {
			each(n.Values, func(int) types.Type { return d.info.TypeOf(n.Type) })
		}
	case *ast.ReturnStmt:
		if results := d.resultsAround(n); results != nil && results.Len() == len(n.Results) {
			each(n.Results, func(i int) types.Type { return results.At(i).Type() })
		}
	case *ast.SendStmt:
		if c, ok := d.underlying(n.Chan).(*types.Chan); ok {
			each([]ast.Expr{n.Value}, func(int) types.Type { return c.Elem() })
		}
	case *ast.CompositeLit:
		for i, e := range n.Elts {
			if pair, ok := e.(*ast.KeyValueExpr); ok {
				e = pair.Value
			}
			each([]ast.Expr{e}, func(int) types.Type { return d.elementOf(n, i) })
		}
	}
}

func (d *decl) flowsInto(
	left, right []ast.Expr, each func([]ast.Expr, func(int) types.Type), give func(e ast.Expr, from, to types.Type),
) {
	if len(left) == len(right) {
		each(right, func(i int) types.Type { return d.info.TypeOf(left[i]) })
		return
	}
	if results, ok := d.info.TypeOf(right[0]).(*types.Tuple); ok && results.Len() == len(left) {
		for i, l := range left {
			if to := d.info.TypeOf(l); to != nil {
				give(nil, results.At(i).Type(), to)
			}
		}
	}
}

func (d *decl) underlying(e ast.Expr) types.Type {
	if t := d.info.TypeOf(e); t != nil {
		return t.Underlying()
	}
	return nil
}

// parameterOf gives the type that a call's argument has in the function, or that it is converted to.
func (d *decl) parameterOf(call *ast.CallExpr) func(int) types.Type {
	if tv := d.info.Types[call.Fun]; tv.IsType() {
		return func(int) types.Type { return tv.Type }
	}
	sig, ok := d.underlying(call.Fun).(*types.Signature)
	return func(i int) types.Type {
		if !ok || sig.Params().Len() == 0 {
			return nil
		}
		last := sig.Params().Len() - 1
		t := sig.Params().At(min(i, last)).Type()
		if list, rest := t.Underlying().(*types.Slice); rest && sig.Variadic() && i >= last && !call.Ellipsis.IsValid() {
			return list.Elem()
		}
		return t
	}
}

// elementOf gives the type of the i-th element of a literal: of a field, or of all elements.
func (d *decl) elementOf(lit *ast.CompositeLit, i int) types.Type {
	switch t := d.literalType(lit).(type) {
	case *types.Struct:
		if field := d.fieldAt(lit, t, i); field != nil {
			return field.Type()
		}
	case *types.Map:
		return t.Elem()
	case *types.Slice:
		return t.Elem()
	case *types.Array:
		return t.Elem()
	}
	return nil
}

// literalType is what a literal makes; in a list of pointers the `&T` is left out.
func (d *decl) literalType(lit *ast.CompositeLit) types.Type {
	t := d.underlying(lit)
	if pointer, ok := t.(*types.Pointer); ok {
		return pointer.Elem().Underlying()
	}
	return t
}

func (d *decl) fieldAt(lit *ast.CompositeLit, t *types.Struct, i int) *types.Var {
	if pair, ok := lit.Elts[i].(*ast.KeyValueExpr); ok {
		if key, ok := pair.Key.(*ast.Ident); ok {
			field, _ := d.info.Uses[key].(*types.Var)
			return field
		}
		return nil
	}
	if i < t.NumFields() {
		return t.Field(i)
	}
	return nil
}

func (d *decl) resultsAround(n ast.Node) *types.Tuple {
	if lit := d.literalAround(n); lit != nil {
		if sig, ok := d.underlying(lit).(*types.Signature); ok {
			return sig.Results()
		}
		return nil
	}
	if d.body == nil {
		return nil
	}
	if fn, ok := d.info.Defs[d.body.Name].(*types.Func); ok {
		return fn.Signature().Results()
	}
	return nil
}

// wanted is the type that an expression has where it goes, or nil.
func (d *decl) wanted(e ast.Expr) types.Type {
	var found types.Type
	n := d.parent(e)
	if pair, ok := n.(*ast.KeyValueExpr); ok {
		n = d.parent(pair)
	}
	if paren, ok := n.(*ast.ParenExpr); ok {
		return d.wanted(paren)
	}
	if lit, ok := n.(*ast.CompositeLit); ok { // long lists are common: only its own place is looked at
		if i := d.elementAt(lit, e); i >= 0 && d.info.TypeOf(e) != nil {
			return d.elementOf(lit, i)
		}
		return nil
	}
	d.flows(n, func(value ast.Expr, _, to types.Type) {
		if value == e {
			found = to
		}
	})
	return found
}

// elementAt gives the place of an expression among the values of a literal, or -1.
func (d *decl) elementAt(lit *ast.CompositeLit, e ast.Expr) int {
	i := sort.Search(len(lit.Elts), func(i int) bool { return lit.Elts[i].End() >= e.End() })
	if i == len(lit.Elts) {
		return -1
	}
	value := lit.Elts[i]
	if pair, ok := value.(*ast.KeyValueExpr); ok {
		value = pair.Value
	}
	if value != e {
		return -1
	}
	return i
}
