package main

import (
	"fmt"
	"go/types"
	"strings"

	"ctxaudit/gofacts/internal/idents"
)

// Names of nodes and types. They are made of package paths, so the same function has the same name whether it is seen
// from source or from export data, in a package or in the test variant of it.

// funcID names a declared function, a method, or an interface's method.
func funcID(fn *types.Func) string {
	fn = fn.Origin()
	if id := idents.Declared(fn); id != "" {
		return id
	}
	return "interface{" + fn.Name() + " " + signatureKey(fn.Signature()) + "}"
}

// displayName is the name that people read: `(*Store).Get`, `Store.Get`, `get`.
func displayName(fn *types.Func) string {
	recv := fn.Signature().Recv()
	if recv == nil {
		return fn.Name()
	}
	name := namedOf(recv.Type())
	if name == nil {
		return fn.Name()
	}
	if _, pointer := types.Unalias(recv.Type()).(*types.Pointer); pointer {
		return "(*" + name.Obj().Name() + ")." + fn.Name()
	}
	return name.Obj().Name() + "." + fn.Name()
}

// namedOf gives the named type behind aliases and one pointer, or nil.
func namedOf(t types.Type) *types.Named { return idents.NamedOf(t) }

// typeID names a named type, `path.Name`, or gives "" for others.
func typeID(t types.Type) string {
	named := namedOf(t)
	if named == nil {
		return ""
	}
	obj := named.Obj()
	if obj.Pkg() == nil {
		return obj.Name()
	}
	return obj.Pkg().Path() + "." + obj.Name()
}

// signatureKey writes a signature without names of parameters, so that equal keys mean identical signatures.
func signatureKey(sig *types.Signature) string {
	checkSize(sig)
	var b strings.Builder
	writeSignature(&b, sig)
	return b.String()
}

func writeSignature(b *strings.Builder, sig *types.Signature) {
	b.WriteByte('(')
	for i := range sig.Params().Len() {
		if i > 0 {
			b.WriteByte(',')
		}
		if sig.Variadic() && i == sig.Params().Len()-1 {
			b.WriteString("...")
		}
		writeType(b, sig.Params().At(i).Type())
	}
	b.WriteByte(')')
	for i := range sig.Results().Len() {
		b.WriteByte(',')
		writeType(b, sig.Results().At(i).Type())
	}
}

func writeType(b *strings.Builder, t types.Type) {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		b.WriteString(typeID(t))
		for i := range t.TypeArgs().Len() {
			b.WriteByte('|')
			writeType(b, t.TypeArgs().At(i))
		}
	case *types.Pointer:
		b.WriteByte('*')
		writeType(b, t.Elem())
	case *types.Slice:
		b.WriteString("[]")
		writeType(b, t.Elem())
	case *types.Array:
		fmt.Fprintf(b, "[%d]", t.Len())
		writeType(b, t.Elem())
	case *types.Map:
		b.WriteString("map[")
		writeType(b, t.Key())
		b.WriteByte(']')
		writeType(b, t.Elem())
	case *types.Chan:
		fmt.Fprintf(b, "chan%d ", t.Dir())
		writeType(b, t.Elem())
	case *types.Signature:
		b.WriteString("func")
		writeSignature(b, t)
	case *types.TypeParam:
		// A method's type parameters are told apart by place, as they may be named differently in its interface.
		fmt.Fprintf(b, "$%d", t.Index())
	default:
		b.WriteString(types.TypeString(t, func(p *types.Package) string { return p.Path() }))
	}
}

// shortType is a type as people read it, with package names instead of paths.
func shortType(t types.Type) string {
	checkSize(t)
	return types.TypeString(t, func(p *types.Package) string { return p.Name() })
}
