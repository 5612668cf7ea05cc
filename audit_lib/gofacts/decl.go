package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"strconv"
	"strings"

	"ctxaudit/gofacts/internal/absent"
	"ctxaudit/gofacts/internal/idents"
)

// A decl reads one declaration: a function with its literals, or a file's package-level variables.
type decl struct {
	*extractor
	top     *funcFact
	body    *ast.FuncDecl // nil for variables
	lits    map[*ast.FuncLit]*funcFact
	parents map[ast.Node]ast.Node
	assigns map[*types.Var][]ast.Expr // what context variables were made from
	params  map[*types.Var]string     // context parameters, as origins
	uses    map[types.Object][]*ast.Ident
	counts  map[string]int
	cancels bool                      // it calls a function that ends a context
	asks    bool                      // it asks whether a context has ended
	waiting *waiting                  // who waits for goroutines
	errors  map[*types.Var][]ast.Expr // what variables that hold errors were made of
	asked   []asked                   // where contexts are known to have ended
	found   map[*types.Var][]ast.Expr // what variables are read from, where that may have been there before
	commons []common                  // where it does work that is others' too
	absent  []absent.Absence          // where what gives a context is not there

	// What was found out already, since it is asked for again and again.
	received map[ast.Node]end             // what was received before a node is reached
	blocks   map[ast.Node]*blockEnds      // from where on a block has received something
	setAnew  map[ast.Node]map[string]bool // what a block assigns to
	lazies   map[*ast.IfStmt]bool         // whether it makes a value once
	made     map[any]madeFrom             // what contexts were made from
	gone     map[*funcFact][]span         // where the contexts that are there have ended, in order
}

func (x *extractor) newDecl(top *funcFact) *decl {
	x.out.Funcs = append(x.out.Funcs, top)
	return &decl{
		extractor: x, top: top, lits: map[*ast.FuncLit]*funcFact{}, counts: map[string]int{},
		assigns: map[*types.Var][]ast.Expr{}, params: map[*types.Var]string{}, errors: map[*types.Var][]ast.Expr{},
		found: map[*types.Var][]ast.Expr{}, received: map[ast.Node]end{}, blocks: map[ast.Node]*blockEnds{},
		setAnew: map[ast.Node]map[string]bool{}, lazies: map[*ast.IfStmt]bool{}, made: map[any]madeFrom{},
	}
}

// read goes over a declaration twice: names and assignments first, since an origin may be written below its use.
func (d *decl) read(root ast.Node) {
	d.parents = map[ast.Node]ast.Node{}
	d.uses = map[types.Object][]*ast.Ident{}
	var stack []ast.Node
	ast.Inspect(root, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		if len(stack) > 0 {
			d.parents[n] = stack[len(stack)-1]
		}
		stack = append(stack, n)
		d.prepare(n)
		return true
	})
	d.prepareWaiting(root)
	d.prepareAsked(root)
	d.prepareShared(root)
	d.prepareAbsent(root)
	if d.body != nil {
		d.declareParams(d.body.Recv, d.body.Body, d.top, true)
		d.declareParams(d.body.Type.Params, d.body.Body, d.top, false)
	}
	d.inspect(root, func(n ast.Node) bool {
		d.visit(n)
		return true
	})
	d.noteGlobals()
}

// noteGlobals remembers what this declaration assigns to package-level contexts.
func (d *decl) noteGlobals() {
	for v, exprs := range d.assigns {
		if v.Parent() != d.pkg.Scope() || d.test {
			continue
		}
		for _, e := range exprs {
			origins, ends := d.origins(e)
			d.globals[v] = append(d.globals[v], made{origins: origins, ends: ends != notEnded, place: d.place(e)})
		}
	}
}

func (d *decl) prepare(n ast.Node) {
	switch n := n.(type) {
	case *ast.FuncLit:
		d.addLiteral(n)
	case *ast.AssignStmt:
		d.noteAssign(n.Lhs, n.Rhs)
		d.noteError(n.Lhs, n.Rhs)
		d.noteFound(n.Lhs, n.Rhs)
	case *ast.CallExpr:
		d.asks = d.asks || d.askedContext(n) != nil
		d.cancels = d.cancels || isCancel(d.info.TypeOf(n.Fun)) || d.calleeID(n) == "golang.org/x/sync/errgroup.WithContext"
	case *ast.ValueSpec:
		names := make([]ast.Expr, len(n.Names))
		for i, name := range n.Names {
			names[i] = name
		}
		d.noteAssign(names, n.Values)
	case *ast.Ident:
		if obj := d.info.Uses[n]; obj != nil {
			d.asks = d.asks || isEnd(obj)
			if v, ok := obj.(*types.Var); ok && !v.IsField() {
				d.uses[obj] = append(d.uses[obj], n)
			}
		}
	}
}

// noteAssign remembers what each context variable was made from.
func (d *decl) noteAssign(left, right []ast.Expr) {
	for i, l := range left {
		v := d.variable(l)
		if v == nil || !isContext(v.Type()) || len(right) == 0 {
			continue
		}
		if len(left) == len(right) {
			d.assigns[v] = append(d.assigns[v], right[i])
		} else {
			d.assigns[v] = append(d.assigns[v], right[0])
		}
	}
}

func (d *decl) variable(e ast.Expr) *types.Var { return idents.Variable(d.info, e) }

