package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// Sites: roots and bare calls, and what becomes of a root's context.

func (d *decl) visitSite(call *ast.CallExpr, fn *types.Func) {
	id := funcID(fn)
	if rootNames[id] {
		d.addContextSite(siteFact{Kind: "root", Callee: "context." + fn.Name()}, call)
		return
	}
	sibling := d.siblingOf(fn, d.receiverType(call))
	if sibling == "" || isWrapper(d.top.ID, id) || strings.HasSuffix(d.top.ID, "."+sibling) {
		return
	}
	site := siteFact{
		Kind: "bare_call", Callee: d.calleeText(call, fn), Sibling: sibling, Place: d.place(call),
		Func: d.around(call).ID, Test: d.test, IO: !d.ownPackage(fn), Flags: d.siteFlags(call),
		Waited: d.waitedUntil(d.goStatement(call)), Values: fn.Pkg() != nil && valuesOnly[fn.Pkg().Path()],
	}
	if d.isGivenLater(call) {
		site.Flags = append(site.Flags, "given_later")
	}
	site.Uses = []useFact{{
		Kind: "arg", Target: id, Line: site.Place.Line, Func: site.Func, Becomes: d.becomesOf(call, true),
	}}
	d.out.Sites = append(d.out.Sites, site)
}

// isGivenLater tells whether what a call makes gets its context by itself: `req, err := http.NewRequest(…)`, and then
// `req.WithContext(ctx)` or `req.Clone(ctx)`.
func (d *decl) isGivenLater(call *ast.CallExpr) bool {
	names := d.resultsOf(call)
	if len(names) == 0 || typeID(d.info.TypeOf(names[0])) != "net/http.Request" {
		return false
	}
	for _, ident := range d.usesOf(d.variable(names[0])) {
		sel, ok := d.parent(ident).(*ast.SelectorExpr)
		if ok && sel.X == ast.Expr(ident) && (sel.Sel.Name == "WithContext" || sel.Sel.Name == "Clone") {
			return true
		}
	}
	return false
}

func (d *decl) receiverType(call *ast.CallExpr) types.Type {
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
		if selection := d.info.Selections[sel]; selection != nil {
			return selection.Recv()
		}
	}
	return nil
}

func (d *decl) ownPackage(fn *types.Func) bool {
	return fn.Pkg() == nil || fn.Pkg() == d.pkg || d.t.ownsPackage(fn.Pkg().Path())
}

// ownsPackage tells whether an import path lies in one of the target's modules.
func (t *target) ownsPackage(path string) bool {
	for _, module := range t.modules {
		if path == module.Path || strings.HasPrefix(path, module.Path+"/") {
			return true
		}
	}
	return false
}

// calleeText is the callee as people read it: package and function, or type and method.
func (d *decl) calleeText(call *ast.CallExpr, fn *types.Func) string {
	if fn.Signature().Recv() != nil {
		return displayName(fn)
	}
	if fn.Pkg() == d.pkg {
		return fn.Name()
	}
	return fn.Pkg().Name() + "." + fn.Name()
}

// addContextSite adds an expression that is a root, or stands for one, with what becomes of its context.
func (d *decl) addContextSite(site siteFact, e ast.Expr) {
	site.Place, site.Func, site.Test, site.Flags = d.place(e), d.around(e).ID, d.test, d.siteFlags(e)
	site.Uses, site.Waited = d.useOfContext(e, 0), d.waitedUntil(d.goStatement(e))
	if d.keepsCancel(e) {
		site.Flags = append(site.Flags, "cancel_kept")
	}
	if d.isJoined(e) {
		site.Flags = append(site.Flags, "joined")
	}
	if d.givesCancel(e) {
		site.Flags = append(site.Flags, "cancel_given")
	}
	if d.defersCancel(e) {
		site.Flags = append(site.Flags, "cancel_deferred")
	}
	for _, use := range site.Uses {
		if rest, found := strings.CutPrefix(use.Kind, "wrap:"); found {
			site.Wraps = append(site.Wraps, rest)
		}
		site.IO = site.IO || use.Kind == "arg" && d.isExternalWork(use.Target)
	}
	d.out.Sites = append(d.out.Sites, site)
}

// isJoined tells whether what an expression is given to, or a part of, has another context beside it: that one gives
// its values, and this one has no end.
func (d *decl) isJoined(e ast.Expr) bool {
	var beside []ast.Expr
	switch p := d.parent(e).(type) {
	case *ast.CallExpr:
		if p.Fun != e && d.givesContext(p) {
			beside = p.Args
		}
	case *ast.KeyValueExpr:
		if lit, ok := d.parent(p).(*ast.CompositeLit); ok {
			beside = lit.Elts
		}
	case *ast.CompositeLit:
		beside = p.Elts
	}
	d.spend(len(beside))
	return slices.ContainsFunc(beside, func(other ast.Expr) bool {
		if pair, ok := other.(*ast.KeyValueExpr); ok {
			other = pair.Value
		}
		call, made := ast.Unparen(other).(*ast.CallExpr)
		root := made && rootNames[d.calleeID(call)]
		return other != e && !root && isContext(d.info.TypeOf(other))
	})
}

