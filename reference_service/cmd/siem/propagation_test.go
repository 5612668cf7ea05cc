package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// prompt is how soon what a request started must end after the request did.
const prompt = 2 * time.Second

func TestPropagationDisconnectCancelsPathSearch(t *testing.T) {
	in := serve(t, t.TempDir())
	in.seedPaths()
	disconnect := in.abandon("GET", "/api/v1/events/paths?from=a&depth=16", nil)
	in.waitBusy(1)
	disconnect()
	if !in.idleWithin(prompt) {
		t.Fatalf("the query still runs %s after its client disconnected", prompt)
	}
}

func TestPropagationAbandonedSearchesFreeConnections(t *testing.T) {
	in := serve(t, t.TempDir(), "SIEM_READERS=2")
	in.seedSequence()
	one := in.abandon("POST", "/api/v1/events/sequences", slowSequence)
	other := in.abandon("POST", "/api/v1/events/sequences", slowSequence)
	in.waitBusy(2)
	one()
	other()
	ctx, cancel := context.WithTimeout(t.Context(), prompt)
	defer cancel()
	resp, err := http.DefaultClient.Do(in.request(ctx, "GET", "/api/v1/alerts", nil))
	if err != nil {
		t.Fatalf("searches that nobody waits for keep others waiting: %v", err)
	}
	_ = resp.Body.Close()
}

func TestPropagationDeadlineEndsSequenceSearch(t *testing.T) {
	in := serve(t, t.TempDir())
	in.seedSequence()
	in.expectTimeout("POST", "/api/v1/events/sequences", slowSequence)
	if !in.idleWithin(prompt) {
		t.Fatalf("the query still runs %s after its deadline", prompt)
	}
}

func TestPropagationDeadlineEndsWaitForWriter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := serve(t, dir)
	in.settle()
	lockDatabase(t, dir)
	in.expectTimeout("POST", "/api/v1/rules", rule("waits"))
}

func TestPropagationRequestIDReachesAuditLog(t *testing.T) {
	t.Parallel()
	in := serve(t, t.TempDir())
	var stored object
	in.do("POST", "/api/v1/rules", rule("first"), http.StatusCreated, &stored)
	stored["name"] = "second"
	req := in.request(t.Context(), "PUT", "/api/v1/rules/"+stored["id"].(string), stored)
	req.Header.Set("X-Request-ID", "trace-4711")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	var entries []struct {
		Action    string `json:"action"`
		Actor     string `json:"actor"`
		Tenant    string `json:"tenant"`
		RequestID string `json:"request_id"`
	}
	in.do("GET", "/api/v1/audit", nil, http.StatusOK, &entries)
	for _, e := range entries {
		if e.Action == "rule.update" {
			if e.RequestID != "trace-4711" || e.Actor != "admin" || e.Tenant != "default" {
				t.Errorf("the entry does not say whose request it was: %+v", e)
			}
			return
		}
	}
	t.Fatalf("no entry for the update: %+v", entries)
}

func TestPropagationShutdownCancelsInFlight(t *testing.T) {
	in := serve(t, t.TempDir(), "SIEM_SHUTDOWN_GRACE=300ms")
	in.seedSequence()
	disconnect := in.abandon("POST", "/api/v1/events/sequences", slowSequence)
	defer disconnect()
	in.waitBusy(1)
	err, ended := in.terminate(prompt)
	if !ended {
		t.Fatalf("the service still runs %s after it was told to stop: a request holds it up", prompt)
	}
	if err != nil {
		t.Fatalf("the service did not end well: %v", err)
	}
}

func TestPropagationDisconnectRollsBackImport(t *testing.T) {
	in := serve(t, t.TempDir())
	rules := make([]object, 40_000)
	for i := range rules {
		rules[i] = rule(fmt.Sprintf("imported %d", i))
	}
	disconnect := in.abandon("POST", "/api/v1/rules/import", rules)
	in.waitBusy(1)
	disconnect()
	if !in.idleWithin(prompt) {
		t.Fatalf("the import still runs %s after its client disconnected", prompt)
	}
	var stored []object
	in.do("GET", "/api/v1/rules", nil, http.StatusOK, &stored)
	if len(stored) > 0 {
		t.Fatalf("%d rules of an import that was cancelled are there", len(stored))
	}
}

func TestPropagationDisconnectCancelsFeedFetch(t *testing.T) {
	t.Parallel()
	in := serve(t, t.TempDir(), "SIEM_OUTBOUND_ALLOW=127.0.0.0/8")
	stalled := newStalled(t)
	var feed object
	in.do("POST", "/api/v1/feeds", object{"name": "slow", "kind": "ip", "url": stalled.url}, http.StatusCreated, &feed)
	disconnect := in.abandon("POST", fmt.Sprintf("/api/v1/feeds/%s/refresh", feed["id"]), nil)
	stalled.expectCancelled(disconnect)
}

func TestPropagationDisconnectCancelsWebhook(t *testing.T) {
	t.Parallel()
	in := serve(t, t.TempDir(), "SIEM_OUTBOUND_ALLOW=127.0.0.0/8")
	stalled := newStalled(t)
	var action object
	in.do("POST", "/api/v1/actions", object{"name": "slow", "kind": "webhook", "target": stalled.url}, http.StatusCreated, &action)
	disconnect := in.abandon("POST", fmt.Sprintf("/api/v1/actions/%s/test", action["id"]), nil)
	stalled.expectCancelled(disconnect)
}

