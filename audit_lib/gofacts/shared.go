package main

import (
	"go/ast"
	"go/token"
	"go/types"
)

// Work that is not of the caller alone who does it: a flight that others wait for, a batch that others have filled.

// A common is a part of a declaration in which such work is done.
type common struct {
	span
	kind string // flight, batch
}

// prepareShared finds the flights and batches of a declaration.
func (d *decl) prepareShared(root ast.Node) {
	d.inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, left := range n.Lhs {
				if len(n.Lhs) == len(n.Rhs) && d.isPartOfElders(left) {
					d.notePut(n, d.variable(n.Rhs[i]))
					d.noteTaken(n, left, n.Rhs[i])
				}
			}
		case *ast.CallExpr:
			d.noteStored(n)
			if name, ok := ast.Unparen(n.Fun).(*ast.Ident); ok && name.Name == "clear" && len(n.Args) == 1 {
				d.noteTaken(n, n.Args[0], nil)
			}
		}
		return true
	})
}

// isPartOfElders tells a field or an element of what was there before the function ran.
func (d *decl) isPartOfElders(e ast.Expr) bool {
	_, name := ast.Unparen(e).(*ast.Ident)
	return !name && d.isElders(e)
}

// noteStored sees `m.Store(key, call)` and the like.
func (d *decl) noteStored(call *ast.CallExpr) {
	receiver, fn := d.ownerOf(call), d.calleeFunc(call)
	if receiver == nil || fn == nil || !d.isElders(receiver) {
		return
	}
	for _, arg := range call.Args {
		if v := d.variable(arg); v != nil && d.isPutting(call, fn, arg) {
			d.notePut(call, v)
		}
	}
}

// notePut sees the flight of what is put where others find it: some wait for what one of its kind tells, and who has put
// this one there tells it. What he does until then is theirs as well.
func (d *decl) notePut(put ast.Node, v *types.Var) {
	if v == nil || v.IsField() || isPackageLevel(v) {
		return
	}
	for field := range d.waitedFields(v) {
		for _, ident := range d.usesOf(v) {
			e := d.outmost(ident)
			if ident.Pos() < put.End() {
				continue
			}
			if d.touchOf(e) == signals && d.fieldOf(e) == field {
				d.noteCommon(put, d.reaches(d.parent(e), d.bodyAround(e)), "flight")
			} else if call := d.ownCallWith(e); call != nil && ast.Expr(ident) == e {
				d.noteCommon(put, call.End(), "flight")
			}
		}
	}
}

func (d *decl) noteCommon(from ast.Node, to token.Pos, kind string) {
	d.commons = append(d.commons, common{span{d.offset(from.End()), d.offset(to)}, kind})
}

// waitedFields lists the fields of a variable's type, nil for itself, by which this declaration waits for one of its
// kind that others have put there: another variable, or this one with what was found.
func (d *decl) waitedFields(v *types.Var) map[*types.Var]bool {
	found := map[*types.Var]bool{}
	for obj, idents := range d.uses {
		d.spend(1)
		w, ok := obj.(*types.Var)
		if !ok || !types.Identical(w.Type(), v.Type()) || w == v && !d.isFound(v) {
			continue
		}
		for _, ident := range idents {
			if e := d.outmost(ident); d.touchOf(e) == waits {
				found[d.fieldOf(e)] = true
			}
		}
	}
	return found
}

// isFound tells whether a variable is read from what was there before: `call, ok := s.calls[key]`.
func (d *decl) isFound(v *types.Var) bool {
	return len(d.found[v]) > 0
}

// noteFound remembers variables that are read from what was there before the function ran.
func (d *decl) noteFound(left, right []ast.Expr) {
	for i, l := range left {
		if v := d.variable(l); v != nil && len(right) > 0 {
			if e := ast.Unparen(right[min(i, len(right)-1)]); i == 0 || len(left) == len(right) {
				switch e.(type) {
				case *ast.IndexExpr, *ast.SelectorExpr, *ast.TypeAssertExpr:
					d.found[v] = append(d.found[v], e)
				}
			}
		}
	}
}

// fieldOf gives the field that an expression selects, or nil.
func (d *decl) fieldOf(e ast.Expr) *types.Var {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		v, _ := d.info.Uses[e.Sel].(*types.Var)
		return v
	case *ast.UnaryExpr:
		return d.fieldOf(e.X)
	case *ast.ParenExpr:
		return d.fieldOf(e.X)
	}
	return nil
}

// ownCallWith gives the call of a function of the target that an expression is an argument of, or nil.
func (d *decl) ownCallWith(e ast.Expr) *ast.CallExpr {
	call, ok := d.parent(e).(*ast.CallExpr)
	if !ok || call.Fun == e {
		return nil
	}
	if fn := d.calleeFunc(call); fn == nil || !d.ownPackage(fn) {
		return nil
	}
	return call
}

// bodyAround gives the body of the function that a node stands in.
func (d *decl) bodyAround(n ast.Node) ast.Node {
	if lit := d.literalAround(n); lit != nil {
		return lit.Body
	}
	if d.body != nil {
		return d.body.Body
	}
	return n
}

// noteTaken sees a batch that is taken out of what others fill: a list or a map in a struct with a lock is read, and set
// to nothing. What is done with it afterwards is theirs as well.
func (d *decl) noteTaken(at ast.Node, left, right ast.Expr) {
	sel, ok := ast.Unparen(left).(*ast.SelectorExpr)
	if !ok || !d.isPartOfElders(left) || right != nil && !d.isNothing(right, left) {
		return
	}
	switch d.underlying(left).(type) {
	case *types.Slice, *types.Map:
	default:
		return
	}
	if !hasLock(d.info.TypeOf(sel.X)) || !d.isReadBefore(sel, at) {
		return
	}
	d.noteCommon(at, d.bodyAround(at).End(), "batch")
}

// isNothing tells an empty list or map: nil, `make(…)`, a literal without elements, or the list itself, cut to nothing.
func (d *decl) isNothing(e, of ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return isNil(d.extractor, e)
	case *ast.CompositeLit:
		return len(e.Elts) == 0
	case *ast.SliceExpr:
		return types.ExprString(e.X) == types.ExprString(of)
	case *ast.CallExpr:
		name, ok := ast.Unparen(e.Fun).(*ast.Ident)
		return ok && name.Name == "make"
	}
	return false
}

// isReadBefore tells whether a field is assigned to a variable before, or by the same statement: `batch := s.queue`.
func (d *decl) isReadBefore(field *ast.SelectorExpr, at ast.Node) bool {
	name := types.ExprString(field)
	for _, from := range d.found {
		for _, e := range from {
			d.spend(1)
			if e.Pos() < at.End() && types.ExprString(e) == name {
				return true
			}
		}
	}
	return false
}

// hasLock tells a struct with a mutex: several use it at the same time.
func hasLock(t types.Type) bool {
	if t == nil {
		return false
	}
	under := t.Underlying()
	if pointer, ok := under.(*types.Pointer); ok {
		under = pointer.Elem().Underlying()
	}
	fields, ok := under.(*types.Struct)
	for i := 0; ok && i < fields.NumFields(); i++ {
		switch typeID(fields.Field(i).Type()) {
		case "sync.Mutex", "sync.RWMutex":
			return true
		}
	}
	return false
}

// commonWork tells which kind of common work a node is a part of, or gives "".
func (d *decl) commonWork(n ast.Node) string {
	at := d.offset(n.Pos())
	d.spend(len(d.commons))
	for _, c := range d.commons {
		if c.span[0] <= at && at < c.span[1] {
			return c.kind
		}
	}
	return ""
}
