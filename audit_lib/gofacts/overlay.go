package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	pathpkg "path"
	"path/filepath"
	"strings"
)

// loadable are the modules that may be loaded, and whether that of the folder itself may.
func (g *guard) loadable() (modules []string, top bool) {
	if g.closed {
		return nil, false
	}
	for _, module := range g.modules {
		if !g.covers(module) && !g.covers(filepath.Join(module, "go.mod")) {
			modules = append(modules, module)
		}
	}
	return modules, !g.headless
}

// overlay writes what is hidden as the go command takes it, and gives its flag; nothing where nothing is hidden.
func (g *guard) overlay() (flags []string, remove func(), err error) {
	remove = func() {}
	if len(g.hidden) == 0 && len(g.cgo) == 0 {
		return nil, remove, nil
	}
	cache, compilesC := environment(g.dir)
	if !compilesC {
		clear(g.cgo)
	}
	dir, err := os.MkdirTemp("", "gofacts-")
	if err != nil {
		return nil, remove, err
	}
	remove = func() { os.RemoveAll(dir) }
	empty := filepath.Join(dir, "empty.s")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		return nil, remove, err
	}
	replace := map[string]string{}
	for number, path := range sorted(g.cgo) {
		stub := filepath.Join(dir, fmt.Sprintf("%d.go", number))
		if err := os.WriteFile(stub, []byte(g.cgo[path]), 0o600); err != nil {
			return nil, remove, err
		}
		replace[path] = stub
	}
	for path, to := range g.hidden {
		replace[path] = strings.Replace(to, emptyFile, empty, 1)
	}
	if cache != "" { // nothing may be hidden in the module cache, which can lie below a target
		maps.DeleteFunc(replace, func(path, _ string) bool { return isBelow(cache, path) || isBelow(path, cache) })
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, remove, err
	}
	file := filepath.Join(dir, "overlay.json")
	return []string{"-overlay=" + file}, remove, os.WriteFile(file, text, 0o600)
}

// environment gives the module cache's folder, and whether the go command compiles C.
func environment(dir string) (cache string, compilesC bool) {
	ask := exec.Command("go", "env", "GOMODCACHE", "CGO_ENABLED")
	ask.Dir = filepath.Dir(dir)
	out, err := ask.Output()
	if err != nil {
		return "", true
	}
	cache, enabled, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if real, err := filepath.EvalSymlinks(cache); err == nil {
		cache = real
	}
	return cache, enabled != "0"
}

// nameLinks adds the links to folders outside that packages import: the go command only says that there is nothing.
func (t *target) nameLinks(g *guard, read []loaded) {
	if len(g.deadEnds) == 0 {
		return
	}
	imported := map[string]bool{} // and all that they are in
	for _, found := range read {
		for _, pkg := range found.pkgs {
			for path := range pkg.Imports {
				for ; path != "." && !imported[path]; path = pathpkg.Dir(path) {
					imported[path] = true
				}
			}
		}
	}
	modules := map[string]string{}
	for _, module := range t.modules {
		modules[module.Dir] = module.Path
	}
	for _, link := range g.deadEnds {
		name := g.relative(link)
		if pathpkg.Base(name) == "vendor" || isImported(name, modules, imported) {
			t.broken = append(t.broken, problem{name, leadsOut + ": nothing in it is read"})
		}
	}
}

// isImported tells whether a folder is imported, as one of a module whose folder it is in.
func isImported(name string, modules map[string]string, imported map[string]bool) bool {
	for dir := name; dir != "."; {
		dir = pathpkg.Dir(dir)
		module, known := modules[dir]
		if known && imported[module+"/"+strings.TrimPrefix(strings.TrimPrefix(name, dir), "/")] {
			return true
		}
	}
	return false
}
