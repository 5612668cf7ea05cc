package ml

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"example.org/siem/core"
)

const (
	minSamples = 20
	epochs     = 30
)

// Service implements core.Scorer.
type Service struct {
	alerts core.AlertStore
	models core.ModelStore
	log    *slog.Logger
	once   sync.Once
	mu     sync.RWMutex
	model  *core.Model
	stop   context.CancelFunc
	done   sync.WaitGroup
}

// NewService returns a service that loads the newest model when it is first asked.
func NewService(alerts core.AlertStore, models core.ModelStore, log *slog.Logger) *Service {
	return &Service{alerts: alerts, models: models, log: log, stop: func() {}}
}

// Score returns the probability that an alert is worth somebody's time.
func (s *Service) Score(alert *core.Alert) (float64, error) {
	s.once.Do(s.load)
	s.mu.RLock()
	model := s.model
	s.mu.RUnlock()
	if model == nil {
		return 0, core.Errorf(core.CodeNotFound, "no model was trained yet")
	}
	if len(model.Weights) != dimensions {
		return 0, core.Errorf(core.CodeInternal, "model %d has another shape", model.Version)
	}
	return predict(model.Weights, features(alert)), nil
}

// load reads the newest model, once for all who ask.
func (s *Service) load() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	model, err := s.models.LatestModel(ctx)
	if err != nil {
		if core.ErrorCode(err) != core.CodeNotFound {
			s.log.Error("model was not loaded", "error", err)
		}
		return
	}
	s.mu.Lock()
	s.model = model
	s.mu.Unlock()
}

// Train learns from a tenant's closed alerts, and uses the new model from then on.
func (s *Service) Train(ctx context.Context, tenant string) (*core.Model, error) {
	trainCtx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	samples, err := s.samples(tenant)
	if err != nil {
		return nil, err
	}
	if len(samples) < minSamples {
		return nil, core.Errorf(core.CodeConflict, "%d closed alerts are too few to learn from; it takes %d", len(samples), minSamples)
	}
	rng := rand.New(rand.NewPCG(1, uint64(len(samples))))
	rng.Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
	held := len(samples) / 5
	weights, err := fit(samples[held:], epochs, rng, trainCtx.Err)
	if err != nil {
		return nil, err
	}
	model := &core.Model{Samples: len(samples), Weights: weights}
	model.Accuracy, model.LogLoss = measure(weights, samples[:held])
	if err := s.models.SaveModel(model); err != nil {
		return nil, err
	}
	s.once.Do(func() {})
	s.mu.Lock()
	s.model = model
	s.mu.Unlock()
	return model, nil
}

// samples turns closed alerts into examples: resolved ones were worth it.
func (s *Service) samples(tenant string) ([]sample, error) {
	var all []sample
	for status, label := range map[string]float64{core.AlertResolved: 1, core.AlertDismissed: 0} {
		for offset := 0; ; offset += 500 {
			page, err := s.alerts.ListAlerts(core.AlertFilter{Tenant: tenant, Status: status, Limit: 500, Offset: offset})
			if err != nil {
				return nil, err
			}
			for _, a := range page {
				all = append(all, sample{features: features(a), label: label})
			}
			if len(page) < 500 {
				break
			}
		}
	}
	return all, nil
}

// Models lists what was trained.
func (s *Service) Models(ctx context.Context) ([]*core.Model, error) {
	return s.models.ListModels(context.Background())
}

// Start trains now and then until Stop.
func (s *Service) Start(tenant string, every time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	s.done.Go(func() {
		core.Every(ctx, every, func(time.Time) {
			if _, err := s.Train(ctx, tenant); err != nil && core.ErrorCode(err) != core.CodeConflict {
				s.log.Error("model was not trained", "error", err)
			}
		})
	})
}

// Stop ends the schedule and waits for a training that is running.
func (s *Service) Stop() {
	s.stop()
	s.done.Wait()
}
