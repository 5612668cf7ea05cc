package storage

import (
	"context"
	"database/sql"
	"errors"

	"example.org/siem/core"
)

// PackStore implements core.PackStore.
type PackStore struct {
	documents[core.Pack, *core.Pack]
}

// NewPackStore returns the rule packs in db.
func NewPackStore(db *DB) *PackStore {
	return &PackStore{documents[core.Pack, *core.Pack]{db: db, sort: "pack"}}
}

// PackRules returns the names of the rules that came with a pack, and their digests.
func (s *PackStore) PackRules(ctx context.Context, packID string) (map[string]string, error) {
	readCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	rows, err := s.db.read.QueryContext(readCtx, `SELECT name, digest FROM pack_rules WHERE pack_id = ?`, packID)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	out := map[string]string{}
	for rows.Next() {
		var name, digest string
		if err := rows.Scan(&name, &digest); err != nil {
			return nil, err
		}
		out[name] = digest
	}
	return out, rows.Err()
}

// ApplyPack stores a pack's rules, takes away those it no longer has, and notes
// its version: all of it or nothing.
func (s *PackStore) ApplyPack(ctx context.Context, p *core.Pack, rules []*core.Rule, removed []string) (err error) {
	tx, err := s.db.write.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	for _, name := range removed {
		if _, err := tx.ExecContext(context.Background(), `DELETE FROM rules WHERE tenant = ? AND name = ?`, p.Tenant, name); err != nil {
			return err
		}
		if _, err := tx.ExecContext(context.Background(), `DELETE FROM pack_rules WHERE pack_id = ? AND name = ?`, p.ID, name); err != nil {
			return err
		}
	}
	for _, r := range rules {
		if err := s.applyRule(tx, p, r); err != nil {
			return err
		}
	}
	p.Rules, p.InstalledAt, p.UpdatedAt = len(rules), s.db.now().UTC(), s.db.now().UTC()
	_, err = tx.ExecContext(ctx, `UPDATE documents SET body = ?, updated_at = ? WHERE sort = ? AND id = ?`, encode(p), millis(p.UpdatedAt), s.sort, p.ID)
	if err != nil {
		return err
	}
	return tx.Commit()
}

func (s *PackStore) applyRule(tx *sql.Tx, p *core.Pack, r *core.Rule) error {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	now := millis(s.db.now())
	row := tx.QueryRowContext(ctx, `INSERT INTO rules VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, ?8, ?8) ON CONFLICT (tenant, name)
		DO UPDATE SET severity = ?4, conditions = ?6, tags = ?7, version = version + 1, updated_at = ?8 RETURNING id`,
		core.NewID("rule"), p.Tenant, r.Name, r.Severity, r.Enabled, encode(r.Conditions), encode(r.Tags), now)
	if err := row.Scan(&r.ID); err != nil {
		return translate(err, "rule")
	}
	_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO pack_rules VALUES (?, ?, ?, ?)`, p.ID, r.ID, core.Digest(r), r.Name)
	return err
}

// RemovePack removes a pack with its rules, and returns how many those were.
func (s *PackStore) RemovePack(tenant, id string) (n int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	err = s.db.inTx(func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM rules WHERE tenant = ? AND id IN (SELECT rule_id FROM pack_rules WHERE pack_id = ?)`, tenant, id)
		if err != nil {
			return err
		}
		if removed, err := res.RowsAffected(); err == nil {
			n = int(removed)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM pack_rules WHERE pack_id = ?`, id); err != nil {
			return err
		}
		res, err = tx.ExecContext(ctx, `DELETE FROM documents WHERE sort = ? AND tenant = ? AND id = ?`, s.sort, tenant, id)
		return changed(res, err, s.sort)
	})
	return n, err
}