// addLiteral makes the node of a literal, named as the runtime names it: F.func1, and F.func1.1 within it.
func (d *decl) addLiteral(lit *ast.FuncLit) {
	parent := d.around(lit)
	d.counts[parent.ID]++
	n := strconv.Itoa(d.counts[parent.ID])
	suffix, name := ".func"+n, ".func"+n
	if parent.Parent != "" {
		suffix, name = "."+n, "."+n
	}
	fact := &funcFact{
		ID: parent.ID + suffix, Name: parent.Name + name, Pkg: parent.Pkg, Place: d.place(lit),
		Test: d.test, Parent: parent.ID,
	}
	if parent.Name == "" {
		fact.Name = "glob." + name
		fact.ID = d.out.Path + ".glob." + name + "@" + filepath.Base(d.file)
	}
	if sig, ok := d.info.TypeOf(lit).(*types.Signature); ok {
		d.describe(fact, sig, lit.Body)
	}
	d.spend(2 * len(fact.ID)) // the names of literals in literals grow with their depth
	d.lits[lit] = fact
	d.literals[lit] = fact.ID
	d.out.Funcs = append(d.out.Funcs, fact)
}

// parent gives the node that a node stands in.
func (d *decl) parent(n ast.Node) ast.Node {
	d.spend(1)
	return d.parents[n]
}

// usesOf lists where an object is used in this declaration, in order.
func (d *decl) usesOf(obj types.Object) []*ast.Ident {
	uses := d.uses[obj]
	d.spend(len(uses))
	return uses
}

// around gives the function that a node stands in.
func (d *decl) around(n ast.Node) *funcFact {
	for p := d.parent(n); p != nil; p = d.parent(p) {
		if lit, ok := p.(*ast.FuncLit); ok && d.lits[lit] != nil {
			return d.lits[lit]
		}
	}
	return d.top
}

func (d *decl) visit(n ast.Node) {
	d.visitFlows(n)
	switch n := n.(type) {
	case *ast.FuncLit:
		fact := d.lits[n]
		fact.Use = d.useOfFunc(n)
		d.declareParams(n.Type.Params, n.Body, fact, false)
		var handed []string
		if call, ok := d.parent(n).(*ast.CallExpr); ok && call.Fun == n {
			handed = d.firstContext(call)
		}
		d.call(n, fact.ID, "closure", handed)
		d.hold(n, fact.ID)
	case *ast.CallExpr:
		d.visitCall(n)
	case *ast.Ident:
		d.visitIdent(n)
	case *ast.AssignStmt:
		if n.Tok == token.DEFINE {
			for _, left := range n.Lhs {
				d.declareLocal(left, n.End())
			}
		}
	case *ast.ValueSpec:
		for _, name := range n.Names {
			d.declareLocal(name, n.End())
		}
	case *ast.ReturnStmt:
		d.noteGiven(n)
	case *ast.RangeStmt:
		if n.Tok == token.DEFINE {
			d.declareLocal(n.Key, n.Body.Pos())
			d.declareLocal(n.Value, n.Body.Pos())
			d.holdElement(n)
		}
	}
}

// visitIdent sees functions that are used as values, and contexts that are handed on.
func (d *decl) visitIdent(n *ast.Ident) {
	d.visitInstance(n)
	switch obj := d.info.Uses[n].(type) {
	case *types.Func:
		e := d.outermost(n)
		if call, ok := d.parent(e).(*ast.CallExpr); ok && call.Fun == e {
			return
		}
		if _, inType := d.parent(e).(*ast.Field); inType {
			return
		}
		d.call(e, funcID(obj), "value", nil)
		d.hold(e, funcID(obj))
		if use := d.useOfFunc(e); use != nil {
			d.out.Calls[len(d.out.Calls)-1].Use = use
			d.out.Forwards = append(d.out.Forwards, forwardFact{Func: funcID(obj), Kind: "value", Target: use.Target})
		}
	case *types.Var:
		if !obj.IsField() && isContext(obj.Type()) {
			d.forward(n, obj)
			d.visitVariable(n, obj)
		} else if _, function := obj.Type().Underlying().(*types.Signature); function || elementNode(obj.Type()) != "" {
			d.passOn(n)
		}
	}
}

// holdElement records that a loop's variable holds the functions that it goes over.
func (d *decl) holdElement(n *ast.RangeStmt) {
	ident, ok := n.Value.(*ast.Ident)
	if !ok || d.info.TypeOf(n.X) == nil {
		return
	}
	node, elements := d.objectNode(d.info.Defs[ident]), d.elements(d.info.TypeOf(n.X))
	if node == "" || elements == "" {
		return
	}
	d.out.Holds = append(d.out.Holds, holdFact{Node: node, Target: elements})
	if name, ok := ast.Unparen(n.X).(*ast.Ident); ok {
		if v, ok := d.info.Uses[name].(*types.Var); ok && d.extractor.params[v] != "" {
			d.out.Forwards = append(d.out.Forwards, forwardFact{Func: d.extractor.params[v], Kind: "each", Target: node})
		}
	}
}

// passOn records that what a variable or field holds goes on into another.
func (d *decl) passOn(n *ast.Ident) {
	e := d.outermost(n)
	if call, ok := d.parent(e).(*ast.CallExpr); ok && call.Fun == e {
		return
	}
	if node := d.funcNode(e); node != "" {
		d.hold(e, node)
		if strings.HasPrefix(node, "param:") && d.isKept(e) {
			d.out.Forwards = append(d.out.Forwards, forwardFact{Func: node, Kind: "kept"})
		}
	}
}

// outermost climbs from an identifier over its selector, index and parentheses.
func (d *decl) outermost(n ast.Expr) ast.Expr {
	for {
		switch p := d.parent(n).(type) {
		case *ast.SelectorExpr:
			if p.Sel != n {
				return n
			}
			n = p
		case *ast.ParenExpr:
			n = p
		case *ast.IndexExpr:
			if p.X != n {
				return n
			}
			n = p
		case *ast.IndexListExpr:
			n = p
		default:
			return n
		}
	}
}
