package soar

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"example.org/siem/core"
)

// Rehearse says what the steps of a playbook would do, and does nothing.
func (e *Engine) Rehearse(p *core.Playbook, a *core.Alert) []core.StepResult {
	results := make([]core.StepResult, len(p.Steps))
	for i, step := range p.Steps {
		results[i] = core.StepResult{Name: step.Name, OK: true, Detail: "would " + kindOf(step)}
		switch kindOf(step) {
		case "action":
			action, err := e.actions.Find(a.Tenant, step.ActionID)
			if err == nil {
				err = e.runner.Reachable(action.Target)
			}
			if err != nil {
				results[i].OK, results[i].Detail = false, core.ErrorMessage(err)
			}
		case "status":
			if err := core.MoveTo(a.Status, step.Status); err != nil {
				results[i].OK, results[i].Detail = false, core.ErrorMessage(err)
			}
		}
	}
	return results
}

// RunForMany runs a playbook for some alerts, four at a time, and returns for
// how many it was done.
func (e *Engine) RunForMany(p *core.Playbook, alerts []*core.Alert) (int, error) {
	group, ctx := errgroup.WithContext(context.Background())
	group.SetLimit(4)
	outcomes := make([]bool, len(alerts))
	for i, alert := range alerts {
		group.Go(func() error {
			run, err := e.ExecutePlaybook(ctx, p, alert)
			outcomes[i] = err == nil && run.Status == "done"
			return err
		})
	}
	err := group.Wait()
	done := 0
	for _, ok := range outcomes {
		if ok {
			done++
		}
	}
	return done, err
}

// Resume takes the steps that a run did not get to, as a run of its own.
func (e *Engine) Resume(ctx context.Context, runID string) (*core.PlaybookRun, error) {
	store, ok := e.playbooks.(core.RunStore)
	if !ok {
		return nil, errors.New("runs are not kept")
	}
	lookCtx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	run, err := store.RunByID(lookCtx, runID)
	if err != nil {
		return nil, err
	}
	if run.Status == "done" || run.Status == "running" {
		return nil, core.Errorf(core.CodeConflict, "the run is %s", run.Status)
	}
	tenant := core.TenantFrom(ctx)
	playbook, err := e.playbooks.Find(tenant, run.PlaybookID)
	if err != nil {
		return nil, err
	}
	alert, err := e.alerts.AlertByID(tenant, run.AlertID)
	if err != nil {
		return nil, err
	}
	done := 0
	for done < len(run.Steps) && run.Steps[done].OK {
		done++
	}
	if done > len(playbook.Steps) {
		return nil, core.Errorf(core.CodeConflict, "the playbook has changed since")
	}
	rest := *playbook
	rest.Steps = playbook.Steps[done:]
	rest.Name = fmt.Sprintf("%s, from step %d", playbook.Name, done+1)
	resumeCtx, cancel := context.WithTimeout(context.Background(), e.timeout)
	defer cancel()
	return e.runPlaybook(resumeCtx, &rest, alert)
}
