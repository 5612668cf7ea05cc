package main

import (
	"go/types"
	"strings"
)

// What gives a context, told by type: no list of frameworks, but for those where the method named Context is not the
// one to use.

// A giver says how an expression of a type gives a context: what is written behind it.
type giver struct {
	role   string // context, method, field
	suffix string
	gives  string   // the type that the context belongs to
	nils   bool     // it may panic or give nil where the value was made by hand
	ensure string   // the package's own function through which its context is read, since it may be nil
	calls  []string // the target's functions that are called to read it
}

// read is how the context of a value is written.
func (g *giver) read(name string) string {
	if g.ensure != "" && name != "_" {
		return g.ensure + "(" + name + g.suffix + ")"
	}
	return name + g.suffix
}

// preferred names the methods to use where `Context` is not the request's context.
var preferred = map[string]string{
	"github.com/gofiber/fiber/v2.Ctx": "UserContext",
	"github.com/gofiber/fiber/v3.Ctx": "Context",
}

// never lists types whose context belongs to something else that has ended.
var never = map[string]bool{"net/http.Response": true, "context.CancelFunc": true}

// isContext tells whether a type is context.Context itself or an interface that embeds it.
func isContext(t types.Type) bool {
	if t == nil {
		return false
	}
	iface, ok := t.Underlying().(*types.Interface)
	return ok && hasContextMethods(iface.NumMethods(), func(i int) *types.Func { return iface.Method(i) })
}

func hasContextMethods(n int, at func(int) *types.Func) bool {
	found := 0
	for i := range n {
		if isOfContext(at(i)) {
			found++
		}
	}
	return found == 4
}

// isOfContext tells whether a method is one of context.Context's, by its form and not its name alone: those of a
// workflow's context have the names, and are replayed.
func isOfContext(fn *types.Func) bool {
	params, results := fn.Signature().Params(), fn.Signature().Results()
	if fn.Name() == "Value" {
		return params.Len() == 1 && results.Len() == 1 && isAny(params.At(0).Type()) && isAny(results.At(0).Type())
	}
	if params.Len() != 0 || results.Len() == 0 {
		return false
	}
	first := results.At(0).Type()
	switch fn.Name() {
	case "Deadline":
		return results.Len() == 2 && typeID(first) == "time.Time" && isBasic(results.At(1).Type(), types.Bool)
	case "Done":
		return results.Len() == 1 && isSignal(first)
	case "Err":
		return results.Len() == 1 && types.Identical(first, types.Universe.Lookup("error").Type())
	}
	return false
}

func isBasic(t types.Type, kind types.BasicKind) bool {
	basic, ok := types.Unalias(t).(*types.Basic)
	return ok && basic.Kind() == kind
}

// isSignal tells whether a type is `<-chan struct{}`.
func isSignal(t types.Type) bool {
	channel, ok := types.Unalias(t).(*types.Chan)
	if !ok || channel.Dir() != types.RecvOnly {
		return false
	}
	empty, ok := types.Unalias(channel.Elem()).(*types.Struct)
	return ok && empty.NumFields() == 0
}

func isAny(t types.Type) bool {
	iface, ok := types.Unalias(t).(*types.Interface)
	return ok && iface.Empty()
}

// giverOf tells how a value of a type gives a context where it is used in `from`, or nil.
func (x *extractor) giverOf(t types.Type) *giver {
	if t == nil {
		return nil
	}
	if g, known := x.givers[t]; known {
		return g
	}
	g := x.findGiver(t, 1)
	x.givers[t] = g
	return g
}

func (x *extractor) findGiver(t types.Type, fields int) *giver {
	id := typeID(t)
	if never[id] || isLoggers(t) {
		return nil
	}
	if isContext(t) {
		return &giver{role: "context", gives: id}
	}
	if name := preferred[id]; name != "" {
		return &giver{role: "method", suffix: "." + name + "()", gives: id}
	}
	if !mayHaveMembers(t) {
		return nil
	}
	if x.returnsContext(t, "Context") {
		return &giver{role: "method", suffix: ".Context()", gives: id, nils: true, calls: x.ownMethod(t, "Context")}
	}
	if fields > 0 {
		if g := x.fieldGiver(t, id); g != nil {
			return g
		}
		if g := x.promotedGiver(t); g != nil {
			return g
		}
		if request := x.resultOf(t, "Request"); request != nil && typeID(request) == "net/http.Request" {
			return &giver{
				role: "method", suffix: ".Request().Context()", gives: "net/http.Request", nils: true,
				calls: x.ownMethod(t, "Request"),
			}
		}
	}
	if x.implementsContext(t) {
		return &giver{role: "context", gives: id}
	}
	return nil
}

// isLoggers tells whether a type is that of a logger or of what traces: the context in it is only read, and may be nil.
func isLoggers(t types.Type) bool {
	named := namedOf(t)
	return named != nil && named.Obj().Pkg() != nil && valuesOnly[named.Obj().Pkg().Path()]
}

