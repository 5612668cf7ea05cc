package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// Where a context has ended by hand: behind a call of its cancel function, as far as the code goes on from there.

// A span is a part of a file, as offsets.
type span [2]int

// endedIn lists where a local, or a parameter that is made another context, may have been ended: up to `to`, its scope's
// end. Deferred calls end it when nothing comes behind them, and those in literals at a time that is not known.
func (d *decl) endedIn(v *types.Var, to token.Pos) []span {
	var found []span
	for _, made := range d.assigns[v] {
		found = append(found, d.behindGroup(made, to)...)
		cancel := d.cancelOf(made)
		for _, use := range d.usesOf(cancel) {
			call, ok := d.parent(use).(*ast.CallExpr)
			if !ok || call.Fun != use || d.around(call) != d.around(made) {
				continue
			}
			if statement, ok := d.parent(call).(*ast.ExprStmt); ok {
				found = append(found, d.behind(statement, min(to, d.nextMade(v, call.End())))...)
			}
		}
	}
	return found
}

// behindGroup lists what comes behind a wait for the group that a context was made with: it has ended then.
func (d *decl) behindGroup(made ast.Expr, to token.Pos) []span {
	call, ok := ast.Unparen(made).(*ast.CallExpr)
	assign, _ := d.parent(made).(*ast.AssignStmt)
	if !ok || assign == nil || len(assign.Lhs) != 2 || d.calleeID(call) != "golang.org/x/sync/errgroup.WithContext" {
		return nil
	}
	var found []span
	for _, use := range d.usesOf(d.variable(assign.Lhs[0])) {
		wait := d.waitOf(use)
		if wait == nil || d.around(wait) != d.around(made) {
			continue
		}
		statement := d.statementAround(wait)
		found = append(found, span{d.offset(wait.End()), d.offset(min(statement.End(), to))})
		found = append(found, d.behind(statement, to)...)
	}
	return found
}

// isMadeOfGiven tells whether a context was made of one that its function was given, which can stand for it.
func isMadeOfGiven(origins []string) bool {
	return slices.ContainsFunc(origins, func(origin string) bool {
		return strings.HasPrefix(origin, "param:") || strings.HasPrefix(origin, "method:")
	})
}

// behindDone lists what comes behind `<-ctx.Done()` on a local: as a statement, or as a case of a select.
func (d *decl) behindDone(v *types.Var, owner *funcFact, to token.Pos) []span {
	var found []span
	for _, use := range d.usesOf(v) {
		sel, ok := d.parent(use).(*ast.SelectorExpr)
		if !ok || sel.Sel.Name != "Done" || d.around(use) != owner {
			continue
		}
		call := d.parent(sel)
		receive, ok := d.parent(call).(*ast.UnaryExpr)
		if !ok || receive.Op != token.ARROW {
			continue
		}
		statement, ok := d.parent(receive).(*ast.ExprStmt)
		if !ok {
			continue
		}
		if clause, ok := d.parent(statement).(*ast.CommClause); ok && clause.Comm == ast.Stmt(statement) {
			found = append(found, span{d.offset(statement.End()), d.offset(min(clause.End(), to))})
		} else {
			found = append(found, d.behind(statement, to)...)
		}
	}
	return found
}

// waitOf gives the call of `g.Wait()` that a variable stands in, or nil.
func (d *decl) waitOf(g ast.Expr) ast.Node {
	sel, ok := d.parent(g).(*ast.SelectorExpr)
	if !ok || sel.X != g || sel.Sel.Name != "Wait" {
		return nil
	}
	if call, ok := d.parent(sel).(*ast.CallExpr); ok && call.Fun == ast.Expr(sel) {
		if _, deferred := d.parent(call).(*ast.DeferStmt); !deferred {
			return call
		}
	}
	return nil
}

// statementAround gives the statement of a block or a case that a node stands in.
func (d *decl) statementAround(n ast.Node) ast.Node {
	for {
		switch p := d.parent(n).(type) {
		case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause, nil:
			return n
		default:
			n = p
		}
	}
}

