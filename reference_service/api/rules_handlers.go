package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"example.org/siem/core"
)

func (s *Server) listRules(w http.ResponseWriter, r *http.Request) error {
	q := &query{r: r}
	rules, err := s.Rules.ListRules(core.RuleFilter{Tenant: tenant(r), Enabled: q.text("enabled") == "true", Tag: q.text("tag")})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, rules)
}

func (s *Server) createRule(w http.ResponseWriter, r *http.Request) error {
	var rule core.Rule
	if err := s.readJSON(w, r, &rule); err != nil {
		return err
	}
	rule.Tenant = tenant(r)
	if err := s.Rules.CreateRule(&rule); err != nil {
		return err
	}
	s.record(r, "rule.create", rule.ID, rule.Name)
	return writeJSON(w, http.StatusCreated, rule)
}

func (s *Server) importRules(w http.ResponseWriter, r *http.Request) error {
	var rules []*core.Rule
	if err := s.readJSON(w, r, &rules); err != nil {
		return err
	}
	n, err := s.Rules.ImportRules(tenant(r), rules)
	if err != nil {
		return err
	}
	s.record(r, "rule.import", "", fmt.Sprintf("%d of %d", n, len(rules)))
	return writeJSON(w, http.StatusOK, map[string]int{"imported": n, "given": len(rules)})
}

func (s *Server) getRule(w http.ResponseWriter, r *http.Request) error {
	rule, err := s.Rules.RuleByID(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, rule)
}

// updateRule replaces a rule; the version in the body says which one was read.
func (s *Server) updateRule(w http.ResponseWriter, r *http.Request) error {
	var rule core.Rule
	if err := s.readJSON(w, r, &rule); err != nil {
		return err
	}
	rule.Tenant, rule.ID = tenant(r), r.PathValue("id")
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.Rules.UpdateRule(ctx, &rule); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, rule)
}

func (s *Server) deleteRule(w http.ResponseWriter, r *http.Request) error {
	if err := s.Rules.DeleteRule(context.Background(), tenant(r), r.PathValue("id")); err != nil {
		return err
	}
	return noContent(w)
}

func (s *Server) enableRule(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Enabled bool `json:"enabled"`
	}
	if err := s.readJSON(w, r, &body); err != nil {
		return err
	}
	if err := s.Rules.EnableRule(tenant(r), r.PathValue("id"), body.Enabled); err != nil {
		return err
	}
	s.record(r, "rule.enable", r.PathValue("id"), fmt.Sprint(body.Enabled))
	return noContent(w)
}

func (s *Server) ruleVersions(w http.ResponseWriter, r *http.Request) error {
	versions, err := s.Rules.RuleVersions(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, versions)
}

// backtest runs a rule as it is stored over the events a filter selects.
func (s *Server) backtest(w http.ResponseWriter, r *http.Request) error {
	var filter core.EventFilter
	if err := s.readJSON(w, r, &filter); err != nil {
		return err
	}
	filter.Tenant = tenant(r)
	rule, err := s.Rules.RuleByID(filter.Tenant, r.PathValue("id"))
	if err != nil {
		return err
	}
	result, err := s.Analyst.Backtest(rule, filter)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, result)
}

func (s *Server) counters(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.Correlations.Find(tenant(r), r.PathValue("id")); err != nil {
		return err
	}
	counters, err := s.Correlations.Counters(r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, counters)
}

func (s *Server) resetCounters(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.Correlations.Find(tenant(r), r.PathValue("id")); err != nil {
		return err
	}
	if err := s.Correlations.ResetCounters(r.PathValue("id")); err != nil {
		return err
	}
	s.record(r, "correlation.reset", r.PathValue("id"), "")
	return noContent(w)
}

// replay evaluates stored events once more, with the rules as they are now.
func (s *Server) replay(w http.ResponseWriter, r *http.Request) error {
	var filter core.EventFilter
	if err := s.readJSON(w, r, &filter); err != nil {
		return err
	}
	if filter.From.IsZero() {
		return core.Errorf(core.CodeInvalid, "from is required")
	}
	filter.Tenant = tenant(r)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	n, err := s.Replayer.Replay(ctx, filter)
	if err != nil {
		return err
	}
	s.record(r, "events.replay", "", fmt.Sprint(n))
	return writeJSON(w, http.StatusAccepted, map[string]int{"queued": n})
}

// explain says what an event would raise.
func (s *Server) explain(w http.ResponseWriter, r *http.Request) error {
	e := &core.Event{At: time.Now().UTC()}
	if err := s.readJSON(w, r, e); err != nil {
		return err
	}
	e.Tenant = tenant(r)
	said, err := s.Replayer.Explain(e)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"raises": said, "fields": e.Fields})
}

// about says what is known about a host, a user or an address.
func (s *Server) about(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	facts, err := s.Enricher.About(ctx, r.PathValue("sort"), r.PathValue("value"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, facts)
}
