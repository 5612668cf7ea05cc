package core

import (
	"context"
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
