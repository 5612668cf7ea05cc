package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// Functions as values: which node an expression stands for, and which nodes may hold it.

// funcNode names the node that an expression of a function type stands for, or gives "".
func (d *decl) funcNode(e ast.Expr) string {
	switch e := ast.Unparen(e).(type) {
	case *ast.FuncLit:
		if fact := d.lits[e]; fact != nil {
			return fact.ID
		}
	case *ast.Ident:
		return d.objectNode(d.info.Uses[e], d.info.Defs[e])
	case *ast.SelectorExpr:
		if sel := d.info.Selections[e]; sel != nil && sel.Kind() == types.FieldVal {
			return d.fieldNode(ownerOf(sel), sel.Obj().(*types.Var))
		}
		return d.objectNode(d.info.Uses[e.Sel], nil)
	case *ast.IndexExpr:
		if t := d.info.TypeOf(e.X); t != nil {
			if _, generic := t.Underlying().(*types.Signature); generic {
				return d.funcNode(e.X)
			}
			return d.elements(t)
		}
	case *ast.CallExpr:
		if fn := d.calleeFunc(e); fn != nil {
			return "result:" + funcID(fn)
		}
		if tv := d.info.Types[e.Fun]; tv.IsType() && len(e.Args) == 1 {
			return d.funcNode(e.Args[0])
		}
	}
	return ""
}

func (d *decl) objectNode(objs ...types.Object) string {
	for _, obj := range objs {
		switch obj := obj.(type) {
		case *types.Func:
			return funcID(obj)
		case *types.Var:
			if !mayHoldFunc(obj.Type()) {
				return ""
			}
			return d.noteHolder(d.varNode(obj), obj.Type())
		}
	}
	return ""
}

func (d *decl) varNode(v *types.Var) string {
	if node := d.extractor.params[v]; node != "" {
		return node
	}
	if v.Pkg() != nil && v.Parent() == v.Pkg().Scope() {
		return "var:" + v.Pkg().Path() + "." + v.Name()
	}
	return d.placeNode(v)
}

func mayHoldFunc(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Signature, *types.Interface:
		return true
	}
	return false
}

// ownerOf gives the struct that has a selected field itself, which may be embedded in what is written.
func ownerOf(sel *types.Selection) types.Type {
	t := sel.Recv()
	for _, i := range sel.Index()[:len(sel.Index())-1] {
		under := t.Underlying()
		if pointer, ok := under.(*types.Pointer); ok {
			under = pointer.Elem().Underlying()
		}
		t = under.(*types.Struct).Field(i).Type()
	}
	return t
}

// fieldNode names a field that may hold functions; one of a struct without a name by where it stands.
func (x *extractor) fieldNode(owner types.Type, field *types.Var) string {
	if !mayHoldFunc(field.Type()) {
		return ""
	}
	if id := typeID(owner); id != "" {
		return x.noteHolder("field:"+id+"."+field.Name(), field.Type())
	}
	if field.Pkg() != x.pkg {
		return ""
	}
	return x.noteHolder(x.placeNode(field), field.Type())
}

// placeNode names a variable or field by where it is declared.
func (x *extractor) placeNode(v *types.Var) string {
	at := x.fset.PositionFor(v.Pos(), false)
	return fmt.Sprintf("local:%s:%d", x.t.relative(at.Filename), at.Offset)
}

// elementNode stands for all elements of maps and slices of a type.
func elementNode(container types.Type) string {
	switch container.Underlying().(type) {
	case *types.Map, *types.Slice, *types.Array:
		var b strings.Builder
		checkSize(container)
		writeType(&b, container)
		return "element:" + b.String()
	}
	return ""
}

// elements names the elements of a container that may hold functions, and notes their type.
func (x *extractor) elements(container types.Type) string {
	node := elementNode(container)
	switch t := container.Underlying().(type) {
	case *types.Map:
		return x.noteHolder(node, t.Elem())
	case *types.Slice:
		return x.noteHolder(node, t.Elem())
	case *types.Array:
		return x.noteHolder(node, t.Elem())
	}
	return node
}

// adapter names a function type of the target that has methods: in them its receiver stands for all its values.
func (x *extractor) adapter(t types.Type) string {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.NumMethods() == 0 || !x.isOurs(named) {
		return ""
	}
	if _, function := named.Underlying().(*types.Signature); !function {
		return ""
	}
	return "type:" + typeID(named)
}

