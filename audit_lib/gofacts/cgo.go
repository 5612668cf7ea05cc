package main

import (
	"bytes"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/packages"
)

// Packages that use cgo: to compile one, the C compiler reads what its comments include, and quotes it where it is no C.
// So those of the target are not compiled: the go command finds in the place of their files some that have the same
// imports and do not compile, and their declarations are read from source.

// seemsCgo tells whether Go code may import C: that the go command takes only as it is written here.
func seemsCgo(code []byte) bool { return bytes.Contains(code, []byte(`"C"`)) }

// withoutC gives Go code with the package, the build constraints and the imports of a file that uses cgo, and nothing
// for any other.
func withoutC(code []byte) string {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", code, parser.ImportsOnly|parser.ParseComments)
	if err != nil || !importsC(file) {
		return ""
	}
	var text strings.Builder
	text.Write(code[:fset.Position(file.Name.End()).Offset])
	for _, spec := range file.Imports {
		if spec.Path.Value != `"C"` {
			text.WriteString("\nimport ")
			if spec.Name != nil {
				text.WriteString(spec.Name.Name + " ")
			}
			text.WriteString(spec.Path.Value)
		}
	}
	text.WriteString("\n\nvar _ int = \"C is not compiled\"\n")
	return text.String()
}

// lookAtCgo keeps what is to stand in the place of a file that uses cgo.
func (g *guard) lookAtCgo(path string) {
	code, err := g.files.read(path)
	if err != nil || !seemsCgo(code) {
		return // what cannot be read has been named
	}
	if text := withoutC(code); text != "" {
		g.cgo[path] = text
	}
}

// isUncompiled tells of a package that its files which use cgo are why it does not compile.
func (g *guard) isUncompiled(pkg *packages.Package) bool {
	for _, file := range pkg.GoFiles {
		if g.cgo[filepath.Clean(file)] != "" {
			return true
		}
	}
	return false
}

// needsUncompiled tells the same of a package or one that it needs.
func (g *guard) needsUncompiled(pkg *packages.Package, known map[string]bool) bool {
	if needs, seen := known[pkg.ID]; seen {
		return needs
	}
	known[pkg.ID] = false
	needs := g.isUncompiled(pkg)
	for _, dep := range pkg.Imports {
		needs = needs || g.needsUncompiled(dep, known)
	}
	known[pkg.ID] = needs
	return needs
}
