package main

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// A linked program is the joined graph, cut down to what can reach a site.
type linked struct {
	*program
	funcs    map[string]*funcFact
	dispatch map[string]*dispatchFact
	reach    map[string]bool // nodes from which a site can be reached
	targets  int             // how many functions and methods stand for others
	handed   map[string]bool // functions that a root or a context on a way to a site is handed to
}

func link(p *program) (joined *linked, err error) {
	l := &linked{
		program: p, funcs: map[string]*funcFact{}, dispatch: map[string]*dispatchFact{},
		reach: map[string]bool{}, handed: map[string]bool{},
	}
	defer func() {
		if gone, costly := recover().(tooCostly); costly {
			joined, err = nil, errors.New(gone.reason)
		}
	}()
	for _, facts := range p.packages {
		for _, fn := range facts.Funcs {
			l.funcs[fn.ID] = fn
		}
	}
	l.endGiven()
	l.joinVariables()
	l.implement()
	l.holdValues()
	l.markReach()
	l.markHanded()
	l.markWithin()
	return l, nil
}

// implement joins every interface with the types that have all of its methods.
func (l *linked) implement() {
	byMethod := map[string][]int{}
	var all []typeFact
	for _, facts := range l.packages {
		for _, t := range facts.Types {
			for key := range t.Methods {
				byMethod[key] = append(byMethod[key], len(all))
			}
			all = append(all, t)
		}
	}
	for _, facts := range l.packages {
		for _, iface := range facts.Ifaces {
			l.join(iface, all, byMethod)
		}
	}
	for _, iface := range l.outside {
		l.join(iface, all, byMethod)
	}
	l.joinGiven()
}

func (l *linked) join(iface ifaceFact, all []typeFact, byMethod map[string][]int) {
	if len(iface.Methods) == 0 {
		return
	}
	var rarest []int
	first := true
	for key := range iface.Methods {
		if candidates := byMethod[key]; first || len(candidates) < len(rarest) {
			rarest, first = candidates, false
		}
	}
	for _, i := range rarest {
		t := all[i]
		if !hasAll(t.Methods, iface.Methods) {
			continue
		}
		for key, method := range iface.Methods {
			node := l.node(method, "interface")
			node.External = node.External || iface.External
			if method[:strings.LastIndexByte(method, '.')+1] == iface.ID+"." {
				node.Place = iface.Place // an interface that embeds it is not where it is declared
			}
			if target := t.Methods[key]; target != method {
				l.count(1)
				node.Targets = append(node.Targets, target)
			}
		}
	}
}

// count takes what is joined from what may be; a target past that has no callers that could be told.
func (l *linked) count(targets int) {
	if l.targets += targets; l.targets > joinedTargets {
		panic(tooCostly{fmt.Sprintf("more than %d methods stand for those of interfaces", joinedTargets)})
	}
}

func hasAll(have, want map[string]string) bool {
	for key := range want {
		if _, ok := have[key]; !ok {
			return false
		}
	}
	return true
}

func (l *linked) node(id, kind string) *dispatchFact {
	node := l.dispatch[id]
	if node == nil {
		node = &dispatchFact{ID: id, Kind: kind, Name: nodeName(id)}
		l.dispatch[id] = node
	}
	return node
}

// nodeName is what people read: an interface's method without its package's path.
func nodeName(id string) string {
	if slash := strings.LastIndexByte(id, '/'); slash >= 0 && !strings.Contains(id, "{") {
		id = id[slash+1:]
	}
	if _, rest, found := strings.Cut(id, "."); found {
		return rest
	}
	return id
}

// holdValues adds the variables, fields, elements, parameters and results that hold functions. A parameter of an
// interface's method holds what its implementers' parameters hold.
func (l *linked) holdValues() {
	paramNodes := map[string]bool{}
	for _, facts := range l.packages {
		for _, hold := range facts.Holds {
			node := l.node(hold.Node, "value")
			node.Targets = append(node.Targets, hold.Target)
			if strings.HasPrefix(hold.Node, "param:") {
				paramNodes[hold.Node] = true
			}
		}
	}
	for id := range paramNodes {
		method, index, _ := strings.Cut(strings.TrimPrefix(id, "param:"), "#")
		iface := l.dispatch[method]
		if iface == nil || iface.Kind != "interface" {
			continue
		}
		if _, err := strconv.Atoi(index); err != nil {
			continue
		}
		for _, implementer := range iface.Targets {
			node := l.node("param:"+implementer+"#"+index, "value")
			l.count(len(l.dispatch[id].Targets))
			node.Targets = append(node.Targets, l.dispatch[id].Targets...)
		}
	}
	for _, node := range l.dispatch {
		node.Targets = unique(node.Targets)
	}
}

