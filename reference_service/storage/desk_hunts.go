package storage

import (
	"context"
	"encoding/json"
	"time"

	"example.org/siem/core"
)

// HuntStore implements core.HuntStore.
type HuntStore struct {
	documents[core.Hunt, *core.Hunt]
}

// NewHuntStore returns the hunts in db.
func NewHuntStore(db *DB) *HuntStore {
	return &HuntStore{documents[core.Hunt, *core.Hunt]{db: db, sort: "hunt"}}
}

const huntColumns = `SELECT id, hunt_id, found, before, hosts, alert_id, at, millis FROM hunt_results `

// SaveResult stores a result under a new id.
func (s *HuntStore) SaveResult(r *core.HuntResult) error {
	r.ID, r.At = core.NewID("result"), instant(millis(s.db.now()))
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	_, err := s.db.write.ExecContext(ctx, `INSERT INTO hunt_results VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.HuntID, r.Found, r.Before, encode(r.Hosts), r.AlertID, millis(r.At), r.Millis)
	return err
}

// LastResult returns what a hunt found last.
func (s *HuntStore) LastResult(_ context.Context, huntID string) (*core.HuntResult, error) {
	row := s.db.read.QueryRowContext(context.Background(), huntColumns+`WHERE hunt_id = ? ORDER BY at DESC, rowid DESC LIMIT 1`, huntID)
	r, err := scanResult(row.Scan)
	if err != nil {
		return nil, translate(err, "result")
	}
	return r, nil
}

// Results returns what a hunt found, the latest first.
func (s *HuntStore) Results(ctx context.Context, huntID string, limit int) ([]*core.HuntResult, error) {
	rows, err := s.db.read.QueryContext(ctx, huntColumns+`WHERE hunt_id = ? ORDER BY at DESC, rowid DESC LIMIT ?`, huntID, limitOf(limit, 500))
	if err != nil {
		return nil, err
	}
	return collect(rows, scanResult)
}

// PurgeResults removes old results.
func (s *HuntStore) PurgeResults(ctx context.Context, before time.Time) (int, error) {
	return purge(ctx, s.db, `DELETE FROM hunt_results WHERE rowid IN (SELECT rowid FROM hunt_results WHERE at < ?1 LIMIT ?2)`, before)
}

func scanResult(scan func(...any) error) (*core.HuntResult, error) {
	var r core.HuntResult
	var hosts []byte
	var at int64
	if err := scan(&r.ID, &r.HuntID, &r.Found, &r.Before, &hosts, &r.AlertID, &at, &r.Millis); err != nil {
		return nil, err
	}
	r.At = instant(at)
	return &r, json.Unmarshal(hosts, &r.Hosts)
}
