package main

import (
	"go/ast"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// Package-level variables that hold a root, `var ctx = context.Background()`: each use of one stands for the root.

const usedAt = "@" // parts a variable's origin from where it is used, until it is known what it holds

func isPackageLevel(v *types.Var) bool {
	return v.Pkg() != nil && !v.IsField() && v.Parent() == v.Pkg().Scope()
}

func variableID(v *types.Var) string { return v.Pkg().Path() + "." + v.Name() }

func globalOrigin(v *types.Var) string { return "global:" + variableID(v) }

func (x *extractor) usedAt(e ast.Expr) string { return usedAt + strconv.Itoa(x.offset(e.Pos())) }

// visitVariable notes where a package's variable is used, in whichever package: it may hold a root.
func (d *decl) visitVariable(n *ast.Ident, v *types.Var) {
	if !isPackageLevel(v) || !d.t.ownsPackage(v.Pkg().Path()) {
		return
	}
	var e ast.Expr = n
	if selector, ok := d.parent(n).(*ast.SelectorExpr); ok && selector.Sel == n {
		e = selector
	}
	if d.isAssigned(e) {
		d.out.Sites = append(d.out.Sites, siteFact{Kind: "assigned", Var: variableID(v)})
		return
	}
	d.addContextSite(siteFact{Kind: "use", Var: variableID(v)}, e)
}

// isAssigned tells whether a variable gets another value, or gives its address away, for others to do so.
func (d *decl) isAssigned(e ast.Expr) bool {
	switch p := d.parent(e).(type) {
	case *ast.AssignStmt:
		return slices.Contains(p.Lhs, e)
	case *ast.UnaryExpr:
		return true // &ctx: there is no other operator for a context
	case *ast.RangeStmt:
		return p.Key == e || p.Value == e
	}
	return false
}

// joinVariables tells which variables hold a root and nothing else ever, and drops the uses of all others.
func (l *linked) joinVariables() {
	roots := map[string]string{}
	for _, facts := range l.packages {
		for i, site := range facts.Sites {
			if id := l.heldBy(site); id != "" {
				facts.Sites[i].Var, roots[id] = id, site.Callee
			}
		}
	}
	for _, facts := range l.packages {
		for _, site := range facts.Sites {
			if site.Kind == "assigned" {
				delete(roots, site.Var)
			}
		}
	}
	for _, facts := range l.packages {
		kept := facts.Sites[:0]
		for _, site := range facts.Sites {
			callee, held := roots[site.Var]
			switch {
			case site.Kind == "root":
				if !held {
					site.Var = ""
				}
			case site.Kind == "use" && held:
				site.Callee = callee
			case site.Kind != "bare_call":
				continue
			}
			kept = append(kept, site)
		}
		facts.Sites = kept
		for i := range facts.Sources {
			facts.Sources[i].Origins = madeOf(facts.Sources[i].Origins, roots)
		}
		for i := range facts.Calls {
			facts.Calls[i].Ctx = madeOf(facts.Calls[i].Ctx, roots)
		}
	}
}

// heldBy names the package's variable that is nothing but a root, or gives "".
func (l *linked) heldBy(site siteFact) string {
	fn := l.funcs[site.Func]
	if site.Kind != "root" || fn == nil || !hasFlag(fn, "package_level") || len(site.Uses) != 1 {
		return ""
	}
	if use := site.Uses[0]; use.Kind == "global" {
		return use.Target
	}
	return ""
}

// madeOf says of origins that are variables which hold a root that they are roots, where they are used.
func madeOf(origins []string, roots map[string]string) []string {
	if !slices.ContainsFunc(origins, func(origin string) bool { return strings.HasPrefix(origin, "global:") }) {
		return origins
	}
	made := make([]string, len(origins))
	for i, origin := range origins {
		name, at, _ := strings.Cut(origin, usedAt)
		if _, held := roots[strings.TrimPrefix(name, "global:")]; held && at != "" {
			name = "root:" + at
		}
		made[i] = name
	}
	return unique(made)
}
