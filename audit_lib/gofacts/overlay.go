package main

import (
	"encoding/json"
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
	if len(g.hidden) == 0 {
		return nil, remove, nil
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
	cache := moduleCache(g.dir)
	replace := map[string]string{}
	for path, to := range g.hidden {
		// Nothing may be hidden in the module cache, which can lie below a target.
		if cache == "" || !isBelow(cache, path) && !isBelow(path, cache) {
			replace[path] = strings.Replace(to, emptyFile, empty, 1)
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, remove, err
	}
	file := filepath.Join(dir, "overlay.json")
	return []string{"-overlay=" + file}, remove, os.WriteFile(file, text, 0o600)
}

func moduleCache(dir string) string {
	ask := exec.Command("go", "env", "GOMODCACHE")
	ask.Dir = filepath.Dir(dir)
	out, err := ask.Output()
	if err != nil {
		return ""
	}
	cache := strings.TrimSpace(string(out))
	if real, err := filepath.EvalSymlinks(cache); err == nil {
		cache = real
	}
	return cache
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
