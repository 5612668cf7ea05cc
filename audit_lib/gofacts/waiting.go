package main

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"sort"
)

// Who waits for a goroutine: it signals its end by a channel, a group or a cancel function, and somebody waits for
// that one. What nobody waits for outlives its starter.

// waiting holds the handles of one declaration.
type waiting struct {
	aliases map[*types.Var]handle
	bodies  map[*types.Var]*ast.FuncLit // literals that are called by a name
	touches map[handle][]touch
	ordered []handled // all touches, in order
	params  map[*types.Var]bool
	known   map[ast.Node]token.Pos
}

// A handled is a touch with what it touches.
type handled struct {
	handle
	touch
}

// groups lists functions that run a literal in a goroutine of what they are called on.
var groups = map[string]bool{
	"sync.WaitGroup.Go": true, "golang.org/x/sync/errgroup.Group.Go": true, "golang.org/x/sync/errgroup.Group.TryGo": true,
}

// prepareWaiting notes what other names handles have, and then where each is used.
func (d *decl) prepareWaiting(root ast.Node) {
	d.waiting = &waiting{
		aliases: map[*types.Var]handle{}, bodies: map[*types.Var]*ast.FuncLit{}, touches: map[handle][]touch{},
		params: map[*types.Var]bool{}, known: map[ast.Node]token.Pos{},
	}
	started := false
	d.inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncType:
			d.noteParams(n)
		case *ast.AssignStmt:
			d.noteAliases(n)
		case *ast.CallExpr:
			d.noteArguments(n)
			started = started || groups[d.calleeID(n)]
		case *ast.FuncLit, *ast.GoStmt:
			started = true
		}
		return true
	})
	if !started {
		return
	}
	for _, idents := range d.uses {
		for _, ident := range idents {
			d.noteTouch(ident)
		}
	}
	for h, touches := range d.waiting.touches {
		slices.SortFunc(touches, func(a, b touch) int { return int(a.node.Pos() - b.node.Pos()) })
		for _, t := range touches {
			d.waiting.ordered = append(d.waiting.ordered, handled{h, t})
		}
	}
	slices.SortFunc(d.waiting.ordered, func(a, b handled) int { return int(a.node.Pos() - b.node.Pos()) })
}

func (d *decl) calleeID(call *ast.CallExpr) string {
	if fn := d.calleeFunc(call); fn != nil {
		return funcID(fn)
	}
	return ""
}

func (d *decl) noteParams(n *ast.FuncType) {
	for _, field := range n.Params.List {
		for _, name := range field.Names {
			if v, ok := d.info.Defs[name].(*types.Var); ok {
				d.waiting.params[v] = true
			}
		}
	}
}

// waitedUntil gives the offset up to which somebody waits for what a goroutine does, or 0 where nobody does: `n` is a go
// statement, the call of a group that starts it, or a literal that somebody else starts.
func (d *decl) waitedUntil(n ast.Node) int {
	if d.waiting == nil || n == nil {
		return 0
	}
	if pos := d.waitedPos(n); pos != token.NoPos {
		return d.offset(pos)
	}
	return 0
}

func (d *decl) waitedPos(n ast.Node) token.Pos {
	if pos, known := d.waiting.known[n]; known {
		return pos
	}
	d.waiting.known[n] = token.NoPos // who waits for itself is not waited for
	best := token.NoPos
	ends := d.signalledIn(n)
	for _, h := range furthest(ends) {
		if d.isAwaited(h, d.waiting.touches[h], n) {
			best = ends[h]
			break
		}
	}
	d.waiting.known[n] = best
	return best
}

// signalledIn gives the handles by which a goroutine may tell its end, each with how far that reaches.
func (d *decl) signalledIn(n ast.Node) map[handle]token.Pos {
	ends := map[handle]token.Pos{}
	for _, body := range d.bodiesOf(n) {
		ordered := d.waiting.ordered
		i := sort.Search(len(ordered), func(i int) bool { return ordered[i].node.Pos() >= body.Pos() })
		for ; i < len(ordered) && ordered[i].node.Pos() < body.End(); i++ {
			d.spend(1)
			if t := ordered[i]; t.kind != waits && d.bodyWith(n, t.node) == body {
				ends[t.handle] = max(ends[t.handle], d.reaches(t.node, body))
			}
		}
	}
	if call, ok := n.(*ast.CallExpr); ok {
		if group, ok := d.groupOf(call); ok {
			if _, touched := d.waiting.touches[group]; touched {
				ends[group] = n.End()
			}
		}
	}
	return ends
}

// furthest gives handles by how far they reach, the furthest first.
func furthest(ends map[handle]token.Pos) []handle {
	return slices.SortedFunc(maps.Keys(ends), func(a, b handle) int {
		return cmp.Or(cmp.Compare(ends[b], ends[a]), cmp.Compare(a.v.Pos(), b.v.Pos()), cmp.Compare(a.path, b.path))
	})
}

