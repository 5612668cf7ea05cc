package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

func TestOutsideFilesStayInTheirModule(t *testing.T) {
	dir := t.TempDir()
	top, module, secret := filepath.Join(dir, "target"), filepath.Join(dir, "module"), filepath.Join(dir, "secret.go")
	for _, folder := range []string{top, module} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	plain, large, link := filepath.Join(module, "a.go"), filepath.Join(module, "b.go"), filepath.Join(module, "c.go")
	for name, text := range map[string]string{
		secret: "package secret", plain: "package a", large: strings.Repeat(" ", outsideFileLimit+1),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(secret, link); err != nil {
		t.Fatal(err)
	}
	o := &outsiders{t: &target{dir: top}}
	pkg := &packages.Package{Module: &packages.Module{Path: "example.org/m", Dir: module}}
	if text, err := o.read(pkg, plain); err != nil || string(text) != "package a" {
		t.Errorf("%q, %v", text, err)
	}
	for _, name := range []string{large, link, secret, module} {
		if _, err := o.read(pkg, name); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

func TestOnlyVersionsAreKept(t *testing.T) {
	module := func(path, version, dir string) *packages.Module {
		return &packages.Module{Path: path, Version: version, Dir: dir}
	}
	fixed := &packages.Package{PkgPath: "a", GoFiles: []string{"/mod/a@v1/a.go"}, Module: module("a", "v1", "/mod/a@v1")}
	vendored := &packages.Package{PkgPath: "b", GoFiles: []string{"/t/vendor/b/b.go"}, Module: module("b", "v1", "")}
	replaced := &packages.Package{PkgPath: "c", GoFiles: []string{"/c/c.go"}, Module: module("c", "v1", "/c")}
	replaced.Module.Replace = &packages.Module{Path: "../c"}
	user := &packages.Package{
		PkgPath: "d", GoFiles: []string{"/mod/d@v1/d.go"}, Module: module("d", "v1", "/mod/d@v1"),
		Imports: map[string]*packages.Package{"c": replaced},
	}
	o := &outsiders{t: &target{dir: "/t"}, keys: map[string]string{}, packages: map[string]*packages.Package{}}
	for _, pkg := range []*packages.Package{fixed, vendored, replaced, user} {
		o.packages[pkg.PkgPath] = pkg
		if kept := o.key(pkg.PkgPath) != ""; kept != (pkg == fixed) {
			t.Errorf("%s: %v", pkg.PkgPath, kept)
		}
	}
}
