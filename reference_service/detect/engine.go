package detect

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
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
	Events       core.EventStore
	Watchlists   core.WatchlistStore
	Cases        core.CaseStore
	Letters      core.DeadLetterStore
}

// Engine holds events against rules, correlations and indicators.
type Engine struct {
	Stores
	bus     *core.Bus
	scorer  core.Scorer
	respond func(alert *core.Alert) error
	log     *slog.Logger
	timeout time.Duration
	enrich  core.Enricher

	// evaluators hold an event against a correlation, by its type.
	evaluators map[string]evaluator

	mu    sync.RWMutex
	rules map[string]*compiled
}

// NewEngine returns an engine that tells bus about new alerts, has them scored
// and hands them to respond. Scorer and respond may be nil.
func NewEngine(stores Stores, bus *core.Bus, scorer core.Scorer, respond func(*core.Alert) error, log *slog.Logger) *Engine {
	e := &Engine{Stores: stores, bus: bus, scorer: scorer, respond: respond, log: log, timeout: 10 * time.Second, rules: make(map[string]*compiled)}
	e.evaluators = map[string]evaluator{core.CorrelateCount: e.evaluateCount, core.CorrelateDistinct: e.evaluateDistinct,
		core.CorrelateSequence: e.evaluateSequence, core.CorrelateSpike: e.evaluateSpike}
	return e
}

// EnrichWith has events looked up before they are evaluated.
func (e *Engine) EnrichWith(enricher core.Enricher) { e.enrich = enricher }

// ProcessEvent evaluates one event.
func (e *Engine) ProcessEvent(event *core.Event) error {
	ctx, cancel := context.WithTimeout(context.Background(), e.timeout)
	defer cancel()
	e.lookUp(event)
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

// lookUp adds what is known about an event. It is allowed to fail: an event that
// nothing is known about is evaluated all the same.
func (e *Engine) lookUp(event *core.Event) {
	if e.enrich == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := e.enrich.Enrich(ctx, event); err != nil {
		e.log.Debug("event was not enriched", "event", event.ID, "error", err)
	}
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
			e.setAside(event, err)
		}
	}
}

// setAside keeps an event that could not be evaluated, to try it later.
func (e *Engine) setAside(event *core.Event, cause error) {
	if e.Letters == nil {
		return
	}
	if err := e.Letters.SaveLetters(context.Background(), []*core.Event{event}, cause.Error()); err != nil {
		e.log.Error("event was lost", "event", event.ID, "error", err)
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
		ruleCtx, cancel := context.WithTimeout(context.Background(), e.timeout/2)
		err := e.found(ruleCtx, c.rule, event)
		cancel()
		if err != nil {
			return fmt.Errorf("%s: %w", c.rule.ID, err)
		}
	}
	return nil
}

// found raises an alert for an event that met a rule, unless an exception holds.
func (e *Engine) found(ctx context.Context, rule *core.Rule, event *core.Event) error {
	quiet, err := e.excepted(rule, event)
	if err != nil || quiet {
		return err
	}
	return e.raise(ctx, &core.Alert{RuleID: rule.ID, DedupKey: rule.ID + "/" + event.Host, Title: rule.Name + " on " + event.Host, Severity: rule.Severity}, event)
}

// Explain says what an event would raise, and raises nothing.
func (e *Engine) Explain(event *core.Event) ([]string, error) {
	if e.enrich != nil {
		if err := e.enrich.Enrich(context.Background(), event); err != nil {
			return nil, err
		}
	}
	rules, err := e.rulesOf(event.Tenant)
	if err != nil {
		return nil, err
	}
	said := []string{}
	for _, c := range rules {
		if !c.matches(event) {
			continue
		}
		quiet, err := e.excepted(c.rule, event)
		if err != nil {
			return nil, err
		}
		if said = append(said, "rule "+c.rule.Name); quiet {
			said[len(said)-1] += ", kept quiet by an exception"
		}
	}
	lists, err := e.watched(event)
	for _, list := range lists {
		said = append(said, "watchlist "+list.Name)
	}
	return said, err
}

func (e *Engine) watched(event *core.Event) ([]*core.Watchlist, error) {
	if e.Watchlists == nil {
		return nil, nil
	}
	return e.Watchlists.Watched(event.Tenant, map[string]string{"host": strings.ToLower(event.Host), "user": strings.ToLower(event.User),
		"source": event.Source, "dest": event.Dest})
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
		evaluate, ok := e.evaluators[c.Type]
		if !ok {
			return fmt.Errorf("correlation %s has the unknown type %q", c.ID, c.Type)
		}
		title, err := evaluate(c, event)
		if err != nil {
			return err
		}
		if title == "" {
			continue
		}
		alert := &core.Alert{RuleID: c.ID, DedupKey: c.ID + "/" + event.Field(c.GroupBy), Title: c.Name + ": " + title, Severity: c.Severity}
		if err := e.raise(ctx, alert, event); err != nil {
			return err
		}
	}
	return nil
}

