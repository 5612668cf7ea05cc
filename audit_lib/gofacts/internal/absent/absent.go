// Package absent finds where what an expression names is not there: it was tested to be nil, its assertion or look-up
// has failed, or it came with an error. Whoever reads from it there comes to nothing, or panics.
package absent

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// A Name is a variable, and the fields and calls without arguments behind it: `h.Request.Context()`.
type Name struct {
	Base *types.Var
	Path string // ".Request.Context()"
}

// An Absence is a part of the code in which what a name stands for is not there, or may not be.
type Absence struct {
	Name            // without a base where a switch over types has come to none that would do
	Type types.Type // of what is not there
	Told bool       // by an error or a flag that came with it, and not by a test of itself
	From token.Pos
	To   token.Pos

	given [][2]token.Pos // where it has been given something since
	sure  bool           // and not only one of several reasons for which a branch is taken
	place ast.Node       // the block that it is behind or in
}

// Covers tells whether a position is where the name stands for nothing.
func (a Absence) Covers(pos token.Pos) bool {
	if pos < a.From || pos >= a.To {
		return false
	}
	for _, part := range a.given {
		if part[0] <= pos && pos < part[1] {
			return false
		}
	}
	return true
}

// Parts lists where the name stands for nothing, in order, without what comes behind a value that it is given.
func (a Absence) Parts() [][2]token.Pos {
	from := a.From
	var parts [][2]token.Pos
	for _, part := range a.given {
		if from < part[0] {
			parts = append(parts, [2]token.Pos{from, min(part[0], a.To)})
		}
		from = max(from, part[1])
	}
	if from < a.To {
		parts = append(parts, [2]token.Pos{from, a.To})
	}
	return parts
}

// Leads tells whether a name is a part of another, or all of it: without `h.r` there is no `h.r.Context()`.
func (n Name) Leads(other Name) bool {
	rest, found := strings.CutPrefix(other.Path, n.Path)
	return found && n.Base == other.Base && (rest == "" || rest[0] == '.')
}

// A Reader is what code is read with: types, whether a value of one gives a context, whether statements do not go on to
// what stands behind their block, and who counts the steps.
type Reader struct {
	Info   *types.Info
	Gives  func(types.Type) bool
	Leaves func([]ast.Stmt) bool
	Spend  func(int)
}

// Find lists the absences in a declaration, in the order of the tests that tell of them.
func Find(reader Reader, root ast.Node) []Absence {
	f := &finder{Reader: reader, latest: map[types.Object]*setting{}}
	var stack []ast.Node
	ast.Inspect(root, func(n ast.Node) bool {
		f.Spend(1)
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		f.visit(n, stack)
		stack = append(stack, n)
		return true
	})
	if len(f.found) == 0 {
		return nil
	}
	return f.settled(root)
}

const maxParts = 12 // of a name: longer ones are nobody's

// NameOf gives the name that an expression is, or one without a base.
func NameOf(info *types.Info, e ast.Expr) Name { return nameOf(info, e, maxParts) }

func nameOf(info *types.Info, e ast.Expr, left int) Name {
	if left == 0 {
		return Name{}
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		obj := info.Uses[e]
		if obj == nil {
			obj = info.Defs[e]
		}
		v, _ := obj.(*types.Var)
		return Name{Base: v}
	case *ast.SelectorExpr:
		if name := nameOf(info, e.X, left-1); name.Base != nil {
			return Name{name.Base, name.Path + "." + e.Sel.Name}
		}
		if v, ok := info.Uses[e.Sel].(*types.Var); ok && !v.IsField() {
			return Name{Base: v} // of another package
		}
	case *ast.CallExpr:
		if name := nameOf(info, e.Fun, left-1); len(e.Args) == 0 && strings.Contains(name.Path, ".") {
			return Name{name.Base, name.Path + "()"}
		}
	}
	return Name{}
}

// A finder goes over a declaration once, in the order in which it is written.
type finder struct {
	Reader
	latest map[types.Object]*setting // what a variable was last set by
	found  []Absence
	writes []write
}

