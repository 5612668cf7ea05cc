package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"slices"
	"sort"
	"strings"
)

// emit prints the facts, one JSON object a line, each kind in sorted order: first what was loaded, then the graph,
// then the sites. What cannot reach a site is left out; `wide` prints it too, with a + before its kind, for who
// changes signatures and must know every caller.
func emit(out *bufio.Writer, t *target, l *linked, wide bool) error {
	e := &emitter{json: json.NewEncoder(out), l: l, wide: wide}
	e.json.SetEscapeHTML(false)
	for _, module := range t.modules {
		e.print("module", module)
	}
	sort.Slice(l.packages, func(i, j int) bool { return l.packages[i].Path < l.packages[j].Path })
	e.packages(t)
	e.funcs()
	e.l.endCarried() // it is known now what the functions implement
	e.dispatch()
	e.calls()
	e.sources()
	e.forwards()
	for _, fact := range l.others.answer(l) {
		e.print("foreign", fact)
	}
	e.holders()
	e.outside()
	e.dependents()
	e.sites()
	e.skipped()
	return e.err
}

type emitter struct {
	json *json.Encoder
	l    *linked
	wide bool
	err  error
}

func (e *emitter) print(kind string, fact any) {
	if e.err == nil {
		e.err = e.json.Encode([2]any{kind, fact})
	}
}

// printIf prints a fact that a judgement needs, and any other where all are asked for.
func (e *emitter) printIf(near bool, kind string, fact any) {
	switch {
	case near:
		e.print(kind, fact)
	case e.wide:
		e.print("+"+kind, fact)
	}
}

type packageFact struct {
	Path   string `json:"path,omitempty"`
	Name   string `json:"name,omitempty"`
	Module string `json:"module,omitempty"`
	Dir    string `json:"dir,omitempty"`
	Files  int    `json:"files,omitempty"`
	Logs   int    `json:"logs,omitempty"` // calls outside tests that hand a context to a logger
}

func (e *emitter) packages(t *target) {
	seen := map[string]bool{}
	for _, facts := range e.l.packages {
		e.print("package", packageFact{facts.Path, facts.Name, facts.Module, facts.Dir, facts.Files, logsWithContext(facts)})
	}
	problems := append([]problem(nil), t.broken...)
	for _, facts := range e.l.packages {
		for _, message := range facts.Errors {
			problems = append(problems, problem{Where: facts.Path, Reason: message})
		}
	}
	sort.Slice(problems, func(i, j int) bool {
		a, b := problems[i], problems[j]
		return a.Where < b.Where || a.Where == b.Where && a.Reason < b.Reason
	})
	for _, p := range problems {
		if key := p.Where + p.Reason; !seen[key] {
			seen[key] = true
			e.print("problem", p)
		}
	}
}

// logsWithContext counts the calls outside tests that hand a context to what only reads its values.
func logsWithContext(facts *packageFacts) int {
	count := 0
	for _, call := range facts.Calls {
		if !call.Test && len(call.Ctx) > 0 && valuesOnly[packageOf(call.Callee)] {
			count++
		}
	}
	return count
}

func (e *emitter) funcs() {
	closed := map[string][]string{}
	imports := map[string][]string{}
	for _, facts := range e.l.packages {
		imports[facts.Path] = append(imports[facts.Path], facts.Imports...)
	}
	for id, node := range e.l.dispatch {
		for _, target := range node.Targets {
			if fn := e.l.funcs[target]; node.External && fn != nil && isMeant(id, imports[fn.Pkg]) {
				closed[target] = append(closed[target], id)
			}
		}
	}
	for _, id := range sorted(e.l.funcs) {
		fn := e.l.funcs[id]
		fn.ClosedBy = unique(closed[id])
		e.printIf(e.l.reach[id] || e.l.handed[id], "func", fn)
	}
}

// isMeant tells whether a method implements another module's interface on purpose: its package imports that of the
// interface, or the interface is of the standard library. Else their likeness is chance.
func isMeant(method string, imports []string) bool {
	path := method[:strings.LastIndexByte(method, '.')]
	path = path[:max(strings.LastIndexByte(path, '.'), 0)]
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") || slices.Contains(imports, path)
}

func (e *emitter) dispatch() {
	for _, id := range sorted(e.l.dispatch) {
		node := e.l.dispatch[id]
		e.printIf((e.l.reach[id] || e.l.handed[id]) && len(node.Targets) > 0, "dispatch", node)
	}
}

