package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"example.org/siem/core"
)

func (s *Server) listAlerts(w http.ResponseWriter, r *http.Request) error {
	q := &query{r: r}
	filter := core.AlertFilter{Tenant: tenant(r), Status: q.text("status"), RuleID: q.text("rule"), Assignee: q.text("assignee"),
		Min: core.Severity(q.number("min_severity", 0)), Limit: q.number("limit", 100), Offset: q.number("offset", 0)}
	if q.err != nil {
		return q.err
	}
	alerts, err := s.Alerts.ListAlerts(filter)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, alerts)
}

// getAlert returns an alert with everything that is known about it.
func (s *Server) getAlert(w http.ResponseWriter, r *http.Request) error {
	alert, err := s.Alerts.AlertByID(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	comments, err := s.Alerts.Comments(alert.ID)
	if err != nil {
		return err
	}
	history, err := s.Alerts.AlertHistory(alert.ID)
	if err != nil {
		return err
	}
	events := []*core.Event{}
	for _, id := range alert.EventIDs {
		e, err := s.Events.Event(context.Background(), alert.Tenant, id)
		if core.ErrorCode(err) == core.CodeNotFound {
			continue // retention may have taken it
		}
		if err != nil {
			return err
		}
		events = append(events, e)
	}
	return writeJSON(w, http.StatusOK, map[string]any{"alert": alert, "comments": comments, "history": history, "events": events})
}

func (s *Server) moveAlert(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Status string `json:"status"`
	}
	if err := s.readJSON(w, r, &body); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	alert, err := s.Alerts.MoveAlert(ctx, tenant(r), r.PathValue("id"), body.Status)
	if err != nil {
		return err
	}
	s.notify(alert.ID, alert.Tenant, body.Status, core.ActorFrom(r.Context()))
	return writeJSON(w, http.StatusOK, alert)
}

func (s *Server) moveAlerts(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		IDs    []string `json:"ids"`
		Status string   `json:"status"`
	}
	if err := s.readJSON(w, r, &body); err != nil {
		return err
	}
	if len(body.IDs) == 0 || len(body.IDs) > 1000 {
		return core.Errorf(core.CodeInvalid, "ids must name 1 to 1000 alerts")
	}
	n, err := s.Alerts.MoveAlerts(context.Background(), tenant(r), body.IDs, body.Status)
	if err != nil {
		return err
	}
	s.record(r, "alerts."+body.Status, "", fmt.Sprintf("%d of %d", n, len(body.IDs)))
	return writeJSON(w, http.StatusOK, map[string]int{"moved": n})
}

func (s *Server) assignAlert(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Assignee string `json:"assignee"`
	}
	if err := s.readJSON(w, r, &body); err != nil {
		return err
	}
	if body.Assignee != "" {
		if _, err := s.Users.UserByName(tenant(r), body.Assignee); err != nil {
			return err
		}
	}
	id := r.PathValue("id")
	if err := s.Alerts.AssignAlert(tenant(r), id, body.Assignee); err != nil {
		return err
	}
	s.notify(id, tenant(r), "assigned", core.ActorFrom(r.Context()))
	return noContent(w)
}

func (s *Server) commentAlert(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Text string `json:"text"`
	}
	if err := s.readJSON(w, r, &body); err != nil {
		return err
	}
	if strings.TrimSpace(body.Text) == "" {
		return core.Errorf(core.CodeInvalid, "text is required")
	}
	alert, err := s.Alerts.AlertByID(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	comment := &core.Comment{AlertID: alert.ID, Author: core.ActorFrom(r.Context()), Text: body.Text}
	if err := s.Alerts.AddComment(comment); err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, comment)
}

func (s *Server) alertSummary(w http.ResponseWriter, r *http.Request) error {
	q := &query{r: r}
	since := q.moment("since")
	if q.err != nil {
		return q.err
	}
	summary, err := s.Alerts.SummarizeAlerts(tenant(r), since)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, summary)
}

// notify tells who listens about a change, without making the caller wait.
func (s *Server) notify(id, tenant, kind, actor string) {
	s.background.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		notice := core.Notice{Tenant: tenant, Kind: kind, AlertID: id, Actor: actor}
		if err := s.Bus.PublishContext(ctx, notice); err != nil {
			s.log.Warn("notice was lost", "alert", id, "kind", kind, "error", err)
		}
	})
}

// streamAlerts sends notices as server-sent events until the client or the server goes.
func (s *Server) streamAlerts(w http.ResponseWriter, r *http.Request) error {
	notices := s.Bus.Subscribe(r.Context(), tenant(r))
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	if err := out.Flush(); err != nil {
		return nil
	}
	alive := time.NewTicker(15 * time.Second)
	defer alive.Stop()
	for {
		select {
		case <-r.Context().Done():
			return nil
		case <-s.ctx.Done():
			return nil
		case <-alive.C:
			_, _ = fmt.Fprint(w, ": alive\n\n")
		case n := <-notices:
			data, err := json.Marshal(n)
			if err != nil {
				return nil
			}
			_, _ = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", n.Kind, data)
		}
		if err := out.Flush(); err != nil {
			return nil
		}
	}
}
