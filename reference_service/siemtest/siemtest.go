// Package siemtest helps to test what is built on the stores: a database of the
// test's own with something in it, and systems elsewhere that answer as told.
package siemtest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"example.org/siem/core"
	"example.org/siem/outbound"
	"example.org/siem/storage"
)

// Tenant is whose everything is.
const Tenant = "default"

// Bench is a database and what a test puts into it.
type Bench struct {
	*storage.DB
	t   testing.TB
	Log *slog.Logger
	Out *outbound.Client
}

// New returns a bench on an empty database. Its outbound client reaches the loopback.
func New(t testing.TB) *Bench {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	db, err := storage.Open(filepath.Join(t.TempDir(), "test.db"), 2, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &Bench{DB: db, t: t, Log: log, Out: outbound.New([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, 5*time.Second)}
}

// OK ends the test when err is one.
func (b *Bench) OK(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// Events stores events of a kind on a host, a second apart, the last one now.
func (b *Bench) Events(kind, host string, n int) []*core.Event {
	b.t.Helper()
	events := make([]*core.Event, n)
	for i := range events {
		at := time.Now().UTC().Add(-time.Duration(n-i) * time.Second)
		events[i] = &core.Event{ID: core.NewID("event"), Tenant: Tenant, Kind: kind, Host: host, At: at}
	}
	b.OK(storage.NewEventStore(b.DB).InsertEvents(context.Background(), events))
	return events
}

// Alert raises an alert about an event.
func (b *Bench) Alert(title string, severity core.Severity) *core.Alert {
	b.t.Helper()
	e := b.Events("log", "web1", 1)[0]
	a := &core.Alert{Tenant: Tenant, RuleID: "rule", DedupKey: title + "/web1", Title: title, Severity: severity, EventIDs: []string{e.ID}, FirstSeen: e.At, LastSeen: e.At}
	_, err := storage.NewAlertStore(b.DB).RaiseAlert(context.Background(), a)
	b.OK(err)
	return a
}

// Closed raises an alert and moves it to a status.
func (b *Bench) Closed(title, status string) *core.Alert {
	b.t.Helper()
	a, err := storage.NewAlertStore(b.DB).MoveAlert(context.Background(), Tenant, b.Alert(title, core.SeverityLow).ID, status)
	b.OK(err)
	return a
}

// Case opens a case with a task that is due.
func (b *Bench) Case(title string, due time.Time) *core.Case {
	b.t.Helper()
	cases := storage.NewCaseStore(b.DB)
	c := &core.Case{Tenant: Tenant, Title: title, Severity: core.SeverityHigh}
	b.OK(cases.OpenCase(context.Background(), c))
	b.OK(cases.AddTask(&core.Task{CaseID: c.ID, Title: "do " + title, Assignee: "ann", DueAt: due}))
	return c
}

// User adds a user with a role and an address.
func (b *Bench) User(name, role string) *core.User {
	b.t.Helper()
	u := &core.User{Tenant: Tenant, Username: name, Email: name + "@acme.example", PasswordHash: []byte("none"), Roles: []string{role}}
	b.OK(storage.NewUserStore(b.DB).CreateUser(u))
	return u
}

// Login starts a session of a user.
func (b *Bench) Login(u *core.User) *core.Session {
	b.t.Helper()
	s := &core.Session{ID: core.NewID("session"), UserID: u.ID, RefreshHash: []byte("x"), CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}
	b.OK(storage.NewSessionStore(b.DB).CreateSession(context.Background(), s))
	return s
}

// Asset stores a host that matters.
func (b *Bench) Asset(host string, criticality int) {
	b.t.Helper()
	b.OK(storage.NewAssetStore(b.DB).SaveAsset(context.Background(), &core.Asset{Tenant: Tenant, Host: host, Criticality: criticality}))
}

// Watch puts values of a field on a watchlist.
func (b *Bench) Watch(field string, values ...string) *core.Watchlist {
	b.t.Helper()
	store := storage.NewWatchlistStore(b.DB)
	list := &core.Watchlist{Meta: core.Meta{Tenant: Tenant, Name: field, Enabled: true}, Field: field, Raise: 1}
	b.OK(store.Create(list))
	for _, v := range values {
		_, err := store.AddEntries(context.Background(), list.ID, []core.WatchEntry{{Value: v}})
		b.OK(err)
	}
	return list
}

// Tenant sets a tenant's quota.
func (b *Bench) Tenant(name string, events int) {
	b.t.Helper()
	b.OK(storage.NewTenantStore(b.DB).SaveTenant(context.Background(), &core.Tenant{Name: name, EventsPerDay: events}))
}

// Audited appends entries to the audit log.
func (b *Bench) Audited(actions ...string) {
	b.t.Helper()
	for _, action := range actions {
		b.OK(storage.NewAuditLog(b.DB).Record(context.Background(), &core.AuditEntry{Action: action}))
	}
}

// Count returns how many events there are.
func (b *Bench) Count(filter core.EventFilter) int {
	b.t.Helper()
	filter.Tenant = Tenant
	n, err := storage.NewEventStore(b.DB).CountEvents(context.Background(), filter)
	b.OK(err)
	return n
}

// Alerts returns the alerts there are by title.
func (b *Bench) Alerts() map[string]*core.Alert {
	b.t.Helper()
	all, err := storage.NewAlertStore(b.DB).ListAlerts(core.AlertFilter{Tenant: Tenant})
	b.OK(err)
	byTitle := make(map[string]*core.Alert, len(all))
	for _, a := range all {
		byTitle[a.Title] = a
	}
	return byTitle
}

// Within runs fn with a context that ends after d, and fails the test when fn
// takes a second longer than that.
func (b *Bench) Within(d time.Duration, fn func(ctx context.Context) error) error {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- fn(ctx) }()
	late, cancelLate := context.WithTimeout(context.Background(), d+time.Second)
	defer cancelLate()
	select {
	case err := <-done:
		return err
	case <-late.Done():
		b.t.Fatalf("it still runs a second after the %s it had", d)
		return nil
	}
}

// Eventually waits until ok, for five seconds.
func (b *Bench) Eventually(what string, ok func() bool) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			b.t.Fatalf("it never happened: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Remote is a system elsewhere. It remembers what it was asked.
type Remote struct {
	*httptest.Server
	mu    sync.Mutex
	calls []string
	Body  string
}

// Answering returns a remote that answers with a status and what body returns
// for a request.
func (b *Bench) Answering(status int, body func(r *http.Request) string) *Remote {
	b.t.Helper()
	remote := &Remote{}
	remote.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		remote.mu.Lock()
		remote.calls = append(remote.calls, fmt.Sprintf("%s %s", r.Method, r.URL.RequestURI()))
		remote.Body = string(raw)
		remote.mu.Unlock()
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body(r))
	}))
	b.t.Cleanup(remote.Close)
	return remote
}

// Calls returns what the remote was asked, in order.
func (r *Remote) Calls() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.calls...)
}

// Mailbox is a core.Mailer that keeps what it is given.
type Mailbox struct {
	mu    sync.Mutex
	mails []string
}

// Send keeps a mail.
func (m *Mailbox) Send(ctx context.Context, to, subject, text string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mails = append(m.mails, to+": "+subject+"\n"+text)
	return ctx.Err()
}

// Mails returns what was sent.
func (m *Mailbox) Mails() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.mails...)
}