// isAfterFailure tells whether a node stands where an error has been found: `if err != nil { … }`, `case err != nil:`.
func (d *decl) isAfterFailure(path []ast.Node) bool {
	for i := len(path) - 2; i >= 0; i-- {
		switch p := path[i].(type) {
		case *ast.FuncLit:
			return false
		case *ast.IfStmt:
			if path[i+1] == ast.Node(p.Body) && d.isFailure(p.Cond) {
				return true
			}
		case *ast.CaseClause:
			if slices.ContainsFunc(p.List, d.isFailure) {
				return true
			}
		}
	}
	return false
}

// isExternalWork tells whether a function outside the module that takes a context is likely to wait for something.
func (d *decl) isExternalWork(id string) bool {
	path := id
	if slash := strings.LastIndexByte(path, '/'); slash >= 0 {
		if dot := strings.IndexByte(path[slash:], '.'); dot >= 0 {
			path = path[:slash+dot]
		}
	} else if dot := strings.IndexByte(path, '.'); dot >= 0 {
		path = path[:dot]
	}
	return path != "" && path != "context" && !valuesOnly[path] && !d.t.ownsPackage(path) &&
		!strings.HasPrefix(id, "param:") && !strings.HasPrefix(id, "local:")
}

// siteFlags tells how a site stands: in which statement, after what, in which kind of loop, behind which test.
func (d *decl) siteFlags(n ast.Node) []string {
	path := d.pathTo(n)
	flags := d.endsBefore(n).names()
	if d.isBehindAsked(n) && !slices.Contains(flags, "after_done") {
		flags = append(flags, "after_done")
	}
	for i := len(path) - 1; i >= 0; i-- {
		switch p := path[i].(type) {
		case *ast.GoStmt:
			if d.isHandedTo(n, p.Call) {
				flags = append(flags, "go")
			}
		case *ast.DeferStmt:
			if d.isHandedTo(n, p.Call) {
				flags = append(flags, "defer")
			}
		case *ast.IfStmt:
			if i+1 < len(path) && path[i+1] == ast.Node(p.Body) && d.isContextGuard(p.Cond) {
				flags = append(flags, "guard")
			}
		case *ast.FuncLit:
			i = 0
		}
	}
	if d.standsIn(n) {
		flags = append(flags, "stands_in")
	}
	if d.isAfterFailure(path) {
		flags = append(flags, "failed")
	}
	if d.inLoop(n) {
		flags = append(flags, "loop")
	}
	if d.inLazy(n) {
		flags = append(flags, "lazy")
	}
	if kind := d.commonWork(n); kind != "" {
		flags = append(flags, kind)
	}
	return flags
}

// isHandedTo tells whether a site is the call of a statement itself, or a context that it is given. What other
// arguments call is evaluated when the statement is reached.
func (d *decl) isHandedTo(n ast.Node, call *ast.CallExpr) bool {
	for p := n; p != nil && p != ast.Node(call); p = d.parent(p) {
		outer, ok := d.parent(p).(*ast.CallExpr)
		if ok && outer != call && ast.Node(outer.Fun) != p && !d.givesContext(outer) {
			return false
		}
	}
	return true
}

// isContextGuard sees `x == nil` on a context, alone or with other conditions.
func (x *extractor) isContextGuard(cond ast.Expr) bool {
	binary, ok := ast.Unparen(cond).(*ast.BinaryExpr)
	if !ok {
		return false
	}
	if binary.Op == token.LAND || binary.Op == token.LOR {
		return x.isContextGuard(binary.X) || x.isContextGuard(binary.Y)
	}
	return binary.Op == token.EQL && isNil(x, binary.Y) && isContext(x.info.TypeOf(binary.X))
}

const maxUses = 24

// useOfContext follows a context expression through variables and derivations to what it is used for.
func (d *decl) useOfContext(e ast.Expr, depth int) []useFact {
	d.spend(keptStep)
	use := useFact{
		Kind: "other", Line: d.fset.PositionFor(e.Pos(), false).Line, Func: d.around(e).ID, At: d.offset(e.Pos()),
	}
	switch p := d.parent(e).(type) {
	case *ast.ParenExpr:
		return d.useOfContext(p, depth)
	case *ast.CallExpr:
		return d.useAsArgument(p, e, use, depth)
	case *ast.SelectorExpr:
		use.Kind, use.Target = "method", p.Sel.Name
	case *ast.ReturnStmt:
		use.Kind = "return"
		if lit := d.literalAround(e); lit != nil {
			use.Target = d.useOfFunc(lit).Target
		}
	case *ast.KeyValueExpr:
		use.Kind = "field"
		if lit, ok := d.parent(p).(*ast.CompositeLit); ok {
			use.Target, use.Becomes = d.composite(lit, p), d.becomesOfLiteral(lit)
		}
	case *ast.CompositeLit:
		use.Kind, use.Target, use.Becomes = "field", typeID(d.info.TypeOf(p)), d.becomesOfLiteral(p)
	case *ast.AssignStmt:
		for i, right := range p.Rhs {
			if right == e {
				return d.useOfAssigned(p.Lhs[i:], use, depth)
			}
		}
		use.Kind = "written"
	case *ast.ValueSpec:
		for i, value := range p.Values {
			if value == e && i < len(p.Names) {
				return d.useOfAssigned([]ast.Expr{p.Names[i]}, use, depth)
			}
		}
	case *ast.BinaryExpr:
		use.Kind = "compared"
	case *ast.SendStmt:
		use.Kind = "sent"
	}
	return []useFact{use}
}

