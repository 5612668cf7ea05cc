package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"example.org/siem/core"
)

func (s *Server) addEntries(w http.ResponseWriter, r *http.Request) error {
	var entries []core.WatchEntry
	if err := s.readJSON(w, r, &entries); err != nil {
		return err
	}
	list, err := s.Watchlists.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	for i := range entries {
		if entries[i].Value = strings.ToLower(strings.TrimSpace(entries[i].Value)); entries[i].Value == "" {
			return core.Errorf(core.CodeInvalid, "entry %d has no value", i)
		}
		entries[i].AddedBy = core.ActorFrom(r.Context())
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	n, err := s.Watchlists.AddEntries(ctx, list.ID, entries)
	if err != nil {
		return err
	}
	s.record(r, "watchlist.add", list.ID, fmt.Sprint(len(entries)))
	return writeJSON(w, http.StatusOK, map[string]int{"entries": n})
}

func (s *Server) listEntries(w http.ResponseWriter, r *http.Request) error {
	list, err := s.Watchlists.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	limit, err := limit(r, 500)
	if err != nil {
		return err
	}
	entries, err := s.Watchlists.Entries(r.Context(), list.ID, r.URL.Query().Get("after"), limit)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, entries)
}

func (s *Server) removeEntry(w http.ResponseWriter, r *http.Request) error {
	list, err := s.Watchlists.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := s.Watchlists.RemoveEntry(list.ID, r.PathValue("value")); err != nil {
		return err
	}
	return noContent(w)
}

// exportEntries writes a list as lines, page by page.
func (s *Server) exportEntries(w http.ResponseWriter, r *http.Request) error {
	list, err := s.Watchlists.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	for after := ""; ; {
		page, err := s.Watchlists.Entries(context.Background(), list.ID, after, 1000)
		if err != nil {
			return err
		}
		for _, e := range page {
			if _, err := fmt.Fprintln(w, e.Value); err != nil {
				return nil // nobody is left to read it
			}
			after = e.Value
		}
		if len(page) < 1000 {
			return nil
		}
	}
}

// drawDashboard fills the widgets of a dashboard, all at once.
func (s *Server) drawDashboard(w http.ResponseWriter, r *http.Request) error {
	board, err := s.Dashboards.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	drawn := make([]any, len(board.Widgets))
	group, _ := errgroup.WithContext(context.Background())
	group.SetLimit(4)
	for i, widget := range board.Widgets {
		group.Go(func() (err error) {
			drawn[i], err = s.drawWidget(board.Tenant, widget)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"dashboard": board, "data": drawn})
}

func (s *Server) drawWidget(tenant string, widget core.Widget) (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	filter := widget.Query
	filter.Tenant, filter.From = tenant, time.Now().Add(-time.Duration(widget.Hours)*time.Hour)
	switch widget.Kind {
	case "count":
		return s.Events.CountEvents(ctx, filter)
	case "histogram":
		return s.Events.Histogram(ctx, filter, max(time.Duration(widget.Hours)*time.Hour/48, time.Minute))
	case "top":
		return s.Events.TopValues(ctx, filter, widget.Field, 10)
	case "latest":
		filter.Limit = 10
		return s.Events.SearchEvents(ctx, filter)
	}
	return s.Alerts.SummarizeAlerts(tenant, filter.From)
}

func (s *Server) listApprovals(w http.ResponseWriter, r *http.Request) error {
	pending, err := s.Approvals.PendingApprovals(context.Background(), tenant(r))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, pending)
}

// decideApproval grants or refuses what a playbook waits for.
func (s *Server) decideApproval(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Grant bool `json:"grant"`
	}
	if err := s.readJSON(w, r, &body); err != nil {
		return err
	}
	status := core.ApprovalRefused
	if body.Grant {
		status = core.ApprovalGranted
	}
	if err := s.Approvals.Decide(tenant(r), r.PathValue("id"), core.ActorFrom(r.Context()), status); err != nil {
		return err
	}
	s.record(r, "approval."+status, r.PathValue("id"), "")
	return noContent(w)
}
