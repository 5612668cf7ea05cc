package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"strings"
	"syscall"

	"ctxaudit/gofacts/internal/foreign"

	"golang.org/x/tools/go/packages"
)

// What functions of other modules do with the functions and contexts that the target gives them: asked for those that a
// judgement needs, read from their sources, and kept by the versions of all that the answers can rest on.

const (
	outsideFileLimit    = 4 << 20  // bytes of one file of another module
	outsidePackageLimit = 32 << 20 // bytes of one package
)

// A foreignFact says what a function of another module does with an argument: with a function, or with its context.
type foreignFact struct {
	Func    string   `json:"function,omitempty"`
	Arg     int      `json:"arg,omitempty"`
	Context bool     `json:"context,omitempty"`
	Does    []string `json:"does,omitempty"`
}

// outsiders answers questions about packages that are not the target's.
type outsiders struct {
	t        *target
	imp      *importer
	cache    *store
	packages map[string]*packages.Package
	reader   *foreign.Reader
	keys     map[string]string
	kept     map[string]map[foreign.Question]foreign.Effects // answers by package
	changed  map[string]bool
}

func newOutsiders(t *target, imp *importer, cache *store) *outsiders {
	o := &outsiders{
		t: t, imp: imp, cache: cache, packages: map[string]*packages.Package{}, keys: map[string]string{},
		kept: map[string]map[foreign.Question]foreign.Effects{}, changed: map[string]bool{},
	}
	var add func(pkg *packages.Package)
	add = func(pkg *packages.Package) {
		for _, dep := range pkg.Imports {
			known := o.packages[dep.PkgPath]
			if dep.ForTest != "" || known != nil {
				continue
			}
			o.packages[dep.PkgPath] = dep
			add(dep)
		}
	}
	for _, u := range t.units {
		add(u.pkg)
	}
	o.reader = foreign.NewReader(o)
	return o
}

// Has tells whether a package is there that may be read.
func (o *outsiders) Has(path string) bool { return o.packages[path] != nil }

// Load reads a package's sources, and checks its declarations against what its imports declare.
func (o *outsiders) Load(path string) *foreign.Unit {
	pkg := o.packages[path]
	if !o.isAtHand(path) {
		return nil
	}
	fset, files := token.NewFileSet(), []*ast.File(nil)
	left := int64(outsidePackageLimit)
	for _, name := range pkg.GoFiles {
		content, err := o.read(pkg, name)
		if left -= int64(len(content)); err != nil || left < 0 {
			return nil
		}
		if file, _ := parser.ParseFile(fset, name, content, parser.SkipObjectResolution); file != nil {
			files = append(files, file)
		}
	}
	conf := types.Config{
		Importer: &unitImporter{importer: o.imp, pkg: pkg}, FakeImportC: true,
		Sizes: types.SizesFor("gc", runtime.GOARCH),
	}
	var u *foreign.Unit
	if o.imp.watch.within(path, allowedTime(pkg.GoFiles), func() { u = foreign.NewUnit(path, fset, files, conf) }) != nil {
		return nil
	}
	return u
}

