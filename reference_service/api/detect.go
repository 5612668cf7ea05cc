package api

import (
	"context"
	"fmt"
	"time"

	"example.org/siem/core"
)

// detect holds stored events against the rules and correlations of their tenant.
func (s *Server) detect(ctx context.Context, events []*core.Event) {
	if len(events) == 0 {
		return
	}
	tenant := events[0].Tenant
	rules, err := s.Rules.ListRules(core.RuleFilter{Tenant: tenant, Enabled: true})
	if err != nil {
		s.log.Error("rules could not be read", "tenant", tenant, "error", err)
		return
	}
	correlations, err := s.Correlations.List(tenant)
	if err != nil {
		s.log.Error("correlations could not be read", "tenant", tenant, "error", err)
		return
	}
	for _, e := range events {
		if err := s.detectOne(ctx, e, rules, correlations); err != nil {
			s.log.Error("event was not evaluated", "event", e.ID, "error", err)
		}
	}
}

func (s *Server) detectOne(ctx context.Context, e *core.Event, rules []*core.Rule, correlations []*core.CorrelationRule) error {
	for _, rule := range rules {
		if !rule.Matches(e) {
			continue
		}
		quiet, err := s.excepted(rule, e)
		if err != nil {
			return err
		}
		if !quiet {
			alert := &core.Alert{RuleID: rule.ID, DedupKey: rule.ID + "/" + e.Host, Title: rule.Name + " on " + e.Host, Severity: rule.Severity}
			if err := s.raise(ctx, alert, e); err != nil {
				return err
			}
		}
	}
	for _, c := range correlations {
		if !c.Enabled || c.Kind != e.Kind {
			continue
		}
		counter, err := s.Correlations.Bump(c, e.Field(c.GroupBy), e.At)
		if err != nil {
			return err
		}
		if counter.Count == c.Threshold {
			title := fmt.Sprintf("%s: %d times %s for %s", c.Name, counter.Count, c.Kind, counter.Group)
			alert := &core.Alert{RuleID: c.ID, DedupKey: c.ID + "/" + counter.Group, Title: title, Severity: c.Severity}
			if err := s.raise(ctx, alert, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// excepted reports whether an exception keeps a rule quiet about an event.
func (s *Server) excepted(rule *core.Rule, e *core.Event) (bool, error) {
	exceptions, err := s.Exceptions.ExceptionsFor(rule.Tenant, rule.ID, e.At)
	for _, x := range exceptions {
		if x.Condition.Matches(e) {
			return true, nil
		}
	}
	return false, err
}

// raise stores an alert and tells who listens; a new one starts the playbooks
// that wait for its rule.
func (s *Server) raise(ctx context.Context, alert *core.Alert, e *core.Event) error {
	asset, err := s.Assets.AssetByHost(e.Tenant, e.Host)
	if err != nil && core.ErrorCode(err) != core.CodeNotFound {
		return err
	}
	alert.Severity = asset.Raise(alert.Severity)
	alert.Tenant, alert.EventIDs, alert.FirstSeen, alert.LastSeen = e.Tenant, []string{e.ID}, e.At, e.At
	storeCtx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	created, err := s.Alerts.RaiseAlert(storeCtx, alert)
	if err != nil || !created {
		return err
	}
	s.metrics.alerts.WithLabelValues(fmt.Sprint(alert.Severity)).Inc()
	if err := s.bus.Publish(core.Notice{Tenant: alert.Tenant, Kind: "raised", AlertID: alert.ID, Actor: "system"}); err != nil {
		return err
	}
	return s.triggered(alert)
}

func (s *Server) triggered(alert *core.Alert) error {
	playbooks, err := s.Playbooks.List(alert.Tenant)
	if err != nil {
		return err
	}
	for _, p := range playbooks {
		if p.Enabled && p.Trigger == alert.RuleID {
			s.background.Go(func() { _, _ = s.execute(context.Background(), p, alert) }) // it logs its failures
		}
	}
	return nil
}
