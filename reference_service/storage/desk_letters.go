package storage

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"example.org/siem/core"
)

// DeadLetterStore implements core.DeadLetterStore.
type DeadLetterStore struct{ db *DB }

// NewDeadLetterStore returns the events in db that could not be evaluated.
func NewDeadLetterStore(db *DB) *DeadLetterStore { return &DeadLetterStore{db: db} }

// SaveLetters stores events with the reason why they are here.
func (s *DeadLetterStore) SaveLetters(ctx context.Context, events []*core.Event, reason string) error {
	return s.db.inTx(func(tx *sql.Tx) error {
		for _, e := range events {
			if _, err := tx.ExecContext(context.Background(), `INSERT OR IGNORE INTO dead_letters VALUES (?, ?, ?, ?)`, e.ID, encode(e), reason, millis(s.db.now())); err != nil {
				return err
			}
		}
		return nil
	})
}

// Letters returns the oldest events.
func (s *DeadLetterStore) Letters(ctx context.Context, limit int) ([]*core.Event, error) {
	queryCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	rows, err := s.db.read.QueryContext(queryCtx, `SELECT body FROM dead_letters ORDER BY at, rowid LIMIT ?`, limitOf(limit, 1000))
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (*core.Event, error) {
		var body []byte
		if err := scan(&body); err != nil {
			return nil, err
		}
		var e core.Event
		return &e, json.Unmarshal(body, &e)
	})
}

// DropLetters forgets some events.
func (s *DeadLetterStore) DropLetters(ctx context.Context, ids []string) error {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	_, err := s.db.write.ExecContext(ctx, `DELETE FROM dead_letters WHERE id IN (`+strings.TrimSuffix(strings.Repeat("?,", len(ids)), ",")+`)`, args...)
	return err
}

// CountLetters returns how many events wait.
func (s *DeadLetterStore) CountLetters() (n int, err error) {
	err = s.db.read.QueryRow(`SELECT count(*) FROM dead_letters`).Scan(&n)
	return n, err
}
