package core

import (
	"context"
	"time"
)

// Collection stores resources of one sort as documents.
type Collection[T any] interface {
	Create(doc *T) error
	Find(tenant, id string) (*T, error)
	List(tenant string) ([]*T, error)
	Update(doc *T) error
	Delete(tenant, id string) error
}

// UserStore keeps accounts.
type UserStore interface {
	CreateUser(u *User) error
	UserByID(id string) (*User, error)
	UserByName(tenant, username string) (*User, error)
	ListUsers(tenant string) ([]*User, error)
	UpdateUser(u *User) error
	DeleteUser(tenant, id string) error
	SetPassword(id string, hash []byte) error
	RecordLogin(id string, ok bool) error
}

// RoleStore keeps roles and who holds them.
type RoleStore interface {
	ListRoles(ctx context.Context) ([]*Role, error)
	SaveRole(ctx context.Context, role *Role) error
	DeleteRole(ctx context.Context, name string) error
	Grant(ctx context.Context, userID string, roles []string) error
	PermissionsOf(ctx context.Context, userID string) (roles []string, permissions []Permission, err error)
}

// SessionStore keeps logins.
type SessionStore interface {
	CreateSession(ctx context.Context, s *Session) error
	SessionByID(ctx context.Context, id string) (*Session, error)
	RotateSession(ctx context.Context, id string, oldHash, newHash []byte) error
	RevokeSession(ctx context.Context, id string) error
	RevokeUser(ctx context.Context, userID string) (int, error)
	SessionsOf(ctx context.Context, userID string) ([]*Session, error)
	PurgeSessions(ctx context.Context, before time.Time) (int, error)
}

// EventStore keeps events and searches them.
type EventStore interface {
	InsertEvents(ctx context.Context, events []*Event) error
	Event(ctx context.Context, tenant, id string) (*Event, error)
	SearchEvents(ctx context.Context, filter EventFilter) ([]*Event, error)
	CountEvents(ctx context.Context, filter EventFilter) (int, error)
	Histogram(ctx context.Context, filter EventFilter, step time.Duration) ([]Bucket, error)
	TopValues(ctx context.Context, filter EventFilter, field string, n int) ([]TopValue, error)
	EachEvent(ctx context.Context, filter EventFilter, visit func(*Event) error) error
	DeleteEventsBefore(ctx context.Context, t time.Time) (int, error)
}

// Analyst answers the questions that need more than one pass over the events.
type Analyst interface {
	Paths(query PathQuery) ([]Path, error)
	Sequences(query SequenceQuery) ([]SequenceMatch, error)
	Backtest(rule *Rule, filter EventFilter) (*Backtest, error)
}

// RuleStore keeps detection rules and their history.
type RuleStore interface {
	CreateRule(rule *Rule) error
	RuleByID(tenant, id string) (*Rule, error)
	ListRules(filter RuleFilter) ([]*Rule, error)
	UpdateRule(ctx context.Context, rule *Rule) error
	DeleteRule(ctx context.Context, tenant, id string) error
	EnableRule(tenant, id string, enabled bool) error
	ImportRules(tenant string, rules []*Rule) (int, error)
	RuleVersions(tenant, id string) ([]*RuleVersion, error)
}

// AlertStore keeps alerts and what was done about them.
type AlertStore interface {
	RaiseAlert(ctx context.Context, a *Alert) (created bool, err error)
	AlertByID(tenant, id string) (*Alert, error)
	ListAlerts(filter AlertFilter) ([]*Alert, error)
	MoveAlert(ctx context.Context, tenant, id, status string) (*Alert, error)
	MoveAlerts(ctx context.Context, tenant string, ids []string, status string) (int, error)
	ScoreAlert(tenant, id string, score float64) error
	AssignAlert(tenant, id, assignee string) error
	AddComment(c *Comment) error
	Comments(alertID string) ([]*Comment, error)
	AlertHistory(alertID string) ([]AlertChange, error)
	SummarizeAlerts(tenant string, since time.Time) (*AlertSummary, error)
	PurgeAlerts(ctx context.Context, before time.Time) (int, error)
}

// CorrelationStore keeps correlation rules and their counters.
type CorrelationStore interface {
	Collection[CorrelationRule]
	Bump(rule *CorrelationRule, group string, at time.Time) (*Counter, error)
	Counters(correlationID string) ([]*Counter, error)
	ResetCounters(correlationID string) error
	ExpireCounters(ctx context.Context, now time.Time) (int, error)
}

// ActionStore keeps actions and how they went.
type ActionStore interface {
	Collection[Action]
	RecordRun(run *ActionRun) error
	RunsOf(actionID string, limit int) ([]*ActionRun, error)
}

// PlaybookStore keeps playbooks and their runs.
type PlaybookStore interface {
	Collection[Playbook]
	StartRun(ctx context.Context, run *PlaybookRun) error
	SaveStep(ctx context.Context, runID string, result StepResult) error
	FinishRun(ctx context.Context, runID, status string) error
	PlaybookRuns(playbookID string) ([]*PlaybookRun, error)
	AbortRuns(ctx context.Context) (int, error)
}

// ExceptionStore keeps exceptions.
type ExceptionStore interface {
	Collection[Exception]
	ExceptionsFor(tenant, ruleID string, at time.Time) ([]*Exception, error)
	PurgeExceptions(ctx context.Context, now time.Time) (int, error)
}

// SearchStore keeps saved searches.
type SearchStore interface {
	Collection[SavedSearch]
	ShareSearch(tenant, id, owner string, shared bool) error
	VisibleSearches(tenant, user string) ([]*SavedSearch, error)
}

// FeedStore keeps feeds and the indicators they brought.
type FeedStore interface {
	Collection[Feed]
	StoreIndicators(feed *Feed, values []string) (int, error)
	RecordFailure(feed *Feed, cause error) error
	Lookup(values []string) ([]*Indicator, error)
	ExpireIndicators(ctx context.Context, now time.Time) (int, error)
}

// AuditLog keeps what was done by whom. It is appended to, never changed.
type AuditLog interface {
	Record(ctx context.Context, entry *AuditEntry) error
	AuditEntries(tenant string, limit int) ([]*AuditEntry, error)
	VerifyAudit(ctx context.Context) (broken int64, err error)
}

// RetentionStore keeps policies and applies them.
type RetentionStore interface {
	Policies(ctx context.Context) ([]RetentionPolicy, error)
	SetPolicy(ctx context.Context, p RetentionPolicy) error
	Sweep(ctx context.Context) (*Sweep, error)
}

// Fetcher gets documents from elsewhere.
type Fetcher interface {
	Fetch(url string, limit int64) ([]byte, error)
}

// Poster sends documents elsewhere, and waits for an answer for so long.
type Poster interface {
	Post(url string, body []byte, patience time.Duration) (status int, err error)
}
