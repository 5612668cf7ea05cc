package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"sort"
	"strconv"
)

// An extractor takes the facts from one checked package.
type extractor struct {
	*checked
	t        *target
	pkg      *types.Package
	out      *packageFacts
	givers   map[types.Type]*giver
	siblings map[*types.Func]string
	params   map[*types.Var]string // parameters of function types, as nodes
	globals  map[*types.Var][]made // package-level contexts, and what they are made from
	file     string                // of the declaration that is read
	test     bool
	held     map[string]bool // nodes whose types are noted
	literals map[*ast.FuncLit]string
	ensured  map[string]string            // fields that the package reads through a function, since they may be nil
	stored   map[types.Object][]token.Pos // where fields are assigned to, in order
	listens  map[*ast.BlockStmt]bool      // loops that wait or listen
	effort
}

func extract(t *target, c *checked) *packageFacts {
	x := &extractor{
		checked: c, t: t, pkg: c.types,
		out: &packageFacts{
			Path: c.unit.pkg.PkgPath, Name: c.unit.pkg.Name, Module: c.unit.module,
			Dir: t.relative(filepath.Dir(c.unit.pkg.GoFiles[0])), Files: len(c.unit.files),
		},
		givers: map[types.Type]*giver{}, siblings: map[*types.Func]string{}, params: map[*types.Var]string{},
		globals: map[*types.Var][]made{}, held: map[string]bool{}, literals: map[*ast.FuncLit]string{},
		listens: map[*ast.BlockStmt]bool{},
	}
	x.spare = stepsToSpare
	for _, file := range c.files {
		x.spare += stepsPerNode * countNodes(file)
	}
	for _, message := range c.errs {
		x.out.Errors = append(x.out.Errors, t.shorten(message))
	}
	x.bounded("package "+x.out.Path, c.files[0], func() { x.ensured = x.ensuredFields() })
	fresh := map[string]bool{}
	for _, file := range c.unit.files {
		fresh[file] = true
	}
	for _, file := range c.files {
		path := c.fset.PositionFor(file.FileStart, false).Filename
		if fresh[path] {
			x.readFile(file, t.nameOf(c.unit, path))
		}
	}
	x.readGlobals()
	for path, dep := range c.unit.pkg.Imports {
		if (dep.Module == nil || !t.owns(dep.Module.Path)) && path != "C" {
			x.out.Imports = append(x.out.Imports, dep.PkgPath)
		}
	}
	sort.Strings(x.out.Imports)
	return x.out
}

// made is an assignment to a package-level context.
type made struct {
	origins []string
	ends    bool
	place   place
}

// readGlobals adds the package-level contexts that somebody can end; they can be written anywhere in the package.
func (x *extractor) readGlobals() {
	for v, all := range x.globals {
		for _, m := range all {
			if m.ends {
				x.out.Sources = append(x.out.Sources, sourceFact{
					Expr: v.Name(), Name: v.Name(), Role: "global", Gives: "context.Context", Owner: "package:" + x.out.Path,
					File: m.place.File, Line: m.place.Line, Column: m.place.Col, Decl: m.place.Start, Origins: m.origins, Ends: true,
				})
				break
			}
		}
	}
	sort.SliceStable(x.out.Sources, func(i, j int) bool { return x.out.Sources[i].Name < x.out.Sources[j].Name })
}

func (t *target) owns(module string) bool {
	for _, known := range t.modules {
		if known.Path == module {
			return true
		}
	}
	return false
}

// readFile reads the declarations of one file.
func (x *extractor) readFile(file *ast.File, path string) {
	x.file, x.test = path, isTestCode(file, path)
	var initialisers *decl
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			x.bounded(d.Name.Name, d, func() { x.readFunc(d) })
		case *ast.GenDecl:
			x.bounded("types", d, func() { x.readTypes(d) })
			if d.Tok == token.VAR {
				if initialisers == nil {
					initialisers = x.newDecl(x.initialiser(file))
				}
				x.bounded("variables", d, func() { initialisers.read(d) })
			}
		}
	}
	x.bounded("function types", file, func() { x.readFuncTypes(file) })
}

// initialiser is the node that stands for a file's package-level variables.
func (x *extractor) initialiser(file *ast.File) *funcFact {
	return &funcFact{
		ID: x.out.Path + ".glob.@" + filepath.Base(x.file), Pkg: x.out.Path, Place: x.place(file.Name),
		Test: x.test, Flags: []string{"package_level"},
	}
}

