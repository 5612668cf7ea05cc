package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"example.org/siem/core"
)

// eventStore is what every place for events can do.
type eventStore interface {
	core.EventStore
	core.Analyst
}

// openClickHouse returns the server that SIEM_TEST_CLICKHOUSE names, with a
// database of the test's own, or skips the test; testdata/clickhouse/run.sh
// runs tests beside a server.
func openClickHouse(t *testing.T) *ClickHouse {
	t.Helper()
	addr := os.Getenv("SIEM_TEST_CLICKHOUSE")
	if addr == "" {
		t.Skip("SIEM_TEST_CLICKHOUSE names no server")
	}
	database := fmt.Sprintf("test_%d", time.Now().UnixNano())
	c, err := OpenClickHouse(addr, database, slog.New(slog.DiscardHandler))
	ok(t, err)
	t.Cleanup(func() {
		ok(t, c.conn.Exec(context.Background(), "DROP DATABASE "+database))
		ok(t, c.Close())
	})
	return c
}

// onEachEventStore runs a test in SQLite and, where there is a server, in ClickHouse.
func onEachEventStore(t *testing.T, test func(t *testing.T, events eventStore)) {
	t.Run("sqlite", func(t *testing.T) { test(t, NewEventStore(open(t))) })
	t.Run("clickhouse", func(t *testing.T) { test(t, NewClickHouseEvents(openClickHouse(t))) })
}

func fill(t *testing.T, store eventStore, events ...*core.Event) {
	t.Helper()
	for i, e := range events {
		e.ID, e.Tenant = fmt.Sprintf("e-%d", i), "acme"
	}
	ok(t, store.InsertEvents(t.Context(), events))
}

func TestSearchHistogramAndTop(t *testing.T) {
	onEachEventStore(t, func(t *testing.T, events eventStore) {
		ctx := t.Context()
		fill(t, events,
			&core.Event{At: noon, Kind: "login", Host: "web1", Message: "ann came", Fields: map[string]string{"port": "22"}},
			&core.Event{At: noon.Add(time.Minute), Kind: "login", Host: "web2", Severity: 3},
			&core.Event{At: noon.Add(time.Hour), Kind: "logout", Host: "web1"})
		found, err := events.SearchEvents(ctx, core.EventFilter{Tenant: "acme", Text: "ann"})
		ok(t, err)
		if len(found) != 1 || found[0].Fields["port"] != "22" || !found[0].At.Equal(noon) {
			t.Errorf("found: %+v", found)
		}
		if n, err := events.CountEvents(ctx, core.EventFilter{Tenant: "acme", Min: 1}); n != 1 || err != nil {
			t.Errorf("counted %d, %v", n, err)
		}
		buckets, err := events.Histogram(ctx, core.EventFilter{Tenant: "acme"}, time.Hour)
		ok(t, err)
		if len(buckets) != 2 || buckets[0].Count != 2 || !buckets[1].Start.Equal(noon.Add(time.Hour)) {
			t.Errorf("buckets: %+v", buckets)
		}
		top, err := events.TopValues(ctx, core.EventFilter{Tenant: "acme"}, "host", 1)
		ok(t, err)
		if len(top) != 1 || top[0] != (core.TopValue{Value: "web1", Count: 2}) {
			t.Errorf("top: %+v", top)
		}
		_, err = events.TopValues(ctx, core.EventFilter{}, "fields; DROP TABLE events", 1)
		wantCode(t, err, core.CodeInvalid)
		if n, err := events.CountEvents(ctx, core.EventFilter{Tenant: "other"}); n != 0 || err != nil {
			t.Errorf("another tenant sees %d, %v", n, err)
		}
	})
}

func TestPathsGoForwardInTime(t *testing.T) {
	onEachEventStore(t, func(t *testing.T, events eventStore) {
		fill(t, events,
			&core.Event{At: noon, Source: "a", Dest: "b"},
			&core.Event{At: noon.Add(time.Minute), Source: "b", Dest: "c"},
			&core.Event{At: noon.Add(-time.Minute), Source: "b", Dest: "d"})
		paths, err := events.Paths(core.PathQuery{Tenant: "acme", From: "a", Depth: 5})
		ok(t, err)
		if len(paths) != 2 || fmt.Sprint(paths[1].Hosts) != "[a b c]" {
			t.Errorf("paths: %+v", paths)
		}
	})
}

func TestSequencesStayInTheWindow(t *testing.T) {
	onEachEventStore(t, func(t *testing.T, events eventStore) {
		fill(t, events,
			&core.Event{At: noon, Kind: "fail", Host: "web1"},
			&core.Event{At: noon.Add(time.Second), Kind: "fail", Host: "web1"},
			&core.Event{At: noon.Add(time.Minute), Kind: "login", Host: "web1"},
			&core.Event{At: noon, Kind: "fail", Host: "web2"},
			&core.Event{At: noon.Add(time.Hour), Kind: "login", Host: "web2"})
		matches, err := events.Sequences(core.SequenceQuery{Tenant: "acme", Steps: []string{"fail", "login"}, Window: 10 * time.Minute})
		ok(t, err)
		if len(matches) != 1 || matches[0].Host != "web1" || matches[0].Chains != 2 {
			t.Errorf("matches: %+v", matches)
		}
	})
}

