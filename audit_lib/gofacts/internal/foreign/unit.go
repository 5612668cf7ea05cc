package foreign

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"ctxaudit/gofacts/internal/idents"
)

// A Unit is one package of which bodies are read.
type Unit struct {
	Path  string
	fset  *token.FileSet
	info  *types.Info
	pkg   *types.Package
	decls map[string]*ast.FuncDecl // by `Type.Method` or `Name`
	whole map[*ast.FuncDecl]*ast.BlockStmt
	read  map[*ast.FuncDecl]*body
	given map[*types.Interface][]*types.Named // implementers in the package
}

// A body is a function whose body has types.
type body struct {
	decl    *ast.FuncDecl
	block   *ast.BlockStmt
	params  []*types.Var // nil for those without a name
	recv    *types.Var
	results map[*types.Var]bool
	parents map[ast.Node]ast.Node
	uses    map[types.Object][]*ast.Ident
	fresh   map[*types.Var]bool         // variables that hold only what is made here
	lits    map[*types.Var]*ast.FuncLit // literals by the one variable that holds them
	fates   map[ast.Expr]Effects        // what is done with literals
	flight  int                         // 0: not looked for yet
	put     token.Pos
}

// NewUnit checks the declarations of a package. Errors do not matter: what is known is used.
func NewUnit(path string, fset *token.FileSet, files []*ast.File, conf types.Config) *Unit {
	u := &Unit{
		Path: path, fset: fset, decls: map[string]*ast.FuncDecl{}, whole: map[*ast.FuncDecl]*ast.BlockStmt{},
		read: map[*ast.FuncDecl]*body{}, given: map[*types.Interface][]*types.Named{},
		info: &types.Info{
			Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{},
			Uses: map[*ast.Ident]types.Object{}, Implicits: map[ast.Node]types.Object{},
			Selections: map[*ast.SelectorExpr]*types.Selection{}, Instances: map[*ast.Ident]types.Instance{},
		},
	}
	for _, file := range files {
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok {
				u.take(fn)
			}
		}
	}
	conf.Error = func(error) {}
	u.pkg, _ = conf.Check(path, fset, files, u.info)
	for fn, block := range u.whole {
		fn.Body = block
	}
	return u
}

// take notes a function, and takes its body away where that can be checked by itself: not where it has type parameters.
func (u *Unit) take(fn *ast.FuncDecl) {
	name, generic := fn.Name.Name, fn.Type.TypeParams != nil
	if fn.Recv != nil && len(fn.Recv.List) == 1 {
		t := ast.Unparen(fn.Recv.List[0].Type)
		if star, ok := t.(*ast.StarExpr); ok {
			t = ast.Unparen(star.X)
		}
		switch indexed := t.(type) {
		case *ast.IndexExpr:
			t, generic = indexed.X, true
		case *ast.IndexListExpr:
			t, generic = indexed.X, true
		}
		if ident, ok := t.(*ast.Ident); ok {
			name = ident.Name + "." + name
		}
	}
	if name != "_" && name != "init" {
		u.decls[name] = fn
	}
	if !generic && fn.Body != nil {
		u.whole[fn] = fn.Body
		fn.Body = nil
	}
}

// body gives a function's body with types, or nil where it has none that could be checked.
func (u *Unit) body(fn *ast.FuncDecl) *body {
	known, ok := u.read[fn]
	if ok {
		return known
	}
	u.read[fn] = nil
	if fn.Body == nil || u.pkg == nil {
		return nil
	}
	if _, apart := u.whole[fn]; apart {
		// A method's receiver is its first parameter here: the body is the same.
		all := &ast.FieldList{Opening: fn.Type.Params.Opening, Closing: fn.Type.Params.Closing}
		if fn.Recv != nil {
			all.List = append(all.List, fn.Recv.List...)
		}
		all.List = append(all.List, fn.Type.Params.List...)
		typ := &ast.FuncType{Func: fn.Type.Func, Params: all, Results: fn.Type.Results}
		if err := types.CheckExpr(u.fset, u.pkg, fn.Pos(), &ast.FuncLit{Type: typ, Body: fn.Body}, u.info); err != nil {
			return nil
		}
	}
	b := &body{
		decl: fn, block: fn.Body, results: map[*types.Var]bool{}, parents: map[ast.Node]ast.Node{},
		uses: map[types.Object][]*ast.Ident{}, fresh: map[*types.Var]bool{}, lits: map[*types.Var]*ast.FuncLit{},
		fates: map[ast.Expr]Effects{},
	}
	for _, v := range u.named(fn.Recv) {
		b.recv = v
	}
	b.params = u.named(fn.Type.Params)
	for _, v := range u.named(fn.Type.Results) {
		if v != nil {
			b.results[v] = true
		}
	}
	u.index(b)
	u.read[fn] = b
	return b
}

