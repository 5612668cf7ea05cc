package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"unicode/utf8"
)

// Guarding: the go command reads whatever the names of a target lead to. What leads out of it, is no regular file or is
// too large is looked for first, and hidden from the go command by an overlay (go help build, -overlay).

const (
	fileLimit   = 32 << 20 // bytes of a source file
	moduleLimit = 4 << 20  // bytes of a go.mod, go.sum, go.work, modules.txt
	depthLimit  = 128      // folders inside folders
	goFileLimit = 500_000
	entryLimit  = 5_000_000
)

// leadsOut is what is said of a link whose end is not in the target.
const leadsOut = "a link that leads out of the target"

// A guard is what was found below a folder before the go command is asked.
type guard struct {
	dir     string // absolute, symbolic links resolved
	files   *inside
	modules []string // folders with a go.mod, as the go command would look into them, sorted
	hasWork bool     // there is a go.work in the folder itself
	// hidden are the files and folders that the go command must not see: what it finds in their place, or nothing.
	hidden   map[string]string
	cgo      map[string]string // what stands in the place of files that use cgo, where that is compiled
	problems []problem
	headless bool // the folder's own module is not to be loaded, but those below it
	closed   bool // nothing of it is to be loaded

	links    map[string]string // links to folders inside: where they lead
	deadEnds []string          // folders' links that lead out
	goFiles  int
	entries  int
}

// A folder is one that is still to be looked into.
type folder struct {
	path    string
	depth   int
	skipped bool // the go command looks into it only where an import names it
}

// look finds the modules below a folder, and what must be hidden. It never follows a link.
func look(files *inside) *guard {
	dir := files.dir
	g := &guard{
		dir: dir, files: files, hidden: map[string]string{}, cgo: map[string]string{}, links: map[string]string{},
	}
	left := []folder{{path: dir}}
	for len(left) > 0 {
		next := left[len(left)-1]
		left = left[:len(left)-1]
		if reason := g.tooMuch(next); reason != "" {
			g.hide(next.path, reason)
			continue
		}
		entries, err := os.ReadDir(next.path)
		if err != nil {
			continue // an unreadable folder is named by the syntactic scan
		}
		left = append(left, g.lookAt(next, entries)...)
	}
	g.hideLinks()
	sort.Strings(g.modules)
	return g
}

func (g *guard) tooMuch(at folder) string {
	switch {
	case at.depth > depthLimit:
		return fmt.Sprintf("more than %d folders deep", depthLimit)
	case g.goFiles > goFileLimit:
		return fmt.Sprintf("behind more than %d Go files", goFileLimit)
	case g.entries > entryLimit:
		return fmt.Sprintf("behind more than %d files", entryLimit)
	}
	return ""
}

// lookAt takes what a folder holds, and gives the folders in it.
func (g *guard) lookAt(at folder, entries []fs.DirEntry) []folder {
	var below []folder
	var assembly []string
	headers := false
	g.entries += len(entries)
	for _, entry := range entries {
		name := entry.Name()
		path := filepath.Join(at.path, name)
		switch reason := g.judge(path, entry); {
		case reason != "":
			g.refuse(at, path, reason)
			headers = headers || isIncluded(name)
		case entry.IsDir():
			below = append(below, folder{path, at.depth + 1, at.skipped || skippedFolder(name)})
		case name == "go.mod" && !at.skipped && entry.Type()&fs.ModeSymlink == 0:
			g.modules = append(g.modules, at.path)
		case name == "go.mod" && !at.skipped:
			if info, err := os.Stat(path); err == nil && !info.IsDir() {
				g.modules = append(g.modules, at.path)
			}
		case name == "go.work" && at.path == g.dir && os.Getenv("GOWORK") != "off":
			g.hasWork = true
		case isIncluded(name):
			assembly = append(assembly, path)
		}
		if strings.HasSuffix(name, ".go") {
			g.goFiles++
			if !at.skipped && !utf8.ValidString(name) && !g.covers(path) {
				g.problems = append(g.problems, problem{g.relative(path), "its name is not UTF-8: not read with types"})
			}
			g.lookAtCgo(path)
		}
	}
	g.lookAtAssembly(assembly, headers)
	return below
}