func TestBacktestCountsWhatMatches(t *testing.T) {
	onEachEventStore(t, func(t *testing.T, events eventStore) {
		fill(t, events, &core.Event{At: noon, Kind: "login"}, &core.Event{At: noon, Kind: "logout"})
		result, err := events.Backtest(newRule("r"), core.EventFilter{Tenant: "acme"})
		ok(t, err)
		if result.Scanned != 2 || result.Matched != 1 || len(result.Sample) != 1 {
			t.Errorf("result: %+v", result)
		}
	})
}

func TestEachEventIsInOrderAndStops(t *testing.T) {
	onEachEventStore(t, func(t *testing.T, events eventStore) {
		fill(t, events, &core.Event{At: noon.Add(time.Second), Kind: "b"}, &core.Event{At: noon, Kind: "a"})
		var kinds []string
		ok(t, events.EachEvent(t.Context(), core.EventFilter{Tenant: "acme"}, func(e *core.Event) error {
			kinds = append(kinds, e.Kind)
			return nil
		}))
		stop := errors.New("enough")
		err := events.EachEvent(t.Context(), core.EventFilter{Tenant: "acme"}, func(*core.Event) error { return stop })
		if fmt.Sprint(kinds) != "[a b]" || !errors.Is(err, stop) {
			t.Errorf("%v, %v", kinds, err)
		}
	})
}

func TestOneEvent(t *testing.T) {
	onEachEventStore(t, func(t *testing.T, events eventStore) {
		fill(t, events, &core.Event{At: noon, Kind: "login", Fields: map[string]string{"port": "22"}})
		e, err := events.Event(t.Context(), "acme", "e-0")
		ok(t, err)
		if e.Kind != "login" || e.Fields["port"] != "22" {
			t.Errorf("event: %+v", e)
		}
		_, err = events.Event(t.Context(), "other", "e-0")
		wantCode(t, err, core.CodeNotFound)
	})
}

func TestOldEventsGo(t *testing.T) {
	onEachEventStore(t, func(t *testing.T, events eventStore) {
		fill(t, events, &core.Event{At: noon.AddDate(0, 0, -3)}, &core.Event{At: noon})
		n, err := events.DeleteEventsBefore(t.Context(), noon.AddDate(0, 0, -1))
		ok(t, err)
		left, err := events.CountEvents(t.Context(), core.EventFilter{Tenant: "acme"})
		ok(t, err)
		if n != 1 || left != 1 {
			t.Errorf("%d gone, %d left", n, left)
		}
	})
}

func TestClickHouseCountsAlertsAsTheyLastWere(t *testing.T) {
	server := openClickHouse(t)
	alerts := NewClickHouseAlerts(NewAlertStore(open(t)), server)
	alerts.Start(time.Millisecond)
	var ids []string
	for _, key := range []string{"a", "b", "c"} {
		a := &core.Alert{Tenant: "acme", DedupKey: key, Severity: 2, FirstSeen: noon, LastSeen: time.Now()}
		created, err := alerts.RaiseAlert(t.Context(), a)
		ok(t, err)
		if !created {
			t.Fatalf("%s was there", key)
		}
		ids = append(ids, a.ID)
	}
	time.Sleep(3 * time.Millisecond)
	_, err := alerts.MoveAlert(t.Context(), "acme", ids[0], core.AlertResolved)
	ok(t, err)
	_, err = alerts.MoveAlerts(t.Context(), "acme", append(ids[1:2:2], "gone"), core.AlertDismissed)
	ok(t, err)
	sum, err := alerts.SummarizeAlerts("acme", time.Time{})
	ok(t, err)
	if fmt.Sprint(sum.ByStatus) != "map[dismissed:1 open:1 resolved:1]" || sum.BySeverity[2] != 3 || sum.MeanTimeSecs <= 0 {
		t.Errorf("summary: %+v", sum)
	}
	ok(t, alerts.Stop())
	_, err = alerts.PurgeAlerts(t.Context(), time.Now().AddDate(0, 0, 2))
	ok(t, err)
	sum, err = alerts.SummarizeAlerts("acme", time.Time{})
	ok(t, err)
	if len(sum.ByStatus) != 0 {
		t.Errorf("after the purge: %+v", sum)
	}
}

func TestClickHouseAuditIsACopy(t *testing.T) {
	server, db := openClickHouse(t), open(t)
	log := NewClickHouseAudit(db, server)
	log.Start(time.Millisecond)
	for i := range 3 {
		ok(t, log.Record(t.Context(), &core.AuditEntry{Action: fmt.Sprintf("act.%d", i)}))
	}
	entries, err := log.AuditEntries("acme", 2)
	ok(t, err)
	if len(entries) != 2 || entries[0].Action != "act.2" || entries[0].Hash == "" {
		t.Errorf("entries: %+v", entries)
	}
	broken, err := log.VerifyAudit(t.Context())
	ok(t, err)
	if broken != 0 {
		t.Errorf("entry %d is broken", broken)
	}
	ok(t, log.Stop())
	ok(t, log.send(t.Context(), []*core.AuditEntry{{Seq: 4, Action: "forged", Hash: "x"}}))
	if broken, err = log.VerifyAudit(t.Context()); broken != 4 || err != nil {
		t.Errorf("a forged entry: %d, %v", broken, err)
	}
}
