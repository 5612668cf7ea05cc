package core

import (
	"context"
	"io"
	"time"
)

// Statuses of a case.
const (
	CaseOpen      = "open"
	CaseContained = "contained"
	CaseClosed    = "closed"
)

// Case is an incident that people work on: some alerts, and what was found out.
type Case struct {
	ID         string    `json:"id"`
	Tenant     string    `json:"tenant"`
	Title      string    `json:"title"`
	Severity   Severity  `json:"severity"`
	Status     string    `json:"status"`
	Owner      string    `json:"owner"`
	Summary    string    `json:"summary"`
	Resolution string    `json:"resolution,omitempty"`
	AlertIDs   []string  `json:"alert_ids,omitempty"`
	OpenedAt   time.Time `json:"opened_at"`
	UpdatedAt  time.Time `json:"updated_at"`
	ClosedAt   time.Time `json:"closed_at,omitzero"`
}

// Validate returns an error if c can't be stored.
func (c *Case) Validate() error {
	if c.Title == "" || len(c.Title) > 200 {
		return Errorf(CodeInvalid, "a title has 1 to 200 bytes")
	}
	if c.Severity < SeverityInfo || c.Severity > SeverityCritical {
		return Errorf(CodeInvalid, "severity must be 0 to 4")
	}
	if c.Status != CaseOpen && c.Status != CaseContained {
		return Errorf(CodeInvalid, "status must be open or contained; a case is closed with a resolution")
	}
	return nil
}

// CaseFilter selects cases; zero fields select everything.
type CaseFilter struct {
	Tenant string
	Status string
	Owner  string
	Limit  int
}

// Note is something that somebody found out.
type Note struct {
	ID     string    `json:"id"`
	CaseID string    `json:"case_id"`
	Author string    `json:"author"`
	Text   string    `json:"text"`
	At     time.Time `json:"at"`
}

// Task is something to do in a case.
type Task struct {
	ID       string    `json:"id"`
	CaseID   string    `json:"case_id"`
	Title    string    `json:"title"`
	Assignee string    `json:"assignee"`
	DueAt    time.Time `json:"due_at,omitzero"`
	DoneAt   time.Time `json:"done_at,omitzero"`
}

// Evidence is a file of a case. Its hash is taken when it comes in.
type Evidence struct {
	ID      string    `json:"id"`
	CaseID  string    `json:"case_id"`
	Name    string    `json:"name"`
	SHA256  string    `json:"sha256"`
	Size    int       `json:"size"`
	AddedBy string    `json:"added_by"`
	At      time.Time `json:"at"`
}

// CaseStore keeps cases.
type CaseStore interface {
	OpenCase(ctx context.Context, c *Case) error
	CaseByID(tenant, id string) (*Case, error)
	ListCases(ctx context.Context, filter CaseFilter) ([]*Case, error)
	UpdateCase(ctx context.Context, c *Case) error
	CloseCase(ctx context.Context, tenant, id, resolution string) error
	MergeCases(tenant, into, from string) error
	LinkAlerts(tenant, id string, alertIDs []string) (int, error)
	CasesOfAlert(ctx context.Context, alertID string) ([]*Case, error)
	AddNote(ctx context.Context, n *Note) error
	Notes(ctx context.Context, caseID string) ([]*Note, error)
	AddTask(t *Task) error
	FinishTask(ctx context.Context, caseID, id string) error
	Tasks(ctx context.Context, caseID string) ([]*Task, error)
	OverdueTasks(ctx context.Context, now time.Time) ([]*Task, error)
	AddEvidence(ctx context.Context, e *Evidence, content []byte) error
	EvidenceOf(ctx context.Context, caseID string) ([]*Evidence, error)
	WriteEvidence(caseID, id string, to io.Writer) error
}
