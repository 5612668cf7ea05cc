package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func write(t *testing.T, dir string, files ...string) {
	t.Helper()
	for _, name := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("module example.org/shop\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func looked(t *testing.T, dir string) *guard {
	t.Helper()
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	files, err := newInside(dir)
	if err != nil {
		t.Fatal(err)
	}
	return look(files)
}

func TestEveryModuleIsLoadedButNotThoseThatTheGoCommandSkips(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "go.mod", "tools/go.mod", "testdata/go.mod", "vendor/x/go.mod", ".cache/go.mod", "_old/go.mod")
	var got []string
	for _, root := range loadRoots(looked(t, dir), nil) {
		rel, _ := filepath.Rel(dir, root.dir)
		got = append(got, filepath.ToSlash(rel))
	}
	if len(got) != 2 || got[0] != "." || got[1] != "tools" {
		t.Error(got)
	}
}

func TestAFolderWithinAModuleIsLoadedWhereItStands(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "go.mod", "api/handlers.go")
	roots := loadRoots(looked(t, filepath.Join(dir, "api")), nil)
	if len(roots) != 1 || roots[0].dir != filepath.Join(dir, "api") {
		t.Error(roots)
	}
}

func TestAMessageIsOneLineWithoutTheTargetsPath(t *testing.T) {
	target := &target{dir: "/somewhere/shop"}
	got := target.shorten("# example.org/shop\n" + filepath.FromSlash("/somewhere/shop/") + "a.go:1:2: undefined: x\nmore")
	if got != "a.go:1:2: undefined: x …" {
		t.Error(got)
	}
	whole := wholeMessage(errors.New("err: exit status 1: stderr: go: errors parsing go.mod:\ngo.mod:1: unknown directive: modul\n"))
	if whole != "go: errors parsing go.mod: go.mod:1: unknown directive: modul" {
		t.Error(whole)
	}
}

func TestFactsThatCannotBeKeptAreDoneWithout(t *testing.T) {
	cache := newStore(filepath.Join(t.TempDir(), "facts"))
	facts := packageFacts{Path: "example.org/shop", Funcs: []*funcFact{{ID: "f", Flags: []string{"lazy"}}}}
	cache.put("abcdef", facts)
	var back packageFacts
	if !cache.get("abcdef", &back) || back.Funcs[0].ID != "f" {
		t.Error("what was kept is not found")
	}
	if cache.get("unknown", &back) || cache.get("", &back) {
		t.Error("what was not kept is found")
	}
	file := filepath.Join(t.TempDir(), "file")
	write(t, filepath.Dir(file), "file")
	newStore(filepath.Join(file, "below")).put("abcdef", facts)
}