// read gives a file of another module: a regular one of bounded size that lies, without links, in the folder of its
// module or of the toolchain.
func (o *outsiders) read(pkg *packages.Package, name string) ([]byte, error) {
	if isBelow(o.t.dir, name) {
		return o.t.read(name)
	}
	within := runtimeRoot(pkg)
	end, err := filepath.EvalSymlinks(name)
	if err != nil {
		return nil, err
	}
	if within, err = filepath.EvalSymlinks(within); err != nil || within == "" || !isBelow(within, end) {
		return nil, fmt.Errorf("%s", leadsOut)
	}
	file, err := os.OpenFile(end, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > outsideFileLimit {
		return nil, fmt.Errorf("no regular file of up to %d MiB", outsideFileLimit>>20)
	}
	return io.ReadAll(io.LimitReader(file, outsideFileLimit))
}

// runtimeRoot is the folder that a package's files must lie in: its module's, or for the standard library its own.
func runtimeRoot(pkg *packages.Package) string {
	if pkg.Module != nil {
		return pkg.Module.Dir
	}
	if len(pkg.GoFiles) == 0 {
		return ""
	}
	return filepath.Dir(pkg.GoFiles[0])
}

// ask answers a question, from what was kept where that still holds.
func (o *outsiders) ask(path string, q foreign.Question) foreign.Effects {
	known, ok := o.kept[path]
	if !ok {
		known = map[foreign.Question]foreign.Effects{}
		o.cache.get(o.key(path), &known)
		o.kept[path] = known
	}
	if found, ok := known[q]; ok {
		return found
	}
	found := foreign.Unknown
	err := o.imp.watch.within(path, packageTime, func() { found = o.reader.Ask(q) })
	if err != nil {
		found = foreign.Unknown
		o.reader = foreign.NewReader(o) // what is given up may go on
	}
	known[q] = found
	o.changed[path] = true
	return found
}

// keep writes what was not known before.
func (o *outsiders) keep() {
	for path := range o.changed {
		o.cache.put(o.key(path), o.kept[path])
	}
}

// key names what answers about a package rest on: the version of its module and of all that it imports. It is empty where
// one of them has no version, as in a folder that replaces it.
func (o *outsiders) key(path string) string {
	if key, ok := o.keys[path]; ok {
		return key
	}
	versions, fixed := map[string]bool{}, true
	seen := map[*packages.Package]bool{}
	var add func(pkg *packages.Package)
	add = func(pkg *packages.Package) {
		if seen[pkg] || !fixed {
			return
		}
		seen[pkg] = true
		switch module := pkg.Module; {
		case module == nil:
			versions[runtime.Version()] = true
		case module.Dir == "" || len(pkg.GoFiles) > 0 && !isBelow(module.Dir, pkg.GoFiles[0]):
			fixed = false // a vendor folder's files may be others than its version says
		case module.Replace != nil && module.Replace.Version != "":
			versions[module.Path+"=>"+module.Replace.Path+"@"+module.Replace.Version] = true
		case module.Version == "" || module.Replace != nil || isBelow(o.t.dir, module.Dir):
			fixed = false
		default:
			versions[module.Path+"@"+module.Version] = true
		}
		for _, dep := range pkg.Imports {
			add(dep)
		}
	}
	add(o.packages[path])
	key := ""
	if fixed {
		names := sorted(versions)
		sum := sha256.Sum256([]byte("foreign " + path + "\n" + strings.Join(names, "\n")))
		key = hex.EncodeToString(sum[:])
	}
	o.keys[path] = key
	return key
}

// answer asks all that a judgement needs to know, in order.
func (o *outsiders) answer(l *linked) []foreignFact {
	asked := map[foreign.Question]string{}
	note := func(target string, arg int, context bool) {
		if path := o.pathOf(target); path != "" && o.isAtHand(path) {
			asked[foreign.Question{Func: target, Arg: arg, Context: context}] = path
		}
	}
	l.given(note)
	questions := make([]foreign.Question, 0, len(asked))
	for q := range asked {
		questions = append(questions, q)
	}
	sort.Slice(questions, func(i, j int) bool {
		a, b := questions[i], questions[j]
		return a.Func < b.Func || a.Func == b.Func && (a.Arg < b.Arg || a.Arg == b.Arg && !a.Context && b.Context)
	})
	var facts []foreignFact
	for _, q := range questions {
		facts = append(facts, foreignFact{q.Func, max(q.Arg, 0), q.Context, o.ask(asked[q], q).Names()})
	}
	o.keep()
	return facts
}

// isAtHand tells whether there is something to read: not of a module that is not in the module cache. Nothing is said then
// of what its functions do, which is less than that it is not known.
func (o *outsiders) isAtHand(path string) bool {
	return len(o.packages[path].GoFiles) > 0 && !slices.Contains(o.t.skip, path)
}

// pathOf gives the package of a function by its name, where that is not the target's; else nothing.
func (o *outsiders) pathOf(id string) string {
	slash := strings.LastIndexByte(id, '/') + 1
	for i := len(id) - 1; i > slash; i-- {
		if pkg := o.packages[id[:i]]; id[i] == '.' && pkg != nil {
			if pkg.Module != nil && o.t.owns(pkg.Module.Path) {
				return ""
			}
			return id[:i]
		}
	}
	return ""
}

// given lists what the target gives to functions: functions of its own by their parameter's number, and contexts.
func (l *linked) given(note func(target string, arg int, context bool)) {
	for _, facts := range l.packages {
		for _, fn := range facts.Funcs {
			if fn.Use != nil && fn.Use.Kind == "arg" && (l.reach[fn.ID] || l.handed[fn.ID]) {
				note(fn.Use.Target, fn.Use.Arg, false)
			}
		}
		for _, call := range facts.Calls {
			if call.Use != nil && call.Use.Kind == "arg" && l.reach[call.Callee] {
				note(call.Use.Target, call.Use.Arg, false)
			}
		}
		for _, hold := range facts.Holds {
			l.noteHeld(hold, note)
		}
		for _, site := range facts.Sites {
			for _, use := range site.Uses {
				if use.Kind == "arg" {
					note(use.Target, foreign.FirstContext, true)
				}
			}
		}
		for _, forward := range facts.Forwards {
			if (forward.Kind == "arg" || forward.Kind == "makes") && l.handed[functionOf(forward.Func)] {
				note(forward.Target, foreign.FirstContext, true)
			}
		}
	}
}

// noteHeld asks for what gets a function by a parameter that somebody else gave.
func (l *linked) noteHeld(hold holdFact, note func(target string, arg int, context bool)) {
	target, number, found := strings.Cut(strings.TrimPrefix(hold.Node, "param:"), "#")
	if !found || !strings.HasPrefix(hold.Node, "param:") || l.funcs[target] != nil {
		return
	}
	if !strings.HasPrefix(hold.Target, "param:") && !l.reach[hold.Target] {
		return
	}
	arg := 0
	if _, err := fmt.Sscan(number, &arg); err == nil {
		note(target, arg, false)
	}
}