// judge says why the go command must not come to a file, or nothing. A link to a folder inside is kept for later.
func (g *guard) judge(path string, entry fs.DirEntry) string {
	limit := limitOf(entry.Name())
	switch {
	case entry.IsDir():
		return ""
	case entry.Type()&fs.ModeSymlink != 0:
		return g.judgeLink(path, limit)
	case strings.HasSuffix(entry.Name(), ".swig"), strings.HasSuffix(entry.Name(), ".swigcxx"):
		return "swig is not run"
	case limit == 0:
		return "" // the go command does not open it, and embeds regular files only
	case !entry.Type().IsRegular():
		return "not a regular file"
	}
	info, err := entry.Info()
	if err != nil {
		return reasonOf(err)
	}
	return tooLarge(info, limit)
}

func (g *guard) judgeLink(path string, limit int64) string {
	end, err := filepath.EvalSymlinks(path)
	if err != nil {
		if limit == 0 {
			return ""
		}
		return reasonOf(err)
	}
	inside := isBelow(g.dir, end)
	info, err := os.Lstat(end)
	switch {
	case err != nil:
		return reasonOf(err)
	case info.IsDir() && inside:
		g.links[path] = end
		return ""
	case info.IsDir():
		g.deadEnds = append(g.deadEnds, path)
		g.hidden[path] = ""
		return ""
	case limit == 0:
		return ""
	case !inside:
		return leadsOut
	case !info.Mode().IsRegular():
		return "not a regular file"
	}
	return tooLarge(info, limit)
}

// refuse hides a file, and what cannot be understood without it.
func (g *guard) refuse(at folder, path, reason string) {
	switch name := filepath.Base(path); {
	case (name == "go.mod" || name == "go.sum") && !at.skipped:
		g.problems = append(g.problems, problem{g.relative(path), reason + ": the module is not read with types"})
		if at.path != g.dir {
			g.cover(at.path)
			return
		}
		g.headless = true
		g.hidden[filepath.Join(g.dir, "go.mod")] = ""
		g.cover(path)
	case strings.HasSuffix(name, ".go"):
		g.hide(path, reason+": not scanned")
	default:
		g.hide(path, reason+": not read")
	}
}

func (g *guard) hide(path, reason string) {
	if !utf8.ValidString(path) {
		reason += "; nor is what is in its folder read with types, since its name is not UTF-8"
	}
	g.problems = append(g.problems, problem{g.relative(path), reason})
	g.cover(path)
}

// cover hides a file or folder. An overlay is JSON, so a name that is not UTF-8 is hidden with the folder it is in.
func (g *guard) cover(path string) {
	for !utf8.ValidString(path) && path != g.dir {
		path = filepath.Dir(path)
	}
	if path == g.dir {
		g.closed = true
		return
	}
	g.hidden[path] = ""
}

// hideLinks hides the links to folders in which something is hidden, or behind a further link: by another name it would
// be found after all.
func (g *guard) hideLinks() {
	hidden, links := sorted(g.hidden), sorted(g.links)
	for link, end := range g.links {
		if hasBelow(hidden, end) || hasBelow(links, end) || g.covers(end) {
			g.hidden[link] = ""
		}
	}
}

// hasBelow tells whether one of some sorted paths is in a folder.
func hasBelow(paths []string, dir string) bool {
	prefix := dir + string(filepath.Separator)
	at := sort.SearchStrings(paths, prefix)
	return at < len(paths) && strings.HasPrefix(paths[at], prefix)
}

// covers tells whether a file or folder is hidden, or in a folder that is.
func (g *guard) covers(path string) bool {
	for ; isBelow(g.dir, path); path = filepath.Dir(path) {
		if to, hidden := g.hidden[path]; hidden && to == "" {
			return true
		}
	}
	return false
}

// limitOf is how large a file may be that the go command opens by its name, in bytes; 0 for others.
func limitOf(name string) int64 {
	switch name {
	case "go.mod", "go.sum", "go.work", "go.work.sum", "modules.txt":
		return moduleLimit
	case "default.pgo":
		return fileLimit
	}
	switch filepath.Ext(name) {
	case ".go", ".s", ".S", ".sx", ".h", ".hh", ".hpp", ".hxx", ".c", ".cc", ".cpp", ".cxx", ".m", ".f", ".F", ".for",
		".f90", ".swig", ".swigcxx", ".syso":
		return fileLimit
	}
	return 0
}

func tooLarge(info fs.FileInfo, limit int64) string {
	if info.Size() > limit {
		return fmt.Sprintf("larger than %d MiB", limit>>20)
	}
	return ""
}

// reasonOf is an error without the names in it.
func reasonOf(err error) string {
	if number := syscall.Errno(0); errors.As(err, &number) {
		err = number
	}
	return fmt.Sprintf("cannot be read (%v)", err)
}

func (g *guard) relative(path string) string { return (&target{dir: g.dir}).relative(path) }
