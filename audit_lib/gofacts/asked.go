package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"sort"
	"strings"
)

// Where a context is known to have ended since it was asked: `if ctx.Err() != nil`, `errors.Is(err, context.Canceled)`.

// An asked is what a test tells where it holds: that a variable's context has ended, or all that are there.
type asked struct {
	owner *funcFact
	who   *types.Var // nil where it is not known which
	all   bool       // those that it was made of too
	spans []span
}

// What is told of an end by a condition: whose it is, where that is known, and whether it may be others' too.
type told struct {
	who *types.Var
	all bool
}

// noteError remembers what errors were made of: who asks one for an end asks what was handed to that call.
func (d *decl) noteError(left, right []ast.Expr) {
	for i, l := range left {
		v := d.variable(l)
		if v != nil && len(right) > 0 && typeID(v.Type()) == "error" {
			d.errors[v] = append(d.errors[v], right[min(i, len(right)-1)])
		}
	}
}

// isEnd tells the errors that a context ends with.
func isEnd(obj types.Object) bool {
	return obj != nil && obj.Pkg() != nil && obj.Pkg().Path() == "context" &&
		(obj.Name() == "Canceled" || obj.Name() == "DeadlineExceeded")
}

// prepareAsked finds the tests of a declaration that tell of an end, and where they hold.
func (d *decl) prepareAsked(root ast.Node) {
	if !d.asks {
		return
	}
	d.inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt:
			holds, fails := d.tells(n.Cond)
			d.noteAsked(n, holds, d.spanOf(n.Body))
			d.noteAsked(n, fails, d.spanOf(n.Else))
			if leaves(n.Body.List) && n.Else == nil {
				d.noteAsked(n, fails, d.restOf(n))
			}
		case *ast.ForStmt:
			if _, fails := d.tells(n.Cond); fails != nil && !d.breaks(n.Body) {
				d.noteAsked(n, fails, d.restOf(n))
			}
		case *ast.SwitchStmt:
			for _, clause := range n.Body.List {
				clause := clause.(*ast.CaseClause)
				d.noteAsked(n, d.tellsCase(n.Tag, clause), []span{{d.offset(clause.Colon), d.offset(clause.End())}})
			}
		}
		return true
	})
}

// restOf gives the rest of the block that a statement stands in: behind that, others may come by.
func (d *decl) restOf(statement ast.Node) []span {
	outer := d.parent(statement)
	if label, ok := outer.(*ast.LabeledStmt); ok {
		return d.restOf(label)
	}
	return []span{{d.offset(statement.End()), d.offset(outer.End())}}
}

func (d *decl) spanOf(n ast.Node) []span {
	if block, ok := n.(*ast.BlockStmt); ok {
		return []span{{d.offset(block.Pos()), d.offset(block.End())}}
	}
	return nil // none, or another test
}

func (d *decl) noteAsked(n ast.Node, known *told, spans []span) {
	if known != nil && len(spans) > 0 {
		d.asked = append(d.asked, asked{d.around(n), known.who, known.all, spans})
	}
}

// tells gives what is known of ends where a condition holds, and where it does not.
func (d *decl) tells(cond ast.Expr) (holds, fails *told) {
	switch e := ast.Unparen(cond).(type) {
	case *ast.UnaryExpr:
		if e.Op == token.NOT {
			fails, holds = d.tells(e.X)
		}
	case *ast.BinaryExpr:
		return d.tellsBinary(e)
	case *ast.CallExpr:
		if fn := d.calleeFunc(e); fn != nil && fn.Name() == "Is" && len(e.Args) == 2 {
			holds = d.tellsError(e.Args[0], e.Args[1])
		}
	}
	return holds, fails
}

func (d *decl) tellsBinary(e *ast.BinaryExpr) (holds, fails *told) {
	switch e.Op {
	case token.LAND, token.LOR:
		holds, fails = d.tells(e.X)
		otherHolds, otherFails := d.tells(e.Y)
		if e.Op == token.LAND {
			return either(holds, otherHolds), both(fails, otherFails)
		}
		return both(holds, otherHolds), either(fails, otherFails)
	case token.EQL, token.NEQ:
		if isNil(d.extractor, e.Y) {
			fails = d.tellsAsked(e.X)
		} else if holds = d.tellsError(e.X, e.Y); holds == nil {
			holds = d.tellsError(e.Y, e.X)
		}
		if e.Op == token.NEQ {
			holds, fails = fails, holds
		}
	}
	return holds, fails
}

// either gives what is known where both conditions are known to hold; both where one of them is.
func either(a, b *told) *told {
	if a == nil || b != nil && b.all && !a.all {
		return b
	}
	return a
}

func both(a, b *told) *told {
	if a == nil || b == nil {
		return nil
	}
	return either(a, b)
}

// tellsCase gives what is known in a case of a switch: all that it is for tells of an end.
func (d *decl) tellsCase(tag ast.Expr, clause *ast.CaseClause) *told {
	var known *told
	for i, e := range clause.List {
		var one *told
		if tag != nil {
			one = d.tellsError(tag, e)
		} else {
			one, _ = d.tells(e)
		}
		if known = either(known, one); i > 0 && one == nil || known == nil {
			return nil
		}
	}
	return known
}

