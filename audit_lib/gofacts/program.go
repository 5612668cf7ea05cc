package main

import (
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"sync"
	"sync/atomic"

	"golang.org/x/tools/go/packages"
)

// A program is the facts of all units, before they are joined.
type program struct {
	packages []*packageFacts
	outside  []ifaceFact // interfaces of imported packages outside the module
	uses     []dependentFact
	others   *outsiders
}

// extractAll reads every unit, as many at a time as there are processors, and takes from the cache what has not
// changed. The result does not depend on the order in which they finish.
func extractAll(t *target, cache *store) (*program, error) {
	w := newWatch()
	w.guardHeap()
	imp := newImporter(t.read, w)
	p := &program{packages: make([]*packageFacts, len(t.units))}
	var done atomic.Int64
	atOnce(len(t.units), func(i int) {
		p.packages[i] = readUnit(t, t.units[i], imp, cache)
		fmt.Fprintf(os.Stderr, "progress %d %d\n", done.Add(1), len(t.units))
	})
	p.outside = outsideInterfaces(t, p.packages, imp, cache)
	p.uses = usesOf(t, imp, cache)
	p.others = newOutsiders(t, imp, cache)
	return p, nil
}

// atOnce does a number of jobs, as many at a time as there are processors.
func atOnce(number int, do func(i int)) {
	jobs := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range jobs {
				do(i)
			}
		})
	}
	for i := range number {
		jobs <- i
	}
	close(jobs)
	workers.Wait()
}

func readUnit(t *target, u *unit, imp *importer, cache *store) *packageFacts {
	if slices.Contains(t.skip, u.pkg.PkgPath) {
		return givenUp(t, u, "the helper fails when it reads it")
	}
	key := unitKey(t, u, imp)
	kept := new(packageFacts)
	if cache.get(key, kept) {
		return kept
	}
	var facts *packageFacts
	err := imp.watch.within(u.pkg.PkgPath, allowedTime(u.pkg.GoFiles), func() { facts = extract(t, check(u, imp)) })
	if err != nil {
		return givenUp(t, u, err.Error())
	}
	cache.put(key, facts)
	return facts
}

// givenUp stands for a package that is not read: each of its files is named, so that nothing of it is lost.
func givenUp(t *target, u *unit, reason string) *packageFacts {
	facts := &packageFacts{
		Path: u.pkg.PkgPath, Name: u.pkg.Name, Module: u.module, Dir: t.relative(filepath.Dir(u.pkg.GoFiles[0])),
		Errors: []string{reason + ": its sites are for review"},
	}
	for _, file := range u.files {
		facts.Skipped = append(facts.Skipped, skippedFact{Place: place{File: t.nameOf(u, file)}, Reason: reason})
	}
	return facts
}

// unitKey names a unit's facts by all that they depend on: its files, its imports' compiled types, and the modules
// that count as the target's own. It is empty, and nothing is kept, where a file or an import cannot be read.
func unitKey(t *target, u *unit, imp *importer) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%s\n%v\n", u.pkg.ID, u.module, u.dependent)
	for _, module := range t.modules {
		fmt.Fprintf(sum, "%s\n", module.Path)
	}
	fresh := map[string]bool{}
	for _, file := range u.files {
		fresh[file] = true
	}
	for _, path := range u.pkg.GoFiles {
		content, err := t.read(path)
		if err != nil {
			return ""
		}
		fmt.Fprintf(sum, "%s %v\n", t.nameOf(u, path), fresh[path])
		sum.Write(content)
	}
	imp.keysLock.Lock()
	defer imp.keysLock.Unlock()
	fmt.Fprintln(sum, t.importKeys(u.pkg, imp.keys))
	return hex.EncodeToString(sum.Sum(nil))
}

// importKeys names what a package's imports declare: by their compiled types, by version where a module is one of the
// module cache, else by their files and their own imports.
func (t *target) importKeys(pkg *packages.Package, known map[string]string) []string {
	keys := make([]string, 0, len(pkg.Imports))
	for path, dep := range pkg.Imports {
		keys = append(keys, path+" "+t.declarationKey(dep, known))
	}
	sort.Strings(keys)
	return keys
}

func (t *target) declarationKey(pkg *packages.Package, known map[string]string) string {
	module := pkg.Module
	switch {
	case pkg.ExportFile != "":
		return pkg.ExportFile
	case module == nil:
		return runtime.Version() // the standard library
	case module.Version != "" && module.Replace == nil:
		return module.Path + "@" + module.Version
	case known[pkg.ID] != "":
		return known[pkg.ID]
	}
	known[pkg.ID] = "its own import" // where packages import each other in a ring
	sum := sha256.New()
	for _, path := range pkg.GoFiles {
		content, err := t.read(path)
		fmt.Fprintf(sum, "%s %d %v\n%s", filepath.Base(path), len(content), err, content)
	}
	fmt.Fprintln(sum, t.importKeys(pkg, known))
	known[pkg.ID] = hex.EncodeToString(sum.Sum(nil))
	return known[pkg.ID]
}

// A store keeps facts between runs, one file each, written whole or not at all. Without a folder it keeps nothing.
type store struct{ dir string }

func newStore(dir string) *store {
	if dir == "" {
		return &store{}
	}
	version := "unversioned"
	if self, err := os.Executable(); err == nil {
		version = filepath.Base(self)
	}
	dir = filepath.Join(dir, version)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return &store{} // a cache that cannot be written is done without
	}
	return &store{dir: dir}
}

func (s *store) path(key string) string { return filepath.Join(s.dir, key[:2], key[2:]) }

func (s *store) get(key string, value any) bool {
	if s.dir == "" || key == "" {
		return false
	}
	file, err := os.Open(s.path(key))
	if err != nil {
		return false
	}
	defer file.Close()
	return gob.NewDecoder(file).Decode(value) == nil
}

func (s *store) put(key string, value any) {
	if s.dir == "" || key == "" {
		return
	}
	path := s.path(key)
	if os.MkdirAll(filepath.Dir(path), 0o700) != nil {
		return
	}
	file, err := os.CreateTemp(filepath.Dir(path), "new-*")
	if err != nil {
		return
	}
	err = gob.NewEncoder(file).Encode(value)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		os.Remove(file.Name())
	}
}
