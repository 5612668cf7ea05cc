package main

import (
	"go/ast"
	"go/types"
)

// Implementers that signatures alone do not tell: a type of another module that is given to one of the target's
// interfaces, or whose methods one of its types has by embedding it, and what is given to an interface with type
// arguments. Nobody here can give the methods of other modules another parameter.

// An implementFact is a method that stands for one of an interface, and where it came to do so.
type implementFact struct {
	Method string `json:"method,omitempty"`
	Of     string `json:"of,omitempty"` // the interface's method; empty for one that a type of the target has
	Place  place  `json:"place,omitempty"`
}

// visitFlows notes what is given to interfaces of the target.
func (d *decl) visitFlows(n ast.Node) {
	d.flows(n, func(_ ast.Expr, from, to types.Type) {
		d.noteImplementer(n, from, to)
		d.noteDemand(n, from, to)
	})
}

// visitInstance notes the types that type parameters stand for.
func (d *decl) visitInstance(n *ast.Ident) {
	instance, ok := d.info.Instances[n]
	if !ok {
		return
	}
	var params *types.TypeParamList
	switch t := d.info.TypeOf(n).(type) {
	case *types.Named:
		params = t.Origin().TypeParams()
	case *types.Signature:
		if fn, ok := d.info.Uses[n].(*types.Func); ok {
			params = fn.Origin().Signature().TypeParams()
		}
	}
	for i := 0; params != nil && i < min(params.Len(), instance.TypeArgs.Len()); i++ {
		d.noteImplementer(n, instance.TypeArgs.At(i), params.At(i).Constraint())
	}
}

func (d *decl) noteImplementer(n ast.Node, from, to types.Type) {
	iface, ok := to.Underlying().(*types.Interface)
	if !ok || types.IsInterface(from) || iface.NumMethods() == 0 || d.isOurs(from) && !hasTypeArguments(to) {
		return
	}
	eachMethod(from, iface, func(fn, method *types.Func) {
		if d.t.ownsFunc(method) {
			d.out.Implements = append(d.out.Implements, implementFact{funcID(fn), funcID(method), d.place(n)})
		}
	})
}

// eachMethod gives the methods of a type that stand for those of an interface.
func eachMethod(from types.Type, iface *types.Interface, give func(fn, method *types.Func)) {
	for i := range iface.NumMethods() {
		method := iface.Method(i)
		obj, _, _ := types.LookupFieldOrMethod(from, true, method.Pkg(), method.Name())
		if fn, ok := obj.(*types.Func); ok {
			give(fn, method)
		}
	}
}

// ownsFunc tells whether a function is of a package of the target.
func (t *target) ownsFunc(fn *types.Func) bool {
	return fn.Pkg() != nil && t.ownsPackage(fn.Pkg().Path())
}

func hasTypeArguments(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.TypeArgs().Len() > 0
}

// isOurs tells whether a type is the target's, or has no name.
func (x *extractor) isOurs(t types.Type) bool {
	named := namedOf(t)
	return named == nil || named.Obj().Pkg() == nil || x.t.ownsPackage(named.Obj().Pkg().Path())
}

// notePromoted notes the methods that a type of the target has from outside.
func (x *extractor) notePromoted(fn *types.Func, at place) {
	if fn.Pkg() != nil && !x.t.ownsPackage(fn.Pkg().Path()) {
		x.out.Implements = append(x.out.Implements, implementFact{Method: funcID(fn), Place: at})
	}
}

// joinGiven lets interfaces' methods stand for those of what they were given.
func (l *linked) joinGiven() {
	for _, facts := range l.packages {
		for _, fact := range facts.Implements {
			if fact.Of != "" {
				node := l.node(fact.Of, "interface")
				node.Targets = append(node.Targets, fact.Method)
			}
		}
	}
}
