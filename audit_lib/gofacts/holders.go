package main

import (
	"go/ast"
	"go/types"
	"strconv"
)

// Types of what holds functions: who gives a function another parameter must change them too.

// noteHolder remembers the type of a node, and gives the node back.
func (x *extractor) noteHolder(node string, t types.Type) string {
	if node != "" && !x.held[node] {
		x.held[node] = true
		x.out.Holders = append(x.out.Holders, holderFact{Node: node, Type: holderType(t)})
		if adapter := x.adapter(t); adapter != "" && adapter != node {
			x.out.Holds = append(x.out.Holds, holdFact{Node: adapter, Target: node})
		}
	}
	return node
}

// holderType names a declared function type, or the elements of a list; it tells interfaces, and is empty for function
// types that are only written.
func holderType(t types.Type) string {
	if types.IsInterface(t) {
		return "interface"
	}
	if named, ok := types.Unalias(t).(*types.Named); ok {
		return "type:" + typeID(named)
	}
	return elementNode(t)
}

// readFuncTypes finds the function types that are written in a file, and the nodes that they are the types of.
func (x *extractor) readFuncTypes(file *ast.File) {
	var stack []ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		stack = append(stack, n)
		if t, ok := n.(*ast.FuncType); ok && len(stack) > 1 {
			for _, node := range x.nodesOf(t, stack[:len(stack)-1]) {
				x.out.Holders = append(x.out.Holders, holderFact{Node: node, Place: x.place(t)})
			}
		}
		return true
	})
}

// nodesOf names what has a written function type, by what is around it.
func (x *extractor) nodesOf(t *ast.FuncType, around []ast.Node) []string {
	switch p := around[len(around)-1].(type) {
	case *ast.FuncDecl, *ast.FuncLit:
		return nil
	case *ast.TypeSpec:
		if obj := x.info.Defs[p.Name]; obj != nil {
			return []string{"type:" + typeID(obj.Type())}
		}
	case *ast.MapType, *ast.ArrayType:
		if container := x.info.TypeOf(p.(ast.Expr)); container != nil {
			return []string{elementNode(container)}
		}
	case *ast.Ellipsis:
		return x.nodesOfField(p, around[:len(around)-1])
	case *ast.ValueSpec:
		return x.nodesOfVars(p.Names)
	case *ast.Field:
		return x.nodesOfField(t, around)
	}
	return nil
}

func (x *extractor) nodesOfVars(names []*ast.Ident) []string {
	var nodes []string
	for _, name := range names {
		if v, ok := x.info.Defs[name].(*types.Var); ok {
			nodes = append(nodes, (&decl{extractor: x}).varNode(v))
		}
	}
	return nodes
}

// nodesOfField names the fields of a declared struct, or the parameters and results of a function.
func (x *extractor) nodesOfField(t ast.Expr, around []ast.Node) []string {
	field, ok := around[len(around)-1].(*ast.Field)
	if !ok || len(around) < 3 || field.Type != t {
		return nil
	}
	list, _ := around[len(around)-2].(*ast.FieldList)
	switch owner := around[len(around)-3].(type) {
	case *ast.StructType:
		spec, _ := around[max(len(around)-4, 0)].(*ast.TypeSpec)
		return x.nodesOfStruct(field, spec)
	case *ast.FuncType:
		if len(around) < 4 {
			return nil
		}
		if fn := x.functionOf(around[len(around)-4], owner); fn != "" && owner.Params == list {
			return paramNodes(fn, field, list)
		} else if fn != "" {
			return []string{"result:" + fn}
		}
	case *ast.FuncDecl:
		return nil // a receiver
	}
	return nil
}

// nodesOfStruct names the fields of a struct; `spec` declares it, where it has a name.
func (x *extractor) nodesOfStruct(field *ast.Field, spec *ast.TypeSpec) []string {
	var nodes []string
	for _, name := range field.Names {
		v, ok := x.info.Defs[name].(*types.Var)
		if !ok {
			continue
		}
		if spec == nil {
			nodes = append(nodes, x.placeNode(v))
		} else if obj := x.info.Defs[spec.Name]; obj != nil {
			nodes = append(nodes, "field:"+typeID(obj.Type())+"."+name.Name)
		}
	}
	return nodes
}

// functionOf names the function that has a signature: a declared one, a method of an interface, or a literal.
func (x *extractor) functionOf(n ast.Node, t *ast.FuncType) string {
	switch n := n.(type) {
	case *ast.FuncDecl:
		if fn, ok := x.info.Defs[n.Name].(*types.Func); ok {
			return funcID(fn)
		}
	case *ast.Field:
		if len(n.Names) == 1 {
			if fn, ok := x.info.Defs[n.Names[0]].(*types.Func); ok {
				return funcID(fn)
			}
		}
	case *ast.FuncLit:
		return x.literals[n]
	}
	return ""
}

func paramNodes(fn string, field *ast.Field, list *ast.FieldList) []string {
	i := 0
	for _, f := range list.List {
		if f != field {
			i += max(len(f.Names), 1)
			continue
		}
		nodes := []string{}
		for range max(len(f.Names), 1) {
			nodes = append(nodes, "param:"+fn+"#"+strconv.Itoa(i))
			i++
		}
		return nodes
	}
	return nil
}
