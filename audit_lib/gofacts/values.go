package main

import (
	"fmt"
	"go/ast"
	"go/types"
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
			return d.noteHolder(fieldNode(sel), sel.Obj().Type())
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
	return fmt.Sprintf("local:%s:%d", d.file, d.offset(v.Pos()))
}

func mayHoldFunc(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Signature, *types.Interface:
		return true
	}
	return false
}

func fieldNode(sel *types.Selection) string {
	if !mayHoldFunc(sel.Obj().Type()) {
		return ""
	}
	owner := typeID(sel.Recv())
	return "field:" + owner + "." + sel.Obj().Name()
}

// elementNode stands for all elements of maps and slices of a type.
func elementNode(container types.Type) string {
	switch container.Underlying().(type) {
	case *types.Map, *types.Slice, *types.Array:
		var b strings.Builder
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

// hold records that a function goes into a variable, a field, an element, a parameter or a result.
func (d *decl) hold(e ast.Expr, target string) {
	if node := d.sink(e); node != "" && node != target {
		d.out.Holds = append(d.out.Holds, holdFact{Node: node, Target: target})
	}
}

// sink names the node that takes the value of an expression.
func (d *decl) sink(e ast.Expr) string {
	switch p := d.parents[e].(type) {
	case *ast.ParenExpr:
		return d.sink(p)
	case *ast.AssignStmt:
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
		if p.Value == e {
			return d.composite(p, p.Key)
		}
	case *ast.CompositeLit:
		return d.elements(d.info.TypeOf(p))
	case *ast.ReturnStmt:
		return "result:" + d.around(p).ID
	case *ast.CallExpr:
		return d.argument(p, e)
	}
	return ""
}

// isCommaOK reports whether an expression gives its value with a second that says whether there was one.
func (d *decl) isCommaOK(e ast.Expr) bool {
	tuple, ok := d.info.TypeOf(e).(*types.Tuple)
	_, called := ast.Unparen(e).(*ast.CallExpr)
	return ok && tuple.Len() == 2 && !called
}

func (d *decl) composite(pair *ast.KeyValueExpr, key ast.Expr) string {
	lit, ok := d.parents[pair].(*ast.CompositeLit)
	if !ok {
		return ""
	}
	t := d.info.TypeOf(lit)
	if t == nil {
		return ""
	}
	if ident, ok := key.(*ast.Ident); ok {
		if field, ok := d.info.Uses[ident].(*types.Var); ok && field.IsField() {
			return d.noteHolder("field:"+typeID(t)+"."+field.Name(), field.Type())
		}
	}
	return d.elements(t)
}

// argument names the parameter that an argument goes to. A conversion passes its argument on.
func (d *decl) argument(call *ast.CallExpr, e ast.Expr) string {
	if tv := d.info.Types[call.Fun]; tv.IsType() {
		return d.sink(call)
	}
	fn := d.calleeFunc(call)
	if fn == nil {
		if builtin, ok := ast.Unparen(call.Fun).(*ast.Ident); ok && builtin.Name == "append" && len(call.Args) > 1 {
			return d.elements(d.info.TypeOf(call.Args[0]))
		}
		return ""
	}
	for i, arg := range call.Args {
		if arg == e {
			return paramNode(funcID(fn), min(i, max(fn.Signature().Params().Len()-1, 0)))
		}
	}
	return ""
}

// useOfFunc says where a function that is not called by name goes.
func (d *decl) useOfFunc(e ast.Expr) *useFact {
	use := &useFact{Kind: "other", Line: d.place(e).Line, Func: d.around(e).ID}
	p := d.parents[e]
	if call, ok := p.(*ast.CallExpr); ok && call.Fun == e {
		use.Kind = "call"
		switch d.parents[call].(type) {
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
			return d.useOfFunc(p)
		}
		use.Kind = "arg"
		if fn := d.calleeFunc(p); fn != nil {
			use.Target = funcID(fn)
		}
		for i, arg := range p.Args {
			if arg == e {
				use.Arg = i
			}
		}
		_, use.Go = d.parents[p].(*ast.GoStmt)
		_, use.Defer = d.parents[p].(*ast.DeferStmt)
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
