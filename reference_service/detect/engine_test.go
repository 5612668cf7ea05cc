package detect

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"example.org/siem/core"
	"example.org/siem/storage"
)

// bench is an engine on a real database.
type bench struct {
	*Engine
	t         *testing.T
	responded []*core.Alert
	scorer    *fakeScorer
}

type fakeScorer struct {
	core.Scorer
	score float64
	err   error
}

func (f *fakeScorer) Score(*core.Alert) (float64, error) { return f.score, f.err }

func newBench(t *testing.T) *bench {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	db, err := storage.Open(filepath.Join(t.TempDir(), "test.db"), 2, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	b := &bench{t: t, scorer: &fakeScorer{score: 0.75}}
	b.Engine = NewEngine(Stores{Rules: storage.NewRuleStore(db), Correlations: storage.NewCorrelationStore(db), Exceptions: storage.NewExceptionStore(db),
		Alerts: storage.NewAlertStore(db), Assets: storage.NewAssetStore(db), Feeds: storage.NewFeedStore(db),
		Events: storage.NewEventStore(db), Watchlists: storage.NewWatchlistStore(db), Cases: storage.NewCaseStore(db), Letters: storage.NewDeadLetterStore(db)},
		core.NewBus(), b.scorer, func(a *core.Alert) error { b.responded = append(b.responded, a); return nil }, log)
	return b
}

func (b *bench) ok(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) alerts() []*core.Alert {
	b.t.Helper()
	alerts, err := b.Alerts.ListAlerts(core.AlertFilter{Tenant: "acme"})
	b.ok(err)
	return alerts
}

func (b *bench) rule(op, value string) *core.Rule {
	b.t.Helper()
	rule := &core.Rule{Tenant: "acme", Name: op + " " + value, Enabled: true, Severity: 1,
		Conditions: []core.Condition{{Field: "message", Op: op, Values: []string{value}}}}
	b.ok(b.Rules.CreateRule(rule))
	return rule
}

func event(message string) *core.Event {
	return &core.Event{ID: core.NewID("event"), Tenant: "acme", Kind: "log", Host: "web1", Message: message, At: time.Now()}
}

func TestRulesFindEvents(t *testing.T) {
	b := newBench(t)
	b.rule(core.OpRegexp, "^fail(ed|ure)")
	b.rule(core.OpContains, "root")
	b.ok(b.ProcessEvent(event("failed for bob")))
	b.ok(b.ProcessEvent(event("failure of root")))
	b.ok(b.ProcessEvent(event("all is well")))
	counts := map[string]int{}
	for _, a := range b.alerts() {
		counts[a.Title] = a.Count
		if a.Score != 0.75 {
			t.Errorf("score of %s: %v", a.Title, a.Score)
		}
	}
	if counts["re ^fail(ed|ure) on web1"] != 2 || counts["contains root on web1"] != 1 || len(b.responded) != 2 {
		t.Errorf("counts %v, responses %d", counts, len(b.responded))
	}
}

func TestChangedRulesCountAtOnce(t *testing.T) {
	b := newBench(t)
	rule := b.rule(core.OpContains, "one")
	b.ok(b.ProcessEvent(event("two")))
	rule.Conditions[0].Values = []string{"two"}
	b.ok(b.Rules.UpdateRule(t.Context(), rule))
	b.ok(b.ProcessEvent(event("two")))
	b.ok(b.Rules.EnableRule("acme", rule.ID, false))
	b.ok(b.ProcessEvent(event("two")))
	if alerts := b.alerts(); len(alerts) != 1 || alerts[0].Count != 1 {
		t.Errorf("alerts: %+v", alerts)
	}
	b.ok(b.Rules.DeleteRule(t.Context(), "acme", rule.ID))
	b.ok(b.Reload())
	if len(b.rules) != 0 {
		t.Errorf("%d rules are remembered", len(b.rules))
	}
}

func TestExceptionsKeepARuleQuiet(t *testing.T) {
	b := newBench(t)
	rule := b.rule(core.OpContains, "failed")
	b.ok(b.Exceptions.Create(&core.Exception{Meta: core.Meta{Tenant: "acme", Name: "scanner", Enabled: true}, RuleID: rule.ID, Reason: "ours",
		Condition: core.Condition{Field: "message", Op: core.OpContains, Values: []string{"scanner"}}}))
	b.ok(b.ProcessEvent(event("failed for scanner")))
	if len(b.alerts()) != 0 {
		t.Error("an exception did not hold")
	}
}

func TestKnownBadAddressesAndCriticalHosts(t *testing.T) {
	b := newBench(t)
	feed := &core.Feed{Meta: core.Meta{Tenant: "acme", Name: "bad"}, Kind: "ip", TTLHours: 1}
	b.ok(b.Feeds.Create(feed))
	_, err := b.Feeds.StoreIndicators(feed, []string{"203.0.113.9"})
	b.ok(err)
	b.ok(b.Assets.SaveAsset(t.Context(), &core.Asset{Tenant: "acme", Host: "web1", Criticality: 4}))
	e := event("hello")
	e.Dest = "203.0.113.9"
	b.scorer.err = errors.New("no model")
	b.ok(b.ProcessEvent(e))
	if alerts := b.alerts(); len(alerts) != 1 || alerts[0].Severity != core.SeverityCritical {
		t.Errorf("alerts: %+v", alerts)
	}
}

func TestCorrelationFiresOnceInItsWindow(t *testing.T) {
	b := newBench(t)
	b.ok(b.Correlations.Create(&core.CorrelationRule{Meta: core.Meta{Tenant: "acme", Name: "burst", Enabled: true}, Kind: "log", GroupBy: "host", Threshold: 3, Seconds: 60}))
	for i := range 5 {
		b.ok(b.ProcessEvent(event(fmt.Sprint(i))))
	}
	if alerts := b.alerts(); len(alerts) != 1 || alerts[0].Title != "burst: 3 times log for web1" || alerts[0].Count != 1 {
		t.Errorf("alerts: %+v", alerts)
	}
}

func TestDetectorWorksOffItsQueue(t *testing.T) {
	b := newBench(t)
	b.rule(core.OpContains, "x")
	d := NewDetector(b.Engine, 4, slog.New(slog.DiscardHandler))
	d.Start(2, time.Hour)
	for range 10 {
		b.ok(d.Submit(t.Context(), []*core.Event{event("x"), event("y")}))
	}
	b.ok(d.Drain(t.Context()))
	d.Stop()
	if alerts := b.alerts(); len(alerts) != 1 || alerts[0].Count != 10 {
		t.Errorf("alerts: %+v", alerts)
	}
	if err := d.Submit(t.Context(), nil); err != nil && core.ErrorCode(err) != core.CodeUnavailable {
		t.Errorf("after the end: %v", err)
	}
	asset, err := b.Assets.AssetByHost("acme", "web1")
	b.ok(err)
	if asset.Events != 20 {
		t.Errorf("host was counted %d times", asset.Events)
	}
}

// stored stores events and evaluates them.
func (b *bench) stored(events ...*core.Event) {
	b.t.Helper()
	b.ok(b.Events.InsertEvents(b.t.Context(), events))
	for _, e := range events {
		b.ok(b.ProcessEvent(e))
	}
}

func TestCorrelationTypes(t *testing.T) {
	b := newBench(t)
	meta := func(name string) core.Meta { return core.Meta{Tenant: "acme", Name: name, Enabled: true} }
	for _, c := range []*core.CorrelationRule{
		{Meta: meta("spread"), Kind: "login", GroupBy: "user", Type: core.CorrelateDistinct, Distinct: "host", Threshold: 2, Seconds: 60},
		{Meta: meta("guessed"), Kind: "login", GroupBy: "user", Type: core.CorrelateSequence, After: "login_failed", Threshold: 2, Seconds: 60},
		{Meta: meta("flood"), Kind: "login_failed", GroupBy: "user", Type: core.CorrelateSpike, Threshold: 5, Seconds: 60},
	} {
		b.ok(c.Validate())
		b.ok(b.Correlations.Create(c))
	}
	now := time.Now()
	login := func(kind, host string, after int) *core.Event {
		return &core.Event{ID: core.NewID("event"), Tenant: "acme", Kind: kind, Host: host, User: "bob", At: now.Add(time.Duration(after) * time.Second)}
	}
	b.stored(login("login", "web1", 0), login("login_failed", "web1", 1))
	if alerts := b.alerts(); len(alerts) != 0 {
		t.Fatalf("too early: %+v", alerts[0])
	}
	for i := range 9 {
		b.stored(login("login_failed", "web1", 2+i))
	}
	b.stored(login("login", "web2", 12))
	titles := map[string]bool{}
	for _, a := range b.alerts() {
		titles[a.Title] = true
	}
	for _, want := range []string{"spread: 2 of host for bob", "guessed: login after 10 times login_failed for bob", "flood: 10 times login_failed for bob, usually 0.0"} {
		if !titles[want] {
			t.Errorf("no %q among %v", want, titles)
		}
	}
}

func TestWatchlistRaisesAndCriticalOpensACase(t *testing.T) {
	b := newBench(t)
	rule := b.rule(core.OpContains, "x")
	list := &core.Watchlist{Meta: core.Meta{Tenant: "acme", Name: "vips", Enabled: true}, Field: "host", Raise: 2}
	b.ok(b.Watchlists.Create(list))
	_, err := b.Watchlists.AddEntries(t.Context(), list.ID, []core.WatchEntry{{Value: "web1"}})
	b.ok(err)
	rule.Severity = core.SeverityMedium
	b.ok(b.Rules.UpdateRule(t.Context(), rule))
	said, err := b.Explain(event("x"))
	b.ok(err)
	if fmt.Sprint(said) != "[rule contains x watchlist vips]" {
		t.Errorf("said %q", said)
	}
	b.stored(event("x"))
	cases, err := b.Cases.ListCases(t.Context(), core.CaseFilter{Tenant: "acme"})
	b.ok(err)
	if alerts := b.alerts(); alerts[0].Severity != core.SeverityCritical || len(cases) != 1 || cases[0].AlertIDs[0] != alerts[0].ID {
		t.Errorf("alerts %+v, cases %+v", alerts, cases)
	}
}

func TestReplayAndDeadLetters(t *testing.T) {
	b := newBench(t)
	var events []*core.Event
	for range 300 {
		events = append(events, event("x"))
	}
	b.ok(b.Events.InsertEvents(t.Context(), events))
	b.rule(core.OpContains, "x")
	b.ok(b.Letters.SaveLetters(t.Context(), []*core.Event{event("x")}, "a test"))
	d := NewDetector(b.Engine, 4, slog.New(slog.DiscardHandler))
	d.Start(1, time.Hour)
	n, err := d.Replay(t.Context(), core.EventFilter{Tenant: "acme"})
	b.ok(err)
	d.retryLetters()
	d.checkSilence()
	b.ok(d.Drain(t.Context()))
	d.Stop()
	left, err := b.Letters.CountLetters()
	b.ok(err)
	if alerts := b.alerts(); n != 300 || left != 0 || len(alerts) != 1 || alerts[0].Count != 301 {
		t.Errorf("queued %d, left %d, alerts %+v", n, left, alerts)
	}
}
