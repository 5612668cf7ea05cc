package storage

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"example.org/siem/core"
)

// FeedStore implements core.FeedStore.
type FeedStore struct {
	documents[core.Feed, *core.Feed]
}

// NewFeedStore returns the feeds in db.
func NewFeedStore(db *DB) *FeedStore {
	return &FeedStore{documents[core.Feed, *core.Feed]{db: db, sort: "feed"}}
}

// StoreIndicators replaces what a feed brought, and notes that it was fetched.
func (s *FeedStore) StoreIndicators(feed *core.Feed, values []string) (int, error) {
	now := s.db.now().UTC()
	expires := millis(now.Add(time.Duration(max(feed.TTLHours, 1)) * time.Hour))
	stored := 0
	err := s.db.inTx(func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM indicators WHERE feed_id = ?`, feed.ID); err != nil {
			return err
		}
		for _, v := range values {
			res, err := tx.Exec(`INSERT OR IGNORE INTO indicators VALUES (?, ?, ?, ?)`, feed.ID, feed.Kind, v, expires)
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err == nil {
				stored += int(n)
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	feed.FetchedAt, feed.LastError = now, ""
	return stored, s.Update(feed)
}

// RecordFailure notes why a feed could not be fetched.
func (s *FeedStore) RecordFailure(feed *core.Feed, cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	feed.LastError = cause.Error()
	res, err := s.db.write.ExecContext(ctx, `UPDATE documents SET body = json_set(body, '$.last_error', ?) WHERE sort = ? AND id = ?`,
		feed.LastError, s.sort, feed.ID)
	return changed(res, err, s.sort)
}

// Lookup returns the indicators that are among some values and have not expired.
func (s *FeedStore) Lookup(values []string) ([]*core.Indicator, error) {
	if len(values) == 0 {
		return nil, nil
	}
	ctx, cancel := lookup()
	defer cancel()
	args := []any{millis(s.db.now())}
	for _, v := range values {
		args = append(args, v)
	}
	marks := strings.TrimSuffix(strings.Repeat("?,", len(values)), ",")
	rows, err := s.db.read.QueryContext(ctx, `SELECT feed_id, kind, value, expires_at FROM indicators WHERE expires_at > ? AND value IN (`+marks+`)`, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (*core.Indicator, error) {
		var i core.Indicator
		var expires int64
		err := scan(&i.FeedID, &i.Kind, &i.Value, &expires)
		i.ExpiresAt = instant(expires)
		return &i, err
	})
}

// ExpireIndicators removes those that are out of date.
func (s *FeedStore) ExpireIndicators(ctx context.Context, now time.Time) (int, error) {
	return purge(ctx, s.db, `DELETE FROM indicators WHERE rowid IN (SELECT rowid FROM indicators WHERE expires_at < ?1 LIMIT ?2)`, now)
}