// tellsAsked gives who has ended where an expression is no nil: `ctx.Err()`, or a variable that holds that.
func (d *decl) tellsAsked(e ast.Expr) *told {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		if made := d.errorOf(e); made != nil {
			if _, name := ast.Unparen(made).(*ast.Ident); !name {
				return d.tellsAsked(made)
			}
		}
	case *ast.CallExpr:
		if ctx := d.askedContext(e); ctx != nil {
			return &told{d.variable(ctx), true}
		}
	}
	return nil
}

// askedContext gives the context whose end a call asks for, or nil.
func (d *decl) askedContext(call *ast.CallExpr) ast.Expr {
	if d.calleeID(call) == "context.Cause" && len(call.Args) == 1 {
		return call.Args[0]
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if ok && sel.Sel.Name == "Err" && isContext(d.info.TypeOf(sel.X)) {
		return sel.X
	}
	return nil
}

// tellsError gives who has ended where an error is a context's end. That a context's own time is over is no other's end.
func (d *decl) tellsError(e, end ast.Expr) *told {
	obj := d.endNamed(end)
	if obj == nil {
		return nil
	}
	if known := d.tellsAsked(e); known != nil {
		return known
	}
	if obj.Name() == "DeadlineExceeded" {
		if v := d.timedFor(e); v != nil {
			return &told{v, false}
		}
	}
	return &told{nil, true}
}

func (d *decl) endNamed(e ast.Expr) types.Object {
	var obj types.Object
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		obj = d.info.Uses[e]
	case *ast.SelectorExpr:
		obj = d.info.Uses[e.Sel]
	}
	if !isEnd(obj) {
		return nil
	}
	return obj
}

// timedFor gives the local context with a time of its own that was handed to the call which gave an error, or could have
// been where that call has none, or a root; or nil.
func (d *decl) timedFor(e ast.Expr) *types.Var {
	ident, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return nil
	}
	call, ok := d.errorOf(ident).(*ast.CallExpr)
	if !ok {
		return nil
	}
	for _, arg := range call.Args {
		if v := d.variable(arg); v != nil && isContext(v.Type()) {
			if d.isTimed(v) {
				return v
			}
			return nil
		}
	}
	var last *types.Var
	d.spend(len(d.assigns))
	for v := range d.assigns {
		if scope := v.Parent(); scope != nil && scope.Contains(call.Pos()) && v.Pos() < call.Pos() && d.isTimed(v) {
			if last == nil || last.Pos() < v.Pos() {
				last = v
			}
		}
	}
	return last
}

// isTimed tells a local context with an end of its own.
func (d *decl) isTimed(v *types.Var) bool {
	_, ends := d.variableOrigins(v)
	return ends != notEnded && !d.waiting.params[v]
}

// errorOf gives what the variable of an error was last made of before it is used, or nil.
func (d *decl) errorOf(use *ast.Ident) ast.Expr {
	all := d.errors[d.variable(use)] // in order
	i := sort.Search(len(all), func(i int) bool { return all[i].Pos() >= use.Pos() })
	if i == 0 {
		return nil
	}
	return all[i-1]
}

// askedSpans lists where a variable's context has ended since that was asked.
func (d *decl) askedSpans(v *types.Var) []span {
	var found []span
	d.spend(len(d.asked))
	for _, a := range d.asked {
		if a.who == v {
			found = append(found, a.spans...)
		}
	}
	return found
}

// isBehindAsked tells whether a node stands where the contexts that are there are known to have ended.
func (d *decl) isBehindAsked(n ast.Node) bool {
	if len(d.asked) == 0 {
		return false
	}
	if d.gone == nil {
		d.gone = map[*funcFact][]span{}
		for _, a := range d.asked {
			if a.all {
				d.gone[a.owner] = append(d.gone[a.owner], a.spans...)
			}
		}
		for owner, spans := range d.gone {
			d.gone[owner] = joinSpans(spans)
		}
	}
	return holds(d.gone[d.around(n)], d.offset(n.Pos()))
}

// joinSpans puts spans in order, those that meet joined.
func joinSpans(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return a[0] - b[0] })
	joined := spans[:0]
	for _, s := range spans {
		if last := len(joined) - 1; last >= 0 && s[0] <= joined[last][1] {
			joined[last][1] = max(joined[last][1], s[1])
		} else if s[0] < s[1] {
			joined = append(joined, s)
		}
	}
	return joined
}

// holds tells whether an offset is in one of the spans that `joinSpans` gave.
func holds(spans []span, at int) bool {
	i := sort.Search(len(spans), func(i int) bool { return spans[i][1] > at })
	return i < len(spans) && spans[i][0] <= at
}

// breaks tells whether a loop's body may leave it by a break of its own.
func (d *decl) breaks(body *ast.BlockStmt) bool {
	found := false
	d.inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.BranchStmt:
			found = found || n.Tok == token.BREAK || n.Tok == token.GOTO
		}
		return !found
	})
	return found
}

// isPause tells a wait for nothing but a time: `<-pause.Done()` on a context that is made of a root, with a timeout.
func (d *decl) isPause(s *ast.ExprStmt) bool {
	receive, ok := s.X.(*ast.UnaryExpr)
	if !ok {
		return false
	}
	call, ok := ast.Unparen(receive.X).(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Done" {
		return false
	}
	v := d.variable(sel.X)
	if v == nil || !isContext(v.Type()) {
		return false
	}
	origins, ends := d.variableOrigins(v)
	given := slices.ContainsFunc(origins, func(origin string) bool { return !strings.HasPrefix(origin, "root:") })
	return ends == timed && !given
}
