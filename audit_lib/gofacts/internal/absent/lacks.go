package absent

import (
	"go/ast"
	"go/token"
	"go/types"
)

// What conditions tell: of which names, where they hold and where they do not.

// A lack is a name that stands for nothing where a condition holds, or where it does not.
type lack struct {
	Name
	typ  types.Type
	told bool // by what came with it
	sure bool // the condition says that, and not that or something else
}

const maxDepth = 4 // of conditions that variables hold, one made of the other

// lacks gives what is not there where a condition holds, and where it fails.
func (f *finder) lacks(cond ast.Expr, depth int) (holds, fails []lack) {
	f.Spend(1)
	switch e := ast.Unparen(cond).(type) {
	case *ast.UnaryExpr:
		if e.Op == token.NOT {
			fails, holds = f.lacks(e.X, depth)
		}
	case *ast.BinaryExpr:
		return f.lacksBinary(e, depth)
	case *ast.Ident:
		return f.lacksFlag(e, depth)
	}
	return holds, fails
}

func (f *finder) lacksBinary(e *ast.BinaryExpr, depth int) (holds, fails []lack) {
	switch e.Op {
	case token.LAND, token.LOR:
		holds, fails = f.lacks(e.X, depth)
		otherHolds, otherFails := f.lacks(e.Y, depth)
		holds, fails = append(holds, otherHolds...), append(fails, otherFails...)
		if e.Op == token.LAND {
			return holds, unsureOf(fails)
		}
		return unsureOf(holds), fails
	case token.EQL, token.NEQ:
		if f.isNil(e.Y) {
			holds, fails = f.lacksNil(e.X, e)
		} else if f.isNil(e.X) {
			holds, fails = f.lacksNil(e.Y, e)
		}
		if e.Op == token.NEQ {
			holds, fails = fails, holds
		}
	}
	return holds, fails
}

// lacksNil gives what is not there where an expression is nil, and where it is not: what comes with an error.
func (f *finder) lacksNil(e ast.Expr, at ast.Node) (holds, fails []lack) {
	name := NameOf(f.Info, e)
	t := f.Info.TypeOf(e)
	if name.Base == nil || t == nil {
		return nil, nil
	}
	if types.Identical(t, types.Universe.Lookup("error").Type()) {
		return nil, f.beside(name, at)
	}
	return []lack{{Name: name, typ: t, sure: true}}, nil
}

// lacksFlag gives what a variable tells that is true or false: the outcome of a test, or whether there is what it came
// with.
func (f *finder) lacksFlag(e *ast.Ident, depth int) (holds, fails []lack) {
	name := NameOf(f.Info, e)
	made := f.latest[name.Base]
	if name.Base == nil || made == nil || depth >= maxDepth {
		return nil, nil
	}
	if len(made.left) == len(made.right) {
		for i, left := range made.left {
			if NameOf(f.Info, left) == name && made.to <= e.Pos() {
				return f.lacks(made.right[i], depth+1)
			}
		}
	}
	return nil, f.beside(name, e)
}

// beside gives what was set together with an error or a flag, by one call, assertion or look-up.
func (f *finder) beside(flag Name, at ast.Node) []lack {
	made := f.latest[flag.Base]
	if made == nil || flag.Path != "" || len(made.right) != 1 || len(made.left) < 2 || made.to > at.Pos() {
		return nil
	}
	var found []lack
	f.Spend(len(made.left))
	for _, left := range made.left {
		name := NameOf(f.Info, left)
		if name.Base != nil && name != flag && name.Path == "" && f.latest[name.Base] == made && f.Gives(name.Base.Type()) {
			found = append(found, lack{Name: name, typ: name.Base.Type(), told: true, sure: true})
		}
	}
	return found
}

func sureOf(lacks []lack) []lack   { return with(lacks, true) }
func unsureOf(lacks []lack) []lack { return with(lacks, false) }

func with(lacks []lack, sure bool) []lack {
	found := make([]lack, len(lacks))
	for i, one := range lacks {
		one.sure = sure
		found[i] = one
	}
	return found
}

// usedPlainly tells of an absence that is not sure whether something is read from the name in its part of the code, in
// the block itself and behind no test: then it is there.
func (f *finder) usedPlainly(root ast.Node) func(Absence) bool {
	reads := map[Name][]read{}
	var stack []ast.Node
	unsure := false
	for _, one := range f.found {
		unsure = unsure || !one.sure
	}
	if unsure {
		ast.Inspect(root, func(n ast.Node) bool {
			f.Spend(1)
			if n == nil {
				stack = stack[:len(stack)-1]
				return true
			}
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if name := NameOf(f.Info, sel.X); name.Base != nil {
					reads[name] = append(reads[name], read{sel.Pos(), blockOf(stack)})
				}
			}
			stack = append(stack, n)
			return true
		})
	}
	return func(one Absence) bool {
		f.Spend(len(reads[one.Name]))
		for _, r := range reads[one.Name] {
			if one.From <= r.at && r.at < one.To && r.block == one.place && r.block != nil {
				return true
			}
		}
		return false
	}
}

// A read is where something is read from a name, and in which block; in none where a condition stands before it.
type read struct {
	at    token.Pos
	block ast.Node
}

func blockOf(stack []ast.Node) ast.Node {
	for i := len(stack) - 1; i >= 0; i-- {
		switch n := stack[i].(type) {
		case *ast.BinaryExpr:
			if n.Op == token.LAND || n.Op == token.LOR {
				return nil
			}
		case *ast.FuncLit:
			return nil
		case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause:
			return n
		}
	}
	return nil
}
