package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// Where contexts come from: parameters, requests, fields, roots, and what was made of them.

// declareParams adds the sources that parameters and receivers are.
func (d *decl) declareParams(list *ast.FieldList, body *ast.BlockStmt, owner *funcFact, receiver bool) {
	if list == nil {
		return
	}
	i := 0
	for _, field := range list.List {
		if len(field.Names) == 0 {
			d.declareUnnamed(field, owner, body)
			i++
		}
		for _, name := range field.Names {
			v, ok := d.info.Defs[name].(*types.Var)
			if ok {
				if !receiver && isContext(v.Type()) {
					d.params[v] = "param:" + owner.ID + "#" + strconv.Itoa(i)
					clear(d.made) // what was found before did not know of it
				}
				d.declare(v, owner, body.Pos(), body.End(), true, receiver)
				if !receiver {
					owner.Params[i].Becomes = d.becomesOfParam(v, owner)
				}
			}
			i++
		}
	}
}

// declareUnnamed adds a parameter without a name: it can be given one.
func (d *decl) declareUnnamed(field *ast.Field, owner *funcFact, body *ast.BlockStmt) {
	if t := d.info.TypeOf(field.Type); t != nil {
		v := types.NewVar(field.Pos(), d.pkg, "_", t)
		d.declare(v, owner, body.Pos(), body.End(), true, false)
	}
}

// nameFor is what a parameter without a name would be called.
func nameFor(t types.Type) string {
	if isContext(t) {
		return "ctx"
	}
	named := namedOf(t)
	switch {
	case named == nil:
		return "v"
	case named.Obj().Name() == "Command":
		return "cmd"
	}
	return strings.ToLower(named.Obj().Name()[:1])
}

// declareLocal adds the source that a local variable is, from where it is declared to the end of its block.
func (d *decl) declareLocal(e ast.Expr, from token.Pos) {
	ident, ok := e.(*ast.Ident)
	if !ok {
		return
	}
	v, ok := d.info.Defs[ident].(*types.Var)
	if !ok || v.Parent() == nil || v.Parent() == d.pkg.Scope() {
		return
	}
	d.declare(v, d.around(ident), from, v.Parent().End(), false, false)
}

func (d *decl) declare(v *types.Var, owner *funcFact, from, to token.Pos, param, receiver bool) {
	g := d.giverOf(v.Type())
	if receiver && g != nil && slices.Contains(g.calls, owner.ID) {
		g = d.embeddedGiver(v.Type()) // its own method would call itself
	}
	if g == nil && param && !receiver && d.isHook(owner) {
		g = answerGiver(v.Type())
	}
	at := d.fset.PositionFor(v.Pos(), false)
	fact := sourceFact{
		Name: v.Name(), Expr: v.Name(), Owner: owner.ID, Param: param, File: d.file, Type: typeID(v.Type()),
		From: d.offset(from), To: d.offset(to), Decl: at.Offset, Line: at.Line, Column: at.Column,
	}
	switch {
	case g == nil:
		if v.Name() != "ctx" {
			return
		}
		fact.Role = "shadow" // it hides a context of the same name
	case receiver && g.role == "field":
		fact.Role = "stored"
	case g.role != "context" && !param:
		return // what this function makes itself, as a request to send, is not where its context comes from
	default:
		fact.Role = g.role
	}
	if g != nil {
		name := v.Name()
		if name == "_" {
			name = nameFor(v.Type())
		}
		fact.Expr, fact.Gives, fact.Nilable = g.read(name), g.gives, g.nils
	}
	if fact.Role == "context" && param && len(d.assigns[v]) > 0 {
		_, ends := d.variableOrigins(v) // `ctx, cancel := …` makes it another context
		fact.Ends, fact.Assigned = ends != notEnded, d.offset(d.assigns[v][0].Pos())
	}
	if g != nil {
		fact.Absent, fact.Calls = d.absentIn(v, g.suffix), g.calls
	}
	if fact.Role == "context" && d.cancels {
		fact.Ended = d.endedIn(v, to)
	}
	if fact.Role == "context" && !param {
		var ends ending
		fact.Origins, ends = d.variableOrigins(v)
		fact.Ends, fact.Lives = ends != notEnded, ends == ended
		if isMadeOfGiven(fact.Origins) {
			fact.Ended = append(fact.Ended, d.behindDone(v, owner, to)...)
		}
		fact.Ended = append(fact.Ended, d.askedSpans(v)...)
		if len(d.assigns[v]) > 0 {
			fact.Assigned = d.offset(d.assigns[v][0].Pos())
		}
	}
	d.out.Sources = append(d.out.Sources, fact)
}

