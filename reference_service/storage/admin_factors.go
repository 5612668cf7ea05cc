package storage

import (
	"context"
	"database/sql"
	"time"

	"example.org/siem/core"
)

// FactorStore implements core.FactorStore.
type FactorStore struct{ db *DB }

// NewFactorStore returns the second factors and resets in db.
func NewFactorStore(db *DB) *FactorStore { return &FactorStore{db: db} }

// FactorOf returns a user's factor with its unused codes.
func (s *FactorStore) FactorOf(ctx context.Context, userID string) (*core.Factor, error) {
	readCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	f := &core.Factor{UserID: userID}
	row := s.db.read.QueryRowContext(readCtx, `SELECT secret, confirmed, last_step FROM factors WHERE user_id = ?`, userID)
	if err := row.Scan(&f.Secret, &f.Confirmed, &f.LastStep); err != nil {
		return nil, translate(err, "second factor")
	}
	rows, err := s.db.read.QueryContext(readCtx, `SELECT hash FROM factor_codes WHERE user_id = ?`, userID)
	if err != nil {
		return nil, err
	}
	f.Codes, err = collect(rows, func(scan func(...any) error) (hash []byte, err error) {
		err = scan(&hash)
		return hash, err
	})
	return f, err
}

// SaveFactor stores a factor in place of the one that was there.
func (s *FactorStore) SaveFactor(ctx context.Context, f *core.Factor) error {
	tx, err := s.db.write.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	_, err = tx.ExecContext(ctx, `INSERT INTO factors (user_id, secret, confirmed) VALUES (?1, ?2, ?3)
		ON CONFLICT (user_id) DO UPDATE SET secret = ?2, confirmed = ?3, last_step = 0`, f.UserID, f.Secret, f.Confirmed)
	if err != nil {
		return translate(err, "second factor")
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM factor_codes WHERE user_id = ?`, f.UserID); err != nil {
		return err
	}
	for _, hash := range f.Codes {
		if _, err := tx.ExecContext(ctx, `INSERT INTO factor_codes VALUES (?, ?)`, f.UserID, hash); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// UseStep confirms a factor with a code of one period; no code counts twice.
func (s *FactorStore) UseStep(userID string, step int64) error {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	res, err := s.db.write.ExecContext(ctx, `UPDATE factors SET confirmed = 1, last_step = ?2 WHERE user_id = ?1 AND last_step < ?2`, userID, step)
	return changed(res, err, "unused code")
}

// UseCode takes one of the codes for when the phone is lost.
func (s *FactorStore) UseCode(userID string, hash []byte) error {
	res, err := s.db.write.ExecContext(context.Background(), `DELETE FROM factor_codes WHERE user_id = ? AND hash = ?`, userID, hash)
	return changed(res, err, "unused code")
}

// RemoveFactor lets a user in without a second factor.
func (s *FactorStore) RemoveFactor(ctx context.Context, userID string) error {
	res, err := s.db.write.ExecContext(ctx, `DELETE FROM factors WHERE user_id = ?`, userID)
	return changed(res, err, "second factor")
}

// CreateReset stores a reset; an older one of the user ends.
func (s *FactorStore) CreateReset(ctx context.Context, reset *core.Reset) error {
	return s.db.inTx(func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(context.Background(), `DELETE FROM resets WHERE user_id = ?`, reset.UserID); err != nil {
			return err
		}
		_, err := tx.ExecContext(context.Background(), `INSERT INTO resets VALUES (?, ?, ?)`, reset.Hash, reset.UserID, millis(reset.ExpiresAt))
		return err
	})
}

// TakeReset removes a reset that is still good, and returns it.
func (s *FactorStore) TakeReset(hash []byte) (*core.Reset, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	reset := &core.Reset{Hash: hash}
	var expires int64
	row := s.db.write.QueryRowContext(ctx, `DELETE FROM resets WHERE hash = ? AND expires_at > ? RETURNING user_id, expires_at`, hash, millis(s.db.now()))
	if err := row.Scan(&reset.UserID, &expires); err != nil {
		return nil, translate(err, "reset")
	}
	reset.ExpiresAt = instant(expires)
	return reset, nil
}

// PurgeResets removes those that nobody used in time.
func (s *FactorStore) PurgeResets(ctx context.Context, before time.Time) (int, error) {
	return purge(ctx, s.db, `DELETE FROM resets WHERE rowid IN (SELECT rowid FROM resets WHERE expires_at < ?1 LIMIT ?2)`, before)
}