// A setting is an assignment or a declaration: what it sets, and what to.
type setting struct {
	left, right []ast.Expr
	from, to    token.Pos
}

// A write gives what a name stands for something, up to the end of a block.
type write struct {
	name     Name
	from, to token.Pos
}

func (f *finder) visit(n ast.Node, stack []ast.Node) {
	switch n := n.(type) {
	case *ast.AssignStmt:
		f.set(n)
		f.write(n, stack)
	case *ast.ValueSpec:
		f.declare(n)
	case *ast.IfStmt:
		f.test(n, stack)
	case *ast.BinaryExpr:
		f.shortCircuit(n)
	case *ast.SwitchStmt:
		f.choose(n, stack)
	case *ast.TypeSwitchStmt:
		f.chooseType(n)
	}
}

func (f *finder) set(n ast.Stmt) {
	if assign, ok := n.(*ast.AssignStmt); ok && (assign.Tok == token.ASSIGN || assign.Tok == token.DEFINE) {
		f.note(&setting{assign.Lhs, assign.Rhs, assign.Pos(), assign.End()})
	}
}

func (f *finder) declare(spec *ast.ValueSpec) {
	left := make([]ast.Expr, len(spec.Names))
	for i, name := range spec.Names {
		left[i] = name
	}
	f.note(&setting{left, spec.Values, spec.Pos(), spec.End()})
}

func (f *finder) note(made *setting) {
	f.Spend(len(made.left))
	for _, left := range made.left {
		if name := NameOf(f.Info, left); name.Base != nil && name.Path == "" {
			f.latest[name.Base] = made
		}
	}
}

func (f *finder) write(n *ast.AssignStmt, stack []ast.Node) {
	end := n.End()
	if len(stack) > 0 {
		end = stack[len(stack)-1].End()
	}
	for _, left := range n.Lhs {
		if name := NameOf(f.Info, left); name.Base != nil {
			f.writes = append(f.writes, write{name, n.End(), end})
		}
	}
}

// test takes what an `if` tells: of its branches, and of what is behind it where one of them leaves.
func (f *finder) test(n *ast.IfStmt, stack []ast.Node) {
	f.set(n.Init)
	holds, fails := f.lacks(n.Cond, 0)
	f.within(n.Body, n.Body.Pos(), holds)
	if n.Else != nil {
		f.within(n.Else, n.Else.Pos(), fails)
	}
	if f.Leaves(n.Body.List) {
		f.behind(n, stack, fails)
	}
	other, _ := n.Else.(*ast.BlockStmt)
	if other != nil && f.Leaves(other.List) {
		f.behind(n, stack, holds)
	}
	f.before(n, n.Body, fails)
	if other != nil {
		f.before(n, other, holds)
	}
}

// within says that something is absent in a part of the code.
func (f *finder) within(n ast.Node, from token.Pos, lacks []lack) {
	f.add(n, from, n.End(), lacks)
}

// behind says that something is absent in the rest of the block that a statement is in.
func (f *finder) behind(statement ast.Node, stack []ast.Node, lacks []lack) {
	for i := len(stack) - 1; i >= 0 && len(lacks) > 0; i-- {
		f.Spend(1)
		switch outer := stack[i].(type) {
		case *ast.IfStmt:
			if outer.Else != statement || !f.Leaves(outer.Body.List) {
				return
			}
			statement = outer
		case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause:
			f.add(outer, statement.End(), outer.End(), lacks)
			return
		default:
			return
		}
	}
}

// before says that something may be absent where a context gets the value that it keeps unless a branch gives it
// another one: `ctx := root`, and then `if r != nil { ctx = r.Context() }`.
func (f *finder) before(n ast.Node, branch *ast.BlockStmt, lacks []lack) {
	for _, statement := range branch.List {
		assign, ok := statement.(*ast.AssignStmt)
		if !ok || assign.Tok != token.ASSIGN || len(lacks) == 0 {
			continue
		}
		f.Spend(len(assign.Lhs))
		for _, left := range assign.Lhs {
			name := NameOf(f.Info, left)
			if name.Base == nil || name.Path != "" || !f.Gives(name.Base.Type()) {
				continue
			}
			if made := f.latest[name.Base]; made != nil && made.to <= n.Pos() {
				f.add(n, made.from, made.to, sureOf(lacks))
			}
		}
	}
}