func unique(list []string) []string {
	sort.Strings(list)
	kept := list[:0]
	for i, s := range list {
		if i == 0 || s != list[i-1] {
			kept = append(kept, s)
		}
	}
	return kept
}

// markReach walks from the sites up to everything that can reach them. Tests are not walked through: what only a test
// reaches is no reason for anything.
func (l *linked) markReach() {
	up := map[string][]string{}
	for _, facts := range l.packages {
		for _, call := range facts.Calls {
			if !call.Test {
				up[call.Callee] = append(up[call.Callee], call.Caller)
			}
		}
	}
	for id, node := range l.dispatch {
		for _, target := range node.Targets {
			up[target] = append(up[target], id)
		}
	}
	var queue []string
	add := func(id string) {
		if id != "" && !l.reach[id] {
			l.reach[id] = true
			queue = append(queue, id)
		}
	}
	for _, facts := range l.packages {
		for _, site := range facts.Sites {
			if !site.Test && !site.Values {
				add(site.Func)
				for _, use := range site.Uses {
					add(use.Func) // and when its context is used
					for _, made := range use.Becomes {
						add(made.Func) // when that runs is to be known
					}
				}
			}
		}
	}
	for len(queue) > 0 {
		id := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, caller := range up[id] {
			add(caller)
		}
		if fn := l.funcs[id]; fn != nil && fn.Parent != "" {
			add(fn.Parent)
		}
	}
	l.markOwn()
}

// markOwn adds the functions around sites in tests and around calls that only read values, and nothing above them.
func (l *linked) markOwn() {
	for _, facts := range l.packages {
		for _, site := range facts.Sites {
			l.markAround(site.Func)
			for _, use := range site.Uses {
				l.markAround(use.Func)
			}
		}
	}
	l.markTesters()
}

// markAround adds a function and those around it.
func (l *linked) markAround(id string) {
	for id != "" && !l.reach[id] {
		l.reach[id] = true
		fn := l.funcs[id]
		if fn == nil {
			return
		}
		id = fn.Parent
	}
}

// markWithin adds the literals in which a function uses the context that it is handed, and the variables by whose names
// they are called: when they run is to be known.
func (l *linked) markWithin() {
	within := map[string]bool{}
	for _, facts := range l.packages {
		for _, forward := range facts.Forwards {
			if forward.Within != "" && l.handed[functionOf(forward.Func)] {
				l.markAround(forward.Within)
				within[forward.Within] = true
			}
		}
	}
	for id, node := range l.dispatch {
		if strings.HasPrefix(id, "local:") && slices.ContainsFunc(node.Targets, func(target string) bool { return within[target] }) {
			l.reach[id] = true
		}
	}
}

// markTesters adds the functions in tests that call those around sites there: a clean-up may be one.
func (l *linked) markTesters() {
	own := map[string]bool{}
	for _, facts := range l.packages {
		for _, site := range facts.Sites {
			if site.Test {
				own[topOf(l.funcs, site.Func)] = true
			}
		}
	}
	for _, facts := range l.packages {
		for _, call := range facts.Calls {
			if call.Test && own[call.Callee] {
				l.handed[call.Caller] = true
			}
		}
	}
}

// markHanded walks from what roots are given to, through what these functions hand their contexts to.
func (l *linked) markHanded() {
	down := map[string][]string{}
	for _, facts := range l.packages {
		for _, forward := range facts.Forwards {
			if forward.Kind == "arg" || strings.HasPrefix(forward.Kind, "wrap:") {
				owner := functionOf(forward.Func)
				down[owner] = append(down[owner], forward.Target)
			}
		}
	}
	var queue []string
	add := func(id string) {
		if id != "" && !l.handed[id] {
			l.handed[id] = true
			queue = append(queue, id)
		}
	}
	given := func(becomes []useFact) {
		for _, use := range becomes {
			add(functionOf(use.Target))
			add(use.Func)
		}
	}
	for _, facts := range l.packages {
		for _, site := range facts.Sites {
			for _, use := range site.Uses {
				add(use.Target)
				given(use.Becomes)
			}
		}
		for _, call := range facts.Calls {
			given(call.Becomes)
		}
	}
	for len(queue) > 0 {
		id := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, next := range down[id] {
			add(next)
		}
		if fn := l.funcs[id]; fn != nil {
			for _, param := range fn.Params {
				given(param.Becomes)
			}
		}
		if node := l.dispatch[id]; node != nil {
			for _, target := range node.Targets {
				add(target)
			}
		}
	}
}

// functionOf names the function that a parameter's node is of: `param:path.handle#0`.
func functionOf(parameter string) string {
	function, _, _ := strings.Cut(strings.TrimPrefix(parameter, "param:"), "#")
	return function
}