// evaluator holds an event against a correlation, and says what it found, if anything.
type evaluator func(c *core.CorrelationRule, event *core.Event) (string, error)

// group selects the events that a correlation takes together with one.
func group(c *core.CorrelationRule, event *core.Event) core.EventFilter {
	f := core.EventFilter{Tenant: event.Tenant, Kind: c.Kind, From: event.At.Add(-c.Window()), To: event.At.Add(time.Millisecond)}
	switch c.GroupBy {
	case "host":
		f.Host = event.Host
	case "user":
		f.User = event.User
	case "source":
		f.Source = event.Source
	}
	return f
}

func (e *Engine) evaluateCount(c *core.CorrelationRule, event *core.Event) (string, error) {
	counter, err := e.Correlations.Bump(c, event.Field(c.GroupBy), event.At)
	if err != nil || counter.Count != c.Threshold {
		return "", err
	}
	return fmt.Sprintf("%d times %s for %s", counter.Count, c.Kind, counter.Group), nil
}

// evaluateDistinct counts the different values of a field, like the hosts one
// user logs in to.
func (e *Engine) evaluateDistinct(c *core.CorrelationRule, event *core.Event) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), e.timeout/2)
	defer cancel()
	top, err := e.Events.TopValues(ctx, group(c, event), c.Distinct, 100)
	if err != nil || len(top) < c.Threshold {
		return "", err
	}
	return fmt.Sprintf("%d of %s for %s", len(top), c.Distinct, event.Field(c.GroupBy)), nil
}

// evaluateSequence looks for what has to come before.
func (e *Engine) evaluateSequence(c *core.CorrelationRule, event *core.Event) (string, error) {
	before := group(c, event)
	before.Kind, before.To = c.After, event.At
	n, err := e.Events.CountEvents(context.Background(), before)
	if err != nil || n < c.Threshold {
		return "", err
	}
	return fmt.Sprintf("%s after %d times %s for %s", c.Kind, n, c.After, event.Field(c.GroupBy)), nil
}

// evaluateSpike compares a window with the ten before it.
func (e *Engine) evaluateSpike(c *core.CorrelationRule, event *core.Event) (string, error) {
	now := group(c, event)
	n, err := e.Events.CountEvents(context.Background(), now)
	if err != nil || n < 10 {
		return "", err
	}
	usual := now
	usual.From, usual.To = now.From.Add(-10*c.Window()), now.From
	before, err := e.Events.CountEvents(context.Background(), usual)
	if err != nil || n*10 < c.Threshold*max(before, 1) {
		return "", err
	}
	return fmt.Sprintf("%d times %s for %s, usually %.1f", n, c.Kind, event.Field(c.GroupBy), float64(before)/10), nil
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
	lists, err := e.watched(event)
	if err != nil {
		return err
	}
	for _, list := range lists {
		alert.Severity = min(max(alert.Severity+core.Severity(list.Raise), core.SeverityInfo), core.SeverityCritical)
	}
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
	if alert.Severity == core.SeverityCritical && e.Cases != nil {
		e.openCase(alert, event)
	}
	if e.respond == nil {
		return nil
	}
	return e.respond(alert)
}

// openCase opens a case for an alert that can't wait, with what else the host did.
func (e *Engine) openCase(alert *core.Alert, event *core.Event) {
	ctx, cancel := context.WithTimeout(context.Background(), e.timeout)
	defer cancel()
	kinds, err := e.Events.TopValues(ctx, core.EventFilter{Tenant: event.Tenant, Host: event.Host, From: event.At.Add(-time.Hour)}, "kind", 5)
	if err != nil {
		e.log.Warn("case has no summary", "alert", alert.ID, "error", err)
	}
	summary := "An hour of " + event.Host + ":"
	for _, k := range kinds {
		summary += fmt.Sprintf(" %d × %s", k.Count, k.Value)
	}
	c := &core.Case{Tenant: alert.Tenant, Title: alert.Title, Severity: alert.Severity, Summary: summary, AlertIDs: []string{alert.ID}}
	if err := e.Cases.OpenCase(context.Background(), c); err != nil {
		e.log.Error("case was not opened", "alert", alert.ID, "error", err)
	}
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
