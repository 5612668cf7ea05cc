package core

import (
	"context"
	"io"
	"slices"
	"time"
)

// Subscription tells somebody about alerts: at once, or some at a time.
type Subscription struct {
	Meta
	Owner   string   `json:"owner"`
	Channel string   `json:"channel"`
	Target  string   `json:"target"`
	Min     Severity `json:"min_severity"`
	Digest  int      `json:"digest_minutes"`
}

// Address is whom it tells.
func (s *Subscription) Address() string { return s.Target }

// Validate returns an error if s can't be served.
func (s *Subscription) Validate() error {
	switch {
	case s.Name == "" || s.Target == "":
		return Errorf(CodeInvalid, "name and target are required")
	case s.Digest < 0 || s.Digest > 24*60:
		return Errorf(CodeInvalid, "digest_minutes must be 0 to 1440")
	case s.Channel == "webhook":
		return validateURL(s.Target)
	case s.Channel == "email":
		return validateMail(s.Target)
	}
	return Errorf(CodeInvalid, "channel must be email or webhook")
}

// SetOwner makes s somebody's.
func (s *Subscription) SetOwner(username string) { s.Owner = username }

// Message is what a subscriber has not been told yet.
type Message struct {
	ID     string    `json:"id"`
	Text   string    `json:"text"`
	At     time.Time `json:"at"`
	Tries  int       `json:"tries"`
	Reason string    `json:"reason,omitempty"`
}

// SubscriptionStore keeps subscriptions and what is to be told.
type SubscriptionStore interface {
	Collection[Subscription]
	QueueMessage(ctx context.Context, subscriptionID string, m *Message) error
	Messages(ctx context.Context, subscriptionID string, limit int) ([]*Message, error)
	OldestMessage(subscriptionID string) (time.Time, error)
	MessagesSent(ctx context.Context, ids []string) error
	MessagesFailed(ctx context.Context, ids []string, cause string) error
	PurgeMessages(ctx context.Context, before time.Time) (int, error)
}

// Notifier tells subscribers.
type Notifier interface {
	Test(s *Subscription) error
	Flush(ctx context.Context, s *Subscription) (int, error)
}

// Hunt is a search that is run on a schedule, and says when it finds more than it should.
type Hunt struct {
	Meta
	Query     EventFilter `json:"query"`
	Minutes   int         `json:"every_minutes"`
	Window    int         `json:"window_minutes"`
	Threshold int         `json:"threshold"`
	Severity  Severity    `json:"severity"`
}

// Validate returns an error if h can't be run.
func (h *Hunt) Validate() error {
	if h.Name == "" || h.Minutes < 1 || h.Window < 1 || h.Threshold < 1 {
		return Errorf(CodeInvalid, "name is required; every_minutes, window_minutes and threshold must be positive")
	}
	return nil
}

// HuntResult is what one run of a hunt found.
type HuntResult struct {
	ID      string    `json:"id"`
	HuntID  string    `json:"hunt_id"`
	Found   int       `json:"found"`
	Before  int       `json:"before"`
	Hosts   []string  `json:"hosts"`
	AlertID string    `json:"alert_id,omitempty"`
	At      time.Time `json:"at"`
	Millis  int64     `json:"millis"`
}

// HuntStore keeps hunts and what they found.
type HuntStore interface {
	Collection[Hunt]
	SaveResult(r *HuntResult) error
	LastResult(ctx context.Context, huntID string) (*HuntResult, error)
	Results(ctx context.Context, huntID string, limit int) ([]*HuntResult, error)
	PurgeResults(ctx context.Context, before time.Time) (int, error)
}

// Hunter runs hunts.
type Hunter interface {
	Run(ctx context.Context, h *Hunt) (*HuntResult, error)
	Compare(h *Hunt, days int) ([]Bucket, error)
}

// Sections that a report can have.
const (
	SectionVolume = "volume"
	SectionHosts  = "hosts"
	SectionAlerts = "alerts"
	SectionCases  = "cases"
	SectionUsage  = "usage"
)

// ReportPlan says what is reported, how often, in what form, and to whom.
type ReportPlan struct {
	Meta
	Sections   []string `json:"sections"`
	Days       int      `json:"days"`
	Every      int      `json:"every_days"`
	Format     string   `json:"format"`
	Recipients []string `json:"recipients"`
}

// Validate returns an error if p can't be carried out.
func (p *ReportPlan) Validate() error {
	if p.Name == "" || len(p.Sections) == 0 || p.Days < 1 || p.Days > 366 || p.Every < 0 {
		return Errorf(CodeInvalid, "name and sections are required, and days must be 1 to 366")
	}
	for _, s := range p.Sections {
		if !slices.Contains([]string{SectionVolume, SectionHosts, SectionAlerts, SectionCases, SectionUsage}, s) {
			return Errorf(CodeInvalid, "%q is no section", s)
		}
	}
	if !slices.Contains([]string{"csv", "json", "html"}, p.Format) {
		return Errorf(CodeInvalid, "format must be csv, json or html")
	}
	for _, to := range p.Recipients {
		if err := validateMail(to); err != nil {
			return err
		}
	}
	return nil
}

// Report is a report as it was made.
type Report struct {
	ID     string    `json:"id"`
	PlanID string    `json:"plan_id"`
	Status string    `json:"status"`
	Format string    `json:"format"`
	Size   int       `json:"size"`
	At     time.Time `json:"at"`
}

// ReportStore keeps plans and reports.
type ReportStore interface {
	Collection[ReportPlan]
	BeginReport(ctx context.Context, r *Report) error
	FinishReport(r *Report, content []byte) error
	ReportsOf(ctx context.Context, planID string) ([]*Report, error)
	LastReport(planID string) (*Report, error)
	WriteReport(ctx context.Context, planID, id string, to io.Writer) error
	PurgeReports(ctx context.Context, before time.Time) (int, error)
}

// Reporter makes reports.
type Reporter interface {
	Generate(p *ReportPlan) (*Report, error)
	Mail(ctx context.Context, p *ReportPlan, r *Report) error
}
