package core

import "time"

// Severity orders events, rules and alerts, from informational to critical.
type Severity int

// Severities, in ascending order.
const (
	SeverityInfo Severity = iota
	SeverityLow
	SeverityMedium
	SeverityHigh
	SeverityCritical
)

// Event is one normalised log record.
type Event struct {
	ID       string            `json:"id"`
	Tenant   string            `json:"tenant"`
	At       time.Time         `json:"at"`
	Kind     string            `json:"kind"`
	Severity Severity          `json:"severity"`
	Host     string            `json:"host"`
	User     string            `json:"user"`
	Source   string            `json:"source"`
	Dest     string            `json:"dest"`
	Message  string            `json:"message"`
	Fields   map[string]string `json:"fields,omitempty"`
}

// Validate reports what keeps an event from being stored.
func (e *Event) Validate() error {
	if e.Kind == "" {
		return Errorf(CodeInvalid, "an event needs a kind")
	}
	if e.Severity < SeverityInfo || e.Severity > SeverityCritical {
		return Errorf(CodeInvalid, "severity must be %d to %d", SeverityInfo, SeverityCritical)
	}
	return nil
}

// Field returns the value of a column or, failing that, of a free field.
func (e *Event) Field(name string) string {
	switch name {
	case "kind":
		return e.Kind
	case "host":
		return e.Host
	case "user":
		return e.User
	case "source":
		return e.Source
	case "dest":
		return e.Dest
	case "message":
		return e.Message
	}
	return e.Fields[name]
}

// EventFilter selects events; zero fields select everything.
type EventFilter struct {
	Tenant string    `json:"-"`
	From   time.Time `json:"from,omitzero"`
	To     time.Time `json:"to,omitzero"`
	Kind   string    `json:"kind,omitempty"`
	Host   string    `json:"host,omitempty"`
	User   string    `json:"user,omitempty"`
	Source string    `json:"source,omitempty"`
	Text   string    `json:"text,omitempty"`
	Min    Severity  `json:"min_severity,omitempty"`
	Limit  int       `json:"limit,omitempty"`
	Offset int       `json:"offset,omitempty"`
}

// Bucket is one bar of a histogram.
type Bucket struct {
	Start time.Time `json:"start"`
	Count int       `json:"count"`
}

// TopValue is one row of a ranking.
type TopValue struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

// PathQuery asks for ways an intruder may have moved from one host to others.
type PathQuery struct {
	Tenant string
	From   string
	Depth  int
	Limit  int
}

// Path is a chain of hosts, joined by events in order of time.
type Path struct {
	Hosts []string `json:"hosts"`
	Hops  int      `json:"hops"`
	Count int      `json:"count"`
}

// SequenceQuery asks for kinds of events that followed one another on one host.
type SequenceQuery struct {
	Tenant string        `json:"-"`
	Steps  []string      `json:"steps"`
	Window time.Duration `json:"-"`
	Within string        `json:"within"`
}

// Validate checks q and turns Within into Window.
func (q *SequenceQuery) Validate() error {
	if len(q.Steps) < 2 || len(q.Steps) > 6 {
		return Errorf(CodeInvalid, "a sequence has two to six steps")
	}
	window, err := time.ParseDuration(q.Within)
	if err != nil || window <= 0 || window > 24*time.Hour {
		return Errorf(CodeInvalid, "within must be a duration of at most 24h")
	}
	q.Window = window
	return nil
}

// SequenceMatch counts the chains found on one host.
type SequenceMatch struct {
	Host   string    `json:"host"`
	Chains int       `json:"chains"`
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
}
