package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"example.org/siem/core"
)

func TestParseLine(t *testing.T) {
	now := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	cases := []struct {
		line string
		want core.Event
	}{
		{`{"kind":"boot","host":"a"}`, core.Event{Kind: "boot", Host: "a", At: now}},
		{`<34>1 2026-01-02T03:04:05Z web1 sshd 42 ID [x y="1"] Failed password`,
			core.Event{Kind: "sshd", Host: "web1", Message: "Failed password", Severity: core.SeverityCritical, At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}},
		{`<13>1 - - - - - - hello`, core.Event{Kind: "syslog", Message: "hello", Severity: core.SeverityLow, At: now}},
		{`<38>Oct 11 22:14:15 fw su[9]: denied`, core.Event{Kind: "su", Host: "fw", Message: "denied", At: time.Date(2026, 10, 11, 22, 14, 15, 0, time.UTC)}},
		{`<11>plain words`, core.Event{Kind: "syslog", Message: "plain words", Severity: core.SeverityHigh, At: now}},
	}
	for _, c := range cases {
		e, err := ParseLine(c.line, now)
		if err != nil {
			t.Errorf("%s: %v", c.line, err)
			continue
		}
		if e.Kind != c.want.Kind || e.Host != c.want.Host || e.Message != c.want.Message || e.Severity != c.want.Severity || !e.At.Equal(c.want.At) {
			t.Errorf("%s: %+v", c.line, e)
		}
	}
	for _, line := range []string{"", "words", "<999>x", "<256>x", "<-1>x", "<+1>x", "<a>x", "{}", "{"} {
		if _, err := ParseLine(line, now); core.ErrorCode(err) != core.CodeInvalid {
			t.Errorf("%q: %v", line, err)
		}
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add("<34>1 2026-01-02T03:04:05Z web1 sshd 42 ID - m")
	f.Add("<38>Oct 11 22:14:15 fw su: x")
	f.Add("<-1>x")
	f.Add(`{"kind": "x", "severity": 5}`)
	f.Fuzz(func(t *testing.T, line string) {
		if e, err := ParseLine(line, time.Now()); err == nil && e.Validate() != nil {
			t.Errorf("%q is taken as %+v: %v", line, e, e.Validate())
		}
	})
}

type fakeEvents struct {
	core.EventStore
	mu       sync.Mutex
	fail     int
	inserted int
}

func (f *fakeEvents) InsertEvents(_ context.Context, events []*core.Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail > 0 {
		f.fail--
		return errors.New("locked")
	}
	f.inserted += len(events)
	return nil
}

type fakeDetector struct {
	mu        sync.Mutex
	submitted int
}

func (f *fakeDetector) Submit(_ context.Context, events []*core.Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.submitted += len(events)
	return nil
}

func (f *fakeDetector) Pending() int { return 0 }

func TestLinesOverTheNetworkAreStored(t *testing.T) {
	events, detector := &fakeEvents{fail: 1}, &fakeDetector{}
	log := slog.New(slog.DiscardHandler)
	pipeline := NewPipeline(events, detector, "acme", 5000, 2, log)
	server, err := Listen("127.0.0.1:0", "127.0.0.1:0", pipeline, log)
	if err != nil {
		t.Fatal(err)
	}
	tcp, udp := server.Addrs()
	conn, err := net.Dial("tcp", tcp)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1200 {
		if _, err := fmt.Fprintf(conn, "<13>line %d\n", i); err != nil {
			t.Fatal(err)
		}
	}
	datagrams, err := net.Dial("udp", udp)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprint(datagrams, "<13>one more"); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if stored, dropped := pipeline.Counts(); stored == 1201 && dropped == 0 {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("stored %d, dropped %d", stored, dropped)
		}
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	pipeline.Close()
	if detector.submitted != 1201 {
		t.Errorf("submitted %d", detector.submitted)
	}
}

func TestFullPipelineDrops(t *testing.T) {
	pipeline := NewPipeline(&fakeEvents{}, &fakeDetector{}, "acme", 1, 0, slog.New(slog.DiscardHandler))
	if !pipeline.Put(&core.Event{}) || pipeline.Put(&core.Event{}) {
		t.Error("room for one is not room for one")
	}
}