// shortCircuit takes what the left side of `&&` and `||` tells of the right one.
func (f *finder) shortCircuit(n *ast.BinaryExpr) {
	if n.Op != token.LAND && n.Op != token.LOR {
		return
	}
	holds, fails := f.lacks(n.X, 0)
	if n.Op == token.LOR {
		holds = fails
	}
	f.within(n.Y, n.Y.Pos(), holds)
}

// choose takes what the cases of a switch tell: of themselves, of those behind them, and of what is behind the switch.
func (f *finder) choose(n *ast.SwitchStmt, stack []ast.Node) {
	f.set(n.Init)
	var other *ast.CaseClause
	for _, clause := range n.Body.List {
		if clause := clause.(*ast.CaseClause); clause.List == nil {
			other = clause
		}
	}
	for _, clause := range n.Body.List {
		clause := clause.(*ast.CaseClause)
		var holds, fails []lack
		for _, e := range clause.List {
			yes, no := f.lacksCase(n.Tag, e)
			holds, fails = append(holds, yes...), append(fails, no...)
		}
		if len(clause.List) > 1 {
			holds = unsureOf(holds)
		}
		f.within(clause, clause.Colon, holds)
		f.add(n.Body, clause.End(), n.Body.End(), fails)
		if other != nil && other.Pos() < clause.Pos() {
			f.within(other, other.Colon, fails)
		}
		if f.Leaves(clause.Body) {
			f.behind(n, stack, fails)
		}
	}
}

func (f *finder) lacksCase(tag, e ast.Expr) (holds, fails []lack) {
	if tag == nil {
		return f.lacks(e, 0)
	}
	if f.isNil(e) {
		return f.lacksNil(tag, e)
	}
	return nil, nil
}

// chooseType takes what a switch over types tells: where one case has what gives a context, the others do not.
func (f *finder) chooseType(n *ast.TypeSwitchStmt) {
	var given types.Type
	var rest []*ast.CaseClause
	for _, clause := range n.Body.List {
		clause := clause.(*ast.CaseClause)
		if t := f.givenBy(clause); t != nil {
			given = t
		} else {
			rest = append(rest, clause)
		}
	}
	for _, clause := range rest {
		if given != nil {
			f.found = append(f.found, Absence{Type: given, Told: true, From: clause.Colon, To: clause.End(), sure: true})
		}
	}
}

func (f *finder) givenBy(clause *ast.CaseClause) types.Type {
	f.Spend(1 + len(clause.List))
	for _, e := range clause.List {
		if t := f.Info.TypeOf(e); t != nil && !f.isNil(e) && f.Gives(t) {
			return t
		}
	}
	return nil
}

func (f *finder) isNil(e ast.Expr) bool {
	ident, ok := ast.Unparen(e).(*ast.Ident)
	return ok && f.Info.Uses[ident] == types.Universe.Lookup("nil")
}

func (f *finder) add(place ast.Node, from, to token.Pos, lacks []lack) {
	f.Spend(len(lacks))
	for _, one := range lacks {
		f.found = append(f.found, Absence{
			Name: one.Name, Type: one.typ, Told: one.told, From: from, To: to, sure: one.sure, place: place,
		})
	}
}

// settled leaves out what is given something again, and what is only one of several reasons for a branch in which it is
// used all the same.
func (f *finder) settled(root ast.Node) []Absence {
	used := f.usedPlainly(root)
	kept := f.found[:0]
	for _, one := range f.found {
		f.Spend(1 + len(f.writes)/8)
		if !one.sure && used(one) {
			continue
		}
		for _, w := range f.writes {
			if one.From < w.from && w.from <= one.To && w.name.Leads(one.Name) && one.Base != nil {
				one.given = append(one.given, [2]token.Pos{w.from, w.to})
			}
		}
		kept = append(kept, one)
	}
	return kept
}