func (d *decl) useAsArgument(call *ast.CallExpr, e ast.Expr, use useFact, depth int) []useFact {
	if call.Fun == e {
		return []useFact{use}
	}
	if tv := d.info.Types[call.Fun]; tv.IsType() {
		return d.useOfContext(call, depth)
	}
	use.Kind = "arg"
	fn := d.calleeFunc(call)
	if fn != nil {
		use.Target, use.Makes = funcID(fn), makes(fn)
		use.Values = fn.Pkg() != nil && valuesOnly[fn.Pkg().Path()]
	} else {
		use.Target = d.funcNode(call.Fun)
	}
	d.spend(len(call.Args))
	for i, arg := range call.Args {
		if arg == e {
			use.Arg = i
		}
		use.Tx = use.Tx || isTransaction(d.info.TypeOf(arg))
	}
	use.Tx, use.Becomes = use.Tx || isTransaction(d.receiverType(call)), d.becomesOf(call, true)
	if start, ok := d.parent(call).(*ast.GoStmt); ok {
		use.Go, use.Waited = true, d.waitedUntil(start)
	}
	_, use.Defer = d.parent(call).(*ast.DeferStmt)
	if !d.givesContext(call) {
		return []useFact{use}
	}
	use.Kind = "wrap:" + use.Target[strings.LastIndexByte(use.Target, '.')+1:]
	if depth > 4 {
		return []useFact{use}
	}
	return append([]useFact{use}, d.useOfContext(call, depth+1)...)
}

// makes tells whether a function gives an object that may live on.
func makes(fn *types.Func) bool {
	results := fn.Signature().Results()
	return fn.Signature().Recv() == nil && results.Len() > 0 && isObject(results.At(0).Type())
}

// isTransaction tells a transaction's type by its name, as drivers and mappers give it: Tx, Txn, Transaction.
func isTransaction(t types.Type) bool {
	if t == nil {
		return false
	}
	named := namedOf(t)
	if named == nil {
		return false
	}
	switch named.Obj().Name() {
	case "Tx", "Txn", "Transaction":
		return true
	}
	return false
}

func (d *decl) literalAround(n ast.Node) *ast.FuncLit {
	for p := d.parent(n); p != nil; p = d.parent(p) {
		if lit, ok := p.(*ast.FuncLit); ok {
			return lit
		}
	}
	return nil
}

// givesContext tells whether a call's only or first result is a context.
func (d *decl) givesContext(call *ast.CallExpr) bool {
	t := d.info.TypeOf(call)
	if tuple, ok := t.(*types.Tuple); ok {
		for i := range tuple.Len() {
			if isContext(tuple.At(i).Type()) {
				return true
			}
		}
		return false
	}
	return t != nil && isContext(t)
}

// useOfAssigned goes on with the variable that takes the context: all of its uses.
func (d *decl) useOfAssigned(left []ast.Expr, use useFact, depth int) []useFact {
	for _, l := range left {
		if !isContext(d.info.TypeOf(l)) {
			continue
		}
		if sel, ok := ast.Unparen(l).(*ast.SelectorExpr); ok {
			use.Kind, use.Lasts = "field", d.isElders(sel.X)
			if selection := d.info.Selections[sel]; selection != nil {
				use.Target = "field:" + typeID(selection.Recv()) + "." + sel.Sel.Name
			}
			return []useFact{use}
		}
		v := d.variable(l)
		if v == nil {
			continue
		}
		if v.Parent() == d.pkg.Scope() {
			use.Kind, use.Target = "global", d.pkg.Path()+"."+v.Name()
			return []useFact{use}
		}
		if depth > 4 {
			return []useFact{use}
		}
		var uses []useFact
		for _, ident := range d.usesOf(v) {
			if len(uses) < maxUses && !d.isWritten(ident) {
				uses = append(uses, d.useOfContext(ident, depth+1)...)
			}
		}
		return uses
	}
	return []useFact{use}
}

func (d *decl) isWritten(ident *ast.Ident) bool {
	assign, ok := d.parent(ident).(*ast.AssignStmt)
	if !ok {
		return false
	}
	for _, left := range assign.Lhs {
		if left == ast.Expr(ident) {
			return true
		}
	}
	return false
}
