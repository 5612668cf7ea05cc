package core

import (
	"context"
	"time"
)

// Feedback is what somebody thought of a score.
type Feedback struct {
	AlertID string    `json:"alert_id"`
	Actor   string    `json:"actor"`
	Useful  bool      `json:"useful"`
	Score   float64   `json:"score"`
	At      time.Time `json:"at"`
}

// FeedbackStore keeps what people thought of scores.
type FeedbackStore interface {
	AddFeedback(ctx context.Context, f *Feedback) error
	FeedbackSince(tenant string, since time.Time) ([]*Feedback, error)
	ModelByVersion(ctx context.Context, version int) (*Model, error)
}

// Drift says how good scores were lately, and how good they were before.
type Drift struct {
	Recent   float64 `json:"recent_accuracy"`
	Before   float64 `json:"accuracy_before"`
	Samples  int     `json:"samples"`
	Drifting bool    `json:"drifting"`
}

// Reviewer looks at how good scores are.
type Reviewer interface {
	ScoreOpen(ctx context.Context, tenant string) (int, error)
	Drift(tenant string, since time.Time) (*Drift, error)
	Evaluate(ctx context.Context, tenant string, version int) (float64, error)
}

// IndicatorStore keeps the indicators that people add.
type IndicatorStore interface {
	AddIndicators(ctx context.Context, tenant string, indicators []*Indicator) (int, error)
	RemoveIndicator(ctx context.Context, value string) error
}

// RunStore controls runs of playbooks.
type RunStore interface {
	RunByID(ctx context.Context, id string) (*PlaybookRun, error)
	RunsBetween(tenant string, from, to time.Time) (map[string]int, error)
}

// Conductor runs playbooks in other ways than one at a time.
type Conductor interface {
	Rehearse(p *Playbook, a *Alert) []StepResult
	RunForMany(p *Playbook, alerts []*Alert) (done int, err error)
	Resume(ctx context.Context, runID string) (*PlaybookRun, error)
}

// Similar finds alerts that are like one another.
type Similar interface {
	SimilarAlerts(ctx context.Context, a *Alert, limit int) ([]*Alert, error)
	AssignMany(tenant string, ids []string, assignee string) (int, error)
}

// RelayStore remembers how far the audit log was sent elsewhere.
type RelayStore interface {
	RelayedTo(target string) (int64, error)
	SetRelayed(ctx context.Context, target string, seq int64) error
	EntriesAfter(ctx context.Context, seq int64, limit int) ([]*AuditEntry, error)
}
