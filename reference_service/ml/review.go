package ml

import (
	"context"
	"time"

	"example.org/siem/core"
)

// Reviewer implements core.Reviewer.
type Reviewer struct {
	service  *Service
	feedback core.FeedbackStore
}

// NewReviewer returns a reviewer of a service's scores.
func NewReviewer(service *Service, feedback core.FeedbackStore) *Reviewer {
	return &Reviewer{service: service, feedback: feedback}
}

// ScoreOpen scores a tenant's open alerts with the newest model, and returns how
// many it scored.
func (r *Reviewer) ScoreOpen(ctx context.Context, tenant string) (int, error) {
	scoreCtx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	scored := 0
	for offset := 0; ; offset += 200 {
		page, err := r.service.alerts.ListAlerts(core.AlertFilter{Tenant: tenant, Status: core.AlertOpen, Limit: 200, Offset: offset})
		if err != nil {
			return scored, err
		}
		for _, alert := range page {
			if err := scoreCtx.Err(); err != nil {
				return scored, err
			}
			score, err := r.service.Score(alert)
			if err != nil {
				return scored, err
			}
			if err := r.service.alerts.ScoreAlert(tenant, alert.ID, score); err != nil {
				return scored, err
			}
			scored++
		}
		if len(page) < 200 {
			return scored, nil
		}
	}
}

// Drift compares how often people agreed with scores lately with the time before.
func (r *Reviewer) Drift(tenant string, since time.Time) (*core.Drift, error) {
	all, err := r.feedback.FeedbackSince(tenant, since)
	if err != nil {
		return nil, err
	}
	half := len(all) / 2
	d := &core.Drift{Samples: len(all), Before: agreement(all[:half]), Recent: agreement(all[half:])}
	d.Drifting = half >= 5 && d.Before-d.Recent > 0.15
	return d, nil
}

func agreement(feedback []*core.Feedback) float64 {
	if len(feedback) == 0 {
		return 0
	}
	agreed := 0
	for _, f := range feedback {
		if f.Useful == (f.Score >= 0.5) {
			agreed++
		}
	}
	return float64(agreed) / float64(len(feedback))
}

// Evaluate measures how well a model of some version tells a tenant's closed
// alerts apart.
func (r *Reviewer) Evaluate(ctx context.Context, tenant string, version int) (float64, error) {
	loadCtx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	model, err := r.feedback.ModelByVersion(loadCtx, version)
	if err != nil {
		return 0, err
	}
	samples, err := r.service.samples(tenant)
	if err != nil {
		return 0, err
	}
	if len(samples) == 0 {
		return 0, core.Errorf(core.CodeConflict, "there are no closed alerts to measure with")
	}
	accuracy, _ := measure(model.Weights, samples)
	return accuracy, nil
}

// WatchDrift trains anew when people stop agreeing with the scores; it looks now
// and then until Stop of the service.
func (r *Reviewer) WatchDrift(tenant string, every time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	stop := r.service.stop
	r.service.stop = func() { cancel(); stop() }
	r.service.done.Go(func() { core.Every(ctx, every, func(now time.Time) { r.look(tenant, now) }) })
}

func (r *Reviewer) look(tenant string, now time.Time) {
	drift, err := r.Drift(tenant, now.AddDate(0, 0, -30))
	if err != nil {
		r.service.log.Error("drift is not known", "error", err)
		return
	}
	if !drift.Drifting {
		return
	}
	r.service.log.Warn("scores drift", "before", drift.Before, "recent", drift.Recent)
	if _, err := r.service.Train(context.Background(), tenant); err != nil && core.ErrorCode(err) != core.CodeConflict {
		r.service.log.Error("model was not trained", "error", err)
	}
}
