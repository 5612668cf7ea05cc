package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"runtime"
	"sync"

	"golang.org/x/tools/go/gcexportdata"
	"golang.org/x/tools/go/packages"
)

// An importer gives the types of imported packages from their export data. One is shared by all units: a package is
// read once, except where a test variant of it is meant.
type importer struct {
	mu     sync.Mutex
	fset   *token.FileSet
	shared map[string]*types.Package
	source map[string]*declared // by package ID, so test variants are apart
	read   func(file string) ([]byte, error)
	watch  *watch

	keysLock sync.Mutex
	keys     map[string]string // what packages declare that are not compiled, by their ID
}

// declared is a package without compiled types, whose declarations are read from source.
type declared struct {
	once sync.Once
	pkg  *types.Package
	cgo  bool  // some of its types are C's, and not known
	err  error // why it could not be read
}

func newImporter(read func(file string) ([]byte, error), w *watch) *importer {
	return &importer{
		fset: token.NewFileSet(), shared: map[string]*types.Package{"unsafe": types.Unsafe},
		source: map[string]*declared{}, read: read, watch: w, keys: map[string]string{},
	}
}

// declarations gives the types of a package from its source, without its functions' bodies. It serves where nothing is
// to be compiled, and for packages that this toolchain cannot compile.
func (imp *importer) declarations(pkg *packages.Package) (*types.Package, error) {
	imp.mu.Lock()
	entry := imp.source[pkg.ID]
	if entry == nil {
		entry = new(declared)
		imp.source[pkg.ID] = entry
	}
	imp.mu.Unlock()
	entry.once.Do(func() {
		var files []*ast.File
		for _, path := range pkg.GoFiles {
			if file, _ := imp.parse(imp.fset, path); file != nil {
				files = append(files, file)
				entry.cgo = entry.cgo || importsC(file)
			}
		}
		conf := types.Config{
			Importer: &unitImporter{importer: imp, pkg: pkg}, FakeImportC: true, IgnoreFuncBodies: true,
			Sizes: types.SizesFor("gc", runtime.GOARCH), Error: func(error) {}, // what is there is used
		}
		var read *types.Package
		entry.err = imp.watch.within(pkg.PkgPath, allowedTime(pkg.GoFiles), func() {
			read, _ = conf.Check(pkg.PkgPath, imp.fset, files, nil)
		})
		if entry.err == nil {
			entry.pkg = read
		}
	})
	if entry.err != nil {
		return nil, fmt.Errorf("%s: %w", pkg.PkgPath, entry.err)
	}
	if entry.pkg == nil {
		return nil, fmt.Errorf("%s cannot be read", pkg.PkgPath)
	}
	return entry.pkg, nil
}

// parse gives the syntax of a file as far as there is any, and what is wrong with it.
func (imp *importer) parse(fset *token.FileSet, path string) (*ast.File, error) {
	content, err := imp.read(path)
	if err != nil {
		return nil, err
	}
	return parser.ParseFile(fset, path, content, parser.SkipObjectResolution)
}

func importsC(file *ast.File) bool {
	for _, spec := range file.Imports {
		if spec.Path.Value == `"C"` {
			return true
		}
	}
	return false
}

// guesses tells whether types of C, which are not known from Go's sources, may be why a package does not check.
func (imp *importer) guesses(pkg *packages.Package, seen map[string]bool) bool {
	if seen[pkg.ID] {
		return false
	}
	seen[pkg.ID] = true
	imp.mu.Lock()
	entry := imp.source[pkg.ID]
	imp.mu.Unlock()
	if entry != nil && entry.cgo {
		return true
	}
	for _, dep := range pkg.Imports {
		if dep.ExportFile == "" && dep.Module != nil && imp.guesses(dep, seen) {
			return true
		}
	}
	return false
}

// plain gives a package that is no test variant.
func (imp *importer) plain(pkg *packages.Package) (*types.Package, error) {
	if pkg.PkgPath == "unsafe" {
		return types.Unsafe, nil
	}
	if pkg.ExportFile == "" {
		return imp.declarations(pkg)
	}
	imp.mu.Lock()
	defer imp.mu.Unlock()
	return (&unitImporter{importer: imp}).read(imp.shared, pkg)
}

