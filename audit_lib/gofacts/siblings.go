package main

import (
	"go/types"
	"strings"
)

// Bare calls: a function beside one that takes the same and a context first. Told by type in any module; the table
// holds those of the standard library whose context-taking form is called otherwise.

var renamed = map[string]string{
	"net/http.Get":              "NewRequestWithContext",
	"net/http.Head":             "NewRequestWithContext",
	"net/http.Post":             "NewRequestWithContext",
	"net/http.PostForm":         "NewRequestWithContext",
	"net/http.Client.Get":       "NewRequestWithContext",
	"net/http.Client.Head":      "NewRequestWithContext",
	"net/http.Client.Post":      "NewRequestWithContext",
	"net/http.Client.PostForm":  "NewRequestWithContext",
	"net.Dial":                  "Dialer.DialContext",
	"net.DialTimeout":           "Dialer.DialContext",
	"net.LookupAddr":            "Resolver.LookupAddr",
	"net.LookupCNAME":           "Resolver.LookupCNAME",
	"net.LookupHost":            "Resolver.LookupHost",
	"net.LookupIP":              "Resolver.LookupIPAddr",
	"net.LookupMX":              "Resolver.LookupMX",
	"net.LookupNS":              "Resolver.LookupNS",
	"net.LookupPort":            "Resolver.LookupPort",
	"net.LookupSRV":             "Resolver.LookupSRV",
	"net.LookupTXT":             "Resolver.LookupTXT",
	"crypto/tls.Dial":           "Dialer.DialContext",
	"crypto/tls.DialWithDialer": "Dialer.DialContext",
	"database/sql.DB.Begin":     "BeginTx",
	"database/sql.Conn.Begin":   "BeginTx",
}

// makesAnew lists functions whose form with a context is not the same with a context: it makes anew what is kept
// otherwise. go-oidc's VerifierContext fetches a provider's keys again, for each verifier.
var makesAnew = map[string]bool{
	"github.com/coreos/go-oidc/v3/oidc.Provider.Verifier": true,
}

// valuesOnly lists packages whose functions read values from a context and do not wait for it.
var valuesOnly = map[string]bool{
	"log/slog":                      true,
	"github.com/sirupsen/logrus":    true,
	"go.uber.org/zap":               true,
	"github.com/rs/zerolog":         true,
	"github.com/rs/zerolog/log":     true,
	"runtime/trace":                 true,
	"runtime/pprof":                 true,
	"go.opentelemetry.io/otel":      true,
	"go.opentelemetry.io/otel/log":  true,
	"github.com/hashicorp/go-hclog": true,
}

var suffixes = []string{"Context", "WithContext", "Ctx", "WithCtx"}

// siblingOf names the context-taking form of a function, or gives "".
func (x *extractor) siblingOf(fn *types.Func, recv types.Type) string {
	fn = fn.Origin()
	if fn.Pkg() == nil {
		return ""
	}
	if sibling, known := x.siblings[fn]; known {
		return sibling
	}
	sibling := x.findSibling(fn, recv)
	x.siblings[fn] = sibling
	return sibling
}

func (x *extractor) findSibling(fn *types.Func, recv types.Type) string {
	if name := renamed[funcID(fn)]; name != "" {
		return name
	}
	sig := fn.Signature()
	if makesAnew[funcID(fn)] {
		return ""
	}
	if sig.Params().Len() > 0 && isContext(sig.Params().At(0).Type()) {
		return ""
	}
	for _, suffix := range suffixes {
		name := fn.Name() + suffix
		var obj types.Object
		if sig.Recv() == nil {
			obj = fn.Pkg().Scope().Lookup(name)
		} else if recv != nil {
			obj, _, _ = types.LookupFieldOrMethod(recv, true, fn.Pkg(), name)
		}
		other, ok := obj.(*types.Func)
		if ok && (other.Exported() || fn.Pkg() == x.pkg) && takesTheSameAndContext(sig, other.Signature()) {
			return name
		}
	}
	return ""
}

func takesTheSameAndContext(sig, other *types.Signature) bool {
	if other.Params().Len() != sig.Params().Len()+1 || sig.Variadic() != other.Variadic() {
		return false
	}
	if !isContext(other.Params().At(0).Type()) || other.Results().Len() != sig.Results().Len() {
		return false
	}
	for i := range sig.Params().Len() {
		if !types.Identical(sig.Params().At(i).Type(), other.Params().At(i+1).Type()) {
			return false
		}
	}
	for i := range sig.Results().Len() {
		if !types.Identical(sig.Results().At(i).Type(), other.Results().At(i).Type()) {
			return false
		}
	}
	return true
}

// isWrapper tells whether a function is the context-less form of what it calls: its own sibling.
func isWrapper(function, callee string) bool {
	function = function[strings.LastIndexByte(function, '.')+1:]
	callee = callee[strings.LastIndexByte(callee, '.')+1:]
	for _, suffix := range suffixes {
		if callee == function+suffix || function == callee+suffix {
			return true
		}
	}
	return false
}
