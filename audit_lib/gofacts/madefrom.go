package main

import (
	"go/ast"
	"go/types"
	"slices"
	"sort"
	"strconv"
)

// A search finds what a context was made from, over variables and the calls that derive it. Each variable is gone into
// once, so that variables that are made of each other come to an end.
type search struct {
	*decl
	seen    map[*types.Var]bool
	globals []*types.Var // that were gone into, in order
	cut     int          // how often something was left out, since it was seen before
}

// madeFrom is what is known of a variable or of a call, once for all searches: nothing was left out of it.
type madeFrom struct {
	origins []string
	ends    ending
	globals []*types.Var // that it was found over: each search names the place where it met one first
}

// remembered gives what is known of a node, or finds it out; `key` is a variable or a call.
func (s *search) remembered(key any, find func() ([]string, ending)) ([]string, ending) {
	s.spend(1)
	if known, ok := s.made[key]; ok && !slices.ContainsFunc(known.globals, func(v *types.Var) bool { return s.seen[v] }) {
		for _, v := range known.globals {
			s.see(v)
		}
		s.globals = append(s.globals, known.globals...)
		s.spend(len(known.globals) + len(known.origins))
		return known.origins, known.ends
	}
	cut, met, first := s.cut, len(s.globals), s.seen == nil
	origins, ends := find()
	if s.cut == cut || first { // what is sought first has been gone into whole
		s.made[key] = madeFrom{origins, ends, slices.Clone(s.globals[met:])}
		s.spend(keptStep * (1 + len(origins)))
	}
	return origins, ends
}

func (s *search) see(v *types.Var) {
	if s.seen == nil {
		s.seen = map[*types.Var]bool{}
	}
	s.seen[v] = true
}

func (s *search) ofVariable(v *types.Var) ([]string, ending) {
	if s.seen[v] {
		s.cut++
		return nil, notEnded
	}
	if isPackageLevel(v) {
		s.globals = append(s.globals, v)
		return s.findVariable(v)
	}
	return s.remembered(v, func() ([]string, ending) { return s.findVariable(v) })
}

func (s *search) findVariable(v *types.Var) ([]string, ending) {
	s.see(v)
	set, ends := map[string]bool{}, notEnded
	if node := s.params[v]; node != "" {
		set[node] = true
	}
	for _, made := range s.assigns[v] {
		origins, end := s.ofExpression(made)
		s.spend(1 + len(origins))
		for _, origin := range origins {
			set[origin] = true
		}
		ends = max(ends, end)
	}
	if len(set) == 0 && isPackageLevel(v) {
		set[globalOrigin(v)] = true
	}
	origins := make([]string, 0, len(set))
	for origin := range set {
		origins = append(origins, origin)
	}
	sort.Strings(origins)
	return origins, ends
}

func (s *search) ofExpression(e ast.Expr) ([]string, ending) {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		if v, ok := s.info.Uses[e].(*types.Var); ok {
			origins, ends := s.ofVariable(v)
			if isPackageLevel(v) && len(origins) == 1 && origins[0] == globalOrigin(v) {
				origins[0] += s.usedAt(e)
			}
			return origins, ends
		}
	case *ast.SelectorExpr:
		if sel := s.info.Selections[e]; sel != nil {
			return []string{"field:" + typeID(sel.Recv()) + "." + e.Sel.Name}, notEnded
		}
		if v, ok := s.info.Uses[e.Sel].(*types.Var); ok && v.Pkg() != nil {
			return []string{globalOrigin(v) + s.usedAt(e)}, notEnded
		}
	case *ast.CallExpr:
		return s.remembered(e, func() ([]string, ending) { return s.ofCall(e) })
	}
	return []string{"other"}, notEnded
}

func (s *search) ofCall(call *ast.CallExpr) ([]string, ending) {
	fn := s.calleeFunc(call)
	if fn == nil {
		return []string{"other"}, notEnded
	}
	id := funcID(fn)
	if rootNames[id] {
		return []string{"root:" + strconv.Itoa(s.offset(call.Pos()))}, notEnded
	}
	s.spend(len(call.Args))
	for _, arg := range call.Args {
		if isContext(s.info.TypeOf(arg)) {
			origins, ends := s.ofExpression(arg)
			if id == "context.WithoutCancel" {
				origins = append([]string{"detached:"}, origins...)
			}
			return origins, max(ends, endings[id])
		}
	}
	for _, arg := range call.Args { // withUser(r): made from the request's
		if g := s.giverOf(s.info.TypeOf(arg)); g != nil && g.role == "method" && s.givesContext(call) {
			return []string{"method:" + g.gives}, endings[id]
		}
	}
	if recv := fn.Signature().Recv(); recv != nil && len(call.Args) == 0 {
		if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
			if t := s.info.TypeOf(sel.X); t != nil && typeID(t) != "" {
				return []string{"method:" + typeID(t)}, notEnded
			}
		}
	}
	return []string{"call:" + id}, endings[id]
}
