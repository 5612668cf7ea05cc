package soar

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"example.org/siem/core"
)

// Scheduler runs playbooks that are due every so many minutes, for the alerts
// their tenant has open.
type Scheduler struct {
	engine *Engine
	tenant string
	log    *slog.Logger
	now    func() time.Time
	mu     sync.Mutex
	last   map[string]time.Time
	cancel context.CancelFunc
	done   chan struct{}
}

// NewScheduler returns a scheduler for one tenant.
func NewScheduler(engine *Engine, tenant string, log *slog.Logger) *Scheduler {
	return &Scheduler{engine: engine, tenant: tenant, log: log, now: time.Now, last: make(map[string]time.Time), done: make(chan struct{})}
}

// Start looks for what is due at every tick.
func (s *Scheduler) Start(tick time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	go func() {
		defer close(s.done)
		core.Every(ctx, tick, func(time.Time) {
			s.expireApprovals()
			if err := s.RunDue(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("scheduled playbooks failed", "error", err)
			}
		})
	}()
}

// Stop ends the schedule and waits for the playbook that is running.
func (s *Scheduler) Stop() {
	s.cancel()
	<-s.done
}

// expireApprovals gives up on questions that nobody answered.
func (s *Scheduler) expireApprovals() {
	if s.engine.approvals == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if n, err := s.engine.approvals.ExpireApprovals(ctx, s.now()); err != nil {
		s.log.Error("approvals were not expired", "error", err)
	} else if n > 0 {
		s.log.Info("approvals expired", "n", n)
	}
}

// RunDue runs every playbook whose time has come.
func (s *Scheduler) RunDue(ctx context.Context) error {
	playbooks, err := s.engine.playbooks.List(s.tenant)
	if err != nil {
		return err
	}
	for _, p := range playbooks {
		if !p.Enabled || !s.due(p) {
			continue
		}
		open, err := s.engine.alerts.ListAlerts(core.AlertFilter{Tenant: s.tenant, Status: core.AlertOpen, Limit: 100})
		if err != nil {
			return err
		}
		for _, alert := range open {
			if _, err := s.engine.ExecutePlaybook(context.Background(), p, alert); err != nil {
				s.log.Error("scheduled playbook failed", "playbook", p.ID, "alert", alert.ID, "error", err)
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return nil
}

// due reports whether a playbook's time has come, and notes that it was seen.
func (s *Scheduler) due(p *core.Playbook) bool {
	if p.Minutes <= 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if now.Sub(s.last[p.ID]) < time.Duration(p.Minutes)*time.Minute {
		return false
	}
	s.last[p.ID] = now
	return true
}
