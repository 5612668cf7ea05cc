package storage

import (
	"context"
	"crypto/subtle"
	"time"

	"example.org/siem/core"
)

// SessionStore implements core.SessionStore.
type SessionStore struct{ db *DB }

// NewSessionStore returns the sessions in db.
func NewSessionStore(db *DB) *SessionStore { return &SessionStore{db: db} }

// CreateSession stores a login.
func (s *SessionStore) CreateSession(ctx context.Context, session *core.Session) error {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	_, err := s.db.write.ExecContext(ctx, `INSERT INTO sessions (id, user_id, refresh_hash, user_agent, remote_addr, created_at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?)`, session.ID, session.UserID, session.RefreshHash, session.UserAgent, session.RemoteAddr,
		millis(session.CreatedAt), millis(session.ExpiresAt))
	if err != nil {
		return translate(err, "session")
	}
	return nil
}

const sessionColumns = `SELECT id, user_id, refresh_hash, user_agent, remote_addr, created_at, expires_at, revoked_at FROM sessions `

// SessionByID returns a login, active or not.
func (s *SessionStore) SessionByID(_ context.Context, id string) (*core.Session, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	session, err := scanSession(s.db.read.QueryRowContext(ctx, sessionColumns+`WHERE id = ?`, id).Scan)
	if err != nil {
		return nil, translate(err, "session")
	}
	return session, nil
}

// RotateSession replaces the refresh token of a session. When the old token is
// not the one in use it was stolen from one side or the other, and the session ends.
func (s *SessionStore) RotateSession(ctx context.Context, id string, oldHash, newHash []byte) error {
	txCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	tx, err := s.db.write.BeginTx(txCtx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	session, err := scanSession(tx.QueryRowContext(txCtx, sessionColumns+`WHERE id = ?`, id).Scan)
	if err != nil {
		return translate(err, "session")
	}
	if !session.Active(s.db.now()) {
		return core.Errorf(core.CodeUnauthorized, "the session has ended")
	}
	if subtle.ConstantTimeCompare(session.RefreshHash, oldHash) != 1 {
		if _, err := tx.ExecContext(txCtx, `UPDATE sessions SET revoked_at = ? WHERE id = ?`, millis(s.db.now()), id); err != nil {
			return err
		}
		if err := tx.Commit(); err != nil {
			return err
		}
		return core.Errorf(core.CodeUnauthorized, "the refresh token was used before; the session has ended")
	}
	if _, err := tx.ExecContext(txCtx, `UPDATE sessions SET refresh_hash = ? WHERE id = ?`, newHash, id); err != nil {
		return err
	}
	return tx.Commit()
}

// RevokeSession ends one login.
func (s *SessionStore) RevokeSession(ctx context.Context, id string) error {
	res, err := s.db.write.ExecContext(context.Background(), `UPDATE sessions SET revoked_at = ? WHERE id = ? AND revoked_at = 0`, millis(s.db.now()), id)
	return changed(res, err, "session")
}

// RevokeUser ends all logins of a user and returns how many.
func (s *SessionStore) RevokeUser(ctx context.Context, userID string) (int, error) {
	res, err := s.db.write.ExecContext(ctx, `UPDATE sessions SET revoked_at = ? WHERE user_id = ? AND revoked_at = 0`, millis(s.db.now()), userID)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// SessionsOf returns a user's logins, the latest first.
func (s *SessionStore) SessionsOf(ctx context.Context, userID string) ([]*core.Session, error) {
	rows, err := s.db.read.QueryContext(context.Background(), sessionColumns+`WHERE user_id = ? ORDER BY created_at DESC LIMIT 100`, userID)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanSession)
}

// PurgeSessions removes logins that ended before a time.
func (s *SessionStore) PurgeSessions(ctx context.Context, before time.Time) (int, error) {
	return purge(ctx, s.db, `DELETE FROM sessions WHERE rowid IN
		(SELECT rowid FROM sessions WHERE expires_at < ?1 OR (revoked_at > 0 AND revoked_at < ?1) LIMIT ?2)`, before)
}

func scanSession(scan func(...any) error) (*core.Session, error) {
	var s core.Session
	var created, expires, revoked int64
	err := scan(&s.ID, &s.UserID, &s.RefreshHash, &s.UserAgent, &s.RemoteAddr, &created, &expires, &revoked)
	s.CreatedAt, s.ExpiresAt, s.RevokedAt = instant(created), instant(expires), instant(revoked)
	return &s, err
}
