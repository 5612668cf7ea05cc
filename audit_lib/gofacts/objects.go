package main

import (
	"go/ast"
	"go/types"
	"slices"
)

// What is made with a context: where it goes, and where it works. A command is killed, and a request is given up, when
// the context ends that it was made with, whoever works with it then.

// An object is followed from the call that makes it, or the parameter that it comes by, through the variables of a
// declaration. A function that is returned is followed as well: when it is called is when its work is done.
type object struct {
	maker    *funcFact
	result   int  // which result of its call it is
	far      bool // it is followed to parameters and callers in any case
	bound    bool // it works no longer than its context lives, or is a function
	function bool
	holds    bool // it has a context in it
	seen     map[*types.Var]bool
	fields   map[handle]bool // that hold it, and were followed
	command  bool            // it is one, of os/exec
	inside   bool            // it is a command that something has been made of, which may start it later
	started  bool            // it is a command, and was started
	finished bool            // and somebody waits for it, or ends it
	becomes  []useFact
}

func (d *decl) note(o *object, use useFact) {
	d.spend(keptStep)
	o.becomes = append(o.becomes, use)
}

// start begins to follow what has a type; nil where that is nothing to follow.
func (d *decl) start(maker *funcFact, t types.Type) *object {
	function := t != nil && isFunction(t)
	if !function && !isObject(t) {
		return nil
	}
	return &object{
		maker: maker, bound: function || d.isBound(t), function: function, command: typeID(t) == "os/exec.Cmd",
		seen: map[*types.Var]bool{},
	}
}

func isFunction(t types.Type) bool { _, ok := t.Underlying().(*types.Signature); return ok }

// isObject tells what may keep a context: a pointer to a named type, or an interface that is no error and no context.
func isObject(t types.Type) bool {
	if t == nil || isContext(t) || typeID(t) == "error" || namedOf(t) == nil {
		return false
	}
	_, pointer := types.Unalias(t).(*types.Pointer)
	return pointer || types.IsInterface(t)
}

// bound lists types of the standard library that are of no use when their context has ended, as their documentation
// says, and have no method that gives it.
var bound = map[string]bool{
	"os/exec.Cmd": true, "net/http.Response": true, "database/sql.Row": true, "database/sql.Rows": true, "database/sql.Tx": true,
}

// isBound tells a type whose values work no longer than their context lives: what gives its context has one.
func (x *extractor) isBound(t types.Type) bool {
	id := typeID(t)
	return bound[id] || mayHaveMembers(t) && !isTesting(id) && !never[id] && x.returnsContext(t, "Context")
}

// becomesOf tells what becomes of what a call makes: nothing where that does not leave the call's function.
//
//	kept      it is put where others find it
//	sent      it goes to who receives from a channel
//	returned  who calls the function gets it
//	given     it goes to a parameter, the target
//	works     it does its work in another function, or in a go statement; a function, where it is called
//	left      it is a command that was started, and goes on
//
// All but the first are told of functions, and of what works no longer than its context lives; what is given and returned
// of all others too where `far` asks for it.
func (d *decl) becomesOf(call *ast.CallExpr, far bool) []useFact {
	t, result := d.madeBy(call)
	if fn := d.calleeFunc(call); t != nil && isFunction(t) && (fn == nil || !d.ownPackage(fn)) {
		return nil // what it has of its context is not known
	}
	o := d.start(d.around(call), t)
	if o == nil {
		return nil
	}
	o.result, o.far = result, far
	d.follow(call, o)
	return d.told(o)
}

// becomesOfLiteral tells what becomes of what a literal makes that holds a context, or of what it is a part of.
func (d *decl) becomesOfLiteral(lit *ast.CompositeLit) []useFact {
	o := &object{maker: d.around(lit), far: true, holds: true, seen: map[*types.Var]bool{}}
	d.follow(lit, o)
	return d.told(o)
}

// madeBy gives the type of what a call makes that is followed, and which of its results that is.
func (d *decl) madeBy(call *ast.CallExpr) (types.Type, int) {
	t := d.info.TypeOf(call)
	if results, ok := t.(*types.Tuple); ok {
		return followed(results)
	}
	return t, 0
}

// followed gives which of several results is followed: the first, or a function beside it. One beside a context ends that.
func followed(results *types.Tuple) (found types.Type, result int) {
	for i := range results.Len() {
		switch t := results.At(i).Type(); {
		case isContext(t):
			return nil, 0
		case found == nil && (i == 0 && isObject(t) || isFunction(t)):
			found, result = t, i
		}
	}
	return found, result
}

