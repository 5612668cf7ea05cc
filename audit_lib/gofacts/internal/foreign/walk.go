package foreign

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"ctxaudit/gofacts/internal/idents"
)

// A walk follows one value through one body: by each use of each variable that holds it, or something in which it is.
type walk struct {
	r     *Reader
	u     *Unit
	b     *body
	ctx   bool
	depth int
	found Effects
	left  []held
	seen  map[held]bool
}

// A held says that a variable holds the value, in one of its fields, or itself.
type held struct {
	v     *types.Var
	field string
}

// anywhere stands for a field that is not known.
const anywhere = "*"

func (r *Reader) walk(u *Unit, b *body, ctx bool, depth int) *walk {
	return &walk{r: r, u: u, b: b, ctx: ctx, depth: depth, seen: map[held]bool{}}
}

func (w *walk) follow(v *types.Var, field string) {
	h := held{v, field}
	if v == nil || w.seen[h] {
		return
	}
	w.seen[h] = true
	w.left = append(w.left, h)
}

// run looks at all uses of what holds the value, until nothing more does.
func (w *walk) run() {
	for len(w.left) > 0 {
		h := w.left[len(w.left)-1]
		w.left = w.left[:len(w.left)-1]
		for _, ident := range w.b.uses[h.v] {
			w.r.spend(1)
			w.climb(ident, h.field)
		}
	}
}

// emit notes what is done with the value at a node, as it is in the function as a whole.
func (w *walk) emit(e Effects, at ast.Node) {
	if e == 0 {
		return
	}
	if e&(Here|Waited) != 0 && w.b.inFlight(w.u, at.Pos()) {
		e = e&^(Here|Waited) | Once
	}
	if e&Listens != 0 && w.b.inFlight(w.u, at.Pos()) {
		e |= Once
	}
	child := at
	for n := w.b.parents[at]; n != nil; child, n = n, w.b.parents[n] {
		w.r.spend(1)
		switch n := n.(type) {
		case *ast.GoStmt:
			if n.Call == child && child == at {
				e = w.started(e, n)
			}
		case *ast.FuncLit:
			w.found |= e.under(w.r.fate(w.u, w.b, n, w.depth))
			return
		}
	}
	w.found |= e
}

// started gives what effects become that a go statement starts.
func (w *walk) started(e Effects, stmt *ast.GoStmt) Effects {
	if w.b.isAwaited(w.u, stmt) {
		return e.under(Waited)
	}
	return e.inGoroutine()
}

// climb looks at what is done with an expression that holds the value.
func (w *walk) climb(e ast.Expr, field string) {
	w.r.spend(1)
	switch p := w.b.parents[e].(type) {
	case *ast.ParenExpr:
		w.climb(p, field)
	case *ast.StarExpr:
		w.climb(p, field)
	case *ast.SliceExpr:
		if p.X == e {
			w.climb(p, field)
		}
	case *ast.TypeAssertExpr:
		if p.Type != nil {
			w.climb(p, field)
		} else {
			w.switched(p, field)
		}
	case *ast.UnaryExpr:
		if p.Op == token.AND {
			w.climb(p, field)
		}
	case *ast.IndexExpr:
		if p.X == e {
			w.climb(p, field)
		}
	case *ast.IndexListExpr:
		w.climb(p, field)
	case *ast.SelectorExpr:
		w.selected(p, field)
	case *ast.CallExpr:
		w.called(p, e, field)
	case *ast.KeyValueExpr:
		w.listed(p, e, field)
	case *ast.CompositeLit:
		w.element(p, e, field)
	case *ast.AssignStmt:
		for i, right := range p.Rhs {
			if right != e {
				continue
			}
			if len(p.Lhs) == len(p.Rhs) {
				w.assign(p.Lhs[i], field)
			} else {
				w.assignResults(p.Lhs, field)
			}
		}
	case *ast.ValueSpec:
		for i, value := range p.Values {
			if value == e && len(p.Names) == len(p.Values) {
				w.assign(p.Names[i], field)
			} else if value == e {
				w.assignResults(exprs(p.Names), field)
			}
		}
	case *ast.ReturnStmt:
		w.returned(p)
	case *ast.SendStmt:
		if p.Value == e && (!w.ctx || field != "") {
			w.emit(Go, p)
		} else if p.Value == e {
			w.emit(Lives, p)
		}
	case *ast.RangeStmt:
		if p.X == e {
			w.ranged(p, field)
		}
	}
}

func exprs(names []*ast.Ident) []ast.Expr {
	all := make([]ast.Expr, len(names))
	for i, name := range names {
		all[i] = name
	}
	return all
}

// switched follows a value into the branches of a type switch.
func (w *walk) switched(assert *ast.TypeAssertExpr, field string) {
	var body *ast.BlockStmt
	for n := w.b.parents[assert]; n != nil; n = w.b.parents[n] {
		if stmt, ok := n.(*ast.TypeSwitchStmt); ok {
			body = stmt.Body
			break
		}
	}
	if body == nil {
		return
	}
	for _, clause := range body.List {
		if v, ok := w.u.info.Implicits[clause].(*types.Var); ok {
			w.follow(v, field)
		}
	}
}

