package storage

import (
	"context"
	"encoding/json"
	"fmt"

	"example.org/siem/core"
)

// documents implements core.Collection for one sort of resource. P is *T.
type documents[T any, P interface {
	*T
	core.Resource
}] struct {
	db   *DB
	sort string
}

func (d *documents[T, P]) Create(doc *T) error {
	info := P(doc).Info()
	info.ID, info.CreatedAt = core.NewID(d.sort), d.db.now().UTC()
	info.UpdatedAt = info.CreatedAt
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	_, err := d.db.write.ExecContext(ctx, `INSERT INTO documents (sort, id, tenant, name, body, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?)`,
		d.sort, info.ID, info.Tenant, info.Name, encode(doc), millis(info.CreatedAt), millis(info.UpdatedAt))
	if err != nil {
		return translate(err, d.sort)
	}
	return nil
}

func (d *documents[T, P]) Find(tenant, id string) (*T, error) {
	ctx, cancel := lookup()
	defer cancel()
	var body []byte
	row := d.db.read.QueryRowContext(ctx, `SELECT body FROM documents WHERE sort = ? AND tenant = ? AND id = ?`, d.sort, tenant, id)
	if err := row.Scan(&body); err != nil {
		return nil, translate(err, d.sort)
	}
	return d.decode(body)
}

func (d *documents[T, P]) List(tenant string) ([]*T, error) {
	return d.where(context.Background(), `tenant = ? ORDER BY name`, tenant)
}

func (d *documents[T, P]) Update(doc *T) error {
	info := P(doc).Info()
	info.UpdatedAt = d.db.now().UTC()
	res, err := d.db.write.Exec(`UPDATE documents SET name = ?, body = ?, updated_at = ? WHERE sort = ? AND tenant = ? AND id = ?`,
		info.Name, encode(doc), millis(info.UpdatedAt), d.sort, info.Tenant, info.ID)
	return changed(res, err, d.sort)
}

func (d *documents[T, P]) Delete(tenant, id string) error {
	ctx, cancel := lookup()
	defer cancel()
	res, err := d.db.write.ExecContext(ctx, `DELETE FROM documents WHERE sort = ? AND tenant = ? AND id = ?`, d.sort, tenant, id)
	return changed(res, err, d.sort)
}

// where returns the documents that meet a condition on their columns or, with
// json_extract, on their bodies.
func (d *documents[T, P]) where(ctx context.Context, condition string, args ...any) ([]*T, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	rows, err := d.db.read.QueryContext(ctx, `SELECT body FROM documents WHERE sort = ? AND `+condition, append([]any{d.sort}, args...)...)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (*T, error) {
		var body []byte
		if err := scan(&body); err != nil {
			return nil, err
		}
		return d.decode(body)
	})
}

func (d *documents[T, P]) decode(body []byte) (*T, error) {
	doc := new(T)
	if err := json.Unmarshal(body, doc); err != nil {
		return nil, fmt.Errorf("stored %s is damaged: %w", d.sort, err)
	}
	return doc, nil
}
