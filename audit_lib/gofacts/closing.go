package main

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"
	"unicode"
)

// Callbacks that run when something has ended, by their names and by what stands beside them: `Cleanup(session)` of an
// interface whose `Setup(session)` has the same carrier, `OnStoppedLeading` beside `OnStartedLeading(ctx)`.

// over are the words that say of what something carries a context for that it is over.
var over = []string{
	"Cleanup", "Clean", "Teardown", "Tear", "Revoked", "Lost", "Stop", "Stopped", "Close", "Closed", "Ended", "Finished",
	"Terminated", "Disconnected", "Expired", "Shutdown",
}

// closes tells whether a name says that something is over: `Cleanup`, `OnClose`, `OnStoppedLeading`, and not `StopJob`,
// which says what a caller wants. Its last word does, or one behind `On` or `After`.
func closes(name string) bool {
	all := wordsOf(name)
	if len(all) == 0 {
		return false
	}
	if all[0] == "On" || all[0] == "After" {
		return slices.ContainsFunc(all[1:], func(word string) bool { return slices.Contains(over, word) })
	}
	if all[0] == "Tear" || all[0] == "Clean" {
		return len(all) == 2 && (all[1] == "Down" || all[1] == "Up")
	}
	return slices.Contains(over, all[len(all)-1])
}

// wordsOf parts a name at its capital letters.
func wordsOf(name string) []string {
	var all []string
	start := 0
	for i, letter := range name {
		if i > 0 && unicode.IsUpper(letter) {
			all, start = append(all, name[start:i]), i
		}
	}
	return append(all, name[start:])
}

// isClosing tells whether a function is given to a field of another module's struct that is called when something has
// ended, beside one that is called with its context.
func (d *decl) isClosing(f ast.Node) bool {
	pair, ok := d.parent(f).(*ast.KeyValueExpr)
	if !ok || pair.Value != f {
		return false
	}
	key, named := pair.Key.(*ast.Ident)
	literal, made := d.parent(pair).(*ast.CompositeLit)
	if !named || !made || !closes(key.Name) || d.isOurs(d.info.TypeOf(literal)) {
		return false
	}
	fields := structOf(d.info.TypeOf(literal))
	for i := 0; fields != nil && i < fields.NumFields(); i++ {
		d.spend(1)
		field := fields.Field(i)
		sig, function := field.Type().Underlying().(*types.Signature)
		if function && field.Name() != key.Name && !closes(field.Name()) && d.takesContext(sig) {
			return true
		}
	}
	return false
}

// isInClosing tells whether a node stands in a literal that is called when something has ended.
func (d *decl) isInClosing(n ast.Node) bool {
	lit := d.literalAround(n)
	return lit != nil && d.isClosing(lit)
}

func (d *decl) takesContext(sig *types.Signature) bool {
	for i := range sig.Params().Len() {
		if d.giverOf(sig.Params().At(i).Type()) != nil {
			return true
		}
	}
	return false
}

// endCarried tells where carriers have ended by contract: in methods of another module's interface that are called at
// the end of what a sibling is called with. A request lives as long as who serves it.
func (l *linked) endCarried() {
	beside := map[string][]*funcFact{} // the methods of a type that implement one interface
	for _, id := range sorted(l.funcs) {
		fn := l.funcs[id]
		for _, method := range fn.ClosedBy {
			key := fn.Recv + " " + interfaceOf(method)
			beside[key] = append(beside[key], fn)
		}
	}
	for _, facts := range l.packages {
		for i := range facts.Sources {
			source := &facts.Sources[i]
			fn := l.funcs[source.Owner]
			carried := source.Param && (source.Role == "method" || source.Role == "field")
			if carried && fn != nil && fn.Recv != "" && source.Gives != "net/http.Request" && isLast(fn, beside) {
				source.Ended = append(source.Ended, span{source.From, source.To})
			}
		}
	}
}

// method is a method's name alone.
func (fn *funcFact) method() string { return fn.Name[strings.LastIndexByte(fn.Name, '.')+1:] }

// isLast tells whether a method runs when what it is given is over, which a method beside it is given too.
func isLast(fn *funcFact, beside map[string][]*funcFact) bool {
	for _, method := range fn.ClosedBy {
		if !closes(fn.method()) {
			return false
		}
		for _, other := range beside[fn.Recv+" "+interfaceOf(method)] {
			if other != fn && !closes(other.method()) && shareCarrier(fn, other) {
				return true
			}
		}
	}
	return false
}

// interfaceOf names the interface of a method.
func interfaceOf(method string) string { return method[:strings.LastIndexByte(method, '.')] }

func shareCarrier(a, b *funcFact) bool {
	for _, one := range a.Params {
		same := func(other paramFact) bool { return other.Type == one.Type }
		if one.Role == "carrier" && slices.ContainsFunc(b.Params, same) {
			return true
		}
	}
	return false
}