// isForInterface tells whether a value goes to an interface, by whose methods it is called then.
func (d *decl) isForInterface(e ast.Expr) bool {
	t := d.wanted(e)
	return t != nil && types.IsInterface(t)
}

// isForMethods tells whether a value of a function type is there to be called by its methods.
func (d *decl) isForMethods(e ast.Expr) bool {
	n := d.parent(e)
	if paren, ok := n.(*ast.ParenExpr); ok {
		return d.isForMethods(paren)
	}
	_, selected := n.(*ast.SelectorExpr)
	return selected || d.isForInterface(e)
}

// hold records that a function goes into a variable, a field, an element, a parameter or a result.
func (d *decl) hold(e ast.Expr, target string) {
	if t := d.info.TypeOf(e); t != nil && d.adapter(t) != "" && d.isForInterface(e) {
		return
	}
	if node := d.sink(e); node != "" && node != target {
		d.out.Holds = append(d.out.Holds, holdFact{Node: node, Target: target})
	}
}

// sink names the node that takes the value of an expression.
func (d *decl) sink(e ast.Expr) string {
	switch p := d.parent(e).(type) {
	case *ast.ParenExpr:
		return d.sink(p)
	case *ast.AssignStmt:
		d.spend(len(p.Rhs))
		for i, right := range p.Rhs {
			if right == e && (len(p.Lhs) == len(p.Rhs) || d.isCommaOK(e)) {
				return d.funcNode(p.Lhs[i])
			}
		}
	case *ast.ValueSpec:
		for i, value := range p.Values {
			if value == e && i < len(p.Names) {
				return d.funcNode(p.Names[i])
			}
		}
	case *ast.KeyValueExpr:
		if lit, ok := d.parent(p).(*ast.CompositeLit); ok && p.Value == e {
			return d.composite(lit, p)
		}
	case *ast.CompositeLit:
		return d.composite(p, e)
	case *ast.ReturnStmt:
		node := "result:" + d.around(p).ID
		if t := d.wanted(e); t != nil && mayHoldFunc(t) {
			return d.noteHolder(node, t)
		}
		return node
	case *ast.CallExpr:
		return d.argument(p, e)
	case *ast.SendStmt:
		if t := d.info.TypeOf(e); p.Value == e && t != nil {
			var b strings.Builder
			checkSize(t)
			writeType(&b, t)
			return "sent:" + b.String()
		}
	}
	return ""
}

// lasts tells whether what takes a value lives longer than the function around it: what its receiver, a parameter or a
// package's variable holds, or a function that may know of one.
func (d *decl) lasts(e ast.Expr) bool {
	switch p := d.parent(e).(type) {
	case *ast.ParenExpr:
		return d.lasts(p)
	case *ast.CallExpr:
		if isAppend(p) || p.Fun == e {
			return d.isKept(e)
		}
		sel, ok := ast.Unparen(p.Fun).(*ast.SelectorExpr)
		if d.calleeFunc(p) == nil {
			return false
		}
		return !ok || d.info.Selections[sel] == nil || d.isElders(sel.X)
	}
	return d.isKept(e)
}

// isKept tells whether a value is put into what lives longer than the function around it: `s.f = e`, `append(s.list, e)`,
// itself or as a part: `s.f = &entry{run: e}`.
func (d *decl) isKept(e ast.Expr) bool {
	switch p := d.parent(e).(type) {
	case *ast.AssignStmt:
		for i, right := range p.Rhs {
			if right == e && i < len(p.Lhs) {
				_, name := ast.Unparen(p.Lhs[i]).(*ast.Ident)
				return !name && d.isElders(p.Lhs[i])
			}
		}
	case *ast.CallExpr:
		return isAppend(p) && p.Args[0] != e && d.isElders(p.Args[0])
	case *ast.ParenExpr:
		return d.isKept(p)
	case *ast.UnaryExpr:
		return d.isKept(p)
	case *ast.CompositeLit:
		return d.isKept(p)
	case *ast.KeyValueExpr:
		lit, ok := d.parent(p).(*ast.CompositeLit)
		return ok && p.Value == e && d.isKept(lit)
	}
	return false
}

func isAppend(call *ast.CallExpr) bool {
	name, ok := ast.Unparen(call.Fun).(*ast.Ident)
	return ok && name.Name == "append" && len(call.Args) > 0
}