// cancelOf gives the variable of what ends a context, declared or assigned with it, or nil.
func (d *decl) cancelOf(made ast.Expr) types.Object {
	results := d.resultsOf(made)
	if len(results) != 2 || !isCancel(d.info.TypeOf(results[1])) {
		return nil
	}
	if v := d.variable(results[1]); v != nil {
		return v
	}
	return nil
}

// nextMade gives where a variable is next made another context.
func (d *decl) nextMade(v *types.Var, from token.Pos) token.Pos {
	next := token.Pos(1 << 30)
	d.spend(len(d.assigns[v]))
	for _, made := range d.assigns[v] {
		if made.Pos() > from {
			next = min(next, made.Pos())
		}
	}
	return next
}

// behind lists what comes behind a statement: the rest of its block, and of those around it that the block goes on to.
func (d *decl) behind(statement ast.Node, to token.Pos) []span {
	var found []span
	for n := statement; ; n = d.parent(n) {
		outer := d.parent(n)
		var list []ast.Stmt
		switch outer := outer.(type) {
		case *ast.BlockStmt:
			list = outer.List
		case *ast.CaseClause:
			list = outer.Body
		case *ast.CommClause:
			list = outer.Body
		case nil, *ast.FuncLit, *ast.FuncDecl:
			return found
		default:
			continue
		}
		if from, end := n.End(), min(outer.End(), to); from < end {
			found = append(found, span{d.offset(from), d.offset(end)})
			d.spend(keptStep)
		}
		if outer.End() >= to || leaves(list) {
			return found
		}
	}
}

// leaves tells whether statements do not go on to what stands behind their block.
func leaves(list []ast.Stmt) bool {
	if len(list) == 0 {
		return false
	}
	switch last := list[len(list)-1].(type) {
	case *ast.ReturnStmt, *ast.BranchStmt:
		return true
	case *ast.ExprStmt:
		call, ok := last.X.(*ast.CallExpr)
		return ok && isExit(call)
	}
	return false
}

func isExit(call *ast.CallExpr) bool {
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		return fun.Name == "panic"
	case *ast.SelectorExpr:
		switch fun.Sel.Name {
		case "Exit", "Fatal", "Fatalf", "Fatalln", "Fatalw":
			return true
		}
	}
	return false
}

// endsOthers tells whether a statement calls a cancel function that was made elsewhere: a field, a package's variable, a
// parameter, or one of a function around the literal. What was handed to this function may have ended then; not where
// the `block` sets the cancel function anew, since then it ended what went before.
func (d *decl) endsOthers(statement ast.Stmt, block ast.Node) bool {
	found := false
	d.inspect(statement, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.DeferStmt, *ast.GoStmt:
			return false
		case *ast.BlockStmt:
			return !leaves(n.List)
		case *ast.CaseClause:
			return !leaves(n.Body)
		case *ast.CommClause:
			return !leaves(n.Body)
		case *ast.CallExpr:
			found = found || isCancel(d.info.TypeOf(n.Fun)) && !d.isOwn(n.Fun, block) && !d.isSetAnew(n.Fun, block)
		}
		return !found
	})
	return found
}

// isSetAnew tells whether a block assigns to what an expression names.
func (d *decl) isSetAnew(e ast.Expr, block ast.Node) bool {
	names := d.setAnew[block]
	if names == nil {
		names = map[string]bool{}
		d.setAnew[block] = names
		d.inspect(block, func(n ast.Node) bool {
			if assign, ok := n.(*ast.AssignStmt); ok {
				for _, left := range assign.Lhs {
					names[types.ExprString(left)] = true
				}
			}
			return true
		})
	}
	return names[types.ExprString(e)]
}

// isOwn tells whether a function value is a variable that the function around a block declares in its body.
func (d *decl) isOwn(e ast.Expr, block ast.Node) bool {
	ident, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return false
	}
	v, ok := d.info.Uses[ident].(*types.Var)
	if !ok {
		return false
	}
	if lit := d.literalAround(block); lit != nil {
		return declares(lit.Body, v)
	}
	return d.body != nil && declares(d.body.Body, v)
}

func declares(body ast.Node, v *types.Var) bool { return body.Pos() <= v.Pos() && v.Pos() < body.End() }
