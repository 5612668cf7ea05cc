package storage

import (
	"context"
	"database/sql"
	"time"

	"example.org/siem/core"
)

// SourceStore implements core.SourceStore.
type SourceStore struct {
	documents[core.Source, *core.Source]
}

// NewSourceStore returns the sources in db.
func NewSourceStore(db *DB) *SourceStore {
	return &SourceStore{documents[core.Source, *core.Source]{db: db, sort: "source"}}
}

// Advance notes that a source was read up to a cursor.
func (s *SourceStore) Advance(ctx context.Context, source *core.Source, cursor string) error {
	return s.db.inTx(func(tx *sql.Tx) error {
		advanceCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
		defer cancel()
		_, err := tx.ExecContext(advanceCtx, `UPDATE documents SET body = json_set(body, '$.cursor', ?, '$.last_error', '') WHERE sort = ? AND id = ?`,
			cursor, s.sort, source.ID)
		if err != nil {
			return err
		}
		source.Cursor, source.LastErr = cursor, ""
		_, err = tx.ExecContext(advanceCtx, `INSERT OR REPLACE INTO source_state VALUES (?, ?)`, source.ID, millis(s.db.now()))
		return err
	})
}

// Stalled notes why a source could not be read.
func (s *SourceStore) Stalled(ctx context.Context, source *core.Source, cause string) error {
	source.LastErr = cause
	_, err := s.db.write.ExecContext(context.Background(), `UPDATE documents SET body = json_set(body, '$.last_error', ?) WHERE sort = ? AND id = ?`, cause, s.sort, source.ID)
	return err
}

// DueSources returns the enabled sources whose time has come.
func (s *SourceStore) DueSources(now time.Time) ([]*core.Source, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	return s.where(ctx, `json_extract(body, '$.enabled') AND coalesce((SELECT read_at FROM source_state WHERE source_id = documents.id), 0)
		<= ? - 60000 * json_extract(body, '$.every_minutes')`, millis(now))
}

// ImportAssets stores what another system knows about hosts, and says which of
// them no event has spoken of.
func (s *AssetStore) ImportAssets(ctx context.Context, tenant string, assets []*core.Asset) (*core.AssetImport, error) {
	result := &core.AssetImport{Read: len(assets)}
	err := s.db.inTx(func(tx *sql.Tx) error {
		now := millis(s.db.now())
		for _, a := range assets {
			_, err := tx.ExecContext(context.Background(), `INSERT INTO assets VALUES (?1, ?2, ?3, ?4, 0, ?5, ?5)
				ON CONFLICT (tenant, host) DO UPDATE SET owner = excluded.owner, criticality = excluded.criticality`,
				tenant, a.Host, a.Owner, a.Criticality, now)
			if err != nil {
				return err
			}
			result.Stored++
		}
		return nil
	})
	return result, err
}

// UnknownHosts returns those of some hosts that no event has spoken of.
func (s *AssetStore) UnknownHosts(tenant string, hosts []string) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), searchTimeout)
	defer cancel()
	rows, err := s.db.read.QueryContext(ctx, `SELECT value FROM json_each(?1) WHERE value NOT IN (SELECT host FROM assets WHERE tenant = ?2 AND events > 0)`,
		encode(hosts), tenant)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (host string, err error) {
		err = scan(&host)
		return host, err
	})
}
