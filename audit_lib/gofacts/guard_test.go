//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// folderOf gives a folder with files of these contents, beside one with a secret.
func folderOf(t *testing.T, files map[string]string) string {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(top, "shop")
	files["../outside/secret.go"] = "secret"
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func symlink(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsHiddenFromTheGoCommand(t *testing.T) {
	dir := folderOf(t, map[string]string{
		"go.mod": "module m\n", "real/a.go": "package real\n", "dirty/b.go": "package dirty\n", "big.go": "", "ok.go": "",
	})
	symlink(t, "../outside/secret.go", filepath.Join(dir, "out.go"))
	symlink(t, filepath.Join(dir, "ok.go"), filepath.Join(dir, "absolute.go"))
	symlink(t, "ok.go", filepath.Join(dir, "relative.go"))
	symlink(t, "../outside", filepath.Join(dir, "folder"))
	symlink(t, "real", filepath.Join(dir, "clean"))
	symlink(t, "../../outside/secret.go", filepath.Join(dir, "dirty", "out.go"))
	symlink(t, "dirty", filepath.Join(dir, "alias"))
	symlink(t, ".", filepath.Join(dir, "self"))
	symlink(t, "../outside/README", filepath.Join(dir, "README"))
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.go"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "big.go"), fileLimit+1); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, path := range sorted(looked(t, dir).hidden) {
		rel, _ := filepath.Rel(dir, path)
		got = append(got, filepath.ToSlash(rel))
	}
	if want := "alias big.go dirty/out.go folder out.go pipe.go self"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestAFileThatBecameALinkOutIsNotRead(t *testing.T) {
	dir := folderOf(t, map[string]string{"a.go": "package a\n", "sub/b.go": "package b\n"})
	files := looked(t, dir).files
	if text, err := files.read(filepath.Join(dir, "sub", "b.go")); err != nil || string(text) != "package b\n" {
		t.Fatal(string(text), err)
	}
	os.Remove(filepath.Join(dir, "a.go"))
	symlink(t, "../outside/secret.go", filepath.Join(dir, "a.go"))
	os.RemoveAll(filepath.Join(dir, "sub"))
	symlink(t, "../outside", filepath.Join(dir, "sub"))
	for _, name := range []string{"a.go", "sub/secret.go"} {
		text, err := files.read(filepath.Join(dir, filepath.FromSlash(name)))
		if err == nil || err.Error() != leadsOut || text != nil {
			t.Error(name, string(text), err)
		}
	}
}

func TestAFolderIsHiddenForAFileWhoseNameIsNotUTF8(t *testing.T) {
	dir := folderOf(t, map[string]string{"go.mod": "module m\n", "sub/a.go": "package a\n", "a\xff.go": "package m\n"})
	symlink(t, "../../outside/secret.go", filepath.Join(dir, "sub", "b\xff.go"))
	g := looked(t, dir)
	if len(g.hidden) != 1 || !g.covers(filepath.Join(dir, "sub")) {
		t.Error(g.hidden)
	}
	symlink(t, "../outside/secret.go", filepath.Join(dir, "b\xff.go"))
	if roots := loadRoots(looked(t, dir), nil); len(roots) != 0 {
		t.Error(roots)
	}
}

func TestNamesAreToldBack(t *testing.T) {
	for name, want := range map[string]string{
		"a.go": "a.go", "é\n.go": "é\n.go", "a\xff.go": `a\xff.go`, `a\xff.go`: `a\x5cxff.go`, `a\xyz.go`: `a\xyz.go`,
		"\xed\xa0\x80": `\xed\xa0\x80`, "\uFFFD": "\uFFFD",
	} {
		if got := recorded(name); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}

func TestAssemblyThatMayIncludeWhatIsOutside(t *testing.T) {
	for text, stays := range map[string]bool{
		"#include \"textflag.h\"\nTEXT ·f(SB),4,$0\n": true,
		"  # include  \"a_b-c.h\" // as in a.s\r\n":   true,
		"#include \"../secret.h\"\n":                  false,
		"#include \"/etc/passwd\"\n":                  false,
		"#include \"\\x2fetc\\x2fpasswd\"\n":          false,
		"#include /* */ \"/etc/passwd\"\n":            false,
		"NOP; #include \"/etc/passwd\"\n":             false,
		"#include \"passwd\"\n":                       false,
		"// included\n":                               true,
	} {
		if staysHere([]byte(text)) != stays {
			t.Errorf("%q", text)
		}
	}
}

func TestWhatStandsInThePlaceOfCgo(t *testing.T) {
	code := "//go:build linux\n\n// Package p.\npackage p\n\n// #include \"/etc/passwd\"\nimport \"C\"\n\nimport (\n\tf \"fmt\"\n\t_ \"net\"\n)\n"
	want := "//go:build linux\n\n// Package p.\npackage p\nimport f \"fmt\"\nimport _ \"net\"\n\nvar _ int = \"C is not compiled\"\n"
	if got := withoutC([]byte(code)); got != want {
		t.Errorf("%q", got)
	}
	if got := withoutC([]byte("package p\n\nvar c = \"C\"\n")); got != "" {
		t.Errorf("%q", got)
	}
}