// A unitImporter imports for one unit: its import map tells test variants and vendored packages from plain ones.
type unitImporter struct {
	*importer
	pkg *packages.Package
	// Packages that were compiled anew for the unit's tests, and what they share with others; and their paths.
	variants   map[string]*types.Package
	recompiled map[string]bool
}

func (u *unitImporter) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if path == "C" {
		return nil, errors.New("cgo")
	}
	dep := u.pkg.Imports[path]
	if dep == nil {
		return nil, fmt.Errorf("no package %s", path)
	}
	if dep.ExportFile == "" {
		return u.declarations(dep)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if dep.ForTest != "" {
		return u.readVariant(dep)
	}
	return u.read(u.shared, dep)
}

// readVariant reads a package that was compiled for this unit's tests. All that it shares with the rest of the program
// comes from the shared packages, so that the two agree on the types.
func (u *unitImporter) readVariant(dep *packages.Package) (*types.Package, error) {
	if u.variants == nil {
		u.variants, u.recompiled = map[string]*types.Package{}, map[string]bool{}
		for _, imported := range u.pkg.Imports {
			markVariants(imported, u.recompiled)
		}
	}
	for _, plain := range dep.Imports {
		if plain.ForTest == "" && plain.PkgPath != "C" {
			_, _ = u.read(u.shared, plain) // one that does not compile is named where it is imported
		}
	}
	for path, pkg := range u.shared {
		if !u.recompiled[path] && u.variants[path] == nil {
			u.variants[path] = pkg
		}
	}
	return u.read(u.variants, dep)
}

// markVariants adds the paths of a package and its imports that were compiled anew for a test.
func markVariants(pkg *packages.Package, paths map[string]bool) {
	if pkg.ForTest == "" || paths[pkg.PkgPath] {
		return
	}
	paths[pkg.PkgPath] = true
	for _, dep := range pkg.Imports {
		markVariants(dep, paths)
	}
}

func (u *unitImporter) read(known map[string]*types.Package, dep *packages.Package) (*types.Package, error) {
	if pkg := known[dep.PkgPath]; pkg != nil && pkg.Complete() {
		return pkg, nil
	}
	if dep.PkgPath == "unsafe" {
		return types.Unsafe, nil
	}
	if dep.ExportFile == "" {
		return nil, fmt.Errorf("%s could not be compiled", dep.PkgPath)
	}
	file, err := os.Open(dep.ExportFile)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := gcexportdata.NewReader(file)
	if err != nil {
		return nil, err
	}
	return gcexportdata.Read(data, u.fset, known, dep.PkgPath)
}

// A checked unit is a package with its syntax and types, for as long as facts are taken from it.
type checked struct {
	unit  *unit
	fset  *token.FileSet
	files []*ast.File
	info  *types.Info
	types *types.Package
	errs  []string
}

// check parses and type-checks a unit. Errors are collected, never fatal: what could be resolved is used.
func check(u *unit, imp *importer) *checked {
	c := &checked{unit: u, fset: token.NewFileSet()}
	for _, path := range u.pkg.GoFiles {
		file, err := imp.parse(c.fset, path)
		if err != nil {
			c.errs = append(c.errs, err.Error())
		}
		if file != nil {
			c.files = append(c.files, file)
		}
	}
	c.info = &types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Defs:       map[*ast.Ident]types.Object{},
		Uses:       map[*ast.Ident]types.Object{},
		Implicits:  map[ast.Node]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
		Scopes:     map[ast.Node]*types.Scope{},
		Instances:  map[*ast.Ident]types.Instance{},
	}
	conf := types.Config{
		Importer:    &unitImporter{importer: imp, pkg: u.pkg},
		FakeImportC: true,
		Sizes:       types.SizesFor("gc", runtime.GOARCH),
		Error: func(err error) {
			if len(c.errs) < 3 {
				c.errs = append(c.errs, err.Error())
			}
		},
	}
	c.types, _ = conf.Check(u.pkg.PkgPath, c.fset, c.files, c.info)
	if len(c.errs) > 0 && imp.guesses(u.pkg, map[string]bool{}) {
		c.errs = nil
	}
	return c
}