func TestPropagationDisconnectEndsScript(t *testing.T) {
	t.Parallel()
	scripts := t.TempDir()
	started := filepath.Join(scripts, "started")
	script := "#!/bin/sh\necho $$ > " + started + ".tmp && mv " + started + ".tmp " + started + "\nexec sleep 20\n"
	if err := os.WriteFile(filepath.Join(scripts, "slow"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	in := serve(t, t.TempDir(), "SIEM_SCRIPTS="+scripts)
	var action object
	in.do("POST", "/api/v1/actions", object{"name": "slow", "kind": "script", "target": "slow"}, http.StatusCreated, &action)
	disconnect := in.abandon("POST", fmt.Sprintf("/api/v1/actions/%s/test", action["id"]), nil)
	pid := waitForPID(t, started)
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	disconnect()
	for deadline := time.Now().Add(prompt); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return
		}
	}
	t.Fatalf("the script still runs %s after the client that caused it disconnected", prompt)
}

func TestPropagationDeadlineEndsPlaybook(t *testing.T) {
	t.Parallel()
	in := serve(t, t.TempDir(), "SIEM_OUTBOUND_ALLOW=127.0.0.0/8")
	in.do("POST", "/api/v1/rules", rule("failed login"), http.StatusCreated, nil)
	in.do("POST", "/api/v1/events", object{"kind": "login_failed", "host": "web1"}, http.StatusAccepted, nil)
	in.settle()
	var alerts, runs []object
	var action, playbook object
	in.do("GET", "/api/v1/alerts", nil, http.StatusOK, &alerts)
	in.do("POST", "/api/v1/actions", object{"name": "slow", "kind": "webhook", "target": newStalled(t).url}, http.StatusCreated, &action)
	in.do("POST", "/api/v1/playbooks", object{"name": "slow", "steps": []object{{"name": "call", "action_id": action["id"]}}}, http.StatusCreated, &playbook)
	path := fmt.Sprintf("/api/v1/playbooks/%s/run", playbook["id"])
	in.expectTimeout("POST", path, object{"alert_id": alerts[0]["id"]})
	in.do("GET", path+"s", nil, http.StatusOK, &runs)
	if len(runs) != 1 || runs[0]["status"] != "aborted" {
		t.Fatalf("the run does not say that it was aborted: %v", runs)
	}
}

// waitForPID waits for a process to write its id to a file.
func waitForPID(t *testing.T, path string) int {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if raw, err := os.ReadFile(path); err == nil {
			pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	t.Fatalf("nothing wrote %s", path)
	return 0
}

func rule(name string) object {
	return object{"name": name, "severity": 2, "enabled": true,
		"conditions": []object{{"field": "kind", "op": "equals", "values": []string{"login_failed"}}}}
}

// expectTimeout sends a request that must not take longer than 300 ms, and
// insists on an answer that says so.
func (in *instance) expectTimeout(method, path string, body any) {
	in.t.Helper()
	ctx, cancel := context.WithTimeout(in.t.Context(), prompt)
	defer cancel()
	req := in.request(ctx, method, path, body)
	req.Header.Set("X-Request-Timeout", "300ms")
	resp, err := http.DefaultClient.Do(req)
	if errors.Is(err, context.DeadlineExceeded) {
		in.t.Fatalf("no answer %s after a deadline of 300 ms", prompt)
	}
	if err != nil {
		in.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Error string `json:"error"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		in.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusGatewayTimeout || answer.Error != "timeout" {
		in.t.Fatalf("answered %s %q, want 504 timeout", resp.Status, answer.Error)
	}
}

// lockDatabase keeps every other process from writing until the test ends.
func lockDatabase(t *testing.T, dir string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "siem.db")+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = tx.Rollback()
		_ = db.Close()
	})
}

// stalled is a server that takes requests and answers none.
type stalled struct {
	t         *testing.T
	url       string
	reached   chan struct{}
	cancelled chan struct{}
}

func newStalled(t *testing.T) *stalled {
	s := &stalled{t: t, reached: make(chan struct{}, 1), cancelled: make(chan struct{}, 1)}
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		buf := make([]byte, 4096)
		for {
			if _, err := r.Body.Read(buf); err != nil {
				break
			}
		}
		select {
		case s.reached <- struct{}{}:
		default: // it was reached before
		}
		select {
		case <-r.Context().Done():
			select {
			case s.cancelled <- struct{}{}:
			default:
			}
		case <-release:
		}
	}))
	t.Cleanup(func() { close(release); server.CloseClientConnections(); server.Close() })
	s.url = server.URL
	return s
}

// expectCancelled disconnects once the server was reached, and insists that it
// is then let go.
func (s *stalled) expectCancelled(disconnect func()) {
	s.t.Helper()
	select {
	case <-s.reached:
	case <-time.After(5 * time.Second):
		s.t.Fatal("the service never called")
	}
	disconnect()
	select {
	case <-s.cancelled:
	case <-time.After(prompt):
		s.t.Fatalf("the call goes on %s after the client that caused it disconnected", prompt)
	}
}
