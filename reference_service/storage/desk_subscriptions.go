package storage

import (
	"context"
	"database/sql"
	"time"

	"example.org/siem/core"
)

// SubscriptionStore implements core.SubscriptionStore.
type SubscriptionStore struct {
	documents[core.Subscription, *core.Subscription]
}

// NewSubscriptionStore returns the subscriptions in db.
func NewSubscriptionStore(db *DB) *SubscriptionStore {
	return &SubscriptionStore{documents[core.Subscription, *core.Subscription]{db: db, sort: "subscription"}}
}

// QueueMessage stores something that a subscriber is to be told later.
func (s *SubscriptionStore) QueueMessage(ctx context.Context, subscriptionID string, m *core.Message) error {
	m.ID, m.At = core.NewID("message"), instant(millis(s.db.now()))
	_, err := s.db.write.ExecContext(context.Background(), `INSERT INTO messages (id, subscription_id, text, at) VALUES (?, ?, ?, ?)`,
		m.ID, subscriptionID, m.Text, millis(m.At))
	return err
}

// Messages returns what a subscriber has not been told, the oldest first.
func (s *SubscriptionStore) Messages(ctx context.Context, subscriptionID string, limit int) ([]*core.Message, error) {
	readCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	rows, err := s.db.read.QueryContext(readCtx, `SELECT id, text, at, tries, reason FROM messages WHERE subscription_id = ? ORDER BY at, rowid LIMIT ?`,
		subscriptionID, limitOf(limit, 1000))
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (*core.Message, error) {
		var m core.Message
		var at int64
		err := scan(&m.ID, &m.Text, &at, &m.Tries, &m.Reason)
		m.At = instant(at)
		return &m, err
	})
}

// OldestMessage returns since when a subscriber waits, or zero.
func (s *SubscriptionStore) OldestMessage(subscriptionID string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	var at int64
	err := s.db.read.QueryRowContext(ctx, `SELECT coalesce(min(at), 0) FROM messages WHERE subscription_id = ?`, subscriptionID).Scan(&at)
	return instant(at), err
}

// MessagesSent forgets what was told.
func (s *SubscriptionStore) MessagesSent(ctx context.Context, ids []string) error {
	return s.each(ctx, ids, `DELETE FROM messages WHERE id = ?`)
}

// MessagesFailed counts a try, and gives up on a message after ten.
func (s *SubscriptionStore) MessagesFailed(ctx context.Context, ids []string, cause string) error {
	if err := s.each(ctx, ids, `UPDATE messages SET tries = tries + 1, reason = ?2 WHERE id = ?1`, cause); err != nil {
		return err
	}
	_, err := s.db.write.ExecContext(context.Background(), `DELETE FROM messages WHERE tries >= 10`)
	return err
}

func (s *SubscriptionStore) each(ctx context.Context, ids []string, statement string, args ...any) error {
	return s.db.inTx(func(tx *sql.Tx) error {
		for _, id := range ids {
			if _, err := tx.ExecContext(ctx, statement, append([]any{id}, args...)...); err != nil {
				return err
			}
		}
		return nil
	})
}

// PurgeMessages removes what nobody could be told.
func (s *SubscriptionStore) PurgeMessages(ctx context.Context, before time.Time) (int, error) {
	return purge(ctx, s.db, `DELETE FROM messages WHERE rowid IN (SELECT rowid FROM messages WHERE at < ?1 LIMIT ?2)`, before)
}
