package main

import "strings"

// Idle functions: nothing that they do could listen to a context, since all of it is done in memory, at once. A context
// that such a function is given changes nothing but by its values.

// inMemory lists the packages of the standard library whose functions neither wait nor reach out of the process. What
// only writes a line, as loggers do, counts too: no context stops it.
var inMemory = map[string]bool{
	"bytes": true, "cmp": true, "container/heap": true, "container/list": true, "container/ring": true,
	"context": true, "encoding/base64": true, "encoding/binary": true, "encoding/hex": true, "encoding/json": true,
	"errors": true, "fmt": true, "hash": true, "hash/fnv": true, "html": true, "iter": true, "log": true, "maps": true,
	"math": true, "math/big": true, "math/bits": true, "math/rand": true, "math/rand/v2": true, "net/url": true,
	"path": true, "reflect": true, "regexp": true, "runtime": true, "runtime/debug": true, "slices": true, "sort": true,
	"strconv": true, "strings": true, "sync": true, "sync/atomic": true, "time": true, "unicode": true,
	"unicode/utf8": true, "unsafe": true,
}

// waitsThere lists those of their functions that wait.
var waitsThere = map[string]bool{
	"time.Sleep": true, "time.After": true, "sync.Cond.Wait": true, "sync.WaitGroup.Wait": true,
}

// markIdle flags the functions of the target that are idle, with all that they call. What is not known is not idle.
func (l *linked) markIdle() {
	callers := map[string][]string{}
	busy := map[string]bool{}
	var queue []string
	add := func(id string) {
		if id != "" && !busy[id] {
			busy[id] = true
			queue = append(queue, id)
		}
	}
	for id, node := range l.dispatch {
		if node.External || node.Kind != "interface" || len(node.Targets) == 0 {
			add(id) // what holds functions may get others
		}
		for _, target := range node.Targets {
			callers[target] = append(callers[target], id)
		}
	}
	for _, facts := range l.packages {
		for _, call := range facts.Calls {
			callers[call.Callee] = append(callers[call.Callee], call.Caller)
			if call.Go || l.funcs[call.Callee] == nil && l.dispatch[call.Callee] == nil && !staysInMemory(call.Callee) {
				add(call.Caller)
			}
		}
	}
	for _, facts := range l.packages {
		for _, site := range facts.Sites {
			if !site.Values { // what loses a context may be given one, and listens then
				add(site.Func)
			}
		}
	}
	for id, fn := range l.funcs {
		if hasFlag(fn, "forever") || hasFlag(fn, "waits") || hasFlag(fn, "sends") {
			add(id)
		}
	}
	for len(queue) > 0 {
		id := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, caller := range callers[id] {
			add(caller)
		}
		if fn := l.funcs[id]; fn != nil {
			add(fn.Parent)
		}
	}
	for id, fn := range l.funcs {
		if !busy[id] {
			fn.Flags = append(fn.Flags, "idle")
		}
	}
}

// staysInMemory tells whether a function of another module, by its id, works in memory or only writes a line.
func staysInMemory(id string) bool {
	path := packageOf(id)
	return (inMemory[path] || valuesOnly[path]) && !waitsThere[id]
}

// packageOf gives the path of the package that a function's id begins with.
func packageOf(id string) string {
	slash := strings.LastIndexByte(id, '/') + 1
	if dot := strings.IndexByte(id[slash:], '.'); dot >= 0 {
		return id[:slash+dot]
	}
	return id
}
