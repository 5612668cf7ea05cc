package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/siem/core"
)

func TestLogin(t *testing.T) {
	b := newBench(t)
	b.want(b.call("POST", "/api/v1/auth/login", `{"username":"ann","password":"a-long-password"}`), http.StatusOK)
	b.want(b.call("POST", "/api/v1/auth/login", `{"username":"ann","password":"wrong"}`), http.StatusUnauthorized)
	b.want(b.call("POST", "/api/v1/auth/login", `{"username":"eve","password":"wrong"}`), http.StatusUnauthorized)
	b.want(b.call("POST", "/api/v1/auth/login", `not json`), http.StatusBadRequest)
	if b.users.failures != 1 {
		t.Errorf("%d failures recorded, want 1", b.users.failures)
	}
	if want := []string{"login", "login.refused", "login.refused"}; !slices.Equal(b.audit.actions, want) {
		t.Errorf("audit log: %v, want %v", b.audit.actions, want)
	}
}

func TestLostAuditEntryFailsNobody(t *testing.T) {
	b := newBench(t)
	b.audit.err = errors.New("disk full")
	b.want(b.call("POST", "/api/v1/auth/login", `{"username":"ann","password":"a-long-password"}`), http.StatusOK)
}

func TestTokensOfOthersAreRefused(t *testing.T) {
	b := newBench(t).loggedIn()
	b.want(b.call("GET", "/api/v1/auth/me", ""), http.StatusOK)
	other := newBench(t)
	other.cfg.SigningKey = []byte("another key")
	b.token = other.loggedIn().token
	b.want(b.call("GET", "/api/v1/auth/me", ""), http.StatusUnauthorized)
	b.token = "eyJhbGciOiJub25lIn0.e30."
	b.want(b.call("GET", "/api/v1/auth/me", ""), http.StatusUnauthorized)
}

func TestLogoutEndsTheSession(t *testing.T) {
	b := newBench(t).loggedIn()
	b.want(b.call("POST", "/api/v1/auth/logout", ""), http.StatusNoContent)
	b.want(b.call("GET", "/api/v1/auth/me", ""), http.StatusUnauthorized)
}

func TestErrorsOfStoresBecomeStatuses(t *testing.T) {
	b := newBench(t).loggedIn()
	for status, err := range map[int]error{
		http.StatusGatewayTimeout:      fmt.Errorf("query: %w", context.DeadlineExceeded),
		http.StatusInternalServerError: errors.New("secret detail"),
		http.StatusConflict:            core.Errorf(core.CodeConflict, "taken"),
	} {
		b.alerts.list = func(core.AlertFilter) ([]*core.Alert, error) { return nil, err }
		w := b.call("GET", "/api/v1/alerts", "")
		b.want(w, status)
		if strings.Contains(w.Body.String(), "secret") {
			t.Errorf("the answer shows an internal error: %s", w.Body)
		}
	}
	b.want(b.call("GET", "/api/v1/alerts?limit=many", ""), http.StatusBadRequest)
}

func TestPanicsAreAnswered(t *testing.T) {
	b := newBench(t).loggedIn()
	b.alerts.list = func(core.AlertFilter) ([]*core.Alert, error) { panic("broken") }
	b.want(b.call("GET", "/api/v1/alerts", ""), http.StatusInternalServerError)
}

func TestRequestIDs(t *testing.T) {
	b := newBench(t)
	for given, kept := range map[string]bool{"abc-1": true, "": false, "with space": false, strings.Repeat("x", 65): false} {
		req := httptest.NewRequest("GET", "/api/v1/health", nil)
		req.Header.Set("X-Request-ID", given)
		w := httptest.NewRecorder()
		b.ServeHTTP(w, req)
		if got := w.Header().Get("X-Request-ID"); (got == given) != kept || got == "" {
			t.Errorf("%q became %q", given, got)
		}
	}
}

