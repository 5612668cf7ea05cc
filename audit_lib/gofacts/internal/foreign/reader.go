package foreign

import (
	"go/ast"
	"go/types"
	"math"
	"strings"
)

const (
	maxDepth      = 14         // calls that a value is followed down
	maxFields     = 3          // fields that it is followed into
	maxImpl       = 8          // types that may stand for an interface of their own package
	stepsAsked    = 400_000    // steps for one question
	stepsTogether = 20_000_000 // steps for all questions of a run
)

// Receiver and FirstContext stand for arguments without a number.
const (
	Receiver     = -1
	FirstContext = -2
)

// A Question is what a function does with one of its arguments. Field is where in the argument the value is: empty for
// the argument itself, `a.b` for a field of a field, `*` where that is not known.
type Question struct {
	Func    string
	Arg     int
	Context bool
	Field   string
}

// A Source gives packages by their paths.
type Source interface {
	Has(path string) bool
	Load(path string) *Unit // nil where it cannot be read
}

// A Reader answers questions. It is not for several goroutines.
type Reader struct {
	source Source
	units  map[string]*Unit
	known  map[Question]Effects
	open   map[Question]int
	low    int // the outermost open question that what was found since rests on
	own    int
	spare  int
}

// NewReader gives a reader of some packages.
func NewReader(source Source) *Reader {
	return &Reader{
		source: source, units: map[string]*Unit{}, known: map[Question]Effects{}, open: map[Question]int{},
		low: math.MaxInt, spare: stepsTogether,
	}
}

type exhausted struct{}

func (r *Reader) spend(steps int) {
	r.own -= steps
	r.spare -= steps
	if r.own < 0 || r.spare < 0 {
		panic(exhausted{})
	}
}

// Ask answers a question; what takes too many steps is Unknown.
func (r *Reader) Ask(q Question) (found Effects) {
	r.own, r.low = stepsAsked, math.MaxInt
	clear(r.open)
	defer func() {
		if broken := recover(); broken != nil {
			if _, costly := broken.(exhausted); !costly {
				panic(broken)
			}
			found = Unknown
			r.known[q] = found
		}
	}()
	return r.ask(q, 0)
}

// ask answers a question that others may be waiting for. One that is open adds nothing to itself; what rests on one that
// is still open is not remembered.
func (r *Reader) ask(q Question, depth int) Effects {
	if found, ok := r.known[q]; ok {
		return found
	}
	if found, ok := table(q); ok {
		return found
	}
	if at, ok := r.open[q]; ok {
		r.low = min(r.low, at)
		return 0
	}
	if depth > maxDepth || strings.Count(q.Field, ".") >= maxFields {
		return Unknown
	}
	r.spend(10)
	r.open[q] = depth
	outer := r.low
	r.low = math.MaxInt
	found := r.look(q, depth)
	delete(r.open, q)
	if r.low >= depth {
		r.known[q], r.low = found, math.MaxInt
	}
	r.low = min(r.low, outer)
	return found
}

func (r *Reader) look(q Question, depth int) Effects {
	u, name := r.unitOf(q.Func)
	if u == nil {
		return Unknown
	}
	decl := u.decls[name]
	if decl == nil {
		return r.ofInterface(u, q, name, depth)
	}
	b := u.body(decl)
	if b == nil {
		return Unknown
	}
	v, ok := u.argument(b, q.Arg)
	if !ok {
		return Unknown
	}
	if v == nil {
		return 0 // without a name, nothing is done with it
	}
	w := r.walk(u, b, q.Context, depth)
	w.follow(v, q.Field)
	w.run()
	return w.found
}

// argument gives a parameter, which is nil where it has no name, and whether there is one.
func (u *Unit) argument(b *body, arg int) (*types.Var, bool) {
	switch {
	case arg == Receiver:
		return b.recv, b.decl.Recv != nil
	case arg == FirstContext:
		declared, ok := u.info.Defs[b.decl.Name].(*types.Func)
		for i := 0; ok && i < declared.Signature().Params().Len(); i++ {
			if isContext(declared.Signature().Params().At(i).Type()) {
				return b.params[i], true
			}
		}
		return nil, false
	case arg < len(b.params):
		return b.params[arg], true
	}
	return nil, false
}

func (r *Reader) unitOf(id string) (*Unit, string) {
	path, name := splitID(id, r.source.Has)
	if path == "" {
		return nil, ""
	}
	u, ok := r.units[path]
	if !ok {
		u = r.source.Load(path)
		r.units[path] = u
	}
	return u, name
}

// ofInterface answers for the method of an interface that only its own package can implement, by its types there.
func (r *Reader) ofInterface(u *Unit, q Question, name string, depth int) Effects {
	typeName, method, found := strings.Cut(name, ".")
	if !found || u.pkg == nil {
		return Unknown
	}
	obj, ok := u.pkg.Scope().Lookup(typeName).(*types.TypeName)
	if !ok {
		return Unknown
	}
	iface, ok := obj.Type().Underlying().(*types.Interface)
	if !ok {
		return r.promoted(u, q, obj.Type(), method, depth)
	}
	if obj.Exported() && !isClosed(iface) || q.Arg == Receiver {
		return Unknown
	}
	types_ := u.implementers(iface)
	if len(types_) == 0 || len(types_) > maxImpl {
		return Unknown
	}
	var all Effects
	for _, named := range types_ {
		next := q
		next.Func = u.Path + "." + named.Obj().Name() + "." + method
		all |= r.ask(next, depth+1)
	}
	return all
}

// promoted answers for a method that a type has by embedding another.
func (r *Reader) promoted(u *Unit, q Question, t types.Type, method string, depth int) Effects {
	obj, path, _ := types.LookupFieldOrMethod(types.NewPointer(t), true, u.pkg, method)
	fn, ok := obj.(*types.Func)
	if !ok || len(path) < 2 || types.IsInterface(fn.Signature().Recv().Type()) {
		return Unknown
	}
	next := q
	if next.Func = funcID(fn.Origin()); next.Func == q.Func {
		return Unknown
	}
	return r.ask(next, depth+1)
}

// isClosed tells an interface that has a method which other packages cannot write.
func isClosed(iface *types.Interface) bool {
	for i := range iface.NumMethods() {
		if !iface.Method(i).Exported() {
			return true
		}
	}
	return false
}

// fate tells what is done with a literal, or another function that is only named, in the body where it stands.
func (r *Reader) fate(u *Unit, b *body, e ast.Expr, depth int) Effects {
	if known, ok := b.fates[e]; ok {
		return known
	}
	b.fates[e] = 0 // one that calls itself
	w := r.walk(u, b, false, depth)
	w.climb(e, "")
	w.run()
	b.fates[e] = w.found
	return w.found
}
