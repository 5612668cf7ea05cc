package detect

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"example.org/siem/core"
)

// Stores is what the engine reads and writes.
type Stores struct {
	Rules        core.RuleStore
	Correlations core.CorrelationStore
	Exceptions   core.ExceptionStore
	Alerts       core.AlertStore
	Assets       core.AssetStore
	Feeds        core.FeedStore
}

// Engine holds events against rules, correlations and indicators.
type Engine struct {
	Stores
	bus     *core.Bus
	scorer  core.Scorer
	respond func(alert *core.Alert) error
	log     *slog.Logger
	timeout time.Duration

	mu    sync.RWMutex
	rules map[string]*compiled
}

// NewEngine returns an engine that tells bus about new alerts, has them scored
// and hands them to respond. Scorer and respond may be nil.
func NewEngine(stores Stores, bus *core.Bus, scorer core.Scorer, respond func(*core.Alert) error, log *slog.Logger) *Engine {
	return &Engine{Stores: stores, bus: bus, scorer: scorer, respond: respond, log: log, timeout: 10 * time.Second, rules: make(map[string]*compiled)}
}

// ProcessEvent evaluates one event.
func (e *Engine) ProcessEvent(event *core.Event) error {
	ctx, cancel := context.WithTimeout(context.Background(), e.timeout)
	defer cancel()
	if err := e.evaluateRules(ctx, event); err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	if err := e.evaluateCorrelations(ctx, event); err != nil {
		return fmt.Errorf("correlations: %w", err)
	}
	if err := e.evaluateIndicators(event); err != nil {
		return fmt.Errorf("indicators: %w", err)
	}
	return nil
}

// ProcessBatch evaluates stored events, and counts them for their hosts. It goes
// on when one event fails.
func (e *Engine) ProcessBatch(ctx context.Context, events []*core.Event) {
	if err := e.Assets.SeeHosts(context.Background(), events); err != nil {
		e.log.Error("hosts were not counted", "error", err)
	}
	for _, event := range events {
		if ctx.Err() != nil {
			return
		}
		if err := e.ProcessEvent(event); err != nil {
			e.log.Error("event was not evaluated", "event", event.ID, "error", err)
		}
	}
}

func (e *Engine) evaluateRules(ctx context.Context, event *core.Event) error {
	rules, err := e.rulesOf(event.Tenant)
	if err != nil {
		return err
	}
	for _, c := range rules {
		if !c.matches(event) {
			continue
		}
		quiet, err := e.excepted(c.rule, event)
		if err != nil {
			return err
		}
		if quiet {
			continue
		}
		alert := &core.Alert{RuleID: c.rule.ID, DedupKey: c.rule.ID + "/" + event.Host, Title: c.rule.Name + " on " + event.Host, Severity: c.rule.Severity}
		if err := e.raise(ctx, alert, event); err != nil {
			return err
		}
	}
	return nil
}

// rulesOf returns a tenant's rules, compiled.
func (e *Engine) rulesOf(tenant string) ([]*compiled, error) {
	stored, err := e.Rules.ListRules(core.RuleFilter{Tenant: tenant, Enabled: true})
	if err != nil {
		return nil, err
	}
	rules := make([]*compiled, 0, len(stored))
	for _, rule := range stored {
		if c := e.compiled(rule); c != nil {
			rules = append(rules, c)
		}
	}
	return rules, nil
}

// compiled compiles a rule the first time it is seen as it is now; one that
// can't be compiled is left out.
func (e *Engine) compiled(rule *core.Rule) *compiled {
	e.mu.RLock()
	c, ok := e.rules[rule.ID]
	e.mu.RUnlock()
	if ok && c.rule.Version == rule.Version && c.rule.UpdatedAt.Equal(rule.UpdatedAt) {
		return c
	}
	c, err := compile(rule)
	if err != nil {
		e.log.Error("rule is left out", "error", err)
		return nil
	}
	e.mu.Lock()
	e.rules[rule.ID] = c
	e.mu.Unlock()
	return c
}

// Reload forgets rules that are no more.
func (e *Engine) Reload() error {
	stored, err := e.Rules.ListRules(core.RuleFilter{})
	if err != nil {
		return err
	}
	known := make(map[string]bool, len(stored))
	for _, rule := range stored {
		known[rule.ID] = true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for id := range e.rules {
		if !known[id] {
			delete(e.rules, id)
		}
	}
	return nil
}

func (e *Engine) excepted(rule *core.Rule, event *core.Event) (bool, error) {
	exceptions, err := e.Exceptions.ExceptionsFor(rule.Tenant, rule.ID, event.At)
	for _, x := range exceptions {
		if x.Condition.Matches(event) {
			return true, nil
		}
	}
	return false, err
}

func (e *Engine) evaluateCorrelations(ctx context.Context, event *core.Event) error {
	correlations, err := e.Correlations.List(event.Tenant)
	if err != nil {
		return err
	}
	for _, c := range correlations {
		if !c.Enabled || c.Kind != event.Kind {
			continue
		}
		counter, err := e.Correlations.Bump(c, event.Field(c.GroupBy), event.At)
		if err != nil {
			return err
		}
		if counter.Count != c.Threshold {
			continue
		}
		title := fmt.Sprintf("%s: %d times %s for %s", c.Name, counter.Count, c.Kind, counter.Group)
		alert := &core.Alert{RuleID: c.ID, DedupKey: c.ID + "/" + counter.Group, Title: title, Severity: c.Severity}
		if err := e.raise(ctx, alert, event); err != nil {
			return err
		}
	}
	return nil
}

// evaluateIndicators looks for what feeds call malicious among an event's ends.
func (e *Engine) evaluateIndicators(event *core.Event) error {
	var values []string
	for _, v := range []string{event.Source, event.Dest} {
		if v != "" {
			values = append(values, v)
		}
	}
	found, err := e.Feeds.Lookup(values)
	if err != nil {
		return err
	}
	for _, i := range found {
		alert := &core.Alert{RuleID: i.FeedID, DedupKey: i.FeedID + "/" + i.Value, Title: "known " + i.Kind + " " + i.Value, Severity: core.SeverityHigh}
		if err := e.raise(context.Background(), alert, event); err != nil {
			return err
		}
	}
	return nil
}

// raise stores an alert; a new one is scored, announced and responded to.
func (e *Engine) raise(ctx context.Context, alert *core.Alert, event *core.Event) error {
	asset, err := e.Assets.AssetByHost(event.Tenant, event.Host)
	if err != nil && core.ErrorCode(err) != core.CodeNotFound {
		return err
	}
	alert.Severity = asset.Raise(alert.Severity)
	alert.Tenant, alert.EventIDs, alert.FirstSeen, alert.LastSeen = event.Tenant, []string{event.ID}, event.At, event.At
	storeCtx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	created, err := e.Alerts.RaiseAlert(storeCtx, alert)
	if err != nil || !created {
		return err
	}
	if e.scorer != nil {
		e.score(alert)
	}
	if err := e.bus.Publish(core.Notice{Tenant: alert.Tenant, Kind: "raised", AlertID: alert.ID, Actor: "system"}); err != nil {
		return err
	}
	if e.respond == nil {
		return nil
	}
	return e.respond(alert)
}

// score is allowed to fail: an alert without a score is still an alert.
func (e *Engine) score(alert *core.Alert) {
	score, err := e.scorer.Score(alert)
	if err == nil {
		err = e.Alerts.ScoreAlert(alert.Tenant, alert.ID, score)
	}
	if err != nil && core.ErrorCode(err) != core.CodeNotFound {
		e.log.Warn("alert was not scored", "alert", alert.ID, "error", err)
	}
}
