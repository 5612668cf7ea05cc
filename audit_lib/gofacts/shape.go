package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// What the shape of a body tells about how long its work lives.

// bodyFlags gives, for one body without the literals in it:
//
//	forever    a loop without a condition, or over a channel: it goes on until somebody stops it
//	waits      it waits for goroutines or a channel before it returns
//	lazy       past a test it makes a value once, and keeps it in its receiver or a package's variable
//	hijacks    it takes a connection over from the HTTP server
//	signals    it listens for signals to the process
func bodyFlags(x *extractor, body *ast.BlockStmt, receiver *types.Var) []string {
	found := map[string]bool{}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ForStmt:
			found["forever"] = found["forever"] || n.Cond == nil && n.Init == nil && n.Post == nil && loopsOn(n.Body)
		case *ast.RangeStmt:
			found["forever"] = found["forever"] || x.isChannel(n.X)
		case *ast.UnaryExpr:
			found["waits"] = found["waits"] || n.Op == token.ARROW
		case *ast.CallExpr:
			flagCall(x, n, found)
		case *ast.IfStmt:
			found["lazy"] = found["lazy"] || isNotNilTest(n) && x.isLazy(n, body, receiver)
		}
		return true
	})
	var flags []string
	for _, flag := range []string{"forever", "hijacks", "lazy", "signals", "waits"} {
		if found[flag] {
			flags = append(flags, flag)
		}
	}
	return flags
}

// loopsOn tells a loop that waits or listens from one that retries: it has a select or a receive in it.
func loopsOn(body *ast.BlockStmt) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.SelectStmt:
			found = true
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		}
		return !found
	})
	return found
}

func flagCall(x *extractor, call *ast.CallExpr, found map[string]bool) {
	fn := x.calleeFunc(call)
	if fn == nil {
		return
	}
	switch funcID(fn) {
	case "sync.WaitGroup.Wait", "golang.org/x/sync/errgroup.Group.Wait":
		found["waits"] = true
	case "net/http.Hijacker.Hijack", "net/http.ResponseController.Hijack":
		found["hijacks"] = true
	case "os/signal.Notify", "os/signal.NotifyContext":
		found["signals"] = true
	default:
		found["hijacks"] = found["hijacks"] || upgrades(fn)
	}
}

// upgrades sees what the websocket packages have in common: `Upgrade` or `Accept` of a response writer and a request.
func upgrades(fn *types.Func) bool {
	if fn.Name() != "Upgrade" && fn.Name() != "Accept" {
		return false
	}
	params := fn.Signature().Params()
	for i := range params.Len() {
		if typeID(params.At(i).Type()) == "net/http.ResponseWriter" {
			return true
		}
	}
	return false
}

func (x *extractor) isChannel(e ast.Expr) bool {
	t := x.info.TypeOf(e)
	if t == nil {
		return false
	}
	_, ok := t.Underlying().(*types.Chan)
	return ok
}

// isLazy sees `if x.f == nil { x.f = … }` and `if x.f != nil { return x.f }` with an assignment to x.f behind it.
// A context that is nil is a guard and no lazy value.
func (x *extractor) isLazy(n *ast.IfStmt, body *ast.BlockStmt, receiver *types.Var) bool {
	cond, ok := n.Cond.(*ast.BinaryExpr)
	if !ok || cond.Op != token.EQL && cond.Op != token.NEQ || !isNil(x, cond.Y) {
		return false
	}
	kept, ok := ast.Unparen(cond.X).(*ast.SelectorExpr)
	if !ok || isContext(x.info.TypeOf(kept)) || !x.outlives(kept.X, receiver) {
		return false
	}
	field := x.info.Uses[kept.Sel]
	if cond.Op == token.EQL {
		return x.assigns(n.Body, field)
	}
	if len(n.Body.List) == 0 || !isReturn(n.Body.List[len(n.Body.List)-1]) {
		return false
	}
	return x.assigns(body, field)
}

// isNotNilTest tells the form that returns what is there from the one that makes what is missing in its own block.
func isNotNilTest(n *ast.IfStmt) bool {
	cond, ok := n.Cond.(*ast.BinaryExpr)
	return ok && cond.Op == token.NEQ
}

// outlives tells whether what an expression names lives longer than the call: the receiver, or a package's variable.
func (x *extractor) outlives(e ast.Expr, receiver *types.Var) bool {
	ident, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return false
	}
	v, ok := x.info.Uses[ident].(*types.Var)
	return ok && (v == receiver || v.Parent() == x.pkg.Scope())
}

