package storage

import (
	"context"
	"time"

	"example.org/siem/core"
)

// RotateKey replaces the secret of a key; the old one works for a while.
func (s *KeyStore) RotateKey(ctx context.Context, tenant, id string, hash []byte, grace time.Duration) error {
	rotateCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	res, err := s.db.write.ExecContext(rotateCtx, `UPDATE api_keys SET old_hash = hash, old_until = ?, hash = ? WHERE tenant = ? AND id = ? AND revoked_at = 0`,
		millis(s.db.now().Add(grace)), hash, tenant, id)
	return changed(res, err, "key")
}

// StaleKeys returns the keys of all tenants that nobody has used for a while.
func (s *KeyStore) StaleKeys(unusedSince time.Time) ([]*core.Key, error) {
	ctx, cancel := context.WithTimeout(context.Background(), searchTimeout)
	defer cancel()
	rows, err := s.db.read.QueryContext(ctx, keyColumns+`WHERE revoked_at = 0 AND created_at < ?1 AND last_used < ?1 ORDER BY tenant, name`, millis(unusedSince))
	if err != nil {
		return nil, err
	}
	return collect(rows, scanKey)
}
