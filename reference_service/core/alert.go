package core

import (
	"slices"
	"time"
)

// Statuses an alert goes through.
const (
	AlertOpen         = "open"
	AlertAcknowledged = "acknowledged"
	AlertResolved     = "resolved"
	AlertDismissed    = "dismissed"
)

var alertTransitions = map[string][]string{
	AlertOpen:         {AlertAcknowledged, AlertResolved, AlertDismissed},
	AlertAcknowledged: {AlertOpen, AlertResolved, AlertDismissed},
	AlertResolved:     {AlertOpen},
	AlertDismissed:    {AlertOpen},
}

// Alert is what a rule or a correlation found.
type Alert struct {
	ID        string    `json:"id"`
	Tenant    string    `json:"tenant"`
	RuleID    string    `json:"rule_id"`
	DedupKey  string    `json:"dedup_key"`
	Title     string    `json:"title"`
	Severity  Severity  `json:"severity"`
	Status    string    `json:"status"`
	Assignee  string    `json:"assignee"`
	Count     int       `json:"count"`
	EventIDs  []string  `json:"event_ids,omitempty"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	UpdatedAt time.Time `json:"updated_at"`
	Score     float64   `json:"score"`
}

// MoveTo returns an error if an alert in status from may not go to status to.
func MoveTo(from, to string) error {
	if _, known := alertTransitions[to]; !known {
		return Errorf(CodeInvalid, "unknown status %q", to)
	}
	if !slices.Contains(alertTransitions[from], to) {
		return Errorf(CodeConflict, "an alert can't go from %s to %s", from, to)
	}
	return nil
}

// AlertFilter selects alerts; zero fields select everything.
type AlertFilter struct {
	Tenant   string
	Status   string
	RuleID   string
	Assignee string
	Min      Severity
	Limit    int
	Offset   int
}

// Comment is a note on an alert.
type Comment struct {
	ID      string    `json:"id"`
	AlertID string    `json:"alert_id"`
	Author  string    `json:"author"`
	Text    string    `json:"text"`
	At      time.Time `json:"at"`
}

// AlertChange is one step in the life of an alert.
type AlertChange struct {
	From  string    `json:"from"`
	To    string    `json:"to"`
	Actor string    `json:"actor"`
	At    time.Time `json:"at"`
}

// AlertSummary counts a tenant's alerts.
type AlertSummary struct {
	ByStatus     map[string]int `json:"by_status"`
	BySeverity   map[int]int    `json:"by_severity"`
	MeanTimeSecs float64        `json:"mean_seconds_to_resolve"`
}
