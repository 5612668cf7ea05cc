package main

import "go/ast"

// isBehindCommit tells whether a node is reached only behind the commit of a transaction, in its own function or in a
// literal that is made behind it: what is done there is done on what others see already.
func (d *decl) isBehindCommit(path []ast.Node) bool {
	for i := len(path) - 1; i > 0; i-- {
		for _, before := range statementsOf(path[i-1]) {
			if ast.Node(before) == path[i] {
				break
			}
			d.spend(1)
			if d.commits(before) {
				return true
			}
		}
	}
	return false
}

// statementsOf gives the statements that a node holds in their order.
func statementsOf(n ast.Node) []ast.Stmt {
	switch n := n.(type) {
	case *ast.BlockStmt:
		return n.List
	case *ast.CaseClause:
		return n.Body
	case *ast.CommClause:
		return n.Body
	}
	return nil
}

// commits sees `tx.Commit()`, alone, assigned, or as what an `if` begins with or asks for.
func (d *decl) commits(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ExprStmt:
		return d.isCommit(s.X)
	case *ast.AssignStmt:
		return len(s.Rhs) == 1 && d.isCommit(s.Rhs[0])
	case *ast.IfStmt:
		if s.Init != nil && d.commits(s.Init) {
			return true
		}
		return d.asksForCommit(s.Cond)
	}
	return false
}

// asksForCommit sees a condition in which a commit is made: `tx.Commit() != nil`, `!done && tx.Commit()`.
func (d *decl) asksForCommit(cond ast.Expr) bool {
	switch cond := ast.Unparen(cond).(type) {
	case *ast.BinaryExpr:
		return d.asksForCommit(cond.X) || d.asksForCommit(cond.Y)
	case *ast.UnaryExpr:
		return d.asksForCommit(cond.X)
	}
	return d.isCommit(cond)
}

func (d *decl) isCommit(e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "Commit" && isTransaction(d.receiverType(call))
}
