package main

import (
	"go/ast"
	"go/types"
	"slices"

	"ctxaudit/gofacts/internal/idents"
)

// Calls: what is called, how, and behind what.

func (d *decl) visitCall(call *ast.CallExpr) {
	fn := d.calleeFunc(call)
	if fn == nil {
		if node := d.funcNode(call.Fun); node != "" && !isLiteral(call.Fun) {
			d.call(call, node, "value", d.firstContext(call))
		}
		return
	}
	d.visitSite(call, fn)
	d.register(call, fn)
	kind := "static"
	if recv := fn.Signature().Recv(); recv != nil && types.IsInterface(recv.Type()) {
		kind = "interface"
	}
	d.call(call, funcID(fn), kind, d.firstContext(call))
	if d.ownPackage(fn) {
		last := &d.out.Calls[len(d.out.Calls)-1]
		last.Becomes, last.Stream = d.becomesOf(call, false), d.isStreamed(call)
		last.Timed = d.firstHasTime(call.Args, map[*types.Var]bool{})
	}
}

// registers lists functions that call the methods of what they are given by name.
var registers = map[string]bool{
	"net/rpc.Register": true, "net/rpc.RegisterName": true,
	"net/rpc.Server.Register": true, "net/rpc.Server.RegisterName": true,
	"github.com/gorilla/rpc.Server.RegisterService": true, "github.com/gorilla/rpc/v2.Server.RegisterService": true,
}

// register records that the methods of what a call is given are called by somebody else, as they are.
func (d *decl) register(call *ast.CallExpr, fn *types.Func) {
	if !registers[funcID(fn)] {
		return
	}
	for _, arg := range call.Args {
		t := d.info.TypeOf(arg)
		if t == nil || namedOf(t) == nil {
			continue
		}
		set := types.NewMethodSet(t)
		for i := range set.Len() {
			if method, ok := set.At(i).Obj().(*types.Func); ok && method.Exported() {
				d.out.Forwards = append(d.out.Forwards, forwardFact{Func: funcID(method), Kind: "value", Target: funcID(fn)})
			}
		}
	}
}

func isLiteral(e ast.Expr) bool { _, ok := ast.Unparen(e).(*ast.FuncLit); return ok }

// calleeFunc gives the function or method that a call names, or nil for values, conversions and built-ins.
func (x *extractor) calleeFunc(call *ast.CallExpr) *types.Func { return idents.Callee(x.info, call) }

func (d *decl) call(n ast.Node, callee, kind string, ctx []string) {
	fact := callFact{
		Caller: d.around(n).ID, Callee: callee, Kind: kind, Place: d.place(n), Ctx: ctx, Test: d.test,
	}
	statement := d.parent(n)
	if p, ok := statement.(*ast.CallExpr); ok && p.Fun == n { // go func() { … }()
		statement = d.parent(p)
	}
	switch statement.(type) {
	case *ast.GoStmt:
		fact.Go, fact.Waited = true, d.waitedUntil(statement)
	case *ast.DeferStmt:
		fact.Defer = true
	}
	if e, ok := n.(ast.Expr); ok {
		fact.Method = d.isMethodExpr(e)
	}
	if call, ok := n.(*ast.CallExpr); ok {
		fact.Method, fact.Spread = d.isMethodExpr(call.Fun), d.spread(call)
	}
	d.spend(keptStep * (1 + len(ctx)/8))
	fact.Loop = d.inLoop(n)
	fact.Lazy, fact.Common = d.inLazy(n), d.commonWork(n)
	fact.After = d.isBehindAsked(n)
	if kind == "value" {
		fact.After = fact.After || d.isClosing(n)
	}
	if d.cancels || hasFlag(d.around(n), "waits") || d.isInClosing(n) {
		fact.After = fact.After || d.endsBefore(n)&^tickEnd != 0
	}
	d.out.Calls = append(d.out.Calls, fact)
}

// isMethodExpr tells whether a function takes its receiver as its first argument: `T.Method`.
func (d *decl) isMethodExpr(e ast.Expr) bool {
	sel, ok := ast.Unparen(e).(*ast.SelectorExpr)
	if !ok || d.info.Selections[sel] == nil {
		return false
	}
	return d.info.Selections[sel].Kind() == types.MethodExpr
}

// spread gives how many results of another call are a call's arguments, 0 where they are written one by one.
func (d *decl) spread(call *ast.CallExpr) int {
	if len(call.Args) != 1 {
		return 0
	}
	if results, ok := d.info.TypeOf(call.Args[0]).(*types.Tuple); ok && results.Len() > 1 {
		return results.Len()
	}
	return 0
}

func hasFlag(fact *funcFact, flag string) bool { return slices.Contains(fact.Flags, flag) }

// pathTo lists the nodes from the declaration down to a node.
func (d *decl) pathTo(n ast.Node) []ast.Node {
	path := []ast.Node{n}
	for p := d.parent(n); p != nil; p = d.parent(p) {
		path = append(path, p)
	}
	slices.Reverse(path)
	return path
}

// inLazy tells whether a node is in the block that makes a kept value where it is missing: `if x.f == nil { … }`.
func (d *decl) inLazy(n ast.Node) bool {
	if d.body == nil || d.body.Body == nil {
		return false
	}
	var receiver *types.Var
	if fn, ok := d.info.Defs[d.body.Name].(*types.Func); ok {
		receiver = fn.Signature().Recv()
	}
	child := n
	for p := d.parent(n); p != nil; p = d.parent(p) {
		if test, ok := p.(*ast.IfStmt); ok && child == ast.Node(test.Body) && !isNotNilTest(test) {
			lazy, known := d.lazies[test]
			if !known {
				lazy = d.isLazy(test, d.body.Body, receiver)
				d.lazies[test] = lazy
			}
			if lazy {
				return true
			}
		}
		child = p
	}
	return false
}

// inLoop tells whether a node is inside an endless loop of its own function.
func (d *decl) inLoop(n ast.Node) bool {
	for p := d.parent(n); p != nil; p = d.parent(p) {
		switch p := p.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ForStmt:
			if p.Cond == nil && p.Init == nil && d.loopsOn(p.Body) {
				return true
			}
		case *ast.RangeStmt:
			if d.isChannel(p.X) {
				return true
			}
		}
	}
	return false
}

// firstContext gives the origins of the first argument that is a context, or nil.
func (d *decl) firstContext(call *ast.CallExpr) []string {
	d.spend(len(call.Args))
	for _, arg := range call.Args {
		if isContext(d.info.TypeOf(arg)) {
			origins, _ := d.origins(arg)
			return origins
		}
	}
	return nil
}
