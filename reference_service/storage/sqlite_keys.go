package storage

import (
	"context"
	"encoding/json"

	"example.org/siem/core"
)

// KeyStore implements core.KeyStore.
type KeyStore struct{ db *DB }

// NewKeyStore returns the keys in db.
func NewKeyStore(db *DB) *KeyStore { return &KeyStore{db: db} }

const keyColumns = `SELECT id, tenant, name, hash, permissions, created_by, created_at, last_used, revoked_at FROM api_keys `

// CreateKey stores a key under a new id.
func (s *KeyStore) CreateKey(k *core.Key) error {
	k.ID, k.CreatedAt = core.NewID("key"), s.db.now().UTC()
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	_, err := s.db.write.ExecContext(ctx, `INSERT INTO api_keys (id, tenant, name, hash, permissions, created_by, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		k.ID, k.Tenant, k.Name, k.Hash, encode(k.Permissions), k.CreatedBy, millis(k.CreatedAt))
	if err != nil {
		return translate(err, "key")
	}
	return nil
}

// KeyByHash returns the key with a hash, revoked or not.
func (s *KeyStore) KeyByHash(hash []byte) (*core.Key, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	k, err := scanKey(s.db.read.QueryRowContext(ctx, keyColumns+`WHERE hash = ?1 OR (old_hash = ?1 AND old_until > ?2)`, hash, millis(s.db.now())).Scan)
	if err != nil {
		return nil, translate(err, "key")
	}
	return k, nil
}

// ListKeys returns a tenant's keys by name.
func (s *KeyStore) ListKeys(ctx context.Context, tenant string) ([]*core.Key, error) {
	queryCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	rows, err := s.db.read.QueryContext(queryCtx, keyColumns+`WHERE tenant = ? ORDER BY name`, tenant)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanKey)
}

// TouchKey notes that a key was used, once a minute at most.
func (s *KeyStore) TouchKey(ctx context.Context, id string) error {
	now := millis(s.db.now())
	_, err := s.db.write.ExecContext(ctx, `UPDATE api_keys SET last_used = ? WHERE id = ? AND last_used < ?`, now, id, now-60_000)
	return err
}

// RevokeKey makes a key useless.
func (s *KeyStore) RevokeKey(ctx context.Context, tenant, id string) error {
	ctx = context.Background()
	res, err := s.db.write.ExecContext(ctx, `UPDATE api_keys SET revoked_at = ? WHERE tenant = ? AND id = ? AND revoked_at = 0`,
		millis(s.db.now()), tenant, id)
	return changed(res, err, "key")
}

func scanKey(scan func(...any) error) (*core.Key, error) {
	var k core.Key
	var permissions []byte
	var created, used, revoked int64
	if err := scan(&k.ID, &k.Tenant, &k.Name, &k.Hash, &permissions, &k.CreatedBy, &created, &used, &revoked); err != nil {
		return nil, err
	}
	k.CreatedAt, k.LastUsed, k.RevokedAt = instant(created), instant(used), instant(revoked)
	return &k, json.Unmarshal(permissions, &k.Permissions)
}