func (x *extractor) readFunc(d *ast.FuncDecl) {
	fn, ok := x.info.Defs[d.Name].(*types.Func)
	if !ok || d.Body == nil {
		return
	}
	fact := &funcFact{
		ID: funcID(fn), Name: displayName(fn), Pkg: x.out.Path, Place: x.place(d),
		Exported: isExported(fn), Test: x.test,
	}
	if recv := fn.Signature().Recv(); recv != nil {
		fact.Recv = typeID(recv.Type())
		if adapter := x.adapter(recv.Type()); adapter != "" {
			x.params[recv] = adapter
		}
	}
	if fact.Recv == "" && (fn.Name() == "init" || fn.Name() == "_") {
		fact.ID += fmt.Sprintf("@%s:%d", filepath.Base(x.file), fact.Place.Line)
	}
	x.describe(fact, fn.Signature(), d.Body)
	decl := x.newDecl(fact)
	decl.body = d
	decl.read(d)
}

func isExported(fn *types.Func) bool {
	if recv := fn.Signature().Recv(); recv != nil {
		named := namedOf(recv.Type())
		return fn.Exported() && named != nil && named.Obj().Exported()
	}
	return fn.Exported()
}

// describe fills in parameters, results and what the body's shape tells.
func (x *extractor) describe(fact *funcFact, sig *types.Signature, body *ast.BlockStmt) {
	for i := range sig.Params().Len() {
		param := sig.Params().At(i)
		p := paramFact{Name: param.Name(), Type: shortType(param.Type())}
		if g := x.giverOf(param.Type()); g != nil {
			if p.Role = "carrier"; g.role == "context" {
				p.Role = "context"
			}
		}
		if isFuncType(param.Type()) {
			x.params[param] = paramNode(fact.ID, i)
			x.noteHolder(x.params[param], param.Type())
		}
		fact.Params = append(fact.Params, p)
	}
	for i := range sig.Results().Len() {
		fact.Results = append(fact.Results, typeID(sig.Results().At(i).Type()))
	}
	fact.Flags = append(fact.Flags, bodyFlags(x, body, sig.Recv())...)
}

func paramNode(function string, i int) string { return "param:" + function + "#" + strconv.Itoa(i) }

func isFuncType(t types.Type) bool {
	switch under := t.Underlying().(type) {
	case *types.Signature:
		return true
	case *types.Slice:
		return isFuncType(under.Elem())
	}
	return false
}

// readTypes lists the methods of the types that a declaration makes, by name and signature.
func (x *extractor) readTypes(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		spec, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		obj, ok := x.info.Defs[spec.Name].(*types.TypeName)
		if !ok || obj.IsAlias() {
			continue
		}
		if iface, ok := obj.Type().Underlying().(*types.Interface); ok {
			x.spend(keptStep * iface.NumMethods())
			x.out.Ifaces = append(x.out.Ifaces, interfaceFact(obj, iface, x.place(spec)))
			continue
		}
		set := types.NewMethodSet(types.NewPointer(obj.Type()))
		if set.Len() == 0 {
			continue
		}
		fact := typeFact{ID: typeID(obj.Type()), Methods: map[string]string{}, Test: x.test}
		for i := range set.Len() {
			x.spend(keptStep)
			fn := set.At(i).Obj().(*types.Func)
			fact.Methods[methodKey(fn, set.At(i).Type().(*types.Signature))] = funcID(fn)
			x.notePromoted(fn, x.place(spec))
		}
		x.out.Types = append(x.out.Types, fact)
	}
}

func methodKey(fn *types.Func, sig *types.Signature) string {
	name := fn.Name()
	if !fn.Exported() && fn.Pkg() != nil {
		name = fn.Pkg().Path() + "." + name
	}
	return name + " " + signatureKey(sig)
}

func interfaceFact(obj *types.TypeName, iface *types.Interface, at place) ifaceFact {
	fact := ifaceFact{ID: typeID(obj.Type()), Methods: map[string]string{}, Place: at}
	for i := range iface.NumMethods() {
		fn := iface.Method(i)
		fact.Methods[methodKey(fn, fn.Signature())] = funcID(fn)
	}
	return fact
}

// place gives a node's position: byte offsets from 0, line and byte column from 1.
func (x *extractor) place(node ast.Node) place { return x.placeOf(node.Pos(), node.End()) }

func (x *extractor) placeOf(from, to token.Pos) place {
	start, end := x.fset.PositionFor(from, false), x.fset.PositionFor(to, false)
	return place{File: x.file, Line: start.Line, Col: start.Column, Start: start.Offset, End: end.Offset}
}

func (x *extractor) offset(pos token.Pos) int { return x.fset.PositionFor(pos, false).Offset }
