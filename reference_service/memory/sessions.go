// Package memory keeps things no longer than the process lives: for evaluation,
// and for installations whose logins should end with a restart.
package memory

import (
	"context"
	"crypto/subtle"
	"slices"
	"sync"
	"time"

	"example.org/siem/core"
)

// Sessions implements core.SessionStore.
type Sessions struct {
	mu   sync.Mutex
	byID map[string]*core.Session
}

// NewSessions returns a store without sessions.
func NewSessions() *Sessions { return &Sessions{byID: make(map[string]*core.Session)} }

// CreateSession stores a login.
func (m *Sessions) CreateSession(_ context.Context, s *core.Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, taken := m.byID[s.ID]; taken {
		return core.Errorf(core.CodeConflict, "there is such a session already")
	}
	kept := *s
	m.byID[s.ID] = &kept
	return nil
}

// SessionByID returns a login, active or not.
func (m *Sessions) SessionByID(_ context.Context, id string) (*core.Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.byID[id]
	if !ok {
		return nil, core.Errorf(core.CodeNotFound, "no such session")
	}
	found := *s
	return &found, nil
}

// RotateSession replaces a refresh token, or ends a session whose token was used before.
func (m *Sessions) RotateSession(_ context.Context, id string, oldHash, newHash []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.byID[id]
	if !ok || !s.Active(time.Now()) {
		return core.Errorf(core.CodeUnauthorized, "the session has ended")
	}
	if subtle.ConstantTimeCompare(s.RefreshHash, oldHash) != 1 {
		s.RevokedAt = time.Now()
		return core.Errorf(core.CodeUnauthorized, "the refresh token was used before; the session has ended")
	}
	s.RefreshHash = newHash
	return nil
}

// RevokeSession ends one login.
func (m *Sessions) RevokeSession(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.byID[id]
	if !ok {
		return core.Errorf(core.CodeNotFound, "no such session")
	}
	s.RevokedAt = time.Now()
	return nil
}

// RevokeUser ends all logins of a user and returns how many.
func (m *Sessions) RevokeUser(ctx context.Context, userID string) (int, error) {
	sessions, err := m.SessionsOf(ctx, userID)
	n := 0
	for _, s := range sessions {
		if s.RevokedAt.IsZero() && m.RevokeSession(ctx, s.ID) == nil {
			n++
		}
	}
	return n, err
}

// SessionsOf returns a user's logins, the latest first.
func (m *Sessions) SessionsOf(_ context.Context, userID string) ([]*core.Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := []*core.Session{}
	for _, s := range m.byID {
		if s.UserID == userID {
			one := *s
			found = append(found, &one)
		}
	}
	slices.SortFunc(found, func(a, b *core.Session) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return found, nil
}

// PurgeSessions removes logins that ended before a time.
func (m *Sessions) PurgeSessions(_ context.Context, before time.Time) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for id, s := range m.byID {
		if s.ExpiresAt.Before(before) || (!s.RevokedAt.IsZero() && s.RevokedAt.Before(before)) {
			delete(m.byID, id)
			n++
		}
	}
	return n, nil
}
