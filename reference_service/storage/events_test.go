package storage

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"example.org/siem/core"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func insert(t *testing.T, db *DB, events ...*core.Event) {
	t.Helper()
	for i, e := range events {
		e.ID, e.Tenant = fmt.Sprintf("%s-%d", t.Name(), i), "acme"
	}
	ok(t, NewEventStore(db).InsertEvents(t.Context(), events))
}

func TestBatchIsAllOrNothing(t *testing.T) {
	db := open(t)
	events := NewEventStore(db)
	err := events.InsertEvents(t.Context(), []*core.Event{{ID: "same", Tenant: "acme"}, {ID: "same", Tenant: "acme"}})
	wantCode(t, err, core.CodeConflict)
	if n, err := events.CountEvents(t.Context(), core.EventFilter{Tenant: "acme"}); n != 0 || err != nil {
		t.Errorf("%d events are there, %v", n, err)
	}
}

func TestSweepRemovesWhatIsOld(t *testing.T) {
	db := open(t)
	db.now = func() time.Time { return noon }
	insert(t, db, &core.Event{At: noon.AddDate(0, 0, -31)}, &core.Event{At: noon.AddDate(0, 0, -29)})
	exceptions := NewExceptionStore(db)
	for _, e := range []*core.Exception{
		{Meta: core.Meta{Tenant: "acme", Name: "old", Enabled: true}, RuleID: "r", ExpiresAt: noon.Add(-time.Minute)},
		{Meta: core.Meta{Tenant: "acme", Name: "new", Enabled: true}, RuleID: "r", ExpiresAt: noon.Add(time.Minute)},
	} {
		ok(t, exceptions.Create(e))
	}
	retention := NewRetention(db)
	wantCode(t, retention.SetPolicy(t.Context(), core.RetentionPolicy{Kind: "moods", Days: 1}), core.CodeInvalid)
	sweep, err := retention.Sweep(t.Context())
	ok(t, err)
	if sweep.Removed["events"] != 1 || sweep.Removed["exceptions"] != 1 {
		t.Errorf("removed: %v", sweep.Removed)
	}
	left, err := exceptions.ExceptionsFor("acme", "r", noon)
	ok(t, err)
	if len(left) != 1 || left[0].Name != "new" {
		t.Errorf("left: %+v", left)
	}
}

func TestRetentionStops(t *testing.T) {
	retention := NewRetention(open(t))
	retention.Start(time.Millisecond)
	time.Sleep(5 * time.Millisecond)
	retention.Stop()
}

func TestCountersStartOverAfterTheWindow(t *testing.T) {
	store := NewCorrelationStore(open(t))
	rule := &core.CorrelationRule{Meta: core.Meta{Tenant: "acme", Name: "c"}, Kind: "k", GroupBy: "host", Threshold: 2, Seconds: 60}
	ok(t, store.Create(rule))
	for i, want := range []int{1, 2, 1} {
		c, err := store.Bump(rule, "web1", noon.Add(time.Duration(i)*45*time.Second))
		ok(t, err)
		if c.Count != want {
			t.Errorf("bump %d: %d, want %d", i, c.Count, want)
		}
	}
	if n, err := store.ExpireCounters(t.Context(), noon.Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("expired %d, %v", n, err)
	}
}

func TestSearchesBelongToTheirOwner(t *testing.T) {
	store := NewSearchStore(open(t))
	s := &core.SavedSearch{Meta: core.Meta{Tenant: "acme", Name: "s"}, Owner: "ann"}
	ok(t, store.Create(s))
	wantCode(t, store.ShareSearch("acme", s.ID, "bob", true), core.CodeNotFound)
	for _, want := range []int{0, 1} {
		visible, err := store.VisibleSearches("acme", "bob")
		ok(t, err)
		if len(visible) != want {
			t.Errorf("bob sees %d, want %d", len(visible), want)
		}
		ok(t, store.ShareSearch("acme", s.ID, "ann", true))
	}
}

func TestIndicatorsAreReplacedAndExpire(t *testing.T) {
	db := open(t)
	db.now = func() time.Time { return noon }
	feeds := NewFeedStore(db)
	feed := &core.Feed{Meta: core.Meta{Tenant: "acme", Name: "f"}, Kind: "domain", TTLHours: 1}
	ok(t, feeds.Create(feed))
	for _, values := range [][]string{{"a.example", "b.example"}, {"b.example", "b.example", "c.example"}} {
		n, err := feeds.StoreIndicators(feed, values)
		ok(t, err)
		if n != 2 {
			t.Errorf("stored %d of %v", n, values)
		}
	}
	found, err := feeds.Lookup([]string{"a.example", "c.example"})
	ok(t, err)
	db.now = func() time.Time { return noon.Add(2 * time.Hour) }
	later, err := feeds.Lookup([]string{"c.example"})
	ok(t, err)
	if len(found) != 1 || len(later) != 0 {
		t.Errorf("found %v, later %v", found, later)
	}
}

func TestBackupIsADatabase(t *testing.T) {
	db := open(t)
	ok(t, NewRuleStore(db).CreateRule(newRule("kept")))
	path := filepath.Join(t.TempDir(), "copy.db")
	_, err := db.Backup(path)
	ok(t, err)
	_, err = db.Backup(path)
	wantCode(t, err, core.CodeConflict)
	copied, err := Open(path, 1, db.log)
	ok(t, err)
	defer func() { ok(t, copied.Close()) }()
	rules, err := NewRuleStore(copied).ListRules(core.RuleFilter{})
	ok(t, err)
	if len(rules) != 1 {
		t.Errorf("%d rules in the copy", len(rules))
	}
	found, err := copied.Check(t.Context())
	ok(t, err)
	if len(found) > 0 {
		t.Errorf("check: %v", found)
	}
	ok(t, db.Optimize())
}
