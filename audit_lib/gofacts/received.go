package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"sort"
	"strings"
)

// What was received before a place is reached: the end of a context, of the process, of a timer.

// An end says what may have been received, as a set.
type end uint8

const (
	doneEnd   end = 1 << iota // a context's end
	signalEnd                 // the process's
	stopEnd                   // another channel's, or what somebody else's cancel function ends
	tickEnd                   // a timer's
)

var endNames = []struct {
	end  end
	name string
}{{doneEnd, "after_done"}, {signalEnd, "after_signal"}, {stopEnd, "after_stop"}, {tickEnd, "after_tick"}}

// names lists what was received, as flags.
func (e end) names() []string {
	var names []string
	for _, known := range endNames {
		if e&known.end != 0 {
			names = append(names, known.name)
		}
	}
	return names
}

// endsBefore tells what was received before a node of a declaration is reached, within its function: by the statements
// before it in its block and in those around, and by the case that it is in.
func (d *decl) endsBefore(n ast.Node) end {
	var climbed []ast.Node
	var found end
	for child := n; ; {
		if known, ok := d.received[child]; ok {
			found = known
			break
		}
		climbed = append(climbed, child)
		if _, literal := child.(*ast.FuncLit); literal {
			break
		}
		outer := d.parent(child)
		if outer == nil {
			break
		}
		child = outer
	}
	for i := len(climbed) - 1; i >= 0; i-- {
		if _, literal := climbed[i].(*ast.FuncLit); literal {
			found = 0
			if d.isClosing(climbed[i]) {
				found = stopEnd
			}
		} else {
			found |= d.endsWithin(climbed[i])
		}
		if _, statement := climbed[i].(ast.Stmt); statement {
			d.received[climbed[i]] = found
		}
	}
	return found
}

// endsWithin tells what the block or the case that a node stands in has received before it.
func (d *decl) endsWithin(n ast.Node) end {
	switch outer := d.parent(n).(type) {
	case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause:
		block := d.blockEnds(outer)
		found := end(0)
		for _, first := range block.first {
			if n.Pos() < block.from || n.Pos() > first.pos {
				found |= first.end
			}
		}
		if clause, ok := outer.(*ast.CommClause); ok && n != ast.Node(clause.Comm) {
			found |= block.comm
		}
		return found
	}
	return 0
}

// A blockEnds says from which statement on a block has received something, and what its case has.
type blockEnds struct {
	from  token.Pos // of its first statement
	first []firstEnd
	comm  end
}

// A firstEnd is the first statement that receives something; all behind it come after that.
type firstEnd struct {
	end end
	pos token.Pos
}

// blockEnds goes over the statements of a block once, however many places in it are asked for.
func (d *decl) blockEnds(block ast.Node) *blockEnds {
	if known := d.blocks[block]; known != nil {
		return known
	}
	b := new(blockEnds)
	d.blocks[block] = b
	var list []ast.Stmt
	switch block := block.(type) {
	case *ast.BlockStmt:
		list = block.List
	case *ast.CaseClause:
		list = block.Body
	case *ast.CommClause:
		list = block.Body
		if block.Comm != nil {
			b.comm = d.receives(block.Comm)
		}
	}
	if len(list) > 0 {
		b.from = list[0].Pos()
	}
	var all end
	for _, stmt := range list {
		if found := d.endsBy(stmt, block, all) &^ all; found != 0 {
			all |= found
			b.first = append(b.first, firstEnd{found, stmt.Pos()})
		}
	}
	return b
}

// endsBy tells what is received by a statement of a block, where what is `known` already need not be looked for.
func (d *decl) endsBy(stmt ast.Stmt, block ast.Node, known end) end {
	d.spend(1)
	var found end
	switch s := stmt.(type) {
	case *ast.ExprStmt:
		if !d.isPause(s) {
			found = d.receives(s)
		}
	case *ast.SelectStmt:
		if d.onlyEnds(s) {
			found = d.receives(s)
		}
	}
	if d.cancels && (found|known)&stopEnd == 0 && d.endsOthers(stmt, block) {
		found |= stopEnd
	}
	return found
}

// onlyEnds tells whether a select goes on only when something has ended: all of its cases wait for that, or return.
func (x *extractor) onlyEnds(s *ast.SelectStmt) bool {
	goesOn := false
	for _, clause := range s.Body.List {
		clause := clause.(*ast.CommClause)
		if n := len(clause.Body); n > 0 && isReturn(clause.Body[n-1]) {
			continue
		}
		goesOn = true
		if clause.Comm == nil || x.receives(clause.Comm)&(doneEnd|signalEnd|stopEnd) == 0 {
			return false
		}
	}
	return goesOn
}

// receives tells what a statement receives; not in literals.
func (x *extractor) receives(n ast.Node) end {
	var found end
	x.inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.BlockStmt:
			_, block := n.(*ast.BlockStmt)
			return block
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				found |= x.receivedFrom(n.X)
			}
		}
		return true
	})
	return found
}

// receivedFrom tells what a channel stands for; nothing where that is a value.
func (x *extractor) receivedFrom(channel ast.Expr) end {
	if call, ok := ast.Unparen(channel).(*ast.CallExpr); ok {
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Done" && isContext(x.info.TypeOf(sel.X)) {
			return doneEnd
		}
	}
	if t := x.info.TypeOf(channel); t != nil {
		if c, ok := t.Underlying().(*types.Chan); ok {
			switch typeID(c.Elem()) {
			case "os.Signal":
				return signalEnd
			case "time.Time":
				return tickEnd
			}
			if s, ok := c.Elem().Underlying().(*types.Struct); ok && s.NumFields() == 0 && namesEnd(channel) {
				return stopEnd
			}
		}
	}
	return 0
}

// namesEnd tells a channel that says when to end from one that says when to begin; only its name does.
func namesEnd(channel ast.Expr) bool {
	name := ""
	switch e := ast.Unparen(channel).(type) {
	case *ast.Ident:
		name = e.Name
	case *ast.SelectorExpr:
		name = e.Sel.Name
	case *ast.CallExpr:
		return namesEnd(e.Fun)
	}
	name = strings.ToLower(name)
	for _, word := range []string{"stop", "quit", "done", "clos", "exit", "shut", "end", "cancel", "term", "kill"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// assigns tells whether something in a part of a file is assigned to a field.
func (x *extractor) assigns(scope ast.Node, field types.Object) bool {
	if x.stored == nil {
		x.stored = map[types.Object][]token.Pos{}
		for _, file := range x.files {
			ast.Inspect(file, x.noteStore)
		}
	}
	places := x.stored[field]
	i := sort.Search(len(places), func(i int) bool { return places[i] >= scope.Pos() })
	return field != nil && i < len(places) && places[i] < scope.End()
}

func (x *extractor) noteStore(n ast.Node) bool {
	if assign, ok := n.(*ast.AssignStmt); ok {
		for _, left := range assign.Lhs {
			if sel, ok := ast.Unparen(left).(*ast.SelectorExpr); ok {
				field := x.info.Uses[sel.Sel]
				x.stored[field] = append(x.stored[field], sel.Pos())
			}
		}
	}
	return true
}
