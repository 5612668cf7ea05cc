package storage

import (
	"context"
	"time"

	"example.org/siem/core"
)

// CorrelationStore implements core.CorrelationStore.
type CorrelationStore struct {
	documents[core.CorrelationRule, *core.CorrelationRule]
}

// NewCorrelationStore returns the correlation rules in db.
func NewCorrelationStore(db *DB) *CorrelationStore {
	return &CorrelationStore{documents[core.CorrelationRule, *core.CorrelationRule]{db: db, sort: "correlation"}}
}

// Bump counts one event for a group, and starts over when the window has passed.
func (s *CorrelationStore) Bump(rule *core.CorrelationRule, group string, at time.Time) (*core.Counter, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	c := &core.Counter{CorrelationID: rule.ID, Group: group}
	var since int64
	err := s.db.write.QueryRowContext(ctx, `INSERT INTO counters VALUES (?1, ?2, 1, ?3, ?3 + ?4)
		ON CONFLICT (correlation_id, grp) DO UPDATE SET
			count = CASE WHEN ?3 > expires THEN 1 ELSE count + 1 END,
			since = CASE WHEN ?3 > expires THEN ?3 ELSE since END,
			expires = CASE WHEN ?3 > expires THEN ?3 + ?4 ELSE expires END
		RETURNING count, since`, rule.ID, group, millis(at), rule.Window().Milliseconds()).Scan(&c.Count, &since)
	c.Since = instant(since)
	return c, err
}

// Counters returns the groups a correlation has seen, the busiest first.
func (s *CorrelationStore) Counters(correlationID string) ([]*core.Counter, error) {
	ctx, cancel := lookup()
	defer cancel()
	rows, err := s.db.read.QueryContext(ctx, `SELECT correlation_id, grp, count, since FROM counters WHERE correlation_id = ? ORDER BY count DESC LIMIT 1000`, correlationID)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (*core.Counter, error) {
		var c core.Counter
		var since int64
		err := scan(&c.CorrelationID, &c.Group, &c.Count, &since)
		c.Since = instant(since)
		return &c, err
	})
}

// ResetCounters forgets what a correlation has counted.
func (s *CorrelationStore) ResetCounters(correlationID string) error {
	_, err := s.db.write.ExecContext(context.Background(), `DELETE FROM counters WHERE correlation_id = ?`, correlationID)
	return err
}

// ExpireCounters forgets the groups whose window has passed.
func (s *CorrelationStore) ExpireCounters(ctx context.Context, now time.Time) (int, error) {
	return purge(ctx, s.db, `DELETE FROM counters WHERE rowid IN (SELECT rowid FROM counters WHERE expires < ?1 LIMIT ?2)`, now)
}