func TestRequestTimeoutHeader(t *testing.T) {
	b := newBench(t)
	var left time.Duration
	h := b.limited(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		deadline, _ := r.Context().Deadline()
		left = time.Until(deadline)
	}))
	for given, most := range map[string]time.Duration{"2s": 2 * time.Second, "5h": time.Minute, "": time.Minute} {
		req := httptest.NewRequest("GET", "/", nil)
		req.Header.Set("X-Request-Timeout", given)
		h.ServeHTTP(httptest.NewRecorder(), req)
		if left > most || left < most-time.Second {
			t.Errorf("%q leaves %s, want %s", given, left, most)
		}
	}
	req := httptest.NewRequest("GET", "/", nil)
	req.Header.Set("X-Request-Timeout", "soon")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	b.want(w, http.StatusBadRequest)
}

func TestActionIsRunForASample(t *testing.T) {
	b := newBench(t).loggedIn()
	b.want(b.call("POST", "/api/v1/actions/a1/test", ""), http.StatusOK)
	b.want(b.call("POST", "/api/v1/actions/a2/test", ""), http.StatusNotFound)
	if !slices.Equal(b.runner.ran, []string{"a1"}) {
		t.Errorf("ran %v", b.runner.ran)
	}
}

func TestStoredEventsAreAcceptedWhateverTheDetectorSays(t *testing.T) {
	b := newBench(t).loggedIn()
	b.detector.err = errors.New("queue is full")
	b.want(b.call("POST", "/api/v1/events", `[{"kind":"boot"},{"kind":"halt"}]`), http.StatusAccepted)
	if len(b.detector.submitted) != 1 || len(b.detector.submitted[0]) != 2 {
		t.Errorf("submitted: %v", b.detector.submitted)
	}
}

func TestLinesThatAreNotUnderstoodAreCounted(t *testing.T) {
	b := newBench(t).loggedIn()
	w := b.call("POST", "/api/v1/events/lines", "kind boot\nnonsense\nkind halt\n")
	b.want(w, http.StatusAccepted)
	if got := strings.TrimSpace(w.Body.String()); got != `{"accepted":2,"refused":1}` || len(b.events.inserted) != 2 {
		t.Errorf("answered %s, inserted %d", got, len(b.events.inserted))
	}
}

func TestIngestRefusesBadBatches(t *testing.T) {
	b := newBench(t).loggedIn()
	for _, body := range []string{``, `[]`, `[{"kind":""}]`, `{"kind":1}`} {
		b.want(b.call("POST", "/api/v1/events", body), http.StatusBadRequest)
	}
	b.events.err = errors.New("disk full")
	b.want(b.call("POST", "/api/v1/events", `{"kind":"boot"}`), http.StatusInternalServerError)
	if e := b.events.inserted[0]; e.Tenant != "default" || e.ID == "" || e.At.IsZero() {
		t.Errorf("inserted: %+v", e)
	}
}

func TestReadyAsksTheDatabase(t *testing.T) {
	b := newBench(t)
	b.want(b.call("GET", "/api/v1/ready", ""), http.StatusOK)
	b.db = fakeDatabase{ping: errors.New("locked")}
	b.want(b.call("GET", "/api/v1/ready", ""), http.StatusServiceUnavailable)
	if w := b.call("GET", "/metrics", ""); !strings.Contains(w.Body.String(), "siem_db_connections_in_use 3") {
		t.Errorf("metrics: %s", w.Body)
	}
}

func TestStreamSendsNoticesOfTheTenant(t *testing.T) {
	b := newBench(t).loggedIn()
	server := httptest.NewServer(b)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/api/v1/alerts/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+b.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b.notify("other", "elsewhere", "resolved", "bob")
	b.notify("alert_1", "default", "resolved", "ann")
	in := bufio.NewScanner(resp.Body)
	in.Scan()
	in.Scan()
	if !strings.Contains(in.Text(), `"alert_id":"alert_1"`) {
		t.Errorf("first notice: %s", in.Text())
	}
}
