package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"example.org/siem/core"
	"example.org/siem/memory"
)

// fakeUsers holds one user.
type fakeUsers struct {
	core.UserStore
	user     core.User
	mu       sync.Mutex
	failures int
}

func (f *fakeUsers) UserByName(_, username string) (*core.User, error) {
	if username != f.user.Username {
		return nil, core.Errorf(core.CodeNotFound, "no such user")
	}
	u := f.user
	return &u, nil
}

func (f *fakeUsers) UserByID(string) (*core.User, error) {
	u := f.user
	return &u, nil
}

func (f *fakeUsers) RecordLogin(_ string, ok bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !ok {
		f.failures++
	}
	return nil
}

type fakeRoles struct {
	core.RoleStore
	permissions []core.Permission
}

func (f *fakeRoles) PermissionsOf(context.Context, string) ([]string, []core.Permission, error) {
	return []string{"some"}, f.permissions, nil
}

// fakeAudit remembers entries, or fails.
type fakeAudit struct {
	core.AuditLog
	mu      sync.Mutex
	err     error
	actions []string
}

func (f *fakeAudit) Record(_ context.Context, e *core.AuditEntry) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.actions = append(f.actions, e.Action)
	return f.err
}

type fakeActions struct {
	core.ActionStore
	action core.Action
}

func (f *fakeActions) Find(_, id string) (*core.Action, error) {
	if id != f.action.ID {
		return nil, core.Errorf(core.CodeNotFound, "no such action")
	}
	a := f.action
	return &a, nil
}

type fakeAlerts struct {
	core.AlertStore
	list func(core.AlertFilter) ([]*core.Alert, error)
}

func (f *fakeAlerts) ListAlerts(filter core.AlertFilter) ([]*core.Alert, error) {
	return f.list(filter)
}

type fakeEvents struct {
	core.EventStore
	inserted []*core.Event
	err      error
}

func (f *fakeEvents) InsertEvents(_ context.Context, events []*core.Event) error {
	f.inserted = append(f.inserted, events...)
	return f.err
}

type fakeRetention struct{ core.RetentionStore }

func (fakeRetention) Policies(context.Context) ([]core.RetentionPolicy, error) {
	return []core.RetentionPolicy{{Kind: "events", Days: 30}}, nil
}

// fakeRunner remembers what it was asked to run.
type fakeRunner struct {
	ran []string
	run core.ActionRun
}

func (f *fakeRunner) RunAction(action *core.Action, _ *core.Alert) *core.ActionRun {
	f.ran = append(f.ran, action.ID)
	run := f.run
	return &run
}

func (f *fakeRunner) RunAll(actions []*core.Action, alert *core.Alert) []*core.ActionRun {
	runs := make([]*core.ActionRun, len(actions))
	for i, action := range actions {
		runs[i] = f.RunAction(action, alert)
	}
	return runs
}

func (f *fakeRunner) Reachable(string) error { return nil }

// fakeDetector remembers batches, or refuses them.
type fakeDetector struct {
	submitted [][]*core.Event
	err       error
}

func (f *fakeDetector) Submit(_ context.Context, events []*core.Event) error {
	f.submitted = append(f.submitted, events)
	return f.err
}

func (f *fakeDetector) Pending() int { return 0 }

type fakeDatabase struct{ ping error }

func (f fakeDatabase) Ping() error                             { return f.ping }
func (f fakeDatabase) InUse() int                              { return 3 }
func (f fakeDatabase) Waiting() int64                          { return 0 }
func (f fakeDatabase) Size() (int64, error)                    { return 4096, nil }
func (f fakeDatabase) Backup(string) (int64, error)            { return 0, errors.New("not here") }
func (f fakeDatabase) Check(context.Context) ([]string, error) { return nil, nil }
func (f fakeDatabase) Optimize() error                         { return nil }

// bench is a server on fakes.
type bench struct {
	*Server
	t        *testing.T
	users    *fakeUsers
	roles    *fakeRoles
	audit    *fakeAudit
	actions  *fakeActions
	alerts   *fakeAlerts
	events   *fakeEvents
	runner   *fakeRunner
	detector *fakeDetector
	token    string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("a-long-password"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, runner: &fakeRunner{run: core.ActionRun{OK: true}}, detector: &fakeDetector{}, events: &fakeEvents{},
		users:   &fakeUsers{user: core.User{ID: "u1", Tenant: "default", Username: "ann", PasswordHash: hash}},
		roles:   &fakeRoles{permissions: []core.Permission{core.PermissionAll}},
		audit:   &fakeAudit{},
		actions: &fakeActions{action: core.Action{Meta: core.Meta{ID: "a1", Tenant: "default", Name: "page"}, Kind: core.ActionWebhook, Target: "https://hooks.example/x"}},
		alerts:  &fakeAlerts{list: func(core.AlertFilter) ([]*core.Alert, error) { return []*core.Alert{}, nil }},
	}
	b.Server = New(Config{SigningKey: []byte("test"), AccessTTL: time.Minute, RefreshTTL: time.Hour, RequestTimeout: time.Minute, MaxBody: 1 << 20},
		Stores{Users: b.users, Roles: b.roles, Sessions: memory.NewSessions(), Audit: b.audit, Actions: b.actions, Alerts: b.alerts,
			Events: b.events, Retention: fakeRetention{}},
		Engines{Bus: core.NewBus(), Detector: b.detector, Runner: b.runner, ParseLine: parseLine}, fakeDatabase{}, slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		if err := b.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return b
}

func parseLine(line string, now time.Time) (*core.Event, error) {
	kind, ok := strings.CutPrefix(strings.TrimSpace(line), "kind ")
	if !ok {
		return nil, core.Errorf(core.CodeInvalid, "no kind")
	}
	return &core.Event{Kind: kind, At: now}, nil
}

// call sends a request and returns the answer.
func (b *bench) call(method, path, body string) *httptest.ResponseRecorder {
	req := httptest.NewRequestWithContext(b.t.Context(), method, path, strings.NewReader(body))
	if b.token != "" {
		req.Header.Set("Authorization", "Bearer "+b.token)
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, req)
	return w
}

func (b *bench) want(w *httptest.ResponseRecorder, status int) {
	b.t.Helper()
	if w.Code != status {
		b.t.Fatalf("answered %d, want %d: %s", w.Code, status, w.Body)
	}
}

// loggedIn logs the user in.
func (b *bench) loggedIn() *bench {
	b.t.Helper()
	pair, err := b.startSession(httptest.NewRequest(http.MethodPost, "/", nil), &b.users.user)
	if err != nil {
		b.t.Fatal(err)
	}
	b.token = pair.AccessToken
	return b
}
