package storage

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"example.org/siem/core"
)

// HookStore implements core.HookStore.
type HookStore struct {
	documents[core.Hook, *core.Hook]
}

// NewHookStore returns the hooks in db.
func NewHookStore(db *DB) *HookStore {
	return &HookStore{documents[core.Hook, *core.Hook]{db: db, sort: "hook"}}
}

// HookByID returns a hook with its secret, of whichever tenant has it: who calls a
// hook has no token.
func (s *HookStore) HookByID(_ context.Context, id string) (*core.Hook, error) {
	found, err := s.where(context.Background(), `id = ?`, id)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, core.Errorf(core.CodeNotFound, "no such hook")
	}
	err = s.db.read.QueryRow(`SELECT secret FROM hook_secrets WHERE hook_id = ?`, id).Scan(&found[0].Secret)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	return found[0], nil
}

// SetSecret replaces the secret of a hook.
func (s *HookStore) SetSecret(id, secret string) error {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	_, err := s.db.write.ExecContext(ctx, `INSERT OR REPLACE INTO hook_secrets VALUES (?, ?)`, id, secret)
	return err
}

// SeenBefore reports whether a delivery came in already.
func (s *HookStore) SeenBefore(hookID, deliveryID string) (seen bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	err = s.db.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM deliveries WHERE hook_id = ? AND id = ? AND ok)`, hookID, deliveryID).Scan(&seen)
	return seen, err
}

// RecordDelivery stores how a call of a hook went.
func (s *HookStore) RecordDelivery(ctx context.Context, d *core.Delivery) error {
	d.At = instant(millis(s.db.now()))
	_, err := s.db.write.ExecContext(ctx, `INSERT OR REPLACE INTO deliveries VALUES (?, ?, ?, ?, ?)`, d.ID, d.HookID, d.OK, d.Detail, millis(d.At))
	return err
}

// Deliveries returns the calls of a hook, the latest first.
func (s *HookStore) Deliveries(ctx context.Context, hookID string, limit int) ([]*core.Delivery, error) {
	queryCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	rows, err := s.db.read.QueryContext(queryCtx, `SELECT id, hook_id, ok, detail, at FROM deliveries WHERE hook_id = ? ORDER BY at DESC LIMIT ?`, hookID, limitOf(limit, 500))
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (*core.Delivery, error) {
		var d core.Delivery
		var at int64
		err := scan(&d.ID, &d.HookID, &d.OK, &d.Detail, &at)
		d.At = instant(at)
		return &d, err
	})
}

// PurgeDeliveries removes old deliveries.
func (s *HookStore) PurgeDeliveries(ctx context.Context, before time.Time) (int, error) {
	return purge(ctx, s.db, `DELETE FROM deliveries WHERE rowid IN (SELECT rowid FROM deliveries WHERE at < ?1 LIMIT ?2)`, before)
}
