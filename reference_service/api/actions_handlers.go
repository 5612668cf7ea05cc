package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"example.org/siem/core"
)

// testAction runs an action for an alert that does not exist.
func (s *Server) testAction(w http.ResponseWriter, r *http.Request) error {
	action, err := s.Actions.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	sample := &core.Alert{ID: "sample", Tenant: action.Tenant, Title: "test of " + action.Name, Status: core.AlertOpen, FirstSeen: time.Now()}
	run := s.perform(action, sample)
	s.record(r, "action.test", action.ID, run.Detail)
	return writeJSON(w, http.StatusOK, run)
}

func (s *Server) actionRuns(w http.ResponseWriter, r *http.Request) error {
	action, err := s.Actions.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	q := &query{r: r}
	runs, err := s.Actions.RunsOf(action.ID, q.number("limit", 50))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, runs)
}

// perform runs an action and records how it went, whichever way that was.
func (s *Server) perform(action *core.Action, alert *core.Alert) (run *core.ActionRun) {
	start := time.Now()
	run = &core.ActionRun{ActionID: action.ID, AlertID: alert.ID}
	defer func() {
		run.Millis = time.Since(start).Milliseconds()
		if err := s.Actions.RecordRun(run); err != nil {
			s.log.Error("run of an action was not recorded", "action", action.ID, "error", err)
		}
	}()
	if action.Kind != core.ActionWebhook {
		run.Detail = action.Kind + " actions are not set up on this server"
		return run
	}
	body, err := json.Marshal(map[string]any{"action": action.Name, "alert": alert})
	if err != nil {
		run.Detail = err.Error()
		return run
	}
	status, err := s.post.Post(action.Target, body)
	if err != nil {
		run.Detail = err.Error()
		return run
	}
	run.OK, run.Detail = status < 300, fmt.Sprintf("answered %d", status)
	return run
}

// runPlaybook runs a playbook for an alert. It answers when the run has ended,
// or with "wait": false at once.
func (s *Server) runPlaybook(w http.ResponseWriter, r *http.Request) error {
	body := struct {
		AlertID string `json:"alert_id"`
		Wait    bool   `json:"wait"`
	}{Wait: true}
	if err := s.readJSON(w, r, &body); err != nil {
		return err
	}
	playbook, err := s.Playbooks.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	alert, err := s.Alerts.AlertByID(playbook.Tenant, body.AlertID)
	if err != nil {
		return err
	}
	s.record(r, "playbook.run", playbook.ID, alert.ID)
	if !body.Wait {
		s.background.Go(func() { _, _ = s.execute(context.Background(), playbook, alert) }) // it logs its failures
		return writeJSON(w, http.StatusAccepted, map[string]string{"status": "running"})
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	run, err := s.execute(ctx, playbook, alert)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, run)
}

func (s *Server) playbookRuns(w http.ResponseWriter, r *http.Request) error {
	playbook, err := s.Playbooks.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	runs, err := s.Playbooks.PlaybookRuns(playbook.ID)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, runs)
}

// execute takes the steps of a playbook in order, and stops at the first that fails.
func (s *Server) execute(ctx context.Context, playbook *core.Playbook, alert *core.Alert) (*core.PlaybookRun, error) {
	run := &core.PlaybookRun{PlaybookID: playbook.ID, AlertID: alert.ID}
	if err := s.Playbooks.StartRun(ctx, run); err != nil {
		s.log.Error("playbook was not started", "playbook", playbook.ID, "error", err)
		return nil, err
	}
	run.Status = "done"
	defer func() {
		if err := s.Playbooks.FinishRun(context.Background(), run.ID, run.Status); err != nil {
			s.log.Error("end of a playbook was not recorded", "run", run.ID, "error", err)
		}
	}()
	for _, step := range playbook.Steps {
		if err := ctx.Err(); err != nil {
			run.Status = "aborted"
			return run, err
		}
		result := s.step(step, alert)
		run.Steps = append(run.Steps, result)
		if err := s.Playbooks.SaveStep(ctx, run.ID, result); err != nil {
			s.log.Error("step of a playbook was not recorded", "run", run.ID, "step", step.Name, "error", err)
		}
		if !result.OK {
			run.Status = "failed"
			break
		}
	}
	run.FinishedAt = time.Now().UTC()
	return run, nil
}

func (s *Server) step(step core.Step, alert *core.Alert) core.StepResult {
	result := core.StepResult{Name: step.Name}
	var err error
	switch {
	case step.ActionID != "":
		action, findErr := s.Actions.Find(alert.Tenant, step.ActionID)
		if findErr != nil {
			err = findErr
			break
		}
		run := s.perform(action, alert)
		result.OK, result.Detail = run.OK, run.Detail
		return result
	case step.Assign != "":
		err = s.Alerts.AssignAlert(alert.Tenant, alert.ID, step.Assign)
	default:
		_, err = s.Alerts.MoveAlert(context.Background(), alert.Tenant, alert.ID, step.Status)
	}
	if result.OK = err == nil; !result.OK {
		result.Detail = core.ErrorMessage(err)
	}
	return result
}
