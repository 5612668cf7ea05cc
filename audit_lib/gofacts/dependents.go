package main

import (
	"go/ast"
	"go/types"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/tools/go/packages"
)

// Dependents: packages of other modules that the target needs, and that need packages of the target in turn. What they
// use of it, or implement of its interfaces, is not free to change: nobody here can change them with it.

// A dependentFact is a node of the target that a dependent uses as it is, and where it does so first.
type dependentFact struct {
	Node   string `json:"node,omitempty"`
	Method string `json:"method,omitempty"` // of the dependent, where it stands for the node, an interface's method
	Place  place  `json:"place,omitempty"`
}

// addDependents finds the dependents that compile: others cannot be broken. Where nothing was compiled, since that was
// not at hand, they are compiled now, or else the same input would give another result another time.
func (t *target) addDependents(read []loaded) {
	known, uncompiled := map[string]bool{}, map[string]bool{}
	for _, one := range read {
		found := t.dependentsOf(one.pkgs)
		if !one.compiled && one.compile != nil && len(found) > 0 {
			var paths []string
			for _, u := range found {
				paths = append(paths, u.pkg.PkgPath)
			}
			if pkgs, err := packages.Load(one.compile, paths...); err == nil {
				found = t.dependentsOf(pkgs)
			}
		}
		for _, u := range found {
			compiles := u.pkg.ExportFile != "" || one.compile == nil || t.guard.needsUncompiled(u.pkg, uncompiled)
			if compiles && !known[u.pkg.PkgPath] {
				known[u.pkg.PkgPath] = true
				t.dependents = append(t.dependents, u)
			}
		}
	}
}

// dependentsOf gives the packages of other modules that some packages need, and that import one of the target.
func (t *target) dependentsOf(pkgs []*packages.Package) []*unit {
	var found []*unit
	seen := map[string]bool{}
	var walk func(pkg *packages.Package)
	walk = func(pkg *packages.Package) {
		if seen[pkg.ID] {
			return
		}
		seen[pkg.ID] = true
		uses := false
		for _, dep := range pkg.Imports {
			walk(dep)
			uses = uses || t.ownsPackage(dep.PkgPath)
		}
		if uses && pkg.ForTest == "" && pkg.Module != nil && !t.owns(pkg.Module.Path) && len(pkg.GoFiles) > 0 {
			found = append(found, &unit{pkg: pkg, module: pkg.Module.Path, files: pkg.GoFiles, dependent: true})
		}
	}
	for _, pkg := range pkgs {
		walk(pkg)
	}
	sort.Slice(found, func(i, j int) bool { return found[i].pkg.ID < found[j].pkg.ID })
	return found
}

// nameOf is how a file of a unit is called: by its path in the target, or in its module's version.
func (t *target) nameOf(u *unit, file string) string {
	name := t.relative(file)
	module := u.pkg.Module
	if filepath.IsLocal(filepath.FromSlash(name)) || module == nil {
		return name
	}
	rel, err := filepath.Rel(module.Dir, file)
	if err != nil || module.Dir == "" {
		return name
	}
	version := ""
	if module.Version != "" {
		version = "@" + module.Version
	}
	return path.Join(module.Path+version, filepath.ToSlash(rel))
}

// usesOf gives what the target's dependents use of it, each node once, sorted. A dependent that does not compile can
// not be broken.
func usesOf(t *target, imp *importer, cache *store) []dependentFact {
	read := make([][]dependentFact, len(t.dependents))
	atOnce(len(read), func(i int) { read[i] = readDependent(t, t.dependents[i], imp, cache) })
	first := map[string]dependentFact{}
	for _, uses := range read {
		for _, fact := range uses {
			if known, ok := first[fact.Node]; !ok || fact.Place.before(known.Place) {
				first[fact.Node] = fact
			}
		}
	}
	facts := make([]dependentFact, 0, len(first))
	for _, node := range sorted(first) {
		facts = append(facts, first[node])
	}
	return facts
}

func readDependent(t *target, u *unit, imp *importer, cache *store) []dependentFact {
	key := unitKey(t, u, imp)
	var uses []dependentFact
	if cache.get(key, &uses) {
		return uses
	}
	err := imp.watch.within(u.pkg.PkgPath, allowedTime(u.pkg.GoFiles), func() {
		if c := check(u, imp); len(c.errs) == 0 {
			uses = extract(t, c).usesOf(t, u)
		}
	})
	if err != nil {
		return nil // and whatever it uses would break it
	}
	cache.put(key, uses)
	return uses
}

// usesOf are the nodes of the target among the facts of a dependent.
func (f *packageFacts) usesOf(t *target, u *unit) []dependentFact {
	uses := f.Demands
	folder := place{File: path.Dir(t.nameOf(u, u.files[0]))}
	for _, call := range f.Calls {
		if t.ownsNode(call.Callee) {
			uses = append(uses, dependentFact{Node: call.Callee, Place: call.Place})
		}
	}
	for _, fact := range f.Implements {
		if t.ownsNode(fact.Of) {
			uses = append(uses, dependentFact{Node: fact.Of, Method: fact.Method, Place: fact.Place})
		}
	}
	for _, hold := range f.Holds {
		if t.ownsNode(hold.Node) {
			uses = append(uses, dependentFact{Node: hold.Node, Place: folder})
		}
	}
	return uses
}

// noteDemand notes the methods that a type of the target must have as they are, since a dependent gives it to an
// interface that is not the target's.
func (d *decl) noteDemand(n ast.Node, from, to types.Type) {
	iface, ok := to.Underlying().(*types.Interface)
	if !ok || !d.unit.dependent || types.IsInterface(from) || namedOf(from) == nil || !d.isOurs(from) {
		return
	}
	eachMethod(from, iface, func(fn, method *types.Func) {
		if d.t.ownsFunc(fn) && !d.t.ownsFunc(method) {
			d.out.Demands = append(d.out.Demands, dependentFact{Node: funcID(fn), Place: d.place(n)})
		}
	})
}

// ownsNode tells whether a node is of a package of the target: `path.Name`, `field:path.Type.Name`.
func (t *target) ownsNode(node string) bool {
	if kind, id, found := strings.Cut(node, ":"); found && !strings.ContainsAny(kind, "./{") {
		node = id
	}
	for _, module := range t.modules {
		rest, inside := strings.CutPrefix(node, module.Path)
		if inside && (strings.HasPrefix(rest, "/") || strings.HasPrefix(rest, ".") && !strings.Contains(rest, "/")) {
			return true
		}
	}
	return false
}