// origins says what a context expression was made from, and whether somebody can end it.
//
//	root:OFFSET  param:FUNCTION#N  method:TYPE  field:NODE  call:FUNCTION  global:NAME  other
//
// `detached:` is there besides where it has the values of these and not their end.
func (d *decl) origins(e ast.Expr) ([]string, ending) {
	return (&search{decl: d}).ofExpression(e)
}

func (d *decl) variableOrigins(v *types.Var) ([]string, ending) {
	return (&search{decl: d}).ofVariable(v)
}

var rootNames = map[string]bool{
	"context.Background": true, "context.TODO": true,
	"golang.org/x/net/context.Background": true, "golang.org/x/net/context.TODO": true,
}

// An ending says who ends a context: nobody, a time, or somebody with a cancel function or a signal.
type ending int

const (
	notEnded ending = iota
	timed
	ended
)

// endings lists the functions that give a context which ends by itself or can be ended.
var endings = map[string]ending{
	"context.WithTimeout": timed, "context.WithTimeoutCause": timed,
	"context.WithDeadline": timed, "context.WithDeadlineCause": timed,
	"golang.org/x/net/context.WithTimeout": timed, "golang.org/x/net/context.WithDeadline": timed,
	"context.WithCancel": ended, "context.WithCancelCause": ended, "golang.org/x/net/context.WithCancel": ended,
	"os/signal.NotifyContext": ended, "golang.org/x/sync/errgroup.WithContext": ended,
}

// firstHasTime tells whether the first context of some arguments has a timeout or a deadline that this declaration gives
// it.
func (d *decl) firstHasTime(args []ast.Expr, seen map[*types.Var]bool) bool {
	d.spend(len(args))
	for _, arg := range args {
		if isContext(d.info.TypeOf(arg)) {
			return d.hasTime(arg, seen)
		}
	}
	return false
}

func (d *decl) hasTime(e ast.Expr, seen map[*types.Var]bool) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		v, ok := d.info.Uses[e].(*types.Var)
		if !ok || seen[v] || isPackageLevel(v) {
			return false
		}
		seen[v] = true
		d.spend(1 + len(d.assigns[v]))
		return slices.ContainsFunc(d.assigns[v], func(made ast.Expr) bool { return d.hasTime(made, seen) })
	case *ast.CallExpr:
		fn := d.calleeFunc(e)
		if fn == nil || funcID(fn) == "context.WithoutCancel" {
			return false
		}
		return endings[funcID(fn)] == timed || d.firstHasTime(e.Args, seen)
	}
	return false
}

const givesEnded = "gives_ended"

// noteGiven notes a function that gives its callers a context which ends by hand or by a signal.
func (d *decl) noteGiven(n *ast.ReturnStmt) {
	fact := d.around(n)
	if len(n.Results) == 0 || len(fact.Results) == 0 || fact.Results[0] != "context.Context" || hasFlag(fact, givesEnded) {
		return
	}
	if _, ends := d.origins(n.Results[0]); ends == ended {
		fact.Flags = append(fact.Flags, givesEnded)
	}
}

// endGiven tells local contexts whose functions make them to be ended; by who has them, where they come with a cancel
// function.
func (l *linked) endGiven() {
	for _, facts := range l.packages {
		for i := range facts.Sources {
			source := &facts.Sources[i]
			for _, origin := range source.Origins {
				name, called := strings.CutPrefix(origin, "call:")
				if maker := l.funcs[name]; called && maker != nil && hasFlag(maker, givesEnded) {
					source.Lives = true
					source.Ends = source.Ends || len(maker.Results) > 1 && maker.Results[1] == "context.CancelFunc"
				}
			}
		}
	}
}

// forward records what a function does with a context that it was given.
func (d *decl) forward(n *ast.Ident, v *types.Var) {
	origins, _ := d.variableOrigins(v)
	for _, origin := range origins {
		if len(origin) < 6 || origin[:6] != "param:" {
			continue
		}
		for _, u := range d.useOfContext(n, 0) {
			d.out.Forwards = append(d.out.Forwards, forwardOf(origin, u))
			if slices.ContainsFunc(u.Becomes, func(made useFact) bool { return made.Kind == "returned" }) {
				d.out.Forwards = append(d.out.Forwards, forwardFact{Func: origin, Kind: "makes", Target: u.Target})
			}
		}
	}
}

// forwardOf is a use of a context that is a parameter's. What is used in line is the same fact wherever it stands; so is
// what the function defers, which is done before it returns.
func forwardOf(parameter string, u useFact) forwardFact {
	fact := forwardFact{Func: parameter, Kind: u.Kind, Target: u.Target, Arg: u.Arg, Lasts: u.Lasts}
	if u.Kind == "arg" && u.Values {
		fact.Kind = "values"
	}
	if inLine := u.Func == functionOf(parameter) && !u.Go; !inLine {
		fact.Within, fact.Go, fact.Waited, fact.At = u.Func, u.Go, u.Waited, u.At
	}
	return fact
}
