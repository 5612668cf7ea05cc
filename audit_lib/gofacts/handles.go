package main

import (
	"go/ast"
	"go/token"
	"go/types"
)

// Handles: what tells the end of a goroutine, under all its names, and what is done with it.

// A handle is a channel, a group or a cancel function: a variable, and the fields behind it.
type handle struct {
	v    *types.Var
	path string
}

// A touch is a place where a handle is used.
type touch struct {
	node ast.Node
	kind touchKind
}

type touchKind int

const (
	noTouch touchKind = iota
	signals           // it is closed, sent to, done or cancelled
	waits             // it is received from, or waited for
	passes            // it goes to somebody who may do either
)

// noteAliases sees `done := s.done`, `work := func() { … }`, and `ctx, cancel := …`: who waits for ctx waits for cancel.
func (d *decl) noteAliases(n *ast.AssignStmt) {
	if len(n.Lhs) == 2 && len(n.Rhs) == 1 {
		ctx, cancel := d.variable(n.Lhs[0]), d.variable(n.Lhs[1])
		if ctx != nil && cancel != nil && isContext(ctx.Type()) && isCancel(cancel.Type()) {
			d.waiting.aliases[ctx] = handle{v: cancel}
		}
		return
	}
	for i, left := range n.Lhs {
		v := d.variable(left)
		if v == nil || len(n.Lhs) != len(n.Rhs) {
			continue
		}
		if lit, ok := ast.Unparen(n.Rhs[i]).(*ast.FuncLit); ok {
			d.waiting.bodies[v] = lit
		} else if h, ok := d.handleOf(n.Rhs[i]); ok && n.Tok == token.DEFINE && h.v != v {
			d.waiting.aliases[v] = h
		}
	}
}

// noteArguments sees `go func(done chan error) { … }(results)`.
func (d *decl) noteArguments(call *ast.CallExpr) {
	lit, ok := ast.Unparen(call.Fun).(*ast.FuncLit)
	if !ok {
		return
	}
	i := 0
	for _, field := range lit.Type.Params.List {
		for _, name := range field.Names {
			v, _ := d.info.Defs[name].(*types.Var)
			if v != nil && i < len(call.Args) {
				if h, ok := d.handleOf(call.Args[i]); ok {
					d.waiting.aliases[v] = h
				}
			}
			i++
		}
	}
}

// handleOf gives the handle that an expression names, if it is one.
func (d *decl) handleOf(e ast.Expr) (handle, bool) {
	switch e := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		if e.Op == token.AND {
			return d.handleOf(e.X)
		}
	case *ast.StarExpr:
		return d.handleOf(e.X)
	case *ast.Ident:
		if v, ok := d.info.Uses[e].(*types.Var); ok {
			if h, ok := d.waiting.aliases[v]; ok {
				return h, true
			}
			return handle{v: v}, true
		}
	case *ast.SelectorExpr:
		sel := d.info.Selections[e]
		if sel == nil {
			v, ok := d.info.Uses[e.Sel].(*types.Var)
			return handle{v: v}, ok
		}
		if h, ok := d.handleOf(e.X); ok && sel.Kind() == types.FieldVal {
			return handle{h.v, h.path + "." + e.Sel.Name}, true
		}
	}
	return handle{}, false
}

// outmost climbs from a variable over its fields to the handle that it begins.
func (d *decl) outmost(ident *ast.Ident) ast.Expr {
	var e ast.Expr = ident
	for {
		if p, ok := d.parent(e).(*ast.SelectorExpr); ok && p.X == e {
			if sel := d.info.Selections[p]; sel != nil && sel.Kind() == types.FieldVal {
				e = p
				continue
			}
		}
		if p, ok := d.parent(e).(*ast.UnaryExpr); ok && p.Op == token.AND {
			e = p
		} else if p, ok := d.parent(e).(*ast.ParenExpr); ok {
			e = p
		} else if p, ok := d.parent(e).(*ast.StarExpr); ok {
			e = p
		} else {
			return e
		}
	}
}