// becomesOfParam tells what becomes of an object or a function that a function is given.
func (d *decl) becomesOfParam(v *types.Var, owner *funcFact) []useFact {
	o := d.start(owner, v.Type())
	if o == nil {
		return nil
	}
	d.followVariable(v, o)
	return d.told(o)
}

func (d *decl) told(o *object) []useFact {
	goes := slices.ContainsFunc(o.becomes, func(use useFact) bool { return use.Kind == "kept" || use.Kind == "returned" })
	if o.started && !o.finished || o.inside && goes {
		d.note(o, useFact{Kind: "left"})
	}
	return o.becomes
}

// followValue goes on to what takes a value: the one beside it, or that of the call's result which the object is.
func followValue[E ast.Expr](d *decl, e ast.Expr, takers []E, values []ast.Expr, o *object) {
	for i, value := range values {
		if value == e && len(values) == len(takers) {
			d.followInto(takers[i], o)
		} else if value == e {
			d.followInto(takers[min(o.result, len(takers)-1)], o)
		}
	}
}

// follow goes on from an expression that stands for an object, or for what it is a part of.
func (d *decl) follow(e ast.Expr, o *object) {
	switch p := d.parent(e).(type) {
	case *ast.ParenExpr:
		d.follow(p, o)
	case *ast.UnaryExpr:
		d.follow(p, o)
	case *ast.CompositeLit:
		d.follow(p, o)
	case *ast.KeyValueExpr:
		if lit, ok := d.parent(p).(*ast.CompositeLit); ok && p.Value == e {
			d.follow(lit, o)
		}
	case *ast.SelectorExpr:
		d.followMember(p, o)
	case *ast.AssignStmt:
		followValue(d, e, p.Lhs, p.Rhs, o)
	case *ast.ValueSpec:
		followValue(d, e, p.Names, p.Values, o)
	case *ast.CallExpr:
		if p.Fun != e {
			d.followArgument(p, e, o)
		} else if o.function {
			d.work(p, o)
		}
	case *ast.RangeStmt:
		if p.X == e && o.function {
			d.work(p, o) // an iterator
		}
	case *ast.SendStmt:
		if p.Value == e && d.isElders(p.Chan) {
			d.note(o, useFact{Kind: map[bool]string{true: "sent", false: "kept"}[o.bound || o.holds]})
		}
	case *ast.ReturnStmt:
		if (o.bound || o.far) && d.around(p) == o.maker {
			d.note(o, useFact{Kind: "returned"})
		}
	}
}

// followInto goes on with what an object is assigned to. What is put into a part of a local variable goes where that goes.
func (d *decl) followInto(left ast.Expr, o *object) {
	root := d.rootOf(left)
	if root == nil {
		return
	}
	_, name := ast.Unparen(left).(*ast.Ident)
	if d.isElders(left) && (!name || isPackageLevel(root)) {
		d.note(o, useFact{Kind: "kept"})
		d.followField(left, o)
		return
	}
	d.followVariable(root, o)
}

// followVariable goes on with all uses of a variable that holds an object.
func (d *decl) followVariable(v *types.Var, o *object) {
	if o.seen[v] {
		return
	}
	o.seen[v] = true
	for _, ident := range d.usesOf(v) {
		if !d.isWritten(ident) {
			d.follow(ident, o)
		}
	}
}

// followField goes on with what is done in this declaration with a field that holds an object: `s.cmd.Wait()`.
func (d *decl) followField(field ast.Expr, o *object) {
	h, ok := d.handleOf(field)
	if !ok || !o.bound || o.fields[h] {
		return
	}
	if o.fields == nil {
		o.fields = map[handle]bool{}
	}
	o.fields[h] = true // it may be put into itself: `s.all = &node{run, s.all}`
	for _, ident := range d.usesOf(h.v) {
		var e ast.Expr = ident
		for {
			if found, ok := d.handleOf(e); ok && found == h && e != field {
				d.follow(e, o)
				break
			}
			p, ok := d.parent(e).(*ast.SelectorExpr)
			if !ok || p.X != e {
				break
			}
			e = p
		}
	}
}

// rootOf gives the variable that an expression begins with, or nil.
func (d *decl) rootOf(e ast.Expr) *types.Var {
	switch e := ast.Unparen(e).(type) {
	case *ast.SelectorExpr:
		if d.info.Selections[e] == nil {
			v, _ := d.info.Uses[e.Sel].(*types.Var)
			return v
		}
		return d.rootOf(e.X)
	case *ast.IndexExpr:
		return d.rootOf(e.X)
	case *ast.StarExpr:
		return d.rootOf(e.X)
	}
	return d.variable(e)
}

