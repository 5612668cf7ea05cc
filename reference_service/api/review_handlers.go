package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.org/siem/core"
)

// giveFeedback notes whether an alert was worth the caller's time.
func (s *Server) giveFeedback(w http.ResponseWriter, r *http.Request) error {
	f := &core.Feedback{}
	if err := s.readJSON(w, r, f); err != nil {
		return err
	}
	alert, err := s.Alerts.AlertByID(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	f.AlertID, f.Score, f.Actor = alert.ID, alert.Score, core.ActorFrom(r.Context())
	if err := s.Feedback.AddFeedback(context.Background(), f); err != nil {
		return err
	}
	return noContent(w)
}

func (s *Server) drift(w http.ResponseWriter, r *http.Request) error {
	q := &query{r: r}
	since := q.moment("since")
	if q.err != nil {
		return q.err
	}
	d, err := s.Reviewer.Drift(tenant(r), since)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, d)
}

func (s *Server) evaluateModel(w http.ResponseWriter, r *http.Request) error {
	version, err := strconv.Atoi(r.PathValue("version"))
	if err != nil {
		return core.Errorf(core.CodeInvalid, "a version is a number")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	accuracy, err := s.Reviewer.Evaluate(ctx, tenant(r), version)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]float64{"accuracy": accuracy})
}

// scoreOpen scores all open alerts with the newest model.
func (s *Server) scoreOpen(w http.ResponseWriter, r *http.Request) error {
	n, err := s.Reviewer.ScoreOpen(context.Background(), tenant(r))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]int{"scored": n})
}

func (s *Server) similarAlerts(w http.ResponseWriter, r *http.Request) error {
	alert, err := s.Alerts.AlertByID(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	similar, err := s.Similar.SimilarAlerts(context.Background(), alert, 20)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, similar)
}

func (s *Server) assignAlerts(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		IDs      []string `json:"ids"`
		Assignee string   `json:"assignee"`
	}
	if err := s.readJSON(w, r, &body); err != nil {
		return err
	}
	if len(body.IDs) == 0 || len(body.IDs) > 1000 {
		return core.Errorf(core.CodeInvalid, "ids must name 1 to 1000 alerts")
	}
	n, err := s.Similar.AssignMany(tenant(r), body.IDs, body.Assignee)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]int{"assigned": n})
}

// addIndicators stores what people call malicious, for a month if they don't say.
func (s *Server) addIndicators(w http.ResponseWriter, r *http.Request) error {
	var indicators []*core.Indicator
	if err := s.readJSON(w, r, &indicators); err != nil {
		return err
	}
	for n, i := range indicators {
		if i == nil {
			return core.Errorf(core.CodeInvalid, "indicator %d is null", n)
		}
		if i.Value = strings.ToLower(strings.TrimSpace(i.Value)); i.Value == "" || i.Kind == "" {
			return core.Errorf(core.CodeInvalid, "indicator %d has no kind or no value", n)
		}
		if i.ExpiresAt.IsZero() {
			i.ExpiresAt = time.Now().AddDate(0, 1, 0)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	n, err := s.Indicators.AddIndicators(ctx, tenant(r), indicators)
	if err != nil {
		return err
	}
	s.record(r, "indicators.add", "", strconv.Itoa(n))
	return writeJSON(w, http.StatusOK, map[string]int{"stored": n})
}

func (s *Server) removeIndicator(w http.ResponseWriter, r *http.Request) error {
	if err := s.Indicators.RemoveIndicator(context.Background(), r.PathValue("value")); err != nil {
		return err
	}
	return noContent(w)
}

// sightings returns the events that came from what an indicator names.
func (s *Server) sightings(w http.ResponseWriter, r *http.Request) error {
	q := &query{r: r}
	since := q.moment("since")
	if q.err != nil {
		return q.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	seen, err := s.Events.SearchEvents(ctx, core.EventFilter{Tenant: tenant(r), From: since, Source: r.PathValue("value"), Limit: 500})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, seen)
}

// rehearse says what a playbook would do for an alert.
func (s *Server) rehearse(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		AlertID string `json:"alert_id"`
	}
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
	return writeJSON(w, http.StatusOK, s.Conductor.Rehearse(playbook, alert))
}

// runForMany runs a playbook for all alerts of a status.
func (s *Server) runForMany(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Status string `json:"status"`
	}
	if err := s.readJSON(w, r, &body); err != nil {
		return err
	}
	playbook, err := s.Playbooks.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	alerts, err := s.Alerts.ListAlerts(core.AlertFilter{Tenant: playbook.Tenant, Status: body.Status, Limit: 100})
	if err != nil {
		return err
	}
	done, err := s.Conductor.RunForMany(playbook, alerts)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]int{"done": done, "alerts": len(alerts)})
}

func (s *Server) resumeRun(w http.ResponseWriter, r *http.Request) error {
	run, err := s.Conductor.Resume(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, run)
}

// runStatistics counts runs of the last thirty days by how they ended.
func (s *Server) runStatistics(w http.ResponseWriter, r *http.Request) error {
	counts, err := s.Runs.RunsBetween(tenant(r), time.Now().AddDate(0, 0, -30), time.Now())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, counts)
}
