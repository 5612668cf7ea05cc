package main

import (
	"crypto/sha256"
	"encoding/hex"
	"go/types"
	"sort"

	"golang.org/x/tools/go/packages"
)

// outsideInterfaces gives the exported interfaces of the packages that the target imports from elsewhere: a method that
// implements one of them is not free to take another parameter. Only interfaces of which the target has all method
// names are looked at closely.
func outsideInterfaces(t *target, read []*packageFacts, imp *importer, cache *store) []ifaceFact {
	wanted := map[string]bool{}
	for _, facts := range read {
		for _, path := range facts.Imports {
			wanted[path] = true
		}
	}
	byPath := map[string]*packages.Package{}
	var order []string
	for _, u := range t.units {
		for _, dep := range u.pkg.Imports {
			if wanted[dep.PkgPath] && dep.ForTest == "" && byPath[dep.PkgPath] == nil {
				byPath[dep.PkgPath] = dep
				order = append(order, dep.PkgPath)
			}
		}
	}
	sort.Strings(order)
	var all []ifaceFact
	for _, path := range order {
		all = append(all, packageInterfaces(byPath[path], imp, cache)...)
	}
	return append(all, errorInterface())
}

func packageInterfaces(pkg *packages.Package, imp *importer, cache *store) []ifaceFact {
	key := ""
	if pkg.ExportFile != "" {
		sum := sha256.Sum256([]byte("interfaces " + pkg.ExportFile))
		key = hex.EncodeToString(sum[:])
	}
	var facts []ifaceFact
	if cache.get(key, &facts) {
		return facts
	}
	exported, err := imp.plain(pkg)
	if err != nil {
		return nil // named where it is imported
	}
	scope := exported.Scope()
	for _, name := range scope.Names() {
		obj, ok := scope.Lookup(name).(*types.TypeName)
		if !ok || !obj.Exported() || obj.IsAlias() {
			continue
		}
		if iface, ok := obj.Type().Underlying().(*types.Interface); ok && iface.NumMethods() > 0 && isWritable(iface) {
			fact := interfaceFact(obj, iface, place{})
			fact.External = true
			facts = append(facts, fact)
		}
	}
	cache.put(key, facts)
	return facts
}

// isWritable tells whether an interface's methods can be written out; no type of the target has one that cannot.
func isWritable(iface *types.Interface) bool {
	for i := range iface.NumMethods() {
		left := typeNodes
		if countType(iface.Method(i).Signature(), &left); left <= 0 {
			return false
		}
	}
	return true
}

func errorInterface() ifaceFact {
	return ifaceFact{
		ID: "builtin.error", External: true,
		Methods: map[string]string{"Error (),string": "builtin.error.Error"},
	}
}
