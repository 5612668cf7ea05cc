package storage

import (
	"context"
	"database/sql"

	"example.org/siem/core"
)

// AddIndicators stores what people call malicious, apart from all feeds.
func (s *FeedStore) AddIndicators(ctx context.Context, tenant string, indicators []*core.Indicator) (n int, err error) {
	err = s.db.inTx(func(tx *sql.Tx) error {
		for _, i := range indicators {
			i.FeedID = "manual/" + tenant
			_, err := tx.ExecContext(context.Background(), `INSERT INTO indicators VALUES (?, ?, ?, ?)
				ON CONFLICT (feed_id, value) DO UPDATE SET kind = excluded.kind, expires_at = excluded.expires_at`,
				i.FeedID, i.Kind, i.Value, millis(i.ExpiresAt))
			if err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

// RemoveIndicator forgets an indicator of people; what a feed brought stays.
func (s *FeedStore) RemoveIndicator(ctx context.Context, value string) error {
	removeCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	res, err := s.db.write.ExecContext(removeCtx, `DELETE FROM indicators WHERE value = ? AND feed_id LIKE 'manual/%'`, value)
	return changed(res, err, "indicator")
}

// RelayedTo returns the last audit entry that a target has.
func (l *AuditLog) RelayedTo(target string) (seq int64, err error) {
	ctx, cancel := lookup()
	defer cancel()
	err = l.db.read.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM relayed WHERE target = ?`, target).Scan(&seq)
	return seq, err
}

// SetRelayed notes the last audit entry that a target has.
func (l *AuditLog) SetRelayed(ctx context.Context, target string, seq int64) error {
	noteCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	_, err := l.db.write.ExecContext(noteCtx, `INSERT OR REPLACE INTO relayed VALUES (?, ?)`, target, seq)
	return err
}

// EntriesAfter returns audit entries of all tenants in order.
func (l *AuditLog) EntriesAfter(ctx context.Context, seq int64, limit int) ([]*core.AuditEntry, error) {
	rows, err := l.db.read.QueryContext(context.Background(), auditColumns+`WHERE seq > ? ORDER BY seq LIMIT ?`, seq, limitOf(limit, 1000))
	if err != nil {
		return nil, err
	}
	return collect(rows, scanAudit)
}
