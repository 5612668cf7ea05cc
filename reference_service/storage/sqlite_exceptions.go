package storage

import (
	"context"
	"time"

	"example.org/siem/core"
)

// ExceptionStore implements core.ExceptionStore.
type ExceptionStore struct {
	documents[core.Exception, *core.Exception]
}

// NewExceptionStore returns the exceptions in db.
func NewExceptionStore(db *DB) *ExceptionStore {
	return &ExceptionStore{documents[core.Exception, *core.Exception]{db: db, sort: "exception"}}
}

// ExceptionsFor returns the exceptions of a rule that hold at a time.
func (s *ExceptionStore) ExceptionsFor(tenant, ruleID string, at time.Time) ([]*core.Exception, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	all, err := s.where(ctx, `tenant = ? AND json_extract(body, '$.rule_id') = ? AND json_extract(body, '$.enabled')`, tenant, ruleID)
	if err != nil {
		return nil, err
	}
	holding := all[:0]
	for _, e := range all {
		if e.ExpiresAt.IsZero() || at.Before(e.ExpiresAt) {
			holding = append(holding, e)
		}
	}
	return holding, nil
}

// PurgeExceptions removes those that no longer hold.
func (s *ExceptionStore) PurgeExceptions(ctx context.Context, now time.Time) (int, error) {
	all, err := s.where(nil, `json_extract(body, '$.expires_at') IS NOT NULL`)
	if err != nil {
		return 0, err
	}
	removed := 0
	for _, e := range all {
		if now.Before(e.ExpiresAt) {
			continue
		}
		if err := s.Delete(e.Tenant, e.ID); err != nil && core.ErrorCode(err) != core.CodeNotFound {
			return removed, err
		}
		removed++
	}
	return removed, nil
}
