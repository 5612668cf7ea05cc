package main

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// A program with what the scenarios' programs import, so that mutations of them are checked with types.
const fuzzed = `package shop

import (
	"bufio"
	_ "context"
	_ "database/sql"
	_ "errors"
	_ "fmt"
	_ "net/http"
	_ "os/exec"
	_ "sync"
	_ "time"
)
`

// FuzzFacts reads programs that are mutated from those of the scenarios: whatever stands there, reading ends with facts.
// As a test it reads the scenarios' own files, each by itself; `go test -fuzz=FuzzFacts` goes on from them.
func FuzzFacts(f *testing.F) {
	archives, err := filepath.Glob(filepath.Join("..", "..", "tests", "scenarios", "*", "*.txtar"))
	if err != nil || len(archives) == 0 {
		f.Fatal("no scenarios to begin with", err)
	}
	for number, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if strings.HasSuffix(file.Name, ".go") && number%4 == 0 { // enough for each run of all tests
				f.Add(string(file.Data))
			}
		}
	}
	dir := f.TempDir()
	place := filepath.Join(dir, "shop.go")
	for name, text := range map[string]string{"go.mod": "module example.org/shop\n\ngo 1.26\n", "shop.go": fuzzed} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			f.Fatal(err)
		}
	}
	target, err := load(options{dir: dir, wide: true})
	if err != nil || len(target.units) != 1 {
		f.Fatal(err, target.broken)
	}
	imp := newImporter(target.read, newWatch())
	f.Fuzz(func(t *testing.T, code string) {
		if len(code) > 1<<16 {
			return // long programs have tests of their own
		}
		if err := os.WriteFile(place, []byte(code), 0o600); err != nil {
			t.Fatal(err)
		}
		facts := extract(target, check(target.units[0], imp))
		read := &program{packages: []*packageFacts{facts}, others: newOutsiders(target, imp, newStore(""))}
		joined, err := link(read)
		if err != nil {
			return // more than is followed, and said in one line
		}
		if err := emit(bufio.NewWriter(io.Discard), target, joined, true); err != nil {
			t.Fatal(err)
		}
	})
}
