package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/tools/go/packages"
)

// A target is everything that one scan reads: the packages to read from source, and where their imports' types are.
type target struct {
	dir     string // absolute, symbolic links resolved
	files   *inside
	guard   *guard
	modules []moduleFact
	units   []*unit
	broken  []problem // what could not be loaded at all

	dependents []*unit  // read only for who changes signatures
	skip       []string // packages that are not read, since the helper failed at them before
}

// A unit is one package to be read from source. Where a package has tests in its own package, the unit is the test
// variant, since that holds all of the files.
type unit struct {
	pkg    *packages.Package
	module string
	// fresh names the files that this unit gives facts for. A test variant is loaded with its package's files.
	files []string
	// dependent tells that it is another module's, and read for what it uses of the target.
	dependent bool
}

// A problem is something that was not read, and why.
type problem struct {
	Where  string `json:"where,omitempty"`
	Reason string `json:"reason,omitempty"`
}

const loadMode = packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedDeps |
	packages.NeedForTest | packages.NeedModule

// load finds the modules below a folder and asks the go command for their packages. Each module that is not part of
// the workspace is loaded on its own.
func load(opts options) (*target, error) {
	dir, err := filepath.Abs(opts.dir)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	files, err := newInside(dir)
	if err != nil {
		return nil, err
	}
	g := look(files)
	t := &target{dir: dir, files: files, guard: g, skip: opts.skip}
	t.broken = append(t.broken, g.problems...)
	overlay, remove, err := g.overlay()
	if err != nil {
		return nil, err
	}
	defer remove()
	seen := map[string]bool{}
	var read []loaded
	for _, root := range loadRoots(g, overlay) {
		if opts.leavesOut(dir, root.dir) {
			continue
		}
		found, err := loadRootPackages(opts, root)
		if err != nil {
			t.broken = append(t.broken, problem{Where: t.relative(root.dir), Reason: t.shorten(wholeMessage(err))})
			continue
		}
		t.add(found.pkgs, seen)
		read = append(read, found)
	}
	t.nameLinks(g, read)
	if opts.wide {
		t.addDependents(read)
	}
	sort.Slice(t.units, func(i, j int) bool { return t.units[i].pkg.ID < t.units[j].pkg.ID })
	sort.Slice(t.modules, func(i, j int) bool { return t.modules[i].Path < t.modules[j].Path })
	return t, nil
}

// patience is how long the go command may compile what is imported before its sources are read instead. With a warm
// build cache it needs a second or two; with a cold one, minutes.
const patience = 12 * time.Second

// loaded is what one call of the go command gave: with compiled types or without, and how to ask for those, however
// long that takes; nil where nothing is to be compiled.
type loaded struct {
	pkgs     []*packages.Package
	compiled bool
	compile  *packages.Config
}

