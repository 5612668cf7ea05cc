package core

import (
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Meta is what all named resources of a tenant have in common.
type Meta struct {
	ID        string    `json:"id"`
	Tenant    string    `json:"tenant"`
	Name      string    `json:"name"`
	Enabled   bool      `json:"enabled"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Info returns m, so that types which embed it are Resources.
func (m *Meta) Info() *Meta { return m }

// Resource is a named thing of a tenant that is stored as one document.
type Resource interface {
	Info() *Meta
	Validate() error
}

// CorrelationRule finds several events of one kind, grouped by a field.
type CorrelationRule struct {
	Meta
	Kind      string   `json:"kind"`
	GroupBy   string   `json:"group_by"`
	Threshold int      `json:"threshold"`
	Seconds   int      `json:"seconds"`
	Severity  Severity `json:"severity"`
	Type      string   `json:"type,omitempty"`
	Distinct  string   `json:"distinct,omitempty"`
	After     string   `json:"after,omitempty"`
}

// Types of correlations: so many events, events with so many different values of
// a field, one kind after another, and many times what is usual.
const (
	CorrelateCount    = ""
	CorrelateDistinct = "distinct"
	CorrelateSequence = "sequence"
	CorrelateSpike    = "spike"
)

// Validate returns an error if c can't be evaluated.
func (c *CorrelationRule) Validate() error {
	switch {
	case !slices.Contains([]string{CorrelateCount, CorrelateDistinct, CorrelateSequence, CorrelateSpike}, c.Type):
		return Errorf(CodeInvalid, "type must be distinct, sequence or spike, or left out")
	case c.Type == CorrelateDistinct && !slices.Contains([]string{"kind", "host", "user", "source", "dest"}, c.Distinct):
		return Errorf(CodeInvalid, "distinct must be kind, host, user, source or dest")
	case c.Type == CorrelateSequence && c.After == "":
		return Errorf(CodeInvalid, "after must say which kind comes first")
	case c.Name == "" || c.Kind == "":
		return Errorf(CodeInvalid, "name and kind are required")
	case !slices.Contains([]string{"host", "user", "source", "dest"}, c.GroupBy):
		return Errorf(CodeInvalid, "group_by must be host, user, source or dest")
	case c.Threshold < 1 || c.Seconds < 1 || c.Seconds > 30*24*60*60:
		return Errorf(CodeInvalid, "threshold and seconds must be positive, and seconds at most 30 days")
	}
	return nil
}

// Window is how far apart the events may lie.
func (c *CorrelationRule) Window() time.Duration { return time.Duration(c.Seconds) * time.Second }

// Counter is the state of a correlation for one value of its field.
type Counter struct {
	CorrelationID string    `json:"correlation_id"`
	Group         string    `json:"group"`
	Count         int       `json:"count"`
	Since         time.Time `json:"since"`
}

// Action kinds.
const (
	ActionWebhook = "webhook"
	ActionEmail   = "email"
	ActionScript  = "script"
	ActionTicket  = "ticket"
	ActionChat    = "chat"
	ActionForward = "forward"
	ActionBlock   = "block"
)

// ActionTimeout is what an action may take where nobody says otherwise, and
// LongestAction the most that anybody may say.
const (
	ActionTimeout = 30 * time.Second
	LongestAction = 5 * time.Minute
)

// KnownAction reports whether there are actions of a kind.
func KnownAction(kind string) bool {
	switch kind {
	case ActionWebhook, ActionEmail, ActionScript, ActionTicket, ActionChat, ActionForward, ActionBlock:
		return true
	}
	return false
}

// Action is something done about an alert. Timeout is in seconds; without one,
// its kind decides.
type Action struct {
	Meta
	Kind    string `json:"kind"`
	Target  string `json:"target"`
	Timeout int    `json:"timeout_seconds"`
	Retries int    `json:"retries,omitempty"`
	Field   string `json:"field,omitempty"`
	Minutes int    `json:"minutes,omitempty"`
}

// Validate returns an error if a can't be run.
func (a *Action) Validate() error {
	if a.Name == "" || a.Target == "" {
		return Errorf(CodeInvalid, "name and target are required")
	}
	if a.Retries < 0 || a.Retries > 5 {
		return Errorf(CodeInvalid, "retries must be 0 to 5")
	}
	if most := int(LongestAction / time.Second); a.Timeout < 0 || a.Timeout > most {
		return Errorf(CodeInvalid, "timeout_seconds must be 0 to %d", most)
	}
	switch a.Kind {
	case ActionWebhook, ActionTicket, ActionChat, ActionBlock:
		return validateURL(a.Target)
	}
	if !KnownAction(a.Kind) {
		return Errorf(CodeInvalid, "unknown kind %q", a.Kind)
	}
	if a.Kind == ActionEmail {
		return validateMail(a.Target)
	}
	return nil
}

// ActionRun records one execution of an action.
type ActionRun struct {
	ID       string    `json:"id"`
	ActionID string    `json:"action_id"`
	AlertID  string    `json:"alert_id"`
	OK       bool      `json:"ok"`
	Detail   string    `json:"detail"`
	At       time.Time `json:"at"`
	Millis   int64     `json:"millis"`
}

// Step is one step of a playbook: an action, a comment, a change of the alert, or
// a question that somebody has to say yes to.
type Step struct {
	Name     string `json:"name"`
	ActionID string `json:"action_id,omitempty"`
	Status   string `json:"status,omitempty"`
	Assign   string `json:"assign,omitempty"`
	Comment  string `json:"comment,omitempty"`
	Approval string `json:"approval,omitempty"`
	Seconds  int    `json:"timeout_seconds,omitempty"`
}

// Playbook is a list of steps to take for an alert.
type Playbook struct {
	Meta
	Trigger string `json:"trigger"`
	Minutes int    `json:"every_minutes,omitempty"`
	Steps   []Step `json:"steps"`
}

// Validate returns an error if p can't be run.
func (p *Playbook) Validate() error {
	if p.Name == "" || len(p.Steps) == 0 {
		return Errorf(CodeInvalid, "name and steps are required")
	}
	for _, s := range p.Steps {
		if s.ActionID == "" && s.Status == "" && s.Assign == "" && s.Comment == "" && s.Approval == "" {
			return Errorf(CodeInvalid, "step %q does nothing", s.Name)
		}
	}
	return nil
}

// PlaybookRun is one run of a playbook.
type PlaybookRun struct {
	ID         string       `json:"id"`
	PlaybookID string       `json:"playbook_id"`
	AlertID    string       `json:"alert_id"`
	Status     string       `json:"status"`
	Steps      []StepResult `json:"steps"`
	StartedAt  time.Time    `json:"started_at"`
	FinishedAt time.Time    `json:"finished_at,omitzero"`
}

// StepResult is how one step of a run ended.
type StepResult struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// Exception keeps a rule quiet for events that meet a condition.
type Exception struct {
	Meta
	RuleID    string    `json:"rule_id"`
	Condition Condition `json:"condition"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	Reason    string    `json:"reason"`
}

// Validate returns an error if e can't be applied.
func (e *Exception) Validate() error {
	if e.Name == "" || e.RuleID == "" || e.Reason == "" {
		return Errorf(CodeInvalid, "name, rule_id and reason are required")
	}
	return e.Condition.validate()
}

// SavedSearch is a search somebody kept.
type SavedSearch struct {
	Meta
	Owner  string      `json:"owner"`
	Shared bool        `json:"shared"`
	Filter EventFilter `json:"filter"`
}

// Validate returns an error if s has no name.
func (s *SavedSearch) Validate() error {
	if strings.TrimSpace(s.Name) == "" {
		return Errorf(CodeInvalid, "name is required")
	}
	return nil
}

// SetOwner makes s somebody's.
func (s *SavedSearch) SetOwner(username string) { s.Owner = username }

// Feed is a list of indicators that is fetched over HTTP.
type Feed struct {
	Meta
	URL       string    `json:"url"`
	Kind      string    `json:"kind"`
	TTLHours  int       `json:"ttl_hours"`
	FetchedAt time.Time `json:"fetched_at,omitzero"`
	LastError string    `json:"last_error,omitempty"`
}

// Validate returns an error if f can't be fetched.
func (f *Feed) Validate() error {
	if f.Name == "" || f.Kind == "" {
		return Errorf(CodeInvalid, "name and kind are required")
	}
	return validateURL(f.URL)
}

// Indicator is one address, domain or hash that a feed calls malicious.
type Indicator struct {
	FeedID    string    `json:"feed_id"`
	Kind      string    `json:"kind"`
	Value     string    `json:"value"`
	ExpiresAt time.Time `json:"expires_at"`
}

// RetentionPolicy says how long one sort of record is kept.
type RetentionPolicy struct {
	Kind string `json:"kind"`
	Days int    `json:"days"`
}

// Sweep is what a retention run removed.
type Sweep struct {
	At      time.Time      `json:"at"`
	Removed map[string]int `json:"removed"`
}

// AuditEntry says who did what. Hash covers the entry and the one before it.
type AuditEntry struct {
	Seq       int64     `json:"seq"`
	At        time.Time `json:"at"`
	Tenant    string    `json:"tenant"`
	Actor     string    `json:"actor"`
	RequestID string    `json:"request_id"`
	Action    string    `json:"action"`
	Target    string    `json:"target"`
	Detail    string    `json:"detail"`
	Hash      string    `json:"hash"`
}

// Remote is a resource for whose sake the service calls an address.
type Remote interface{ Address() string }

// Address is where an action goes; not all kinds have a host in it.
func (a *Action) Address() string { return a.Target }

// Address is where the list is.
func (f *Feed) Address() string { return f.URL }

// validateMail looks for what would be more than an address to a mail server.
func validateMail(address string) error {
	if !strings.Contains(address, "@") || strings.ContainsFunc(address, unicode.IsControl) {
		return Errorf(CodeInvalid, "%q is no mail address", address)
	}
	return nil
}

func validateURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return Errorf(CodeInvalid, "%q is not an http or https address", raw)
	}
	return nil
}