// bodiesOf gives what of a goroutine may hold a node: its statement, and the literal that it calls by a name.
func (d *decl) bodiesOf(goroutine ast.Node) []ast.Node {
	bodies := []ast.Node{goroutine}
	if stmt, ok := goroutine.(*ast.GoStmt); ok {
		if v := d.variable(stmt.Call.Fun); v != nil && d.waiting.bodies[v] != nil {
			bodies = append(bodies, d.waiting.bodies[v])
		}
	}
	return bodies
}

// groupOf gives the group on which a literal is started.
func (d *decl) groupOf(call *ast.CallExpr) (handle, bool) {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || !groups[d.calleeID(call)] {
		return handle{}, false
	}
	return d.handleOf(sel.X)
}

// bodyWith gives what of a goroutine holds a node: its statement, or the literal that it calls by a name.
func (d *decl) bodyWith(goroutine, n ast.Node) ast.Node {
	if within(goroutine, n) {
		return goroutine
	}
	if stmt, ok := goroutine.(*ast.GoStmt); ok {
		if v := d.variable(stmt.Call.Fun); v != nil && d.waiting.bodies[v] != nil && within(d.waiting.bodies[v], n) {
			return d.waiting.bodies[v]
		}
	}
	return nil
}

func within(outer, n ast.Node) bool { return outer.Pos() <= n.Pos() && n.End() <= outer.End() }

// reaches gives where what a signal stands for ends: it itself, its loop, or all where it is deferred.
func (d *decl) reaches(n, body ast.Node) token.Pos {
	if stmt, ok := body.(*ast.GoStmt); ok && !isLiteral(stmt.Call.Fun) {
		return body.End()
	}
	end := n.End()
	for p := n; p != nil && p != body; p = d.parent(p) {
		switch p.(type) {
		case *ast.DeferStmt:
			return body.End()
		case *ast.ForStmt, *ast.RangeStmt:
			end = p.End()
		}
	}
	return end
}

// isAwaited tells whether somebody outside a goroutine waits for a handle, and is waited for himself.
func (d *decl) isAwaited(h handle, touches []touch, goroutine ast.Node) bool {
	if h.path == "" && d.waiting.params[h.v] && (h.v.Pos() < goroutine.Pos() || goroutine.End() < h.v.Pos()) {
		return true // who calls the function does
	}
	for _, t := range touches {
		d.spend(1)
		if t.kind == signals || d.bodyWith(goroutine, t.node) != nil {
			continue
		}
		line := d.goroutineAround(t.node)
		if line == nil || within(line, goroutine) || d.waitedPos(line) != token.NoPos {
			return true
		}
	}
	return false
}

// goroutineAround gives what starts the goroutine in which a node stands, within the declaration.
func (d *decl) goroutineAround(n ast.Node) ast.Node {
	child := n
	for p := d.parent(n); p != nil; p = d.parent(p) {
		switch p := p.(type) {
		case *ast.GoStmt:
			return p
		case *ast.CallExpr:
			if _, ok := child.(*ast.FuncLit); ok && groups[d.calleeID(p)] {
				return p
			}
		}
		child = p
	}
	return nil
}

// isStreamed tells whether a call gives a channel that only goroutines read for which nobody waits: what fills it goes on
// when who made the call has returned.
func (d *decl) isStreamed(call *ast.CallExpr) bool {
	names := d.resultsOf(call)
	if len(names) == 0 || !d.isChannel(names[0]) {
		return false
	}
	here, uses := d.goroutineAround(call), d.usesOf(d.variable(names[0]))
	for _, use := range uses {
		reader := d.goroutineAround(use)
		if reader == nil || reader == here || d.waitedPos(reader) != token.NoPos {
			return false
		}
	}
	return len(uses) > 0
}

// startOf gives what starts a literal or a function that is given away: the statement, the group's call, or itself.
func (d *decl) startOf(e ast.Expr) ast.Node {
	switch p := d.parent(e).(type) {
	case *ast.ParenExpr:
		return d.startOf(p)
	case *ast.CallExpr:
		if start, ok := d.parent(p).(*ast.GoStmt); ok && p.Fun == e {
			return start
		}
		if groups[d.calleeID(p)] {
			return p
		}
	}
	return e
}

// goStatement gives the go statement of its own function that a node stands in, or nil.
func (d *decl) goStatement(n ast.Node) ast.Node {
	for p := d.parent(n); p != nil; p = d.parent(p) {
		switch p.(type) {
		case *ast.GoStmt:
			return p
		case *ast.FuncLit:
			return nil
		}
	}
	return nil
}
