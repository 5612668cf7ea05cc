package foreign

import (
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// sources gives packages of one text each, and those of the standard library from where they lie.
type sources struct {
	texts map[string]string
	std   types.Importer
	fset  *token.FileSet
}

func newSources(texts map[string]string) *sources {
	fset := token.NewFileSet()
	return &sources{texts, importer.ForCompiler(fset, "gc", nil), fset}
}

func (s *sources) Has(path string) bool {
	if _, ok := s.texts[path]; ok {
		return true
	}
	info, err := os.Stat(filepath.Join(runtime.GOROOT(), "src", filepath.FromSlash(path)))
	return err == nil && info.IsDir()
}

func (s *sources) Load(path string) *Unit {
	var files []*ast.File
	take := func(name string, text any) {
		if file, _ := parser.ParseFile(s.fset, name, text, parser.SkipObjectResolution); file != nil {
			files = append(files, file)
		}
	}
	if text, ok := s.texts[path]; ok {
		take(path+".go", text)
	} else {
		dir := filepath.Join(runtime.GOROOT(), "src", filepath.FromSlash(path))
		found, _ := build.ImportDir(dir, 0)
		for _, name := range found.GoFiles {
			take(filepath.Join(dir, name), nil)
		}
	}
	return NewUnit(path, s.fset, files, types.Config{Importer: s.std, FakeImportC: true})
}

const pool = `package pool

import (
	"context"
	"sync"
	"time"
)

type Runner interface{ Run(f func()) }

type worker interface{ put(f func()) }

type chans struct{ tasks chan func() }

func (c *chans) put(f func()) { c.tasks <- f }

type Pool struct {
	w    worker
	once sync.Once
	list []func()
	ctx  context.Context
}

func (p *Pool) Submit(f func())  { p.w.put(func() { f() }) }
func (p *Pool) Queue(f func())   { p.list = append(p.list, f) }
func (p *Pool) Once(f func())    { p.once.Do(func() { f() }) }
func (p *Pool) Timed(f func())   { time.AfterFunc(time.Second, f) }
func Given(r Runner, f func())   { r.Run(f) }
func Ignored(f func())           {}
func Deferred(f func())          { defer f() }
func Option(f func()) func(*Pool) { return func(p *Pool) { p.list = append(p.list, f) } }

type box struct{ f, g func() }

func (b *box) run()    { b.f() }
func (b *box) other()  { b.g() }
func Boxed(f func())   { b := &box{f: f}; b.run() }
func Started(f func()) { b := &box{f: f}; go b.run() }
func Apart(f func())   { b := &box{f: f}; go b.other(); b.run() }

func Each[T any](list []T, f func(T)) {
	for _, v := range list {
		f(v)
	}
}

func Recursive(n int, f func()) {
	if n > 0 {
		Recursive(n-1, f)
	}
	f()
}

func Waits(f func()) {
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	<-done
}

func GivesUp(ctx context.Context, f func()) {
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

type flight struct{ wg sync.WaitGroup }

type Group struct {
	mu sync.Mutex
	m  map[string]*flight
}

func (g *Group) Do(key string, f func()) {
	if c, ok := g.m[key]; ok {
		c.wg.Wait()
		return
	}
	c := new(flight)
	c.wg.Add(1)
	g.m[key] = c
	f()
	c.wg.Done()
}

func (p *Pool) Keep(ctx context.Context)          { p.ctx = ctx }
func New(ctx context.Context) *Pool               { return &Pool{ctx: ctx} }
func Watch(ctx context.Context)                   { go func() { <-ctx.Done() }() }
func Value(ctx context.Context) any               { return ctx.Value("k") }
func Unused(_ context.Context)                    {}
func Cut(ctx context.Context)                     { Watch(context.WithoutCancel(ctx)) }
func Derived(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return wait(ctx)
}
func wait(ctx context.Context) error { return ctx.Err() }
`

func TestWhatIsDone(t *testing.T) {
	r := NewReader(newSources(map[string]string{"example.org/pool.v2": pool}))
	for _, want := range []struct {
		name string
		arg  int
		does string
	}{
		{"Pool.Submit", 0, "go"},
		{"Pool.Queue", 0, "kept"},
		{"Pool.Once", 0, "once"},
		{"Pool.Timed", 0, "go"},
		{"Given", 1, "unknown"},
		{"Ignored", 0, ""},
		{"Deferred", 0, "here"},
		{"Option", 0, "kept returned"},
		{"Boxed", 0, "here"},
		{"Started", 0, "go"},
		{"Apart", 0, "here"},
		{"Each", 1, "here"},
		{"Recursive", 1, "here"},
		{"Waits", 0, "waited"},
		{"GivesUp", 1, "go"},
		{"Group.Do", 1, "once"},
		{"Pool.Keep", FirstContext, "kept"},
		{"New", FirstContext, "returned"},
		{"Watch", FirstContext, "lives"},
		{"Value", FirstContext, "values"},
		{"Unused", FirstContext, ""},
		{"Cut", FirstContext, "values"},
		{"Deferred", FirstContext, "unknown"}, // it takes none
		{"Derived", FirstContext, "listens"},
		{"Missing", 0, "unknown"},
	} {
		q := Question{Func: "example.org/pool.v2." + want.name, Arg: want.arg, Context: want.arg == FirstContext}
		if does := strings.Join(r.Ask(q).Names(), " "); does != want.does {
			t.Errorf("%s: %q, not %q", want.name, does, want.does)
		}
	}
}

// The standard library is read like other modules; the table is for what its sources do not tell, and nothing else.
func TestStandardLibrary(t *testing.T) {
	r := NewReader(newSources(nil))
	for _, want := range []struct {
		name string
		arg  int
		does string
	}{
		{"slices.SortFunc", 1, "here"},
		{"sort.Slice", 1, "here"},
		{"strings.Map", 0, "here"},
		{"path/filepath.WalkDir", 1, "here"},
		{"bufio.Scanner.Split", 0, "kept"},
		{"expvar.Publish", 1, "kept"},
		{"flag.Func", 2, "kept"},
	} {
		found := r.Ask(Question{Func: want.name, Arg: want.arg}).Names()
		if !slices.Contains(found, want.does) {
			t.Errorf("%s: %q, not %q", want.name, found, want.does)
		}
	}
}

func TestTableNamesWhatThereIs(t *testing.T) {
	s := newSources(nil)
	units := map[string]*Unit{}
	for name := range standard {
		path, in := splitID(name, s.Has)
		if units[path] == nil {
			units[path] = s.Load(path)
		}
		if units[path].decls[in] == nil {
			t.Errorf("there is no %s", name)
		}
	}
}

func TestStepsEnd(t *testing.T) {
	var text strings.Builder
	text.WriteString("package p\n")
	for i := range 40 {
		// Each calls all others: the ways through them are without number.
		text.WriteString("func F" + string(rune('A'+i%26)) + string(rune('a'+i/26)) + "(f func()) {\n")
		for j := range 40 {
			text.WriteString("\tF" + string(rune('A'+j%26)) + string(rune('a'+j/26)) + "(f)\n")
		}
		text.WriteString("}\n")
	}
	r := NewReader(newSources(map[string]string{"example.org/p": text.String()}))
	if found := r.Ask(Question{Func: "example.org/p.FAa"}); found != 0 && found&Unknown == 0 {
		t.Errorf("%v", found.Names())
	}
}