func (e *emitter) calls() {
	var calls []callFact
	for _, facts := range e.l.packages {
		for _, call := range facts.Calls {
			if e.wide || e.l.reach[call.Callee] {
				calls = append(calls, call)
			}
		}
	}
	sort.SliceStable(calls, func(i, j int) bool { return calls[i].Place.before(calls[j].Place) })
	for _, call := range calls {
		e.printIf(e.l.reach[call.Callee], "call", call)
	}
}

func (p place) before(q place) bool {
	if p.File != q.File {
		return p.File < q.File
	}
	return p.Start < q.Start || p.Start == q.Start && p.End < q.End
}

func (e *emitter) sources() {
	var sources []sourceFact
	for _, facts := range e.l.packages {
		for _, source := range facts.Sources {
			if e.wide || e.isNear(source) {
				sources = append(sources, source)
			}
		}
	}
	sort.SliceStable(sources, func(i, j int) bool {
		a, b := sources[i], sources[j]
		return a.File < b.File || a.File == b.File && a.Decl < b.Decl
	})
	for _, source := range sources {
		e.printIf(e.isNear(source), "source", source)
	}
}

func (e *emitter) isNear(source sourceFact) bool {
	return source.Role == "global" || e.l.reach[topOf(e.l.funcs, source.Owner)]
}

// topOf gives the declared function around a literal.
func topOf(funcs map[string]*funcFact, id string) string {
	for fn := funcs[id]; fn != nil && fn.Parent != ""; fn = funcs[id] {
		id = fn.Parent
	}
	return id
}

func fewer(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func (e *emitter) forwards() {
	seen := map[forwardFact]bool{}
	var forwards []forwardFact
	for _, facts := range e.l.packages {
		for _, forward := range facts.Forwards {
			owner := functionOf(forward.Func)
			ofFunc := forward.Kind == "kept" || forward.Kind == "each" || forward.Kind == "value" && e.l.reach[owner]
			near := e.l.handed[owner] || ofFunc
			if _, known := seen[forward]; !known && (near || e.wide) {
				forwards = append(forwards, forward)
			}
			seen[forward] = seen[forward] || near
		}
	}
	slices.SortFunc(forwards, func(a, b forwardFact) int {
		return cmp.Or(
			cmp.Compare(a.Func, b.Func), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Target, b.Target),
			cmp.Compare(a.Arg, b.Arg), cmp.Compare(a.Within, b.Within), cmp.Compare(a.At, b.At),
			cmp.Compare(a.Waited, b.Waited), fewer(a.Go, b.Go), fewer(a.Lasts, b.Lasts),
		)
	})
	for _, forward := range forwards {
		e.printIf(seen[forward], "forward", forward)
	}
}

// holders prints the types of what holds functions, only for who changes signatures.
func (e *emitter) holders() {
	var holders []holderFact
	for _, facts := range e.l.packages {
		holders = append(holders, facts.Holders...)
	}
	sort.SliceStable(holders, func(i, j int) bool {
		a, b := holders[i], holders[j]
		return a.Node < b.Node || a.Node == b.Node && a.Place.before(b.Place)
	})
	for i, holder := range holders {
		if i == 0 || holder != holders[i-1] {
			e.printIf(false, "holder", holder)
		}
	}
}

// outside prints where each implementer from outside came first, only for who changes signatures.
func (e *emitter) outside() {
	first := map[string]implementFact{}
	for _, facts := range e.l.packages {
		for _, fact := range facts.Implements {
			if e.l.funcs[fact.Method] != nil {
				continue
			}
			if known, ok := first[fact.Method]; !ok || fact.Place.before(known.Place) {
				first[fact.Method] = fact
			}
		}
	}
	for _, method := range sorted(first) {
		e.printIf(false, "outside", first[method])
	}
}

// dependents prints what other modules use as it is, only for who changes signatures.
func (e *emitter) dependents() {
	for _, use := range e.l.uses {
		e.printIf(false, "dependent", use)
	}
}

func (e *emitter) sites() {
	var sites []siteFact
	for _, facts := range e.l.packages {
		sites = append(sites, facts.Sites...)
	}
	sort.SliceStable(sites, func(i, j int) bool { return sites[i].Place.before(sites[j].Place) })
	for _, site := range sites {
		e.print("site", site)
	}
}

// skipped prints the parts of files that were given up, and why.
func (e *emitter) skipped() {
	var skipped []skippedFact
	for _, facts := range e.l.packages {
		skipped = append(skipped, facts.Skipped...)
	}
	sort.SliceStable(skipped, func(i, j int) bool { return skipped[i].Place.before(skipped[j].Place) })
	for _, fact := range skipped {
		e.print("skipped", fact)
	}
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