func isNil(x *extractor, e ast.Expr) bool {
	ident, ok := ast.Unparen(e).(*ast.Ident)
	return ok && x.info.Uses[ident] == types.Universe.Lookup("nil")
}

func isReturn(s ast.Stmt) bool { _, ok := s.(*ast.ReturnStmt); return ok }

func (x *extractor) assigns(scope ast.Node, field types.Object) bool {
	found := false
	ast.Inspect(scope, func(n ast.Node) bool {
		if assign, ok := n.(*ast.AssignStmt); ok {
			for _, left := range assign.Lhs {
				if sel, ok := ast.Unparen(left).(*ast.SelectorExpr); ok && field != nil && x.info.Uses[sel.Sel] == field {
					found = true
				}
			}
		}
		return !found
	})
	return found
}

// afterReceive tells what was received before a statement is reached: "done" for a context's end, "signal" for the
// process's, "tick" for a timer's, "stop" for another channel, or for what somebody else's cancel function ends. It looks
// at the statements before the path's, and at the case that the path is in.
func (d *decl) afterReceive(path []ast.Node) []string {
	found := map[string]bool{}
	for i := len(path) - 1; i > 0; i-- {
		if _, ok := path[i].(*ast.FuncLit); ok {
			break
		}
		var before []ast.Stmt
		switch outer := path[i-1].(type) {
		case *ast.BlockStmt:
			before = outer.List
		case *ast.CaseClause:
			before = outer.Body
		case *ast.CommClause:
			before = outer.Body
			if outer.Comm != nil && path[i] != outer.Comm {
				d.receives(outer.Comm, found)
			}
		}
		for _, stmt := range before {
			if stmt == path[i] {
				break
			}
			if s, ok := stmt.(*ast.ExprStmt); ok && !d.isPause(s) {
				d.receives(stmt, found)
			}
			if s, ok := stmt.(*ast.SelectStmt); ok && d.onlyEnds(s) {
				d.receives(s, found)
			}
			found["stop"] = found["stop"] || d.cancels && d.endsOthers(stmt, path, path[i-1])
		}
	}
	var kinds []string
	for _, kind := range []string{"done", "signal", "stop", "tick"} {
		if found[kind] {
			kinds = append(kinds, "after_"+kind)
		}
	}
	return kinds
}

// onlyEnds tells whether a select goes on only when something has ended: all of its cases wait for that, or return.
func (x *extractor) onlyEnds(s *ast.SelectStmt) bool {
	goesOn := false
	for _, clause := range s.Body.List {
		clause := clause.(*ast.CommClause)
		if n := len(clause.Body); n > 0 && isReturn(clause.Body[n-1]) {
			continue
		}
		goesOn = true
		found := map[string]bool{}
		if clause.Comm != nil {
			x.receives(clause.Comm, found)
		}
		if !found["done"] && !found["signal"] && !found["stop"] {
			return false
		}
	}
	return goesOn
}

func (x *extractor) receives(n ast.Node, found map[string]bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.BlockStmt:
			_, block := n.(*ast.BlockStmt)
			return block
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				found[x.receiveKind(n.X)] = true
			}
		}
		return true
	})
}

func (x *extractor) receiveKind(channel ast.Expr) string {
	if call, ok := ast.Unparen(channel).(*ast.CallExpr); ok {
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Done" && isContext(x.info.TypeOf(sel.X)) {
			return "done"
		}
	}
	if t := x.info.TypeOf(channel); t != nil {
		if c, ok := t.Underlying().(*types.Chan); ok {
			switch typeID(c.Elem()) {
			case "os.Signal":
				return "signal"
			case "time.Time":
				return "tick"
			}
			if s, ok := c.Elem().Underlying().(*types.Struct); ok && s.NumFields() == 0 && namesEnd(channel) {
				return "stop"
			}
		}
	}
	return "value"
}

// namesEnd tells a channel that says when to end from one that says when to begin; only its name does.
func namesEnd(channel ast.Expr) bool {
	name := ""
	switch e := ast.Unparen(channel).(type) {
	case *ast.Ident:
		name = e.Name
	case *ast.SelectorExpr:
		name = e.Sel.Name
	case *ast.CallExpr:
		return namesEnd(e.Fun)
	}
	name = strings.ToLower(name)
	for _, word := range []string{"stop", "quit", "done", "clos", "exit", "shut", "end", "cancel", "term", "kill"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
