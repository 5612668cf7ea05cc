package foreign

import (
	"go/ast"
	"go/token"
	"go/types"
)

// Who waits: for a goroutine that a body starts, and for work that others have begun.

// groups run a function in a goroutine of what they are called on.
var groups = map[string]bool{
	"sync.WaitGroup.Go": true, "golang.org/x/sync/errgroup.Group.Go": true, "golang.org/x/sync/errgroup.Group.TryGo": true,
}

// isAwaited tells whether the body that starts a goroutine waits for a sign that the goroutine gives at its end, before
// it returns: a group, or a channel. A receive that gives up on another sign does not wait.
func (b *body) isAwaited(u *Unit, stmt *ast.GoStmt) bool {
	lit, ok := ast.Unparen(stmt.Call.Fun).(*ast.FuncLit)
	if !ok {
		return false
	}
	signs := map[types.Object]bool{}
	ast.Inspect(lit, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SendStmt:
			signs[u.object(n.Chan)] = true
		case *ast.CallExpr:
			if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok && sel.Sel.Name == "Done" {
				signs[u.object(sel.X)] = true
			}
			if name, ok := ast.Unparen(n.Fun).(*ast.Ident); ok && name.Name == "close" && len(n.Args) == 1 {
				signs[u.object(n.Args[0])] = true
			}
		}
		return true
	})
	delete(signs, nil)
	return b.waitsFor(u, signs, lit)
}

// waitsFor tells whether a body waits for one of some objects outside of a literal, and after it.
func (b *body) waitsFor(u *Unit, signs map[types.Object]bool, lit ast.Node) bool {
	found := false
	ast.Inspect(b.block, func(n ast.Node) bool {
		if n == lit || found {
			return false
		}
		if on := u.waitsOn(n); on != nil && n.Pos() > lit.Pos() && signs[u.object(on)] && !b.givesUp(n) {
			found = true
		}
		return true
	})
	return found
}

// waitsOn gives what a node waits on: `g.Wait()`, `<-c`, `range c`.
func (u *Unit) waitsOn(n ast.Node) ast.Expr {
	switch n := n.(type) {
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			return n.X
		}
	case *ast.RangeStmt:
		if t := u.info.TypeOf(n.X); t != nil {
			if _, channel := t.Underlying().(*types.Chan); channel {
				return n.X
			}
		}
	case *ast.CallExpr:
		if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok && sel.Sel.Name == "Wait" {
			return sel.X
		}
	}
	return nil
}

// givesUp tells a receive that is one of several in a select.
func (b *body) givesUp(n ast.Node) bool {
	for p := b.parents[n]; p != nil; p = b.parents[p] {
		switch p := p.(type) {
		case *ast.SelectStmt:
			return len(p.Body.List) > 1
		case *ast.CommClause:
			if p.Comm == nil || n.Pos() > p.Comm.End() {
				return false // in the branch that follows
			}
		case *ast.FuncLit:
			return false
		}
	}
	return false
}

// object gives the variable or field that an expression names.
func (u *Unit) object(e ast.Expr) types.Object {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		if obj := u.info.Uses[e]; obj != nil {
			return obj
		}
		return u.info.Defs[e]
	case *ast.SelectorExpr:
		return u.info.Uses[e.Sel]
	case *ast.UnaryExpr:
		return u.object(e.X)
	}
	return nil
}

// inFlight tells a place behind which the work is for all who wait for it: what stands for it was put before where others
// find it, and the body waits for one of its kind that others have put there.
func (b *body) inFlight(u *Unit, at token.Pos) bool {
	if b.flight == 0 {
		b.flight = 1
		b.put = u.findFlight(b)
	}
	return b.put.IsValid() && at > b.put
}

func (u *Unit) findFlight(b *body) token.Pos {
	waited := map[string]bool{}
	ast.Inspect(b.block, func(n ast.Node) bool {
		if on := u.waitsOn(n); on != nil {
			if v := u.owner(on); v != nil {
				waited[types.TypeString(v.Type(), nil)] = true
			}
		}
		return true
	})
	put := token.NoPos
	note := func(e ast.Expr, at token.Pos) {
		v := u.variable(e)
		if v != nil && b.fresh[v] && waited[types.TypeString(v.Type(), nil)] && structOf(v.Type()) != nil && !put.IsValid() {
			put = at
		}
	}
	ast.Inspect(b.block, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, left := range n.Lhs {
				if _, name := left.(*ast.Ident); !name && len(n.Lhs) == len(n.Rhs) {
					note(n.Rhs[i], n.End())
				}
			}
		case *ast.CallExpr:
			if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok {
				switch sel.Sel.Name {
				case "Store", "LoadOrStore", "Set", "Add", "Put":
					for _, arg := range n.Args {
						note(arg, n.End())
					}
				}
			}
		}
		return true
	})
	return put
}

// owner gives the local variable by whose field something is waited for: `c.wg.Wait()`, `<-c.done`.
func (u *Unit) owner(e ast.Expr) *types.Var {
	for {
		switch at := ast.Unparen(e).(type) {
		case *ast.SelectorExpr:
			e = at.X
		case *ast.Ident:
			v, _ := u.object(at).(*types.Var)
			return v
		default:
			return nil
		}
	}
}
