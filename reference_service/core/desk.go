package core

import (
	"context"
	"slices"
	"time"
)

// Watchlist is a list of values that people keep: leavers, VIPs, test hosts.
type Watchlist struct {
	Meta
	Field   string `json:"field"`
	Raise   int    `json:"raise"`
	Entries int    `json:"entries"`
}

// Validate returns an error if w can't be used.
func (w *Watchlist) Validate() error {
	if w.Name == "" || !slices.Contains([]string{"host", "user", "source", "dest"}, w.Field) {
		return Errorf(CodeInvalid, "name is required, and field must be host, user, source or dest")
	}
	if w.Raise < -2 || w.Raise > 2 {
		return Errorf(CodeInvalid, "raise must be -2 to 2")
	}
	return nil
}

// WatchEntry is one value of a watchlist.
type WatchEntry struct {
	Value     string    `json:"value"`
	Note      string    `json:"note"`
	AddedBy   string    `json:"added_by"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// WatchlistStore keeps watchlists.
type WatchlistStore interface {
	Collection[Watchlist]
	AddEntries(ctx context.Context, listID string, entries []WatchEntry) (int, error)
	RemoveEntry(listID, value string) error
	Entries(ctx context.Context, listID string, after string, limit int) ([]WatchEntry, error)
	Watched(tenant string, values map[string]string) ([]*Watchlist, error)
	ExpireEntries(ctx context.Context, now time.Time) (int, error)
}

// Widget is one part of a dashboard.
type Widget struct {
	Title string      `json:"title"`
	Kind  string      `json:"kind"`
	Field string      `json:"field,omitempty"`
	Hours int         `json:"hours"`
	Query EventFilter `json:"query"`
}

// Dashboard is a page of widgets.
type Dashboard struct {
	Meta
	Widgets []Widget `json:"widgets"`
}

// Validate returns an error if d can't be drawn.
func (d *Dashboard) Validate() error {
	if d.Name == "" || len(d.Widgets) == 0 || len(d.Widgets) > 12 {
		return Errorf(CodeInvalid, "a dashboard has a name and 1 to 12 widgets")
	}
	for _, w := range d.Widgets {
		if !slices.Contains([]string{"count", "histogram", "top", "latest", "alerts"}, w.Kind) {
			return Errorf(CodeInvalid, "%q is no kind of widget", w.Kind)
		}
		if w.Hours < 1 || w.Hours > 24*31 {
			return Errorf(CodeInvalid, "hours must be 1 to 744")
		}
	}
	return nil
}

// Hook lets another system send events or alerts with a secret of its own.
type Hook struct {
	Meta
	Kind     string            `json:"kind"`
	Secret   string            `json:"-"`
	Severity Severity          `json:"severity"`
	Mapping  map[string]string `json:"mapping"`
}

// Validate returns an error if h can't take anything in.
func (h *Hook) Validate() error {
	if h.Name == "" || (h.Kind != "event" && h.Kind != "alert") {
		return Errorf(CodeInvalid, "name is required, and kind must be event or alert")
	}
	if h.Kind == "event" && h.Mapping["kind"] == "" {
		return Errorf(CodeInvalid, "mapping must say where the kind of an event comes from")
	}
	return nil
}

// Delivery is one call of a hook.
type Delivery struct {
	ID     string    `json:"id"`
	HookID string    `json:"hook_id"`
	OK     bool      `json:"ok"`
	Detail string    `json:"detail"`
	At     time.Time `json:"at"`
}

// HookStore keeps hooks and what came in through them.
type HookStore interface {
	Collection[Hook]
	HookByID(ctx context.Context, id string) (*Hook, error)
	SetSecret(id, secret string) error
	SeenBefore(hookID, deliveryID string) (bool, error)
	RecordDelivery(ctx context.Context, d *Delivery) error
	Deliveries(ctx context.Context, hookID string, limit int) ([]*Delivery, error)
	PurgeDeliveries(ctx context.Context, before time.Time) (int, error)
}

// Approval is a step of a playbook that waits for somebody's word.
type Approval struct {
	ID          string    `json:"id"`
	Tenant      string    `json:"tenant"`
	PlaybookID  string    `json:"playbook_id"`
	AlertID     string    `json:"alert_id"`
	Step        string    `json:"step"`
	Status      string    `json:"status"`
	DecidedBy   string    `json:"decided_by,omitempty"`
	RequestedAt time.Time `json:"requested_at"`
	ExpiresAt   time.Time `json:"expires_at"`
}

// Approvals that are decided, or not yet.
const (
	ApprovalPending  = "pending"
	ApprovalGranted  = "granted"
	ApprovalRefused  = "refused"
	ApprovalTimedOut = "expired"
)

// ApprovalStore keeps what waits for somebody's word.
type ApprovalStore interface {
	RequestApproval(ctx context.Context, a *Approval) error
	ApprovalByID(id string) (*Approval, error)
	PendingApprovals(ctx context.Context, tenant string) ([]*Approval, error)
	Decide(tenant, id, actor, status string) error
	ExpireApprovals(ctx context.Context, now time.Time) (int, error)
}
