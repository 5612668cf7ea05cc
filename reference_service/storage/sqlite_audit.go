package storage

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"example.org/siem/core"
)

// AuditLog implements core.AuditLog. Every entry's hash covers the one before it,
// so that an entry that is changed or taken out shows.
type AuditLog struct{ db *DB }

// NewAuditLog returns the audit log in db.
func NewAuditLog(db *DB) *AuditLog { return &AuditLog{db: db} }

// Record appends an entry for whoever ctx acts for.
func (l *AuditLog) Record(ctx context.Context, entry *core.AuditEntry) error {
	tx, err := l.db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := appendAudit(ctx, tx, l.db, entry); err != nil {
		return err
	}
	return tx.Commit()
}

// appendAudit writes an entry inside the transaction it reports on.
func appendAudit(ctx context.Context, tx *sql.Tx, db *DB, entry *core.AuditEntry) error {
	entry.At = instant(millis(db.now()))
	entry.Tenant, entry.Actor, entry.RequestID = core.TenantFrom(ctx), core.ActorFrom(ctx), core.RequestIDFrom(ctx)
	var last string
	err := tx.QueryRowContext(ctx, `SELECT hash FROM audit_log ORDER BY seq DESC LIMIT 1`).Scan(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	entry.Hash = chain(last, entry)
	_, err = tx.ExecContext(ctx, `INSERT INTO audit_log (at, tenant, actor, request_id, action, target, detail, hash)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, millis(entry.At), entry.Tenant, entry.Actor, entry.RequestID, entry.Action, entry.Target, entry.Detail, entry.Hash)
	return err
}

func chain(last string, e *core.AuditEntry) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%d|%q|%q|%q|%q|%q|%q", last, millis(e.At), e.Tenant, e.Actor, e.RequestID, e.Action, e.Target, e.Detail))
	return hex.EncodeToString(sum[:])
}

const auditColumns = `SELECT seq, at, tenant, actor, request_id, action, target, detail, hash FROM audit_log `

// AuditEntries returns a tenant's entries, the latest first.
func (l *AuditLog) AuditEntries(tenant string, limit int) ([]*core.AuditEntry, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	rows, err := l.db.read.QueryContext(ctx, auditColumns+`WHERE tenant IN (?, '') ORDER BY seq DESC LIMIT ?`, tenant, limitOf(limit, 1000))
	if err != nil {
		return nil, err
	}
	return collect(rows, scanAudit)
}

// VerifyAudit returns the first entry whose hash does not fit, or 0.
func (l *AuditLog) VerifyAudit(ctx context.Context) (int64, error) {
	rows, err := l.db.read.QueryContext(context.Background(), auditColumns+`ORDER BY seq`)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	last := ""
	for rows.Next() {
		e, err := scanAudit(rows.Scan)
		if err != nil {
			return 0, err
		}
		if chain(last, e) != e.Hash {
			return e.Seq, nil
		}
		last = e.Hash
	}
	return 0, rows.Err()
}

func scanAudit(scan func(...any) error) (*core.AuditEntry, error) {
	var e core.AuditEntry
	var at int64
	err := scan(&e.Seq, &at, &e.Tenant, &e.Actor, &e.RequestID, &e.Action, &e.Target, &e.Detail, &e.Hash)
	e.At = instant(at)
	return &e, err
}
