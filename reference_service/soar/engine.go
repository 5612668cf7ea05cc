// Package soar runs playbooks: when somebody asks, when an alert is raised, and
// on a schedule.
package soar

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"example.org/siem/core"
)

// Engine implements core.Responder.
type Engine struct {
	playbooks core.PlaybookStore
	actions   core.ActionStore
	alerts    core.AlertStore
	runner    core.ActionRunner
	timeout   time.Duration
	log       *slog.Logger
	steps     map[string]stepFunc
	approvals core.ApprovalStore
	askEvery  time.Duration
	slots     chan struct{}
	running   sync.WaitGroup
}

// stepFunc takes one step for an alert and says what it did.
type stepFunc func(step core.Step, alert *core.Alert) (string, error)

// NewEngine returns an engine that runs at most parallel playbooks at a time,
// none of them longer than timeout.
func NewEngine(playbooks core.PlaybookStore, actions core.ActionStore, alerts core.AlertStore, runner core.ActionRunner,
	timeout time.Duration, parallel int, log *slog.Logger) *Engine {
	e := &Engine{playbooks: playbooks, actions: actions, alerts: alerts, runner: runner, timeout: timeout, log: log, slots: make(chan struct{}, parallel), askEvery: time.Second}
	e.steps = map[string]stepFunc{"action": e.act, "assign": e.assign, "comment": e.comment, "status": e.move, "approval": e.ask}
	return e
}

// AskWith lets steps wait for approvals, and looks for answers now and then.
func (e *Engine) AskWith(approvals core.ApprovalStore, every time.Duration) {
	e.approvals, e.askEvery = approvals, every
}

// ExecutePlaybook runs a playbook and returns when it has ended.
func (e *Engine) ExecutePlaybook(ctx context.Context, playbook *core.Playbook, alert *core.Alert) (*core.PlaybookRun, error) {
	pbCtx, cancel := context.WithTimeout(context.Background(), e.timeout)
	defer cancel()
	return e.runPlaybook(pbCtx, playbook, alert)
}

// ExecuteForAlert starts the playbooks that an alert's rule triggers, and does not wait for them.
func (e *Engine) ExecuteForAlert(alert *core.Alert) error {
	playbooks, err := e.playbooks.List(alert.Tenant)
	if err != nil {
		return err
	}
	for _, p := range playbooks {
		if !p.Enabled || p.Trigger != alert.RuleID {
			continue
		}
		e.running.Go(func() {
			pbCtx, cancel := context.WithTimeout(context.Background(), e.timeout)
			defer cancel()
			if _, err := e.runPlaybook(pbCtx, p, alert); err != nil {
				e.log.Error("playbook failed", "playbook", p.ID, "alert", alert.ID, "error", err)
			}
		})
	}
	return nil
}

// Wait waits for the playbooks that alerts started, for at most d.
func (e *Engine) Wait(d time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	done := make(chan struct{})
	go func() {
		e.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("playbooks still run: %w", ctx.Err())
	}
}

// runPlaybook takes the steps in order, and stops at the first that fails.
func (e *Engine) runPlaybook(ctx context.Context, playbook *core.Playbook, alert *core.Alert) (*core.PlaybookRun, error) {
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	run := &core.PlaybookRun{PlaybookID: playbook.ID, AlertID: alert.ID}
	if err := e.playbooks.StartRun(ctx, run); err != nil {
		return nil, err
	}
	run.Status = "done"
	defer func() {
		if err := e.playbooks.FinishRun(context.Background(), run.ID, run.Status); err != nil {
			e.log.Error("end of a playbook was not recorded", "run", run.ID, "error", err)
		}
	}()
	for _, step := range playbook.Steps {
		result := e.takeStep(step, alert)
		run.Steps = append(run.Steps, result)
		if err := e.playbooks.SaveStep(ctx, run.ID, result); err != nil {
			e.log.Error("step of a playbook was not recorded", "run", run.ID, "step", step.Name, "error", err)
		}
		if err := ctx.Err(); err != nil {
			run.Status = "aborted"
			return run, err
		}
		if !result.OK {
			run.Status = "failed"
			break
		}
	}
	run.FinishedAt = time.Now().UTC()
	return run, nil
}
