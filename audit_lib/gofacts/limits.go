package main

import (
	"fmt"
	"go/ast"
	"go/types"
)

// Limits: what is read was written by others, and may be made so that reading it does not end. The work on a
// declaration may grow with its size and no faster; past that it is given up, by name, and the rest goes on. The work is
// counted in steps and not in seconds, so that the same input gives the same bytes on every machine.

const (
	// stepsPerNode is how many steps the work on a declaration may take for each node of its syntax. Code as people and
	// generators write it needs a dozen at most.
	stepsPerNode = 100
	// stepsToSpare is what all declarations of a package may take together beyond that, besides stepsPerNode for each
	// node of the package.
	stepsToSpare = 2_000_000
	// keptStep is what a fact costs that is kept until the end, in steps: memory is dearer than time.
	keptStep = 20
	// typeNodes is how long a type may be, written out; each `P[T, T]` of the last one doubles it.
	typeNodes = 10_000
	// joinedTargets is how many methods may stand for those of interfaces, and how many functions may be held by
	// variables, in the whole target.
	joinedTargets = 5_000_000
)

// A tooCostly is thrown where work is given up, and caught around the declaration that it was done for.
type tooCostly struct{ reason string }

// An effort counts the steps that are left: `own` to the declaration that is read, `spare` to all of its package.
type effort struct{ own, spare int }

// spend takes steps from what is left, and gives the work up where nothing is.
func (e *effort) spend(steps int) {
	e.own -= steps
	if e.own >= 0 {
		return
	}
	e.spare += e.own
	e.own = 0
	if e.spare < 0 {
		e.spare = 0
		panic(tooCostly{fmt.Sprintf("reading it takes more than %d steps for each part of it", stepsPerNode)})
	}
}

// allow gives a declaration its own steps.
func (e *effort) allow(root ast.Node) { e.own = stepsPerNode * countNodes(root) }

func countNodes(roots ...ast.Node) int {
	count := 0
	for _, root := range roots {
		ast.Inspect(root, func(n ast.Node) bool {
			count++
			return true
		})
	}
	return count
}

// inspect is ast.Inspect, counted.
func (x *extractor) inspect(root ast.Node, visit func(ast.Node) bool) {
	ast.Inspect(root, func(n ast.Node) bool {
		x.spend(1)
		return visit(n)
	})
}

// bounded reads a declaration. Where that is given up, what was found of it is dropped, and it is named with the reason:
// its sites are told by their syntax then.
func (x *extractor) bounded(name string, root ast.Node, read func()) {
	before := x.out.sizes()
	x.allow(root)
	defer func() {
		switch gone := recover().(type) {
		case nil:
		case tooCostly:
			x.out.cut(before)
			x.skip(name, root, gone.reason)
		default:
			panic(gone)
		}
	}()
	read()
}

// skip names a declaration that is not read.
func (x *extractor) skip(name string, root ast.Node, reason string) {
	at := x.place(root)
	x.out.Skipped = append(x.out.Skipped, skippedFact{Place: at, Reason: reason})
	x.out.Errors = append(x.out.Errors, fmt.Sprintf("%s:%d: %s: %s: its sites are for review", at.File, at.Line, name, reason))
}

// A factSizes says how many facts of each kind there are that come from declarations.
type factSizes [11]int

func (f *packageFacts) sizes() factSizes {
	return factSizes{
		len(f.Funcs), len(f.Sources), len(f.Calls), len(f.Sites), len(f.Types), len(f.Ifaces), len(f.Holds),
		len(f.Forwards), len(f.Holders), len(f.Implements), len(f.Demands),
	}
}

func (f *packageFacts) cut(to factSizes) {
	f.Funcs, f.Sources, f.Calls, f.Sites = f.Funcs[:to[0]], f.Sources[:to[1]], f.Calls[:to[2]], f.Sites[:to[3]]
	f.Types, f.Ifaces, f.Holds, f.Forwards = f.Types[:to[4]], f.Ifaces[:to[5]], f.Holds[:to[6]], f.Forwards[:to[7]]
	f.Holders, f.Implements, f.Demands = f.Holders[:to[8]], f.Implements[:to[9]], f.Demands[:to[10]]
}

// checkSize gives the work up where a type, written out, is longer than any that people write: `P[T, T]` of itself,
// again and again, is twice as long each time.
func checkSize(t types.Type) {
	left := typeNodes
	if countType(t, &left); left <= 0 {
		panic(tooCostly{fmt.Sprintf("a type has more than %d parts when it is written out", typeNodes)})
	}
}

// countType takes the parts of a type, as it is written, from what is left.
func countType(t types.Type, left *int) {
	if *left--; *left <= 0 || t == nil {
		return
	}
	tuple := func(list *types.Tuple) {
		for i := 0; i < list.Len() && *left > 0; i++ {
			countType(list.At(i).Type(), left)
		}
	}
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		for i := 0; i < t.TypeArgs().Len() && *left > 0; i++ {
			countType(t.TypeArgs().At(i), left)
		}
	case *types.Pointer:
		countType(t.Elem(), left)
	case *types.Slice:
		countType(t.Elem(), left)
	case *types.Array:
		countType(t.Elem(), left)
	case *types.Chan:
		countType(t.Elem(), left)
	case *types.Map:
		countType(t.Key(), left)
		countType(t.Elem(), left)
	case *types.Signature:
		tuple(t.Params())
		tuple(t.Results())
	case *types.Tuple:
		tuple(t)
	case *types.Struct:
		for i := 0; i < t.NumFields() && *left > 0; i++ {
			countType(t.Field(i).Type(), left)
		}
	case *types.Interface:
		for i := 0; i < t.NumExplicitMethods() && *left > 0; i++ {
			countType(t.ExplicitMethod(i).Type(), left)
		}
		for i := 0; i < t.NumEmbeddeds() && *left > 0; i++ {
			countType(t.EmbeddedType(i), left)
		}
	case *types.Union:
		for i := 0; i < t.Len() && *left > 0; i++ {
			countType(t.Term(i).Type(), left)
		}
	}
}
