package storage

import (
	"context"
	"fmt"
	"sync"
	"time"

	"example.org/siem/core"
)

// ClickHouseAudit is a core.AuditLog that writes to SQLite, ships its entries to
// a server, and reads from there.
type ClickHouseAudit struct {
	*AuditLog
	server *ClickHouse
	ticks  ticking
	mu     sync.Mutex // one shipment at a time
}

// NewClickHouseAudit returns the audit log in db with a copy on a server.
func NewClickHouseAudit(db *DB, server *ClickHouse) *ClickHouseAudit {
	return &ClickHouseAudit{AuditLog: NewAuditLog(db), server: server}
}

// Start ships now and then until Stop.
func (l *ClickHouseAudit) Start(every time.Duration) {
	l.ticks.start(every, func() {
		ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
		defer cancel()
		if err := l.ship(ctx); err != nil {
			l.server.log.Warn("audit entries wait", "error", err)
		}
	})
}

// Stop ships the rest, for at most five seconds.
func (l *ClickHouseAudit) Stop() error {
	l.ticks.end()
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	return l.ship(ctx)
}

// ship copies the entries that the server does not have.
func (l *ClickHouseAudit) ship(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	last, err := l.shipped()
	if err != nil {
		return err
	}
	for {
		entries, err := l.after(ctx, last, 5000)
		if err != nil || len(entries) == 0 {
			return err
		}
		sendCtx, cancel := context.WithTimeout(context.Background(), searchTimeout)
		err = l.send(sendCtx, entries)
		cancel()
		if err != nil {
			return fmt.Errorf("audit entries from %d: %w", last+1, err)
		}
		last = entries[len(entries)-1].Seq
	}
}

// shipped returns the number of the last entry that the server has.
func (l *ClickHouseAudit) shipped() (last int64, err error) {
	err = l.server.conn.QueryRow(context.Background(), `SELECT max(seq) FROM audit_log`).Scan(&last)
	return last, err
}

func (l *ClickHouseAudit) after(ctx context.Context, seq int64, limit int) ([]*core.AuditEntry, error) {
	rows, err := l.db.read.QueryContext(ctx, auditColumns+`WHERE seq > ? ORDER BY seq LIMIT ?`, seq, limit)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanAudit)
}

func (l *ClickHouseAudit) send(ctx context.Context, entries []*core.AuditEntry) error {
	batch, err := l.server.conn.PrepareBatch(ctx, `INSERT INTO audit_log (seq, at, tenant, actor, request_id, action, target, detail, hash)`)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := batch.Append(e.Seq, millis(e.At), e.Tenant, e.Actor, e.RequestID, e.Action, e.Target, e.Detail, e.Hash); err != nil {
			_ = batch.Abort()
			return err
		}
	}
	return batch.Send()
}

// AuditEntries returns a tenant's entries, the latest first.
func (l *ClickHouseAudit) AuditEntries(tenant string, limit int) ([]*core.AuditEntry, error) {
	ctx, cancel := context.WithTimeout(context.Background(), searchTimeout)
	defer cancel()
	if err := l.ship(ctx); err != nil {
		return nil, err
	}
	rows, err := l.server.conn.Query(ctx, auditColumns+fmt.Sprintf(`WHERE tenant IN (?, '') ORDER BY seq DESC LIMIT %d`, limitOf(limit, 1000)), tenant)
	if err != nil {
		return nil, err
	}
	return gather(rows, scanAudit)
}

// VerifyAudit returns the first entry whose hash does not fit, here or on the
// server, or 0.
func (l *ClickHouseAudit) VerifyAudit(ctx context.Context) (int64, error) {
	broken, err := l.AuditLog.VerifyAudit(ctx)
	if err != nil || broken > 0 {
		return broken, err
	}
	if err := l.ship(context.Background()); err != nil {
		return 0, err
	}
	rows, err := l.server.conn.Query(ctx, auditColumns+`ORDER BY seq`)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	previous := ""
	for rows.Next() {
		e, err := scanAudit(rows.Scan)
		if err != nil {
			return 0, err
		}
		if chain(previous, e) != e.Hash {
			return e.Seq, nil
		}
		previous = e.Hash
	}
	return 0, rows.Err()
}
