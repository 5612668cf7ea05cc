package api

import (
	"context"
	"net/http"
	"strings"
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
	run := s.Runner.RunAction(action, sample)
	s.record(r, "action.test", action.ID, run.Detail)
	return writeJSON(w, http.StatusOK, run)
}

func (s *Server) actionRuns(w http.ResponseWriter, r *http.Request) error {
	action, err := s.Actions.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	limit, err := limit(r, 50)
	if err != nil {
		return err
	}
	runs, err := s.Actions.RunsOf(action.ID, limit)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, runs)
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
		s.background.Go(func() {
			if _, err := s.Responder.ExecutePlaybook(context.Background(), playbook, alert); err != nil {
				s.log.Error("playbook failed", "playbook", playbook.ID, "alert", alert.ID, "error", err)
			}
		})
		return writeJSON(w, http.StatusAccepted, map[string]string{"status": "running"})
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	run, err := s.Responder.ExecutePlaybook(ctx, playbook, alert)
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

// checkAction says whether an action's target may be reached.
func (s *Server) checkAction(w http.ResponseWriter, r *http.Request) error {
	action, err := s.Actions.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := s.Runner.Reachable(action.Target); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]string{"status": "reachable"})
}

// respond runs some actions for an alert now.
func (s *Server) respond(w http.ResponseWriter, r *http.Request) error {
	var ids []string
	if err := s.readJSON(w, r, &ids); err != nil {
		return err
	}
	if len(ids) == 0 || len(ids) > 20 {
		return core.Errorf(core.CodeInvalid, "name 1 to 20 actions")
	}
	alert, err := s.Alerts.AlertByID(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	actions := make([]*core.Action, len(ids))
	for i, id := range ids {
		if actions[i], err = s.Actions.Find(alert.Tenant, id); err != nil {
			return err
		}
	}
	runs := s.Runner.RunAll(actions, alert)
	s.record(r, "alert.respond", alert.ID, strings.Join(ids, " "))
	return writeJSON(w, http.StatusOK, runs)
}