// commands tells of the methods of a command, and of the process that it is, which of them start it (false) and which
// wait for it or end it (true).
var commands = map[string]bool{
	"os/exec.Cmd.Start": false, "os/exec.Cmd.Run": true, "os/exec.Cmd.Output": true, "os/exec.Cmd.CombinedOutput": true,
	"os/exec.Cmd.Wait": true, "os.Process.Wait": true, "os.Process.Kill": true,
}

// followMember sees what is done with an object, or with a part of it: `cmd.Start()`, `cmd.Process.Kill()`.
func (d *decl) followMember(sel *ast.SelectorExpr, o *object) {
	if !o.bound {
		return
	}
	switch p := d.parent(sel).(type) {
	case *ast.SelectorExpr:
		d.followMember(p, o)
	case *ast.CallExpr:
		if ends, known := commands[d.calleeID(p)]; known && p.Fun == ast.Expr(sel) {
			o.started, o.finished = o.started || !ends, o.finished || ends
			if !ends {
				return
			}
		}
		d.work(p, o)
	default:
		if isObject(d.info.TypeOf(sel)) {
			d.follow(sel, o) // a part of it that ends with it: `response.Body`
		}
	}
}

// followArgument sees what an object is given to.
func (d *decl) followArgument(call *ast.CallExpr, e ast.Expr, o *object) {
	if tv := d.info.Types[call.Fun]; tv.IsType() {
		d.follow(call, o)
		return
	}
	if isAppend(call) {
		if d.isKept(e) {
			d.note(o, useFact{Kind: "kept"})
		} else {
			d.follow(call, o)
		}
		return
	}
	fn := d.calleeFunc(call)
	if fn == nil {
		return
	}
	receiver := d.ownerOf(call)
	switch elder := receiver == nil || d.isElders(receiver); {
	case elder && d.isPutting(call, fn, e):
		d.note(o, useFact{Kind: "kept"})
	case (o.bound || o.far) && elder && d.ownPackage(fn), o.function && !d.ownPackage(fn):
		given := useFact{Kind: "given", Target: d.argument(call, e)}
		if start, ok := d.parent(call).(*ast.GoStmt); ok {
			given.Go, given.Waited = true, d.waitedUntil(start)
		}
		d.note(o, given)
	case !elder && d.rootOf(receiver) != nil && (d.ownPackage(fn) || d.isPutting(call, fn, e)):
		d.followVariable(d.rootOf(receiver), o) // it may be a part of that now
	}
	if o.bound {
		d.work(call, o)
		d.followAnswer(call, fn, o)
	}
	if o.command && !d.ownPackage(fn) {
		d.followInside(call, o)
	}
}

// followAnswer goes on with what a function of another module gives for an object that has a context, and which ends
// with it too: `client.Do(request)`.
func (d *decl) followAnswer(call *ast.CallExpr, fn *types.Func, o *object) {
	if t, result := d.madeBy(call); t != nil && !o.function && !d.ownPackage(fn) && d.isBound(t) {
		o.result = result
		d.follow(call, o)
	}
}

// followInside goes on with what a function of another module makes of a command: that starts it when it likes.
func (d *decl) followInside(call *ast.CallExpr, o *object) {
	if t, result := d.madeBy(call); isObject(t) {
		o.inside, o.result = true, result
		d.follow(call, o)
	}
}

// work notes that something is done with an object in another function than the one that makes it, or in a goroutine.
func (d *decl) work(call ast.Node, o *object) {
	use := useFact{Kind: "works", Func: d.around(call).ID, At: d.offset(call.Pos())}
	if start := d.goStatement(call); start != nil {
		use.Go, use.Waited = true, d.waitedUntil(start)
	}
	if o.function {
		use.Defer = d.isAtEnd(call)
	}
	if use.Go || use.Defer || use.Func != o.maker.ID {
		d.note(o, use)
	}
}

// isAtEnd tells whether a call is deferred, or comes behind the end of a context.
func (d *decl) isAtEnd(call ast.Node) bool {
	if _, deferred := d.parent(call).(*ast.DeferStmt); deferred || d.isBehindAsked(call) {
		return true
	}
	return d.endsBefore(call)&^tickEnd != 0
}