// returned sees the value in a return statement. What a literal returns is for who calls it.
func (w *walk) returned(stmt *ast.ReturnStmt) {
	for n := w.b.parents[stmt]; n != nil; n = w.b.parents[n] {
		if lit, ok := n.(*ast.FuncLit); ok {
			w.found |= Returned.under(w.r.fate(w.u, w.b, lit, w.depth))
			if w.r.fate(w.u, w.b, lit, w.depth)&(Here|Waited|Go|Once) != 0 {
				w.found |= Unknown
			}
			return
		}
	}
	w.found |= Returned
}

// selected sees `e.name`, where the value is in a field of `e`, or is `e`.
func (w *walk) selected(sel *ast.SelectorExpr, field string) {
	selection := w.u.info.Selections[sel]
	if selection == nil {
		return
	}
	if selection.Kind() == types.FieldVal {
		first, rest, _ := strings.Cut(field, ".")
		switch {
		case field == anywhere && w.mayBe(selection.Type()):
			w.climb(sel, "")
		case field != "" && first == sel.Sel.Name:
			w.climb(sel, rest)
		case strings.HasSuffix(field, "."+sel.Sel.Name):
			w.climb(sel, "") // promoted
		}
		return
	}
	if w.ctx && field == "" {
		switch sel.Sel.Name {
		case "Done", "Err", "Deadline":
			w.emit(Listens, sel)
		default:
			w.emit(Values, sel)
		}
		return
	}
	fn, ok := selection.Obj().(*types.Func)
	if !ok {
		return
	}
	next := Question{funcID(fn.Origin()), Receiver, w.ctx, field}
	call, isCall := w.b.parents[sel].(*ast.CallExpr)
	if isCall && call.Fun == ast.Expr(sel) {
		w.handed(next, call)
		return
	}
	w.found |= w.ask(next).under(w.r.fate(w.u, w.b, sel, w.depth))
}

// mayBe tells whether a variable of a type may be the value itself.
func (w *walk) mayBe(t types.Type) bool {
	if w.ctx {
		return isContext(t)
	}
	_, function := t.Underlying().(*types.Signature)
	return function
}

func (w *walk) ask(q Question) Effects { return w.r.ask(q, w.depth+1) }

// handed sees the value handed to a function: what is done there, and what becomes of the result that holds it.
func (w *walk) handed(q Question, call *ast.CallExpr) {
	if isDerivation(q) {
		w.climb(call, "")
		return
	}
	done := w.ask(q)
	w.emit(done&^Returned, call)
	if done&Returned == 0 {
		return
	}
	if _, alone := w.b.parents[call].(*ast.ExprStmt); alone {
		return
	}
	if t := w.u.info.TypeOf(call); t != nil && w.mayBe(t) {
		w.climb(call, "")
	} else {
		w.climb(call, anywhere)
	}
}

// called sees a call that the value is given to, or that calls it.
func (w *walk) called(call *ast.CallExpr, e ast.Expr, field string) {
	if call.Fun == e {
		if !w.ctx && (field == "" || field == anywhere) {
			w.emit(Here, call)
		}
		return
	}
	if tv := w.u.info.Types[call.Fun]; tv.IsType() {
		w.climb(call, field)
		return
	} else if tv.IsBuiltin() {
		w.builtin(call, field)
		return
	}
	arg := 0
	for arg < len(call.Args) && call.Args[arg] != e {
		arg++
	}
	if fn := w.u.callee(call); fn != nil {
		last := fn.Signature().Params().Len() - 1
		if selection := w.u.info.Selections[selectorOf(call)]; selection != nil && selection.Kind() == types.MethodExpr {
			if arg--; arg < 0 {
				arg = Receiver
			}
		}
		w.handed(Question{funcID(fn), min(arg, max(last, 0)), w.ctx, field}, call)
		return
	}
	if lit := w.literalOf(call.Fun); lit != nil {
		if params := w.u.named(lit.Type.Params); len(params) > 0 {
			w.follow(params[min(arg, len(params)-1)], field)
			return
		}
	}
	w.emit(Unknown, call)
}

func selectorOf(call *ast.CallExpr) *ast.SelectorExpr {
	sel, _ := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	return sel
}

// literalOf gives the literal that a call calls: in place, or by the one variable that holds it.
func (w *walk) literalOf(fun ast.Expr) *ast.FuncLit {
	if lit, ok := ast.Unparen(fun).(*ast.FuncLit); ok {
		return lit
	}
	return w.b.lits[w.u.variable(fun)]
}

func (w *walk) builtin(call *ast.CallExpr, field string) {
	name, _ := ast.Unparen(call.Fun).(*ast.Ident)
	switch {
	case name == nil:
	case name.Name == "append":
		w.climb(call, field)
	case name.Name == "copy", name.Name == "panic":
		w.emit(Kept, call)
	}
}

