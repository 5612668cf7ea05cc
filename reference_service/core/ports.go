package core

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// Detector takes stored events and evaluates them later.
type Detector interface {
	Submit(ctx context.Context, events []*Event) error
	Pending() int
}

// ActionRunner carries out actions, and records how they went.
type ActionRunner interface {
	RunAction(action *Action, alert *Alert) *ActionRun
	RunAll(actions []*Action, alert *Alert) []*ActionRun
	Reachable(target string) error
}

// Enricher adds what is known about an event's hosts, users and addresses.
type Enricher interface {
	Enrich(ctx context.Context, event *Event) error
	About(ctx context.Context, sort, value string) (map[string]string, error)
}

// Caller talks to other systems, and refuses those that it must not reach.
type Caller interface {
	Call(ctx context.Context, method, url string, header map[string]string, body []byte) (status int, answer []byte, err error)
	Dial(ctx context.Context, address string) (net.Conn, error)
	Permits(addr netip.Addr) error
}

// Mailer sends mail.
type Mailer interface {
	Send(ctx context.Context, to, subject, text string) error
}

// Replayer evaluates stored events once more.
type Replayer interface {
	Replay(ctx context.Context, filter EventFilter) (int, error)
	Explain(event *Event) ([]string, error)
}

// DeadLetterStore keeps events that could not be evaluated.
type DeadLetterStore interface {
	SaveLetters(ctx context.Context, events []*Event, reason string) error
	Letters(ctx context.Context, limit int) ([]*Event, error)
	DropLetters(ctx context.Context, ids []string) error
	CountLetters() (int, error)
}

// Responder runs playbooks.
type Responder interface {
	ExecutePlaybook(ctx context.Context, playbook *Playbook, alert *Alert) (*PlaybookRun, error)
	ExecuteForAlert(alert *Alert) error
}

// Scorer says how likely it is that an alert is worth somebody's time.
type Scorer interface {
	Score(alert *Alert) (float64, error)
	Train(ctx context.Context, tenant string) (*Model, error)
	Models(ctx context.Context) ([]*Model, error)
}

// Refresher fetches feeds.
type Refresher interface {
	Refresh(feed *Feed) (stored int, err error)
}

// Model is a trained classifier of alerts.
type Model struct {
	Version   int       `json:"version"`
	TrainedAt time.Time `json:"trained_at"`
	Samples   int       `json:"samples"`
	Accuracy  float64   `json:"accuracy"`
	LogLoss   float64   `json:"log_loss"`
	Weights   []float64 `json:"-"`
}

// ModelStore keeps trained models.
type ModelStore interface {
	SaveModel(m *Model) error
	LatestModel(ctx context.Context) (*Model, error)
	ListModels(ctx context.Context) ([]*Model, error)
}
