package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// The goals of `make bench`; below them a benchmark fails.
const (
	goalEvents = 2000 // a second, stored in SQLite and evaluated
	goalStart  = time.Second
)

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		start := time.Now()
		in := serve(b, b.TempDir())
		if took := time.Since(start); took > goalStart {
			b.Errorf("it takes %s to start and log in", took)
		}
		b.StopTimer()
		in.kill()
		b.StartTimer()
	}
}

// BenchmarkIngest sends events by HTTP in batches, and waits until rules,
// correlations, indicators and exceptions have been held against them.
func BenchmarkIngest(b *testing.B) {
	const batch = 500
	in := serve(b, b.TempDir())
	for n := range 20 {
		in.do("POST", "/api/v1/rules", object{"name": fmt.Sprint("rule ", n), "severity": 2, "enabled": true, "conditions": []object{
			{"field": "kind", "op": "equals", "values": []string{fmt.Sprint("kind ", n)}}, {"field": "message", "op": "re", "values": []string{"^bad .*$"}}}},
			http.StatusCreated, nil)
	}
	in.do("POST", "/api/v1/correlations", object{"name": "many", "enabled": true, "kind": "kind 1", "group_by": "host", "threshold": 1000, "seconds": 60},
		http.StatusCreated, nil)
	events, sent := make([]object, batch), 0
	for i := range events {
		events[i] = object{"kind": fmt.Sprint("kind ", i%25), "host": fmt.Sprint("host ", i%50), "user": "ann", "source": fmt.Sprintf("10.0.0.%d", i%250),
			"message": "good"}
	}
	events[batch-1]["message"], events[batch-1]["kind"] = "bad login", "kind 3"
	start := time.Now()
	for b.Loop() {
		in.do("POST", "/api/v1/events", events, http.StatusAccepted, nil)
		sent += batch
	}
	for in.busy(); in.pending > 0; in.busy() {
		time.Sleep(time.Millisecond)
	}
	rate := float64(sent) / time.Since(start).Seconds()
	b.ReportMetric(rate, "events/s")
	var alerts []struct {
		Title string
		Count int
	}
	in.do("GET", "/api/v1/alerts", nil, http.StatusOK, &alerts)
	found := 0
	for _, a := range alerts {
		if strings.HasPrefix(a.Title, "rule 3 ") {
			found += a.Count
		}
	}
	if found != sent/batch {
		b.Errorf("of the bad events of %d batches, %d were found: %+v", sent/batch, found, alerts)
	}
	if rate < goalEvents && sent > 5*batch {
		b.Errorf("%.0f events a second, where %d are wanted", rate, goalEvents)
	}
}

func BenchmarkThousandClients(b *testing.B) {
	in := serve(b, b.TempDir())
	var all []time.Duration
	start := time.Now()
	for b.Loop() {
		all = append(all, clients(b, in, 1000, 5)...)
	}
	slices.Sort(all)
	b.ReportMetric(float64(len(all))/time.Since(start).Seconds(), "requests/s")
	b.ReportMetric(all[len(all)/2].Seconds()*1000, "p50-ms")
	b.ReportMetric(all[len(all)*99/100].Seconds()*1000, "p99-ms")
}
