package main

import (
	"go/parser"
	"go/token"
	"testing"
)

func TestAFileIsTestCodeWhereMostOfItIsAboutTests(t *testing.T) {
	const prelude = "package shop\nimport \"testing\"\n"
	for name, test := range map[string]struct {
		path, code string
		want       bool
	}{
		"a program asks whether it is tested": {"run.go", prelude + "func run() { if testing.Testing() { return } }", false},
		"one helper beside a program": {
			"app.go", prelude + "func a() {}\nfunc b() {}\nfunc SetForTest(tb testing.TB) {}", false,
		},
		"helpers of tests": {"helper.go", prelude + "func a() {}\nfunc New(t *testing.T) {}", true},
		"a suite": {
			"suite.go", prelude + "type Suite[T any] struct{ t *testing.T }\nfunc (s *Suite[T]) A() {}\nfunc (s *Suite[T]) B() {}", true,
		},
		"under another name":        {"run.go", "package shop\nimport tt \"testing\"\nfunc Run(t *tt.T) {}", true},
		"another package called so": {"app.go", "package shop\nimport \"example.org/testing\"\nfunc a() { testing.B() }", false},
		"a test":                    {"app_test.go", "package shop\nfunc a() {}", true},
	} {
		file, err := parser.ParseFile(token.NewFileSet(), test.path, test.code, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if got := isTestCode(file, test.path); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
