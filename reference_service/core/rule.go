package core

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
	"time"
)

// Operators of a condition.
const (
	OpEquals   = "equals"
	OpContains = "contains"
	OpPrefix   = "startswith"
	OpSuffix   = "endswith"
	OpRegexp   = "re"
)

// Condition compares one field with any of some values.
type Condition struct {
	Field  string   `json:"field"`
	Op     string   `json:"op"`
	Values []string `json:"values"`
	Negate bool     `json:"negate,omitempty"`
}

// Matches reports whether the condition holds for e.
func (c Condition) Matches(e *Event) bool {
	value := e.Field(c.Field)
	for _, want := range c.Values {
		if compare(c.Op, value, want) {
			return !c.Negate
		}
	}
	return c.Negate
}

func compare(op, value, want string) bool {
	switch op {
	case OpContains:
		return strings.Contains(value, want)
	case OpPrefix:
		return strings.HasPrefix(value, want)
	case OpSuffix:
		return strings.HasSuffix(value, want)
	case OpRegexp:
		ok, err := regexp.MatchString(want, value)
		return err == nil && ok
	}
	return value == want
}

// Rule finds single events: all its conditions must hold.
type Rule struct {
	ID         string      `json:"id"`
	Tenant     string      `json:"tenant"`
	Name       string      `json:"name"`
	Severity   Severity    `json:"severity"`
	Enabled    bool        `json:"enabled"`
	Version    int         `json:"version"`
	Conditions []Condition `json:"conditions"`
	Tags       []string    `json:"tags,omitempty"`
	CreatedAt  time.Time   `json:"created_at"`
	UpdatedAt  time.Time   `json:"updated_at"`
}

// Matches reports whether every condition of r holds for e.
func (r *Rule) Matches(e *Event) bool {
	for _, c := range r.Conditions {
		if !c.Matches(e) {
			return false
		}
	}
	return len(r.Conditions) > 0
}

// Validate returns an error if r can't be evaluated.
func (r *Rule) Validate() error {
	if r == nil {
		return Errorf(CodeInvalid, "a rule is required")
	}
	if strings.TrimSpace(r.Name) == "" {
		return Errorf(CodeInvalid, "name is required")
	}
	if r.Severity < SeverityInfo || r.Severity > SeverityCritical {
		return Errorf(CodeInvalid, "severity must be 0 to 4")
	}
	if len(r.Conditions) == 0 {
		return Errorf(CodeInvalid, "a rule needs at least one condition")
	}
	for i, c := range r.Conditions {
		if err := c.validate(); err != nil {
			return Errorf(CodeInvalid, "condition %d: %s", i, ErrorMessage(err))
		}
	}
	return nil
}

func (c Condition) validate() error {
	if c.Field == "" || len(c.Values) == 0 {
		return Errorf(CodeInvalid, "field and values are required")
	}
	switch c.Op {
	case OpEquals, OpContains, OpPrefix, OpSuffix:
		return nil
	case OpRegexp:
		for _, v := range c.Values {
			if _, err := regexp.Compile(v); err != nil {
				return Errorf(CodeInvalid, "%q is not a regular expression", v)
			}
		}
		return nil
	}
	return Errorf(CodeInvalid, "unknown operator %q", c.Op)
}

// RuleFilter selects rules; zero fields select everything.
type RuleFilter struct {
	Tenant  string
	Enabled bool
	Tag     string
}

// RuleVersion is a rule as it was.
type RuleVersion struct {
	Version int       `json:"version"`
	Actor   string    `json:"actor"`
	At      time.Time `json:"at"`
	Rule    Rule      `json:"rule"`
}

// Backtest is what a rule would have found.
type Backtest struct {
	Scanned int      `json:"scanned"`
	Matched int      `json:"matched"`
	Sample  []*Event `json:"sample"`
}

// Digest tells whether two rules find the same.
func Digest(r *Rule) string {
	raw, err := json.Marshal([]any{r.Name, r.Severity, r.Conditions, r.Tags})
	if err != nil {
		panic(err) // strings and numbers can be encoded
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}
