package main

// The facts of one package, before they are joined with those of others. Functions, interface methods and variables
// that hold functions are all nodes, named by package path so that packages can be read apart from each other.

type moduleFact struct {
	Path string `json:"path,omitempty"`
	Dir  string `json:"dir,omitempty"`
	Go   string `json:"go,omitempty"`
}

type place struct {
	File  string `json:"file,omitempty"`
	Line  int    `json:"line,omitempty"`
	Col   int    `json:"column,omitempty"`
	Start int    `json:"start,omitempty"`
	End   int    `json:"end,omitempty"`
}

// A funcFact is a declared function, a method, a function literal, or the initialisers of a package's variables.
type funcFact struct {
	ID       string      `json:"id,omitempty"`
	Name     string      `json:"name,omitempty"`
	Pkg      string      `json:"package,omitempty"`
	Place    place       `json:"place,omitempty"`
	Recv     string      `json:"receiver,omitempty"`
	Exported bool        `json:"exported,omitempty"`
	Test     bool        `json:"test,omitempty"`
	Parent   string      `json:"parent,omitempty"` // the function around a literal
	Params   []paramFact `json:"params,omitempty"`
	Results  []string    `json:"results,omitempty"`
	Flags    []string    `json:"flags,omitempty"`
	Use      *useFact    `json:"use,omitempty"`       // of a literal
	ClosedBy []string    `json:"closed_by,omitempty"` // interface methods outside the module that it implements
}

type paramFact struct {
	Name string `json:"name,omitempty"`
	Type string `json:"type,omitempty"`
	Role string `json:"role,omitempty"` // "context", "carrier" (gives one) or ""

	Becomes []useFact `json:"becomes,omitempty"` // what becomes of an object that is given there
}

// A useFact says where a value goes: a context, or a function that is not called on the spot.
type useFact struct {
	Kind   string `json:"kind,omitempty"`   // go, defer, call, arg, field, return, global, var, guard, other
	Target string `json:"target,omitempty"` // the function called, with the package path; or the field or variable
	Arg    int    `json:"arg,omitempty"`
	Go     bool   `json:"go,omitempty"`    // in a go statement
	Defer  bool   `json:"defer,omitempty"` // in a defer statement
	Line   int    `json:"line,omitempty"`
	Func   string `json:"function,omitempty"` // the function around it
	Values bool   `json:"values,omitempty"`   // the target only reads values, as a logger does
	Makes  bool   `json:"makes,omitempty"`    // the target makes something that may keep what it is given
	Tx     bool   `json:"tx,omitempty"`       // it is part of a transaction: a receiver or an argument is one
	Lasts  bool   `json:"lasts,omitempty"`    // what gets a literal lives longer than the function around it
	Waited int    `json:"waited,omitempty"`   // in a goroutine: up to which offset somebody waits for what is done there
	At     int    `json:"at,omitempty"`       // where: of "works", and of a context

	Becomes []useFact `json:"becomes,omitempty"` // what becomes of what the target makes
}

// A sourceFact is a way to get a context, and where it may be written: in [From, To) of its file.
type sourceFact struct {
	Expr     string   `json:"expr,omitempty"`
	Role     string   `json:"role,omitempty"`  // context, method, field, stored, shadow
	Type     string   `json:"type,omitempty"`  // of the variable that stands first in the expression
	Gives    string   `json:"gives,omitempty"` // the type whose context it is
	Name     string   `json:"name,omitempty"`
	Owner    string   `json:"owner,omitempty"` // the function that declares the variable
	Param    bool     `json:"param,omitempty"`
	File     string   `json:"file,omitempty"`
	From     int      `json:"from,omitempty"`
	To       int      `json:"to,omitempty"`
	Decl     int      `json:"declared,omitempty"`
	Line     int      `json:"line,omitempty"`
	Column   int      `json:"column,omitempty"`
	Origins  []string `json:"origins,omitempty"` // of a context local: what it was made from
	Ends     bool     `json:"ends,omitempty"`    // a local, or a parameter that is assigned, that somebody can end
	Lives    bool     `json:"lives,omitempty"`   // made to be ended by hand or signal, not by a time only
	Ended    []span   `json:"ended,omitempty"`   // where it has been ended by hand
	Absent   []span   `json:"absent,omitempty"`  // where it was found to be nil, or what it is read from
	Calls    []string `json:"calls,omitempty"`   // the target's functions that are called to read it
	Nilable  bool     `json:"nilable,omitempty"`
	Assigned int      `json:"assigned,omitempty"` // where the local first holds a context
}

