package cache

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/siem/core"
)

type fakeRules struct {
	core.RuleStore
	listed int
}

func (f *fakeRules) ListRules(filter core.RuleFilter) ([]*core.Rule, error) {
	f.listed++
	return []*core.Rule{{Tenant: filter.Tenant, Name: "r"}}, nil
}

func (f *fakeRules) CreateRule(*core.Rule) error { return nil }

func TestRulesAreReadAgainAfterAChange(t *testing.T) {
	fake := &fakeRules{}
	c := NewRules(fake, slog.New(slog.DiscardHandler))
	enabled := core.RuleFilter{Tenant: "acme", Enabled: true}
	for range 3 {
		if rules, err := c.ListRules(enabled); err != nil || len(rules) != 1 {
			t.Fatal(rules, err)
		}
	}
	if err := c.CreateRule(&core.Rule{Tenant: "acme"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ListRules(enabled); err != nil || fake.listed != 2 {
		t.Fatalf("listed %d times, want 2: %v", fake.listed, err)
	}
}

type fakeRoles struct {
	core.RoleStore
	asked   atomic.Int32
	release chan struct{}
}

func (f *fakeRoles) PermissionsOf(context.Context, string) ([]string, []core.Permission, error) {
	f.asked.Add(1)
	<-f.release
	return []string{"analyst"}, []core.Permission{core.PermissionRead}, nil
}

func TestRolesAreAskedForOnce(t *testing.T) {
	fake := &fakeRoles{release: make(chan struct{})}
	c := NewRoles(fake, time.Hour)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if roles, _, err := c.PermissionsOf(context.Background(), "ann"); err != nil || len(roles) != 1 {
				t.Errorf("%v, %v", roles, err)
			}
		})
	}
	for fake.asked.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	close(fake.release)
	wg.Wait()
	if _, _, err := c.PermissionsOf(t.Context(), "ann"); err != nil || fake.asked.Load() > 2 {
		t.Errorf("asked %d times: %v", fake.asked.Load(), err)
	}
}
