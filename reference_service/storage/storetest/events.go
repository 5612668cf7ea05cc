// Package storetest says what every store of a sort has to do, whatever it
// keeps things in.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"example.org/siem/core"
)

// EventStore is what every place for events can do.
type EventStore interface {
	core.EventStore
	core.Analyst
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Events holds a place for events to what the service expects; open returns an
// empty one.
func Events(t *testing.T, open func(t *testing.T) EventStore) {
	for name, check := range map[string]func(*testing.T, EventStore){
		"SearchHistogramAndTop":      searchHistogramAndTop,
		"PathsGoForwardInTime":       pathsGoForwardInTime,
		"SequencesStayInTheWindow":   sequencesStayInTheWindow,
		"BacktestCountsWhatMatches":  backtestCountsWhatMatches,
		"EachEventIsInOrderAndStops": eachEventIsInOrderAndStops,
		"OneEvent":                   oneEvent,
		"OldEventsGo":                oldEventsGo,
	} {
		t.Run(name, func(t *testing.T) { check(t, open(t)) })
	}
}

func fill(t *testing.T, store EventStore, events ...*core.Event) {
	t.Helper()
	for i, e := range events {
		e.ID, e.Tenant = fmt.Sprintf("e-%d", i), "acme"
	}
	ok(t, store.InsertEvents(context.Background(), events))
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if core.ErrorCode(err) != code {
		t.Fatalf("error %v, want %q", err, code)
	}
}

func searchHistogramAndTop(t *testing.T, events EventStore) {
	fill(t, events,
		&core.Event{At: noon, Kind: "login", Host: "web1", Message: "ann came", Fields: map[string]string{"port": "22"}},
		&core.Event{At: noon.Add(time.Minute), Kind: "login", Host: "web2", Severity: 3},
		&core.Event{At: noon.Add(time.Hour), Kind: "logout", Host: "web1"})
	found, err := events.SearchEvents(context.Background(), core.EventFilter{Tenant: "acme", Text: "ann"})
	ok(t, err)
	if len(found) != 1 || found[0].Fields["port"] != "22" || !found[0].At.Equal(noon) {
		t.Errorf("found: %+v", found)
	}
	if n, err := events.CountEvents(context.Background(), core.EventFilter{Tenant: "acme", Min: 1}); n != 1 || err != nil {
		t.Errorf("counted %d, %v", n, err)
	}
	buckets, err := events.Histogram(context.Background(), core.EventFilter{Tenant: "acme"}, time.Hour)
	ok(t, err)
	if len(buckets) != 2 || buckets[0].Count != 2 || !buckets[1].Start.Equal(noon.Add(time.Hour)) {
		t.Errorf("buckets: %+v", buckets)
	}
	top, err := events.TopValues(context.Background(), core.EventFilter{Tenant: "acme"}, "host", 1)
	ok(t, err)
	if len(top) != 1 || top[0] != (core.TopValue{Value: "web1", Count: 2}) {
		t.Errorf("top: %+v", top)
	}
	_, err = events.TopValues(context.Background(), core.EventFilter{}, "fields; DROP TABLE events", 1)
	wantCode(t, err, core.CodeInvalid)
	if n, err := events.CountEvents(context.Background(), core.EventFilter{Tenant: "other"}); n != 0 || err != nil {
		t.Errorf("another tenant sees %d, %v", n, err)
	}
}

func pathsGoForwardInTime(t *testing.T, events EventStore) {
	fill(t, events,
		&core.Event{At: noon, Source: "a", Dest: "b"},
		&core.Event{At: noon.Add(time.Minute), Source: "b", Dest: "c"},
		&core.Event{At: noon.Add(-time.Minute), Source: "b", Dest: "d"})
	paths, err := events.Paths(core.PathQuery{Tenant: "acme", From: "a", Depth: 5})
	ok(t, err)
	if len(paths) != 2 || fmt.Sprint(paths[1].Hosts) != "[a b c]" {
		t.Errorf("paths: %+v", paths)
	}
}

func sequencesStayInTheWindow(t *testing.T, events EventStore) {
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
}

func backtestCountsWhatMatches(t *testing.T, events EventStore) {
	fill(t, events, &core.Event{At: noon, Kind: "login"}, &core.Event{At: noon, Kind: "logout"})
	result, err := events.Backtest(&core.Rule{Conditions: []core.Condition{{Field: "kind", Op: core.OpEquals, Values: []string{"login"}}}}, core.EventFilter{Tenant: "acme"})
	ok(t, err)
	if result.Scanned != 2 || result.Matched != 1 || len(result.Sample) != 1 {
		t.Errorf("result: %+v", result)
	}
}

func eachEventIsInOrderAndStops(t *testing.T, events EventStore) {
	fill(t, events, &core.Event{At: noon.Add(time.Second), Kind: "b"}, &core.Event{At: noon, Kind: "a"})
	var kinds []string
	ok(t, events.EachEvent(context.Background(), core.EventFilter{Tenant: "acme"}, func(e *core.Event) error {
		kinds = append(kinds, e.Kind)
		return nil
	}))
	stop := errors.New("enough")
	err := events.EachEvent(context.Background(), core.EventFilter{Tenant: "acme"}, func(*core.Event) error { return stop })
	if fmt.Sprint(kinds) != "[a b]" || !errors.Is(err, stop) {
		t.Errorf("%v, %v", kinds, err)
	}
}

func oneEvent(t *testing.T, events EventStore) {
	fill(t, events, &core.Event{At: noon, Kind: "login", Fields: map[string]string{"port": "22"}})
	e, err := events.Event(context.Background(), "acme", "e-0")
	ok(t, err)
	if e.Kind != "login" || e.Fields["port"] != "22" {
		t.Errorf("event: %+v", e)
	}
	_, err = events.Event(context.Background(), "other", "e-0")
	wantCode(t, err, core.CodeNotFound)
}

func oldEventsGo(t *testing.T, events EventStore) {
	fill(t, events, &core.Event{At: noon.AddDate(0, 0, -3)}, &core.Event{At: noon})
	n, err := events.DeleteEventsBefore(context.Background(), noon.AddDate(0, 0, -1))
	ok(t, err)
	left, err := events.CountEvents(context.Background(), core.EventFilter{Tenant: "acme"})
	ok(t, err)
	if n != 1 || left != 1 {
		t.Errorf("%d gone, %d left", n, left)
	}
}