// A callFact is an edge: a call, or a function given away.
type callFact struct {
	Caller string   `json:"caller,omitempty"`
	Callee string   `json:"callee,omitempty"`
	Kind   string   `json:"kind,omitempty"` // static, interface, value, closure
	Place  place    `json:"place,omitempty"`
	Go     bool     `json:"go,omitempty"`
	Waited int      `json:"waited,omitempty"`   // of a go statement: up to which offset somebody waits for it
	Stream bool     `json:"streamed,omitempty"` // the channel that it gives is read by a goroutine that nobody waits for
	Defer  bool     `json:"defer,omitempty"`
	Loop   bool     `json:"loop,omitempty"`
	Lazy   bool     `json:"lazy,omitempty"`    // in a block that makes a kept value
	Common string   `json:"common,omitempty"`  // in work that is others' too: flight, batch
	After  bool     `json:"after,omitempty"`   // behind the end of a context, a signal or a stop
	Ctx    []string `json:"context,omitempty"` // where the first context argument comes from
	Timed  bool     `json:"timed,omitempty"`   // that has a timeout or a deadline
	Test   bool     `json:"test,omitempty"`
	Method bool     `json:"method_expr,omitempty"` // the receiver is the first argument: T.Method(t)
	Spread int      `json:"spread,omitempty"`      // its arguments are all results, so many, of one call: f(g())
	Use    *useFact `json:"use,omitempty"`         // where a function that is only named goes

	Becomes []useFact `json:"becomes,omitempty"` // what becomes of what a function of the target makes
}

// A siteFact is a root, a bare call, or a use of a package's variable that may hold a root.
type siteFact struct {
	Kind    string    `json:"kind,omitempty"`
	Callee  string    `json:"callee,omitempty"`
	Sibling string    `json:"sibling,omitempty"`
	Place   place     `json:"place,omitempty"`
	Func    string    `json:"function,omitempty"`
	Wraps   []string  `json:"wraps,omitempty"` // WithTimeout and the like around the root
	Uses    []useFact `json:"uses,omitempty"`
	Flags   []string  `json:"flags,omitempty"`
	Waited  int       `json:"waited,omitempty"` // in a go statement: up to which offset somebody waits for it
	Values  bool      `json:"values,omitempty"` // the callee reads values only
	IO      bool      `json:"io,omitempty"`     // what it is used for waits for something outside the process
	Test    bool      `json:"test,omitempty"`
	Var     string    `json:"variable,omitempty"` // that holds the root, or is used: `path.name`
}

// A dispatchFact is a node with several bodies: an interface's method, or a variable, field or parameter of a
// function type.
type dispatchFact struct {
	ID       string   `json:"id,omitempty"`
	Name     string   `json:"name,omitempty"`
	Kind     string   `json:"kind,omitempty"` // interface, value
	External bool     `json:"external,omitempty"`
	Targets  []string `json:"targets,omitempty"`
	Params   []string `json:"params,omitempty"`
	Place    place    `json:"place,omitempty"`
}

// A typeFact is a concrete type with its methods, promoted ones included; an ifaceFact an interface with all of its
// methods. Both map "Name signature" to a node.
type typeFact struct {
	ID      string            `json:"id,omitempty"`
	Methods map[string]string `json:"methods,omitempty"`
	Test    bool              `json:"test,omitempty"`
}

type ifaceFact struct {
	ID       string            `json:"id,omitempty"`
	Methods  map[string]string `json:"methods,omitempty"`
	External bool              `json:"external,omitempty"`
	Place    place             `json:"place,omitempty"`
}

// packageFacts is what one unit gives, and what the cache keeps.
type packageFacts struct {
	Path       string
	Name       string
	Module     string
	Dir        string
	Files      int
	Errors     []string
	Funcs      []*funcFact
	Sources    []sourceFact
	Calls      []callFact
	Sites      []siteFact
	Types      []typeFact
	Ifaces     []ifaceFact
	Holds      []holdFact
	Forwards   []forwardFact
	Holders    []holderFact
	Implements []implementFact
	Demands    []dependentFact // of a dependent
	Imports    []string        // outside the module, direct
	Skipped    []skippedFact   // what was given up
}

// A skippedFact is a part of a file that was not read, and why; to the end of the file where End is 0.
type skippedFact struct {
	Place  place  `json:"place,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// A holdFact says that a node may hold another: a function assigned to a field, passed as an argument.
type holdFact struct {
	Node   string `json:"node,omitempty"`
	Target string `json:"target,omitempty"`
}

// A holderFact says what type a node that holds functions has: a declared one (`type:path.Name`), `interface`, or none,
// and where a function type is written for it.
type holderFact struct {
	Node  string `json:"node,omitempty"`
	Type  string `json:"type,omitempty"`
	Place place  `json:"place,omitempty"`
}

// A forwardFact says what a function does with a context parameter: keeps it in a field, or hands it to a callee, or to
// one that makes what it returns; and of a parameter that is a function, that it is kept for later, or which variable
// goes over it.
type forwardFact struct {
	Func   string `json:"function,omitempty"`
	Kind   string `json:"kind,omitempty"` // field, arg, makes, return, wrap:…, sent, values, kept, each
	Target string `json:"target,omitempty"`
	Arg    int    `json:"arg,omitempty"`

	// When a context is used: set where that is not in line in the function that was given it.
	Within string `json:"within,omitempty"` // the literal
	Go     bool   `json:"go,omitempty"`
	Waited int    `json:"waited,omitempty"`
	At     int    `json:"at,omitempty"`
	Lasts  bool   `json:"lasts,omitempty"` // the field is of what was there before
}
