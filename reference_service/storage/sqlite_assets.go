package storage

import (
	"context"
	"time"

	"example.org/siem/core"
)

// AssetStore implements core.AssetStore.
type AssetStore struct{ db *DB }

// NewAssetStore returns the assets in db.
func NewAssetStore(db *DB) *AssetStore { return &AssetStore{db: db} }

const assetColumns = `SELECT tenant, host, owner, criticality, events, first_seen, last_seen FROM assets `

// SeeHosts counts events for their hosts, and remembers hosts that are new.
func (s *AssetStore) SeeHosts(ctx context.Context, events []*core.Event) error {
	tx, err := s.db.write.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, e := range events {
		if e.Host == "" {
			continue
		}
		_, err := tx.Exec(`INSERT INTO assets (tenant, host, events, first_seen, last_seen) VALUES (?1, ?2, 1, ?3, ?3)
			ON CONFLICT (tenant, host) DO UPDATE SET events = events + 1, last_seen = max(last_seen, excluded.last_seen)`,
			e.Tenant, e.Host, millis(e.At))
		if err != nil {
			return err
		}
	}
	return tx.Commit()
}

// AssetByHost returns one asset.
func (s *AssetStore) AssetByHost(tenant, host string) (*core.Asset, error) {
	ctx, cancel := lookup()
	defer cancel()
	a, err := scanAsset(s.db.read.QueryRowContext(ctx, assetColumns+`WHERE tenant = ? AND host = ?`, tenant, host).Scan)
	if err != nil {
		return nil, translate(err, "asset")
	}
	return a, nil
}

// ListAssets returns a tenant's assets or, with a time, those not heard of since.
func (s *AssetStore) ListAssets(tenant string, silentSince time.Time) ([]*core.Asset, error) {
	ctx, cancel := context.WithTimeout(context.Background(), searchTimeout)
	defer cancel()
	rows, err := s.db.read.QueryContext(ctx, assetColumns+`WHERE tenant = ?1 AND (?2 = 0 OR last_seen < ?2)
		ORDER BY criticality DESC, host LIMIT 5000`, tenant, millis(silentSince))
	if err != nil {
		return nil, err
	}
	return collect(rows, scanAsset)
}

// SaveAsset stores what people know about a host.
func (s *AssetStore) SaveAsset(_ context.Context, a *core.Asset) error {
	now := millis(s.db.now())
	_, err := s.db.write.ExecContext(context.Background(), `INSERT INTO assets VALUES (?1, ?2, ?3, ?4, 0, ?5, ?5)
		ON CONFLICT (tenant, host) DO UPDATE SET owner = excluded.owner, criticality = excluded.criticality`,
		a.Tenant, a.Host, a.Owner, a.Criticality, now)
	return err
}

// ForgetAsset removes a host that is no more.
func (s *AssetStore) ForgetAsset(tenant, host string) error {
	res, err := s.db.write.Exec(`DELETE FROM assets WHERE tenant = ? AND host = ?`, tenant, host)
	return changed(res, err, "asset")
}

func scanAsset(scan func(...any) error) (*core.Asset, error) {
	var a core.Asset
	var first, last int64
	err := scan(&a.Tenant, &a.Host, &a.Owner, &a.Criticality, &a.Events, &first, &last)
	a.FirstSeen, a.LastSeen = instant(first), instant(last)
	return &a, err
}
