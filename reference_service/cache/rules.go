// Package cache keeps what is read with every event and every request.
package cache

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"example.org/siem/core"
)

// Rules is a core.RuleStore that remembers the rules in use.
type Rules struct {
	core.RuleStore
	log     *slog.Logger
	mu      sync.RWMutex
	enabled map[string][]*core.Rule
}

// NewRules returns a cache over store.
func NewRules(store core.RuleStore, log *slog.Logger) *Rules {
	return &Rules{RuleStore: store, log: log, enabled: make(map[string][]*core.Rule)}
}

// ListRules answers from memory when all enabled rules of a tenant are wanted.
func (c *Rules) ListRules(filter core.RuleFilter) ([]*core.Rule, error) {
	if !filter.Enabled || filter.Tag != "" {
		return c.RuleStore.ListRules(filter)
	}
	c.mu.RLock()
	rules, ok := c.enabled[filter.Tenant]
	c.mu.RUnlock()
	if ok {
		return rules, nil
	}
	rules, err := c.RuleStore.ListRules(filter)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.enabled[filter.Tenant] = rules
	c.mu.Unlock()
	return rules, nil
}

// CreateRule stores a rule.
func (c *Rules) CreateRule(rule *core.Rule) error {
	defer c.forget(rule.Tenant)
	return c.RuleStore.CreateRule(rule)
}

// UpdateRule replaces a rule.
func (c *Rules) UpdateRule(ctx context.Context, rule *core.Rule) error {
	defer c.forget(rule.Tenant)
	return c.RuleStore.UpdateRule(ctx, rule)
}

// DeleteRule removes a rule.
func (c *Rules) DeleteRule(ctx context.Context, tenant, id string) error {
	defer c.forget(tenant)
	return c.RuleStore.DeleteRule(ctx, tenant, id)
}

// EnableRule switches a rule on or off.
func (c *Rules) EnableRule(tenant, id string, enabled bool) error {
	defer c.forget(tenant)
	return c.RuleStore.EnableRule(tenant, id, enabled)
}

// ImportRules stores many.
func (c *Rules) ImportRules(tenant string, rules []*core.Rule) (int, error) {
	defer c.forget(tenant)
	return c.RuleStore.ImportRules(tenant, rules)
}

// Forget drops the rules of all tenants: somebody changed them in the store.
func (c *Rules) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.enabled)
}

func (c *Rules) forget(tenant string) {
	c.mu.Lock()
	delete(c.enabled, tenant)
	c.mu.Unlock()
	c.log.Debug("rules changed", "tenant", tenant)
}

// Roles is a core.RoleStore that remembers what users may do for a short while.
type Roles struct {
	core.RoleStore
	ttl   time.Duration
	group singleflight.Group
	mu    sync.Mutex
	known map[string]grant
}

type grant struct {
	roles       []string
	permissions []core.Permission
	until       time.Time
}

// NewRoles returns a cache over store whose answers are at most ttl old.
func NewRoles(store core.RoleStore, ttl time.Duration) *Roles {
	return &Roles{RoleStore: store, ttl: ttl, known: make(map[string]grant)}
}

// PermissionsOf returns a user's roles and permissions. Requests that ask for
// the same user at the same time share one query.
func (c *Roles) PermissionsOf(ctx context.Context, userID string) ([]string, []core.Permission, error) {
	c.mu.Lock()
	g, ok := c.known[userID]
	c.mu.Unlock()
	if ok && time.Now().Before(g.until) {
		return g.roles, g.permissions, nil
	}
	loaded, err, _ := c.group.Do(userID, func() (any, error) {
		loadCtx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		roles, permissions, err := c.RoleStore.PermissionsOf(loadCtx, userID)
		if err != nil {
			return nil, err
		}
		g := grant{roles: roles, permissions: permissions, until: time.Now().Add(c.ttl)}
		c.mu.Lock()
		c.known[userID] = g
		c.mu.Unlock()
		return g, nil
	})
	if err != nil {
		return nil, nil, err
	}
	g = loaded.(grant)
	return g.roles, g.permissions, nil
}

// Grant replaces the roles of a user.
func (c *Roles) Grant(ctx context.Context, userID string, roles []string) error {
	defer c.forget(userID)
	return c.RoleStore.Grant(ctx, userID, roles)
}

// SaveRole stores a role.
func (c *Roles) SaveRole(ctx context.Context, role *core.Role) error {
	defer c.forget()
	return c.RoleStore.SaveRole(ctx, role)
}

// DeleteRole removes a role.
func (c *Roles) DeleteRole(ctx context.Context, name string) error {
	defer c.forget()
	return c.RoleStore.DeleteRole(ctx, name)
}

// forget drops some users, or all of them.
func (c *Roles) forget(userIDs ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(userIDs) == 0 {
		clear(c.known)
	}
	for _, id := range userIDs {
		delete(c.known, id)
	}
}
