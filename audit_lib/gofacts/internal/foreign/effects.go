// Package foreign tells what functions of other modules do with a function or a context that they are given: it reads
// their bodies, as far as a call of the target reaches, and follows the value through variables, fields of what is made
// there, literals and further calls.
//
// The types of a package's declarations are checked once, and a function's body only when somebody asks for it: without
// types a call such as `p.workers.insert(w)` leads nowhere, and whole packages cost ten times as much. What is not told
// is Unknown: an interface's method, a function without a body, a way that is too long.
package foreign

// Effects are what may be done with a value, all of them that were seen.
type Effects uint16

// What is done with a function, or with a context.
const (
	Here     Effects = 1 << iota // called before the function returns
	Waited                       // called in a goroutine that is waited for
	Go                           // called in a goroutine that nobody waits for, or sent to one
	Kept                         // put where it is found later: a field, a map, a registry
	Once                         // called for all callers who wait for the same, or once
	Returned                     // held by what the function returns
	Listens                      // a context: asked for its end, or waited for
	Values                       // a context: asked for its values
	Lives                        // a context: used in a goroutine that goes on
	Unknown                      // something that is not known
)

var names = []string{"here", "waited", "go", "kept", "once", "returned", "listens", "values", "lives", "unknown"}

// Names lists effects, in one order.
func (e Effects) Names() []string {
	var found []string
	for i, name := range names {
		if e&(1<<i) != 0 {
			found = append(found, name)
		}
	}
	return found
}

// runs are the effects of what runs, which change with when it does.
const runs = Here | Waited | Listens | Values

// under gives what effects become that happen in a function literal, by what is done with the literal.
func (e Effects) under(fate Effects) Effects {
	var found Effects
	if fate&Here != 0 {
		found |= e
	}
	if fate&Waited != 0 {
		found |= e &^ Here
		if e&Here != 0 {
			found |= Waited
		}
	}
	if fate&Go != 0 {
		found |= e.inGoroutine()
	}
	for _, later := range []Effects{Kept, Returned} {
		if fate&later == 0 {
			continue
		}
		found |= e &^ runs
		if e&(runs|Go|Lives) != 0 {
			found |= later
		}
	}
	if fate&Once != 0 {
		found |= e &^ Here
		if e&(Here|Waited|Listens) != 0 {
			found |= Once
		}
	}
	if fate&Unknown != 0 && e != 0 {
		found |= e&^runs | Unknown
	}
	return found
}

// inGoroutine gives what effects are in a goroutine that nobody waits for.
func (e Effects) inGoroutine() Effects {
	found := e &^ (Here | Waited | Listens)
	if e&(Here|Waited) != 0 {
		found |= Go
	}
	if e&Listens != 0 {
		found |= Lives
	}
	return found
}
