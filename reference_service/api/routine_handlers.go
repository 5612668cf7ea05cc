package api

import (
	"context"
	"net/http"
	"time"

	"example.org/siem/core"
)

func (s *Server) testSubscription(w http.ResponseWriter, r *http.Request) error {
	sub, err := s.Subscriptions.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := s.Notifier.Test(sub); err != nil {
		return err
	}
	return noContent(w)
}

// flushSubscription sends what is queued without waiting for the digest.
func (s *Server) flushSubscription(w http.ResponseWriter, r *http.Request) error {
	sub, err := s.Subscriptions.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	n, err := s.Notifier.Flush(ctx, sub)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]int{"sent": n})
}

func (s *Server) queuedMessages(w http.ResponseWriter, r *http.Request) error {
	sub, err := s.Subscriptions.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	messages, err := s.Subscriptions.Messages(context.Background(), sub.ID, 100)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, messages)
}

// runHunt runs a hunt now and answers with what it found.
func (s *Server) runHunt(w http.ResponseWriter, r *http.Request) error {
	hunt, err := s.Hunts.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	release, err := s.searching(hunt.Tenant)
	if err != nil {
		return err
	}
	defer release()
	result, err := s.Hunter.Run(context.Background(), hunt)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, result)
}

func (s *Server) huntResults(w http.ResponseWriter, r *http.Request) error {
	hunt, err := s.Hunts.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	limit, err := limit(r, 50)
	if err != nil {
		return err
	}
	results, err := s.Hunts.Results(context.Background(), hunt.ID, limit)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, results)
}

func (s *Server) compareHunt(w http.ResponseWriter, r *http.Request) error {
	hunt, err := s.Hunts.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	q := &query{r: r}
	days := q.number("days", 14)
	if q.err != nil {
		return q.err
	}
	buckets, err := s.Hunter.Compare(hunt, days)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, buckets)
}

// makeReport makes a report and answers with what came of it, or with "wait":
// false at once; then it is mailed, too.
func (s *Server) makeReport(w http.ResponseWriter, r *http.Request) error {
	body := struct {
		Wait bool `json:"wait"`
	}{Wait: true}
	if err := s.readJSON(w, r, &body); err != nil {
		return err
	}
	plan, err := s.Reports.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	if body.Wait {
		report, err := s.Reporter.Generate(plan)
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusCreated, report)
	}
	s.background.Go(func() {
		report, err := s.Reporter.Generate(plan)
		if err == nil && len(plan.Recipients) > 0 {
			err = s.Reporter.Mail(context.Background(), plan, report)
		}
		if err != nil {
			s.log.Error("report was not made", "plan", plan.ID, "error", err)
		}
	})
	return writeJSON(w, http.StatusAccepted, map[string]string{"status": "running"})
}

func (s *Server) listReports(w http.ResponseWriter, r *http.Request) error {
	plan, err := s.Reports.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	reports, err := s.Reports.ReportsOf(context.Background(), plan.ID)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, reports)
}

var reportTypes = map[string]string{"csv": "text/csv; charset=utf-8", "json": "application/json", "html": "text/html; charset=utf-8"}

func (s *Server) getReport(w http.ResponseWriter, r *http.Request) error {
	plan, err := s.Reports.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", reportTypes[plan.Format])
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return s.Reports.WriteReport(ctx, plan.ID, r.PathValue("report"), w)
}

// mailReport sends a report that is there once more.
func (s *Server) mailReport(w http.ResponseWriter, r *http.Request) error {
	plan, err := s.Reports.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.Reporter.Mail(ctx, plan, &core.Report{ID: r.PathValue("report")}); err != nil {
		return err
	}
	return noContent(w)
}
