package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"example.org/siem/core"
)

func (s *Server) listTenants(w http.ResponseWriter, r *http.Request) error {
	tenants, err := s.Tenants.ListTenants(context.Background())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, tenants)
}

func (s *Server) saveTenant(w http.ResponseWriter, r *http.Request) error {
	t := &core.Tenant{}
	if err := s.readJSON(w, r, t); err != nil {
		return err
	}
	if t.Name = r.PathValue("name"); strings.TrimSpace(t.Name) == "" || t.EventsPerDay < 0 || t.Searches < 0 {
		return core.Errorf(core.CodeInvalid, "a tenant has a name, and limits that are not negative")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.Tenants.SaveTenant(ctx, t); err != nil {
		return err
	}
	s.quotas.forget(t.Name)
	s.record(r, "tenant.save", t.Name, fmt.Sprintf("%d events a day", t.EventsPerDay))
	return writeJSON(w, http.StatusOK, t)
}

// removeTenant removes a tenant with all it has; it must be suspended first.
func (s *Server) removeTenant(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	if name == tenant(r) {
		return core.Errorf(core.CodeConflict, "nobody removes their own tenant")
	}
	removed, err := s.Tenants.RemoveTenant(context.Background(), name)
	if err != nil {
		return err
	}
	s.quotas.forget(name)
	s.record(r, "tenant.remove", name, fmt.Sprint(removed))
	return writeJSON(w, http.StatusOK, removed)
}

func (s *Server) tenantUsage(w http.ResponseWriter, r *http.Request) error {
	q := &query{r: r}
	since := q.moment("since")
	if q.err != nil {
		return q.err
	}
	usage, err := s.Tenants.UsageOf(r.PathValue("name"), since)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, usage)
}

// quotas holds what tenants may use, for a minute at a time, and the slots of
// their searches.
type quotas struct {
	mu    sync.Mutex
	known map[string]*quota
}

type quota struct {
	tenant *core.Tenant
	slots  chan struct{}
	until  time.Time
}

func (q *quotas) forget(name string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.known, name)
}

// quotaOf returns a tenant's quota, or nil for a tenant that nobody set limits for.
func (s *Server) quotaOf(name string) (*quota, error) {
	s.quotas.mu.Lock()
	known := s.quotas.known[name]
	s.quotas.mu.Unlock()
	if known != nil && time.Now().Before(known.until) {
		return known, nil
	}
	t, err := s.Tenants.TenantByName(name)
	if core.ErrorCode(err) == core.CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	fresh := &quota{tenant: t, slots: make(chan struct{}, max(t.Searches, 1)), until: time.Now().Add(time.Minute)}
	s.quotas.mu.Lock()
	defer s.quotas.mu.Unlock()
	if s.quotas.known == nil {
		s.quotas.known = make(map[string]*quota)
	}
	s.quotas.known[name] = fresh
	return fresh, nil
}

// charge counts events for a tenant, and refuses those over its quota.
func (s *Server) charge(name string, events int) error {
	if s.Tenants == nil {
		return nil
	}
	q, err := s.quotaOf(name)
	if err != nil || q == nil {
		return err
	}
	if q.tenant.Suspended {
		return core.Errorf(core.CodeForbidden, "the tenant is suspended")
	}
	used, err := s.Tenants.AddUsage(context.Background(), name, time.Now(), core.Usage{Events: events})
	if err != nil {
		return err
	}
	if limit := q.tenant.EventsPerDay; limit > 0 && used.Events > limit {
		return core.Errorf(core.CodeTooLarge, "the tenant has taken in its %d events of today", limit)
	}
	return nil
}

// searching waits for one of a tenant's slots, and returns what gives it back.
func (s *Server) searching(name string) (func(), error) {
	if s.Tenants == nil {
		return func() {}, nil
	}
	q, err := s.quotaOf(name)
	if err != nil || q == nil || q.tenant.Searches == 0 {
		return func() {}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	select {
	case q.slots <- struct{}{}:
		return func() { <-q.slots }, nil
	case <-ctx.Done():
		return nil, core.Errorf(core.CodeUnavailable, "%d searches of the tenant are running", q.tenant.Searches)
	}
}

// syncDirectory makes a tenant's users what a directory says, now.
func (s *Server) syncDirectory(w http.ResponseWriter, r *http.Request) error {
	d, err := s.Directories.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	result, err := s.Syncer.Sync(ctx, d)
	if err != nil {
		return err
	}
	s.record(r, "directory.sync", d.ID, fmt.Sprintf("%d read", result.Read))
	return writeJSON(w, http.StatusOK, result)
}

func (s *Server) previewDirectory(w http.ResponseWriter, r *http.Request) error {
	d, err := s.Directories.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	entries, err := s.Syncer.Preview(d)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, entries)
}