// loadRootPackages takes compiled types where they are at hand: both ways give the same facts, and reading what is
// compiled is several times faster.
func loadRootPackages(opts options, root loadRoot) (loaded, error) {
	modfile, err := opts.modFileOf(root.dir)
	if err != nil {
		return loaded{}, err
	}
	cfg := config(opts, root, modfile)
	if opts.compile == "never" {
		pkgs, err := loadOrSayWhy(cfg, root.patterns)
		return loaded{pkgs: pkgs}, err
	}
	compile := *cfg
	compile.Mode |= packages.NeedExportFile
	if opts.compile == "always" {
		pkgs, err := loadOrSayWhy(&compile, root.patterns)
		return loaded{pkgs, true, &compile}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	hurried := compile
	hurried.Context = ctx
	pkgs, err := loadOrSayWhy(&hurried, root.patterns)
	if ctx.Err() == nil {
		return loaded{pkgs, true, &compile}, err
	}
	pkgs, err = loadOrSayWhy(cfg, root.patterns)
	return loaded{pkgs, false, &compile}, err
}

// loadOrSayWhy loads packages. A failure of the go command as a whole, as for a go.mod that cannot be read, gives no
// packages and no error; asking for the sizes of types brings it to light.
func loadOrSayWhy(cfg *packages.Config, patterns []string) ([]*packages.Package, error) {
	pkgs, err := packages.Load(cfg, patterns...)
	if err != nil || len(pkgs) > 0 {
		return pkgs, err
	}
	ask := *cfg
	ask.Mode = packages.NeedName | packages.NeedTypesSizes
	return packages.Load(&ask, patterns...)
}

// A loadRoot is one call of the go command: where, for which packages, in or out of the workspace, and the flags that
// hide what it must not see.
type loadRoot struct {
	dir      string
	patterns []string
	offWork  bool
	overlay  []string
}

// loadRoots gives the folders to load: the workspace's modules together, and every other module by itself.
func loadRoots(g *guard, overlay []string) []loadRoot {
	modules, top := g.loadable()
	if top && (len(modules) == 0 || modules[0] != g.dir && !g.hasWork) {
		if len(modules) == 0 || insideModule(g.dir) {
			modules = append([]string{g.dir}, modules...)
		}
	}
	inWork := map[string]bool{}
	var roots []loadRoot
	if g.hasWork && top && !g.closed {
		shared := loadRoot{dir: g.dir, overlay: overlay}
		for _, module := range workspaceModules(g.dir, overlay) {
			inWork[module] = true
			if rel, err := filepath.Rel(g.dir, module); err == nil && filepath.IsLocal(rel) {
				shared.patterns = append(shared.patterns, "./"+filepath.ToSlash(filepath.Join(rel, "...")))
			}
		}
		roots = append(roots, shared)
	}
	for _, module := range modules {
		if !inWork[module] {
			roots = append(roots, loadRoot{module, []string{"./..."}, g.hasWork, overlay})
		}
	}
	return roots
}

// skippedFolder tells which folders the go command does not look into.
func skippedFolder(name string) bool {
	return name == "vendor" || name == "testdata" || name == "node_modules" ||
		strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

func insideModule(dir string) bool {
	for parent := filepath.Dir(dir); ; parent = filepath.Dir(parent) {
		if _, err := os.Stat(filepath.Join(parent, "go.mod")); err == nil {
			return true
		}
		if parent == filepath.Dir(parent) {
			return false
		}
	}
}

// workspaceModules lists the folders of a workspace's modules, absolute.
func workspaceModules(dir string, overlay []string) []string {
	list := exec.Command("go", append([]string{"list", "-m", "-f", "{{.Dir}}"}, overlay...)...)
	list.Dir = dir
	out, err := list.Output()
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func config(opts options, root loadRoot, modfile string) *packages.Config {
	cfg := &packages.Config{Mode: loadMode, Dir: root.dir, Tests: true, Env: os.Environ(), BuildFlags: slices.Clone(root.overlay)}
	if root.offWork {
		cfg.Env = append(cfg.Env, "GOWORK=off")
	}
	for _, flag := range [][2]string{{"-tags", opts.tags}, {"-mod", opts.mod}, {"-modfile", modfile}} {
		if flag[1] != "" {
			cfg.BuildFlags = append(cfg.BuildFlags, flag[0]+"="+flag[1])
		}
	}
	return cfg
}

// add takes the packages of one load: test variants stand for their package, generated test mains are left out, and a
// package that an earlier load gave is not taken again.
func (t *target) add(pkgs []*packages.Package, seen map[string]bool) {
	variant := map[string]bool{}
	for _, pkg := range pkgs {
		if pkg.ForTest != "" && pkg.PkgPath == pkg.ForTest {
			variant[pkg.PkgPath] = true
		}
	}
	for _, pkg := range pkgs {
		t.addModule(pkg.Module)
		plain := pkg.ForTest == ""
		if plain && (strings.HasSuffix(pkg.ID, ".test") || variant[pkg.PkgPath]) || seen[pkg.ID] {
			continue
		}
		seen[pkg.ID] = true
		for _, e := range pkg.Errors {
			if t.guard.isUncompiled(pkg) {
				break // what is wrong with it otherwise, types show
			}
			t.broken = append(t.broken, problem{Where: pkg.PkgPath, Reason: t.shorten(e.Msg)})
		}
		pkg.GoFiles = slices.DeleteFunc(pkg.GoFiles, lostName)
		if len(pkg.GoFiles) == 0 {
			continue
		}
		u := &unit{pkg: pkg}
		if pkg.Module != nil {
			u.module = pkg.Module.Path
		}
		for _, file := range pkg.GoFiles {
			if rel := t.relative(file); !seen[rel] && filepath.IsLocal(rel) {
				seen[rel] = true
				u.files = append(u.files, file)
			}
		}
		t.units = append(t.units, u)
	}
}

// lostName tells of a file whose name is not UTF-8: what the go command calls it leads nowhere.
func lostName(file string) bool {
	_, err := os.Lstat(file)
	return strings.ContainsRune(file, utf8.RuneError) && errors.Is(err, fs.ErrNotExist)
}

func (t *target) addModule(module *packages.Module) {
	if module == nil {
		return
	}
	for _, known := range t.modules {
		if known.Path == module.Path {
			return
		}
	}
	t.modules = append(t.modules, moduleFact{Path: module.Path, Dir: t.relative(module.Dir), Go: module.GoVersion})
}

// relative gives a path below the target, with slashes; a path elsewhere stays as it is.
func (t *target) relative(path string) string {
	rel, err := filepath.Rel(t.dir, path)
	if err != nil || !filepath.IsLocal(rel) {
		return path
	}
	return recorded(filepath.ToSlash(rel))
}

// shorten makes one line of a message and takes the target's own path out of it, so that the same input gives the
// same bytes wherever it lies.
func (t *target) shorten(message string) string {
	return firstLine(strings.ReplaceAll(message, t.dir+string(filepath.Separator), ""))
}

// wholeMessage is what the go command said, on one line, without what the loader says of the command.
func wholeMessage(err error) string {
	_, said, found := strings.Cut(err.Error(), "stderr: ")
	if !found {
		said = err.Error()
	}
	var lines []string
	for line := range strings.Lines(said) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, " ")
}

func firstLine(message string) string {
	for strings.HasPrefix(message, "# ") { // the go command's heading for a package
		_, message, _ = strings.Cut(message, "\n")
	}
	line, _, cut := strings.Cut(strings.TrimSpace(message), "\n")
	if cut {
		return fmt.Sprintf("%s …", strings.TrimSpace(line))
	}
	return line
}