func mayHaveMembers(t types.Type) bool {
	if namedOf(t) != nil {
		return true
	}
	_, iface := t.Underlying().(*types.Interface)
	return iface
}

// fieldGiver looks one field deep, for requests before other things that carry a context.
func (x *extractor) fieldGiver(t types.Type, id string) *giver {
	fields := structOf(t)
	if fields == nil {
		return nil
	}
	var best *giver
	for i := range fields.NumFields() {
		field := fields.Field(i)
		if !field.Exported() && field.Pkg() != x.pkg || field.Name() == "_" {
			continue
		}
		if isContext(field.Type()) {
			if best == nil {
				best = &giver{role: "field", suffix: "." + field.Name(), gives: id, nils: true}
				if best.ensure = x.ensured[id+"."+field.Name()]; best.ensure != "" {
					best.calls = []string{x.pkg.Path() + "." + best.ensure}
				}
			}
			continue
		}
		if g := x.findGiver(field.Type(), 0); g != nil && g.role == "method" {
			if typeID(field.Type()) == "net/http.Request" {
				return &giver{role: "method", suffix: "." + field.Name() + g.suffix, gives: g.gives, nils: true, calls: g.calls}
			}
			if best == nil && !isTesting(g.gives) {
				best = &giver{role: "field", suffix: "." + field.Name() + g.suffix, gives: g.gives, nils: true, calls: g.calls}
			}
		}
	}
	return best
}

// answerGiver gives the context of the request that a response answers: for hooks, which run while that is still served.
func answerGiver(t types.Type) *giver {
	if typeID(t) != "net/http.Response" {
		return nil
	}
	return &giver{role: "method", suffix: ".Request.Context()", gives: "net/http.Request", nils: true}
}

// isHook tells whether a literal is given to another module, which calls it: as a field, or as an argument.
func (d *decl) isHook(fact *funcFact) bool {
	return fact.Use != nil && d.isExternalWork(strings.TrimPrefix(fact.Use.Target, "field:"))
}

// embeddedGiver gives how a type's context is read where its own method cannot be called: from what it embeds.
func (x *extractor) embeddedGiver(t types.Type) *giver {
	fields := structOf(t)
	for i := 0; fields != nil && i < fields.NumFields(); i++ {
		field := fields.Field(i)
		if field.Embedded() && x.returnsContext(field.Type(), "Context") {
			id := typeID(field.Type())
			return &giver{role: "method", suffix: "." + field.Name() + ".Context()", gives: id, nils: true}
		}
	}
	return nil
}

func structOf(t types.Type) *types.Struct {
	under := t.Underlying()
	if pointer, ok := under.(*types.Pointer); ok {
		under = pointer.Elem().Underlying()
	}
	fields, _ := under.(*types.Struct)
	return fields
}

func isTesting(id string) bool {
	switch id {
	case "testing.T", "testing.B", "testing.F", "testing.TB", "testing.common":
		return true
	}
	return false
}

func (x *extractor) method(t types.Type, name string) *types.Func {
	obj, _, _ := types.LookupFieldOrMethod(t, true, x.pkg, name)
	fn, _ := obj.(*types.Func)
	return fn
}

// ownMethod names a method of a type where it is the target's.
func (x *extractor) ownMethod(t types.Type, name string) []string {
	if fn := x.method(t, name); fn != nil && x.t.ownsFunc(fn) {
		return []string{funcID(fn)}
	}
	return nil
}

// resultOf is the only result of a method without parameters, or nil.
func (x *extractor) resultOf(t types.Type, name string) types.Type {
	fn := x.method(t, name)
	if fn == nil {
		return nil
	}
	sig := fn.Signature()
	if sig.Params().Len() != 0 || sig.Results().Len() != 1 {
		return nil
	}
	return sig.Results().At(0).Type()
}

func (x *extractor) returnsContext(t types.Type, name string) bool {
	result := x.resultOf(t, name)
	return result != nil && isContext(result)
}

func (x *extractor) implementsContext(t types.Type) bool {
	for _, name := range [...]string{"Deadline", "Done", "Err", "Value"} {
		if fn := x.method(t, name); fn == nil || !isOfContext(fn) {
			return false
		}
	}
	return true
}

const maxEmbedded = 16 // how many embedded types are looked into

// promotedGiver looks for a request in what a type embeds: its field is the type's own too, `e.Request`.
func (x *extractor) promotedGiver(t types.Type) *giver {
	queue := []types.Type{t}
	for next := 0; next < len(queue) && next < maxEmbedded; next++ {
		fields := structOf(queue[next])
		for i := 0; fields != nil && i < fields.NumFields(); i++ {
			x.spend(1)
			field := fields.Field(i)
			if field.Embedded() {
				queue = append(queue, field.Type())
			}
			if next == 0 || typeID(field.Type()) != "net/http.Request" {
				continue
			}
			if found, _, _ := types.LookupFieldOrMethod(t, true, x.pkg, field.Name()); found == types.Object(field) {
				return &giver{role: "method", suffix: "." + field.Name() + ".Context()", gives: "net/http.Request", nils: true}
			}
		}
	}
	return nil
}