// noteTouch notes what is done with the handle that a variable begins.
func (d *decl) noteTouch(ident *ast.Ident) {
	e := d.outmost(ident)
	kind := d.touchOf(e)
	if kind == noTouch {
		return
	}
	if h, ok := d.handleOf(e); ok {
		d.waiting.touches[h] = append(d.waiting.touches[h], touch{d.parent(e), kind})
	}
}

func (d *decl) touchOf(e ast.Expr) touchKind {
	t := d.info.TypeOf(e)
	switch p := d.parent(e).(type) {
	case *ast.SelectorExpr:
		return d.methodTouch(p, t)
	case *ast.UnaryExpr:
		if p.Op == token.ARROW {
			return waits
		}
	case *ast.RangeStmt:
		if p.X == e && d.isChannel(e) {
			return waits
		}
	case *ast.SendStmt:
		if p.Chan == e {
			return signals
		}
		return passesIf(d.isHandle(t))
	case *ast.CallExpr:
		return d.argumentTouch(p, e)
	case *ast.AssignStmt:
		if _, isName := d.parent(e).(*ast.AssignStmt); isName && p.Tok == token.DEFINE {
			return noTouch // another name for it
		}
		for _, right := range p.Rhs {
			if right == e {
				return passesIf(d.isHandle(t))
			}
		}
	case *ast.KeyValueExpr, *ast.CompositeLit, *ast.ReturnStmt:
		return passesIf(d.isHandle(t))
	}
	return noTouch
}

func passesIf(handle bool) touchKind {
	if handle {
		return passes
	}
	return noTouch
}

// methodTouch sees `g.Wait()`, `g.Done()`, and `<-ctx.Done()`.
func (d *decl) methodTouch(p *ast.SelectorExpr, t types.Type) touchKind {
	call, ok := d.parent(p).(*ast.CallExpr)
	if !ok || call.Fun != ast.Expr(p) || t == nil {
		return noTouch
	}
	switch {
	case p.Sel.Name == "Done" && isContext(t):
		if receive, ok := d.parent(call).(*ast.UnaryExpr); ok && receive.Op == token.ARROW {
			return waits
		}
	case p.Sel.Name == "Wait":
		return waits
	case p.Sel.Name == "Done":
		return signals
	}
	return noTouch
}

// argumentTouch tells what a call may do with a handle: the direction of a channel parameter says it.
func (d *decl) argumentTouch(call *ast.CallExpr, e ast.Expr) touchKind {
	t := d.info.TypeOf(e)
	if call.Fun == e {
		if t != nil && isCancel(t) {
			return signals
		}
		return noTouch
	}
	if isLiteral(call.Fun) || !d.isHandle(t) {
		return noTouch
	}
	if name, ok := ast.Unparen(call.Fun).(*ast.Ident); ok {
		if _, builtin := d.info.Uses[name].(*types.Builtin); builtin {
			switch name.Name {
			case "close":
				return signals
			case "len", "cap":
				return noTouch
			}
			return passes
		}
	}
	sig, ok := d.info.TypeOf(call.Fun).(*types.Signature)
	for i, arg := range call.Args {
		if ok && arg == e && i < sig.Params().Len() {
			if c, ok := sig.Params().At(i).Type().Underlying().(*types.Chan); ok {
				return map[types.ChanDir]touchKind{types.RecvOnly: waits, types.SendOnly: signals, types.SendRecv: passes}[c.Dir()]
			}
		}
	}
	return passes
}

// isHandle tells a channel, a cancel function and whatever can be waited for.
func (d *decl) isHandle(t types.Type) bool {
	if t == nil {
		return false
	}
	if _, ok := t.Underlying().(*types.Chan); ok {
		return true
	}
	return isCancel(t) || mayHaveMembers(t) && d.method(t, "Wait") != nil
}
