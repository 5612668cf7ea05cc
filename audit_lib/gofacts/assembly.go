package main

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Assembly is read by the go command's assembler, which takes any file that `#include` names and quotes it where it is
// no assembly. Types need none of it: a file that may name one elsewhere is taken for an empty one.

// emptyFile stands for the empty assembly file until that has a name.
const emptyFile = "\x00empty"

// sameFolder is an include of a file beside it, or of the few that come with Go.
var sameFolder = regexp.MustCompile(`^[ \t]*#[ \t]*include[ \t]+"[A-Za-z0-9_.-]+\.[hs]"[ \t]*(?://[^"]*)?\r?$`)

// isIncluded tells which files the assembler may come to in a folder: other names are not looked at, and not allowed.
func isIncluded(name string) bool {
	return strings.HasSuffix(name, ".s") || strings.HasSuffix(name, ".h")
}

// lookAtAssembly hides a folder's assembly where one of its files may lead out, or a header in it is refused.
func (g *guard) lookAtAssembly(files []string, refused bool) {
	var assembly []string
	for _, path := range files {
		if strings.HasSuffix(path, ".s") {
			assembly = append(assembly, path)
		}
	}
	if len(assembly) == 0 {
		return
	}
	for _, path := range files {
		if !refused {
			text, err := g.files.read(path)
			refused = err != nil || !staysHere(text)
		}
	}
	if !refused {
		return
	}
	for _, path := range assembly {
		if utf8.ValidString(path) {
			g.hidden[path] = emptyFile
		} else {
			g.cover(path)
		}
	}
}

// staysHere tells whether assembly includes only what is in its own folder.
func staysHere(text []byte) bool {
	for line := range bytes.Lines(text) {
		if bytes.IndexByte(line, '#') >= 0 && bytes.Contains(line, []byte("include")) &&
			!sameFolder.Match(bytes.TrimSuffix(line, []byte("\n"))) {
			return false
		}
	}
	return true
}