// listed sees the value as one of a literal's elements that have keys.
func (w *walk) listed(pair *ast.KeyValueExpr, e ast.Expr, field string) {
	lit, ok := w.b.parents[pair].(*ast.CompositeLit)
	if !ok || pair.Value != e {
		return
	}
	if key, ok := pair.Key.(*ast.Ident); ok && w.isStruct(lit) {
		w.climb(lit, join(key.Name, field))
		return
	}
	w.climb(lit, field)
}

func (w *walk) isStruct(lit *ast.CompositeLit) bool { return structOf(w.u.info.TypeOf(lit)) != nil }

func structOf(t types.Type) *types.Struct {
	if t == nil {
		return nil
	}
	under := t.Underlying()
	if pointer, ok := under.(*types.Pointer); ok {
		under = pointer.Elem().Underlying()
	}
	fields, _ := under.(*types.Struct)
	return fields
}

func (w *walk) element(lit *ast.CompositeLit, e ast.Expr, field string) {
	fields := structOf(w.u.info.TypeOf(lit))
	for i, element := range lit.Elts {
		if element != e {
			continue
		}
		if fields != nil && i < fields.NumFields() {
			w.climb(lit, join(fields.Field(i).Name(), field))
		} else if fields == nil {
			w.climb(lit, field)
		}
		return
	}
}

func join(name, field string) string {
	if field == "" {
		return name
	}
	return name + "." + field
}

// assign sees the value put into a variable, a field, an element.
func (w *walk) assign(left ast.Expr, field string) {
	left = ast.Unparen(left)
	if name, ok := left.(*ast.Ident); ok {
		v := w.u.variable(name)
		if v == nil {
			return
		}
		if v.Parent() == w.u.pkg.Scope() {
			w.emit(Kept, left)
			return
		}
		if w.b.results[v] {
			w.found |= Returned
		}
		w.follow(v, field)
		return
	}
	root, path := w.rootOf(left)
	switch {
	case root != nil && w.b.fresh[root]:
		w.follow(root, joinAll(path, field))
	case root != nil && w.isCaught(root):
		w.emit(Kept|Returned, left)
	default:
		w.emit(Kept, left)
	}
}

// isCaught tells a variable that is a parameter of a literal around: an option that is applied later, `func(o *options)`.
func (w *walk) isCaught(v *types.Var) bool {
	for n := w.b.parents[w.firstUse(v)]; n != nil; n = w.b.parents[n] {
		if lit, ok := n.(*ast.FuncLit); ok {
			for _, param := range w.u.named(lit.Type.Params) {
				if param == v {
					return true
				}
			}
		}
	}
	return false
}

func (w *walk) firstUse(v *types.Var) ast.Node {
	if uses := w.b.uses[v]; len(uses) > 0 {
		return uses[0]
	}
	return nil
}

func joinAll(path []string, field string) string {
	for i := len(path) - 1; i >= 0; i-- {
		field = join(path[i], field)
	}
	return field
}

// rootOf gives the variable that stands first in what is assigned to, and the fields behind it.
func (w *walk) rootOf(e ast.Expr) (*types.Var, []string) {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return w.u.variable(e), nil
	case *ast.SelectorExpr:
		if w.u.info.Selections[e] == nil {
			return nil, nil
		}
		root, path := w.rootOf(e.X)
		return root, append(path, e.Sel.Name)
	case *ast.IndexExpr:
		return w.rootOf(e.X)
	case *ast.StarExpr:
		return w.rootOf(e.X)
	}
	return nil, nil
}

// assignResults sees results of which one holds the value: those that may be it, else all that may hold something.
func (w *walk) assignResults(left []ast.Expr, field string) {
	direct := false
	for _, l := range left {
		if t := w.u.info.TypeOf(l); t != nil && w.mayBe(t) && !isCancel(t) {
			direct = true
			w.assign(l, "")
		}
	}
	if direct {
		return
	}
	for _, l := range left {
		if name, ok := l.(*ast.Ident); ok && name.Name == "_" {
			continue
		}
		if t := w.u.info.TypeOf(l); t != nil && mayHold(t) {
			w.assign(l, field)
		}
	}
}

func isCancel(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "context"
}

// mayHold tells a type that something may be kept in: not an error, a number, a text.
func mayHold(t types.Type) bool {
	if named := idents.NamedOf(t); named != nil && named.Obj().Pkg() == nil {
		return false
	}
	_, basic := t.Underlying().(*types.Basic)
	return !basic
}

// ranged sees a loop over what holds the value, or over the function itself.
func (w *walk) ranged(stmt *ast.RangeStmt, field string) {
	if t := w.u.info.TypeOf(stmt.X); t != nil && !w.ctx && w.mayBe(t) {
		w.emit(Here, stmt)
		return
	}
	value := stmt.Value
	if value == nil && w.isChannel(stmt.X) {
		value = stmt.Key
	}
	if value != nil {
		w.assign(value, field)
	}
}

func (w *walk) isChannel(e ast.Expr) bool {
	t := w.u.info.TypeOf(e)
	if t == nil {
		return false
	}
	_, channel := t.Underlying().(*types.Chan)
	return channel
}
