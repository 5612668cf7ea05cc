package main

import (
	"go/ast"
	"go/token"
	"go/types"
)

// What the shape of a body tells about how long its work lives.

// bodyFlags gives, for one body without the literals in it:
//
//	forever    a loop without a condition, or over a channel: it goes on until somebody stops it
//	lasting    a loop that goes on until something fails, or as long as lines come: nobody knows for how long
//	waits      it waits for goroutines or a channel before it returns
//	lazy       past a test it makes a value once, and keeps it in its receiver or a package's variable
//	hijacks    it takes a connection over from the HTTP server
//	signals    it listens for signals to the process
func bodyFlags(x *extractor, body *ast.BlockStmt, receiver *types.Var) []string {
	found := map[string]bool{}
	x.inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ForStmt:
			endless := n.Cond == nil && n.Init == nil && n.Post == nil
			found["forever"] = found["forever"] || endless && x.loopsOn(n.Body)
			found["lasting"] = found["lasting"] || endless && !x.leavesWell(n.Body, true) || x.isStream(n.Cond)
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
	for _, flag := range []string{"forever", "hijacks", "lasting", "lazy", "signals", "waits"} {
		if found[flag] {
			flags = append(flags, flag)
		}
	}
	return flags
}

// loopsOn tells a loop that waits or listens from one that retries: it has a select or a receive in it.
func (x *extractor) loopsOn(body *ast.BlockStmt) bool {
	if known, ok := x.listens[body]; ok {
		return known
	}
	found := false
	x.inspect(body, func(n ast.Node) bool {
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
	x.listens[body] = found
	return found
}

// leavesWell tells whether a loop may be left without a failure: by what stands in no branch of an error. `own` says that
// a break in what is looked at leaves the loop.
func (x *extractor) leavesWell(n ast.Node, own bool) bool {
	found := false
	x.inspect(n, func(inner ast.Node) bool {
		switch inner := inner.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			found = true
		case *ast.BranchStmt:
			found = found || inner.Tok == token.GOTO || inner.Tok == token.BREAK && (own || inner.Label != nil)
		case *ast.ExprStmt:
			call, ok := inner.X.(*ast.CallExpr)
			found = found || ok && isExit(call)
		case *ast.IfStmt:
			if x.isFailure(inner.Cond) {
				found = found || inner.Else != nil && x.leavesWell(inner.Else, own)
				return false
			}
		case *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
			if inner != n && own {
				found = found || x.leavesWell(inner, false)
				return false
			}
		}
		return !found
	})
	return found
}

// isFailure sees `err != nil`.
func (x *extractor) isFailure(cond ast.Expr) bool {
	binary, ok := ast.Unparen(cond).(*ast.BinaryExpr)
	return ok && binary.Op == token.NEQ && isNil(x, binary.Y) && typeID(x.info.TypeOf(binary.X)) == "error"
}

// isStream sees the condition of a loop over lines that come as long as somebody writes them: `for lines.Scan()`.
func (x *extractor) isStream(cond ast.Expr) bool {
	call, ok := cond.(*ast.CallExpr)
	if !ok {
		return false
	}
	fn := x.calleeFunc(call)
	return fn != nil && funcID(fn) == "bufio.Scanner.Scan"
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
