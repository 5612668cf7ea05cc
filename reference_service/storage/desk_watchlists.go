package storage

import (
	"context"
	"database/sql"
	"time"

	"example.org/siem/core"
)

// WatchlistStore implements core.WatchlistStore.
type WatchlistStore struct {
	documents[core.Watchlist, *core.Watchlist]
}

// NewWatchlistStore returns the watchlists in db.
func NewWatchlistStore(db *DB) *WatchlistStore {
	return &WatchlistStore{documents[core.Watchlist, *core.Watchlist]{db: db, sort: "watchlist"}}
}

// AddEntries stores values, or what is new about them, and returns how many the list has then.
func (s *WatchlistStore) AddEntries(ctx context.Context, listID string, entries []core.WatchEntry) (n int, err error) {
	err = s.db.inTx(func(tx *sql.Tx) error {
		addCtx, cancel := context.WithTimeout(context.Background(), batchTimeout)
		defer cancel()
		for _, e := range entries {
			_, err := tx.ExecContext(addCtx, `INSERT INTO watch_entries VALUES (?, ?, ?, ?, ?) ON CONFLICT (list_id, value)
				DO UPDATE SET note = excluded.note, added_by = excluded.added_by, expires_at = excluded.expires_at`,
				listID, e.Value, e.Note, e.AddedBy, millis(e.ExpiresAt))
			if err != nil {
				return err
			}
		}
		if err := tx.QueryRowContext(addCtx, `SELECT count(*) FROM watch_entries WHERE list_id = ?`, listID).Scan(&n); err != nil {
			return err
		}
		_, err := tx.ExecContext(addCtx, `UPDATE documents SET body = json_set(body, '$.entries', ?) WHERE sort = ? AND id = ?`, n, s.sort, listID)
		return err
	})
	return n, err
}

// RemoveEntry takes a value off a list.
func (s *WatchlistStore) RemoveEntry(listID, value string) error {
	ctx, cancel := lookup()
	defer cancel()
	res, err := s.db.write.ExecContext(ctx, `DELETE FROM watch_entries WHERE list_id = ? AND value = ?`, listID, value)
	return changed(res, err, "entry")
}

// Entries returns a page of a list: the values after one, in order.
func (s *WatchlistStore) Entries(ctx context.Context, listID, after string, limit int) ([]core.WatchEntry, error) {
	rows, err := s.db.read.QueryContext(context.Background(), `SELECT value, note, added_by, expires_at FROM watch_entries
		WHERE list_id = ? AND value > ? ORDER BY value LIMIT ?`, listID, after, limitOf(limit, 5000))
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (e core.WatchEntry, err error) {
		var expires int64
		err = scan(&e.Value, &e.Note, &e.AddedBy, &expires)
		e.ExpiresAt = instant(expires)
		return e, err
	})
}

// Watched returns the enabled lists of a tenant that have one of some values, given by field.
func (s *WatchlistStore) Watched(tenant string, values map[string]string) ([]*core.Watchlist, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	var found []*core.Watchlist
	for field, value := range values {
		if value == "" {
			continue
		}
		lists, err := s.where(ctx, `tenant = ? AND json_extract(body, '$.enabled') AND json_extract(body, '$.field') = ?
			AND id IN (SELECT list_id FROM watch_entries WHERE value = ? AND (expires_at = 0 OR expires_at > ?))`, tenant, field, value, millis(s.db.now()))
		if err != nil {
			return nil, err
		}
		found = append(found, lists...)
	}
	return found, nil
}

// ExpireEntries removes the entries whose time has passed.
func (s *WatchlistStore) ExpireEntries(ctx context.Context, now time.Time) (int, error) {
	return purge(ctx, s.db, `DELETE FROM watch_entries WHERE rowid IN (SELECT rowid FROM watch_entries WHERE expires_at > 0 AND expires_at < ?1 LIMIT ?2)`, now)
}

// NewDashboardStore returns the dashboards in db.
func NewDashboardStore(db *DB) core.Collection[core.Dashboard] {
	return &documents[core.Dashboard, *core.Dashboard]{db: db, sort: "dashboard"}
}
