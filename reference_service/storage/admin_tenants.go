package storage

import (
	"context"
	"time"

	"example.org/siem/core"
)

// TenantStore implements core.TenantStore.
type TenantStore struct{ db *DB }

// NewTenantStore returns the tenants in db.
func NewTenantStore(db *DB) *TenantStore { return &TenantStore{db: db} }

const tenantColumns = `SELECT name, display_name, suspended, events_per_day, searches, created_at FROM tenants `

// SaveTenant stores a tenant, new or changed.
func (s *TenantStore) SaveTenant(ctx context.Context, t *core.Tenant) error {
	saveCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	_, err := s.db.write.ExecContext(saveCtx, `INSERT INTO tenants VALUES (?1, ?2, ?3, ?4, ?5, ?6)
		ON CONFLICT (name) DO UPDATE SET display_name = ?2, suspended = ?3, events_per_day = ?4, searches = ?5`,
		t.Name, t.DisplayName, t.Suspended, t.EventsPerDay, t.Searches, millis(s.db.now()))
	return err
}

// TenantByName returns one tenant.
func (s *TenantStore) TenantByName(name string) (*core.Tenant, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	t, err := scanTenant(s.db.read.QueryRowContext(ctx, tenantColumns+`WHERE name = ?`, name).Scan)
	if err != nil {
		return nil, translate(err, "tenant")
	}
	return t, nil
}

// ListTenants returns all tenants by name.
func (s *TenantStore) ListTenants(ctx context.Context) ([]*core.Tenant, error) {
	rows, err := s.db.read.QueryContext(context.Background(), tenantColumns+`ORDER BY name`)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanTenant)
}

// RemoveTenant removes a suspended tenant with everything it has, and says how
// much that was.
func (s *TenantStore) RemoveTenant(ctx context.Context, name string) (map[string]int, error) {
	removeCtx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	tx, err := s.db.write.BeginTx(removeCtx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	res, err := tx.ExecContext(removeCtx, `DELETE FROM tenants WHERE name = ? AND suspended`, name)
	if err := changed(res, err, "suspended tenant"); err != nil {
		return nil, err
	}
	removed := map[string]int{}
	for _, table := range []string{"events", "alerts", "cases", "rules", "documents", "assets", "api_keys", "users", "approvals", "usage"} {
		res, err := tx.ExecContext(removeCtx, `DELETE FROM `+table+` WHERE tenant = ?`, name)
		if err != nil {
			return nil, err
		}
		if n, err := res.RowsAffected(); err == nil {
			removed[table] = int(n)
		}
	}
	return removed, tx.Commit()
}

// AddUsage adds to what a tenant used on a day, and returns the sum.
func (s *TenantStore) AddUsage(_ context.Context, name string, day time.Time, u core.Usage) (core.Usage, error) {
	u.Day = day.UTC().Format(time.DateOnly)
	err := s.db.write.QueryRowContext(context.Background(), `INSERT INTO usage VALUES (?, ?, ?, ?) ON CONFLICT (tenant, day)
		DO UPDATE SET events = events + excluded.events, searches = searches + excluded.searches RETURNING events, searches`,
		name, u.Day, u.Events, u.Searches).Scan(&u.Events, &u.Searches)
	return u, err
}

// UsageOf returns what a tenant used, day by day.
func (s *TenantStore) UsageOf(name string, since time.Time) ([]core.Usage, error) {
	ctx, cancel := lookup()
	defer cancel()
	rows, err := s.db.read.QueryContext(ctx, `SELECT day, events, searches FROM usage WHERE tenant = ? AND day >= ? ORDER BY day`, name, since.UTC().Format(time.DateOnly))
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (u core.Usage, err error) {
		err = scan(&u.Day, &u.Events, &u.Searches)
		return u, err
	})
}

func scanTenant(scan func(...any) error) (*core.Tenant, error) {
	var t core.Tenant
	var created int64
	err := scan(&t.Name, &t.DisplayName, &t.Suspended, &t.EventsPerDay, &t.Searches, &created)
	t.CreatedAt = instant(created)
	return &t, err
}

// NewDirectoryStore returns the directories in db.
func NewDirectoryStore(db *DB) core.Collection[core.Directory] {
	return &documents[core.Directory, *core.Directory]{db: db, sort: "directory"}
}