// named lists the variables of a parameter list, nil for those without a name.
func (u *Unit) named(list *ast.FieldList) []*types.Var {
	var found []*types.Var
	if list == nil {
		return nil
	}
	for _, field := range list.List {
		if len(field.Names) == 0 {
			found = append(found, nil)
		}
		for _, name := range field.Names {
			v, _ := u.info.Defs[name].(*types.Var)
			if name.Name == "_" {
				v = nil
			}
			found = append(found, v)
		}
	}
	return found
}

// index notes what stands around each node of a body, where variables are used, and which hold only what is made here.
func (u *Unit) index(b *body) {
	var around []ast.Node
	old := map[*types.Var]bool{}
	ast.Inspect(b.block, func(n ast.Node) bool {
		if n == nil {
			around = around[:len(around)-1]
			return true
		}
		if len(around) > 0 {
			b.parents[n] = around[len(around)-1]
		}
		around = append(around, n)
		switch n := n.(type) {
		case *ast.Ident:
			if obj := u.info.Uses[n]; obj != nil {
				b.uses[obj] = append(b.uses[obj], n)
			}
		case *ast.AssignStmt:
			for i, left := range n.Lhs {
				var right ast.Expr
				if len(n.Lhs) == len(n.Rhs) {
					right = n.Rhs[i]
				}
				u.noteMade(b, left, right, old)
			}
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if len(n.Values) == len(n.Names) {
					u.noteMade(b, name, n.Values[i], old)
				} else if v, ok := u.info.Defs[name].(*types.Var); ok && len(n.Values) == 0 {
					b.fresh[v] = true
				}
			}
		}
		return true
	})
	for v := range old {
		delete(b.fresh, v)
		delete(b.lits, v)
	}
}

func (u *Unit) noteMade(b *body, left, right ast.Expr, old map[*types.Var]bool) {
	v := u.variable(left)
	if v == nil {
		return
	}
	if lit, ok := right.(*ast.FuncLit); ok {
		if _, twice := b.lits[v]; twice {
			old[v] = true
		}
		b.lits[v] = lit
		return
	}
	if right == nil || !u.isMade(right) {
		old[v] = true
		return
	}
	b.fresh[v] = true
}

// isMade tells an expression that makes something new: a literal, `new`, `make`, `append`.
func (u *Unit) isMade(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.CompositeLit:
		return true
	case *ast.UnaryExpr:
		return e.Op == token.AND && u.isMade(e.X)
	case *ast.CallExpr:
		name, ok := ast.Unparen(e.Fun).(*ast.Ident)
		return ok && (name.Name == "new" || name.Name == "make" || name.Name == "append")
	}
	return false
}

// variable gives the local variable, parameter or package's variable that an expression names, or nil.
func (u *Unit) variable(e ast.Expr) *types.Var { return idents.Variable(u.info, e) }

// callee gives the declared function or method that a call names, or nil.
func (u *Unit) callee(call *ast.CallExpr) *types.Func {
	fn := idents.Callee(u.info, call)
	if fn != nil {
		fn = fn.Origin()
	}
	return fn
}

// implementers lists the types of the package that have all methods of an interface.
func (u *Unit) implementers(iface *types.Interface) []*types.Named {
	if known, ok := u.given[iface]; ok {
		return known
	}
	var found []*types.Named
	scope := u.pkg.Scope()
	for _, name := range scope.Names() {
		obj, ok := scope.Lookup(name).(*types.TypeName)
		if !ok || obj.IsAlias() || types.IsInterface(obj.Type()) {
			continue
		}
		named, ok := obj.Type().(*types.Named)
		if ok && named.TypeParams().Len() == 0 && types.Implements(types.NewPointer(named), iface) {
			found = append(found, named)
		}
	}
	u.given[iface] = found
	return found
}

// funcID names a function as facts do: `path.Name`, `path.Type.Method`.
func funcID(fn *types.Func) string {
	if id := idents.Declared(fn); id != "" {
		return id
	}
	path := "builtin"
	if fn.Pkg() != nil {
		path = fn.Pkg().Path()
	}
	return path + ".interface." + fn.Name()
}

func isContext(t types.Type) bool {
	if t == nil {
		return false
	}
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "context" && named.Obj().Name() == "Context"
}

// splitID parts a function's name into its package, which must be one of those known, and the name in it.
func splitID(id string, known func(path string) bool) (path, name string) {
	slash := strings.LastIndexByte(id, '/') + 1
	for i := len(id) - 1; i > slash; i-- {
		if id[i] == '.' && known(id[:i]) {
			return id[:i], id[i+1:]
		}
	}
	return "", ""
}