// isElders tells whether an expression names what was there before the function ran.
func (d *decl) isElders(e ast.Expr) bool {
	if index, ok := ast.Unparen(e).(*ast.IndexExpr); ok {
		return d.isElders(index.X)
	}
	h, ok := d.handleOf(e)
	if !ok {
		return false
	}
	if d.waiting.params[h.v] || h.v.Parent() == h.v.Pkg().Scope() {
		return true
	}
	return d.body != nil && d.body.Recv != nil && within(d.body.Recv, posNode(h.v.Pos()))
}

type posNode token.Pos

func (p posNode) Pos() token.Pos { return token.Pos(p) }
func (p posNode) End() token.Pos { return token.Pos(p) }

// isCommaOK reports whether an expression gives its value with a second that says whether there was one.
func (d *decl) isCommaOK(e ast.Expr) bool {
	tuple, ok := d.info.TypeOf(e).(*types.Tuple)
	_, called := ast.Unparen(e).(*ast.CallExpr)
	return ok && tuple.Len() == 2 && !called
}

// composite names the field or the elements of a literal that take one of what it lists.
func (d *decl) composite(lit *ast.CompositeLit, listed ast.Expr) string {
	t := d.info.TypeOf(lit)
	fields, ok := d.literalType(lit).(*types.Struct)
	if !ok && t != nil {
		return d.elements(t)
	}
	d.spend(len(lit.Elts))
	if i := slices.Index(lit.Elts, listed); ok && i >= 0 {
		if field := d.fieldAt(lit, fields, i); field != nil {
			return d.fieldNode(t, field)
		}
	}
	return ""
}

// argument names the parameter that an argument goes to. A conversion passes its argument on.
func (d *decl) argument(call *ast.CallExpr, e ast.Expr) string {
	if tv := d.info.Types[call.Fun]; tv.IsType() {
		if node := d.adapter(tv.Type); node != "" && d.isForMethods(call) {
			return node
		}
		return d.sink(call)
	}
	fn := d.calleeFunc(call)
	if fn == nil {
		if builtin, ok := ast.Unparen(call.Fun).(*ast.Ident); ok && builtin.Name == "append" && len(call.Args) > 1 {
			return d.elements(d.info.TypeOf(call.Args[0]))
		}
		return ""
	}
	d.spend(len(call.Args))
	for i, arg := range call.Args {
		if arg == e {
			return paramNode(funcID(fn), min(i, max(fn.Signature().Params().Len()-1, 0)))
		}
	}
	return ""
}

// useOfFunc says where a function that is not called by name goes.
func (d *decl) useOfFunc(e ast.Expr) *useFact {
	use := &useFact{
		Kind: "other", Line: d.place(e).Line, Func: d.around(e).ID, Lasts: d.lasts(e), Waited: d.waitedUntil(d.startOf(e)),
	}
	p := d.parent(e)
	if call, ok := p.(*ast.CallExpr); ok && call.Fun == e {
		use.Kind = "call"
		switch d.parent(call).(type) {
		case *ast.GoStmt:
			use.Kind, use.Go = "go", true
		case *ast.DeferStmt:
			use.Kind, use.Defer = "defer", true
		}
		return use
	}
	switch p := p.(type) {
	case *ast.ParenExpr:
		return d.useOfFunc(p)
	case *ast.CallExpr:
		if tv := d.info.Types[p.Fun]; tv.IsType() {
			if node := d.adapter(tv.Type); node != "" && d.isForMethods(p) {
				use.Kind, use.Target = "field", node
				return use
			}
			return d.useOfFunc(p)
		}
		use.Kind, use.Arg = "arg", slices.Index(p.Args, e)
		if fn := d.calleeFunc(p); fn != nil {
			use.Target = funcID(fn)
			use.Arg = min(use.Arg, max(fn.Signature().Params().Len()-1, 0))
		}
		_, use.Go = d.parent(p).(*ast.GoStmt)
		_, use.Defer = d.parent(p).(*ast.DeferStmt)
	case *ast.ReturnStmt:
		use.Kind = "return"
	case *ast.AssignStmt, *ast.ValueSpec:
		use.Kind, use.Target = "var", d.sink(e)
	case *ast.KeyValueExpr, *ast.CompositeLit:
		use.Kind, use.Target = "field", d.sink(e)
	case *ast.SendStmt:
		use.Kind = "sent"
	}
	return use
}
