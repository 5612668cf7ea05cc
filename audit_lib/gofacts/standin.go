package main

import (
	"go/ast"
	"go/types"

	"ctxaudit/gofacts/internal/absent"
)

// Where what a context is read from is not there: a root stands in for it, and nothing may be read from it.

func (d *decl) prepareAbsent(root ast.Node) {
	d.absent = absent.Find(absent.Reader{
		Info: d.info, Leaves: leaves, Spend: d.spend, Gives: func(t types.Type) bool { return d.giverOf(t) != nil },
	}, root)
}

// absentIn lists where a variable, or what is read from it on the way to its context, is not there.
func (d *decl) absentIn(v *types.Var, suffix string) []span {
	var found []span
	source := absent.Name{Base: v, Path: suffix}
	d.spend(len(d.absent))
	for _, one := range d.absent {
		if one.Base == v && one.Leads(source) {
			for _, part := range one.Parts() {
				found = append(found, span{d.offset(part[0]), d.offset(part[1])})
				d.spend(keptStep)
			}
		}
	}
	return found
}

// standsIn tells whether a node stands where what gives a context is not there: a parameter that was tested itself, or
// something of which the context is read elsewhere in the declaration.
func (d *decl) standsIn(n ast.Node) bool {
	d.spend(len(d.absent))
	for _, one := range d.absent {
		if one.Covers(n.Pos()) && d.giverOf(one.Type) != nil {
			if one.Base == nil || !one.Told && one.Path == "" && d.isParameter(one.Base) || d.isRead(one) {
				return true
			}
		}
	}
	return false
}

// isParameter tells whether a variable is a parameter of a function of this declaration, and not the receiver.
func (d *decl) isParameter(v *types.Var) bool {
	if d.body != nil && d.body.Recv != nil && d.body.Recv.Pos() <= v.Pos() && v.Pos() < d.body.Recv.End() {
		return false
	}
	return v.Kind() == types.ParamVar
}

// isRead tells whether the context of what is absent is read somewhere else.
func (d *decl) isRead(one absent.Absence) bool {
	for _, ident := range d.usesOf(one.Base) {
		var e ast.Expr = ident
		for !isContext(d.info.TypeOf(e)) {
			e = d.partOf(e)
			if e == nil {
				break
			}
		}
		if e != nil && !one.Covers(e.Pos()) && one.Leads(absent.NameOf(d.info, e)) && !d.isCompared(e) && !d.isAssigned(e) {
			return true
		}
	}
	return false
}

// partOf gives what is selected or called of an expression where it stands, or nil.
func (d *decl) partOf(e ast.Expr) ast.Expr {
	switch p := d.parent(e).(type) {
	case *ast.SelectorExpr:
		if p.X == e {
			return p
		}
	case *ast.CallExpr:
		if p.Fun == e {
			return p
		}
	case *ast.ParenExpr:
		return p
	}
	return nil
}

func (d *decl) isCompared(e ast.Expr) bool {
	_, compared := d.parent(e).(*ast.BinaryExpr)
	return compared
}
