package detect

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/siem/core"
	"example.org/siem/outbound"
)

// oneEvent is a store with one event.
type oneEvent struct{ core.EventStore }

func (oneEvent) Event(_ context.Context, _, id string) (*core.Event, error) {
	if id != "e1" {
		return nil, core.Errorf(core.CodeNotFound, "no such event")
	}
	return &core.Event{ID: id, Source: "203.0.113.7"}, nil
}

// remote remembers requests, and answers as the test says.
type remote struct {
	*httptest.Server
	mu    sync.Mutex
	calls []string
}

func newRemote(t *testing.T, answer func(r *http.Request, body string) (int, string)) *remote {
	t.Helper()
	s := &remote{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.calls = append(s.calls, r.Method+" "+r.URL.Path)
		s.mu.Unlock()
		status, text := answer(r, string(body))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(s.Close)
	return s
}

func runner() *Actions {
	out := outbound.New([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, 5*time.Second)
	return NewActions(&fakeRuns{}, out, out, oneEvent{}, Allowed{}, slog.New(slog.DiscardHandler))
}

var withEvents = &core.Alert{ID: "alert_1", Tenant: "acme", Title: "break-in", Severity: 3, EventIDs: []string{"gone", "e1"}}

func TestTicketHasTheEventsUnderIt(t *testing.T) {
	s := newRemote(t, func(*http.Request, string) (int, string) { return 201, `{"id":"T-7"}` })
	run := runner().RunAction(action(core.ActionTicket, s.URL+"/tickets"), withEvents)
	if !run.OK || fmt.Sprint(s.calls) != "[POST /tickets POST /tickets/T-7/comments]" {
		t.Errorf("%+v, calls %v", run, s.calls)
	}
}

func TestChatSlowsDownWhenTold(t *testing.T) {
	first := true
	s := newRemote(t, func(*http.Request, string) (int, string) {
		if first {
			first = false
			return 429, `{"retry_after":0.01}`
		}
		return 200, ""
	})
	if run := runner().RunAction(action(core.ActionChat, s.URL), withEvents); !run.OK || len(s.calls) != 2 {
		t.Errorf("%+v, calls %v", run, s.calls)
	}
}

func TestBlockIsConfirmed(t *testing.T) {
	asked := 0
	s := newRemote(t, func(r *http.Request, body string) (int, string) {
		if r.Method == http.MethodPut && !strings.Contains(body, `"minutes":30`) {
			return 400, ""
		}
		if asked++; r.Method == http.MethodGet && asked < 3 {
			return 404, ""
		}
		return 200, ""
	})
	block := action(core.ActionBlock, s.URL)
	block.Minutes = 30
	alert := *withEvents
	alert.EventIDs = []string{"e1"}
	if run := runner().RunAction(block, &alert); !run.OK || s.calls[0] != "PUT /203.0.113.7" {
		t.Errorf("%+v, calls %v", run, s.calls)
	}
}

func TestForwardSendsALine(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	lines := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		line, _ := bufio.NewReader(conn).ReadString('\n')
		lines <- line
	}()
	run := runner().RunAction(action(core.ActionForward, listener.Addr().String()), withEvents)
	if line := <-lines; !run.OK || !strings.HasPrefix(line, "<107>1 ") || !strings.Contains(line, "break-in") {
		t.Errorf("%+v, line %q", run, line)
	}
}

func TestActionIsTriedAgain(t *testing.T) {
	failures := 1
	s := newRemote(t, func(*http.Request, string) (int, string) {
		if failures--; failures >= 0 {
			return 500, ""
		}
		return 200, ""
	})
	insistent := action(core.ActionWebhook, s.URL)
	insistent.Retries = 1
	runs := runner().RunAll([]*core.Action{insistent, action(core.ActionForward, "nowhere")}, withEvents)
	if !runs[0].OK || runs[1].OK || len(s.calls) != 2 {
		t.Errorf("%+v %+v, calls %v", runs[0], runs[1], s.calls)
	}
}

func TestTargetsThatMustNotBeReached(t *testing.T) {
	a := runner()
	if err := a.Reachable("http://127.0.0.1/x"); err != nil {
		t.Error(err)
	}
	if code := core.ErrorCode(a.Reachable("http://10.0.0.1/x")); code != core.CodeForbidden {
		t.Errorf("a private address: %q", code)
	}
}

// What an action may take is said by itself, else by its kind.
func TestTimeoutsAreByKindUnlessAnActionSaysMore(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-release
	}))
	t.Cleanup(func() { close(release); server.Close() })
	a := runner()
	a.allowed.Timeouts = map[string]time.Duration{}
	kinds := []string{core.ActionWebhook, core.ActionTicket, core.ActionChat, core.ActionBlock}
	for _, kind := range kinds {
		a.allowed.Timeouts[kind] = 50 * time.Millisecond
	}
	alert := *withEvents
	alert.EventIDs = []string{"e1"}
	for _, kind := range kinds {
		for seconds, least := range map[int]time.Duration{0: 50 * time.Millisecond, 1: time.Second} {
			t.Run(fmt.Sprint(kind, seconds), func(t *testing.T) {
				t.Parallel()
				act, start := action(kind, server.URL), time.Now()
				act.Timeout = seconds
				run := a.RunAction(act, &alert)
				if took := time.Since(start); run.OK || took < least || took > core.ActionTimeout/2 {
					t.Errorf("it ended after %s: %+v", took, run)
				}
			})
		}
	}
}
