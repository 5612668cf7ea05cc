package storage

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"example.org/siem/core"
)

// AlertStore implements core.AlertStore.
type AlertStore struct{ db *DB }

// NewAlertStore returns the alerts in db.
func NewAlertStore(db *DB) *AlertStore { return &AlertStore{db: db} }

const alertColumns = `SELECT id, tenant, rule_id, dedup_key, title, severity, status, assignee, count, event_ids, first_seen, last_seen, updated_at, score FROM alerts `

// RaiseAlert stores an alert, or counts it with the one that is open for the
// same cause, whose id it then takes.
func (s *AlertStore) RaiseAlert(ctx context.Context, a *core.Alert) (created bool, err error) {
	txCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	tx, err := s.db.write.BeginTx(txCtx, nil)
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback() }()
	now := millis(s.db.now())
	row := tx.QueryRowContext(txCtx, `UPDATE alerts SET count = count + 1, last_seen = max(last_seen, ?), updated_at = ?,
		severity = max(severity, ?) WHERE tenant = ? AND dedup_key = ? AND status IN ('open', 'acknowledged') RETURNING id`,
		millis(a.LastSeen), now, a.Severity, a.Tenant, a.DedupKey)
	switch err := row.Scan(&a.ID); err {
	case nil:
		return false, tx.Commit()
	case sql.ErrNoRows:
	default:
		return false, err
	}
	a.ID, a.Status, a.Count, a.UpdatedAt = core.NewID("alert"), core.AlertOpen, 1, instant(now)
	_, err = tx.ExecContext(txCtx, `INSERT INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, a.ID, a.Tenant, a.RuleID, a.DedupKey,
		a.Title, a.Severity, a.Status, a.Assignee, a.Count, encode(a.EventIDs), millis(a.FirstSeen), millis(a.LastSeen), now, a.Score)
	if err != nil {
		return false, translate(err, "alert")
	}
	return true, tx.Commit()
}

// AlertByID returns one alert.
func (s *AlertStore) AlertByID(tenant, id string) (*core.Alert, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	a, err := scanAlert(s.db.read.QueryRowContext(ctx, alertColumns+`WHERE tenant = ? AND id = ?`, tenant, id).Scan)
	if err != nil {
		return nil, translate(err, "alert")
	}
	return a, nil
}

// ListAlerts returns the alerts a filter selects, the latest first.
func (s *AlertStore) ListAlerts(filter core.AlertFilter) ([]*core.Alert, error) {
	ctx, cancel := context.WithTimeout(context.Background(), searchTimeout)
	defer cancel()
	rows, err := s.db.read.QueryContext(ctx, alertColumns+`WHERE tenant = ?1 AND (?2 = '' OR status = ?2) AND (?3 = '' OR rule_id = ?3)
		AND (?4 = '' OR assignee = ?4) AND severity >= ?5 ORDER BY last_seen DESC LIMIT ?6 OFFSET ?7`,
		filter.Tenant, filter.Status, filter.RuleID, filter.Assignee, filter.Min, limitOf(filter.Limit, 500), filter.Offset)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanAlert)
}

// MoveAlert changes the status of an alert and returns it.
func (s *AlertStore) MoveAlert(ctx context.Context, tenant, id, status string) (*core.Alert, error) {
	tx, err := s.db.write.BeginTx(context.Background(), nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	alert, err := s.move(context.Background(), tx, tenant, id, status)
	if err != nil {
		return nil, err
	}
	entry := &core.AuditEntry{Action: "alert." + status, Target: id}
	if err := appendAudit(context.Background(), tx, s.db, entry); err != nil {
		return nil, err
	}
	return alert, tx.Commit()
}

// MoveAlerts changes the status of many and returns how many it changed. What
// can't go to the status is passed over.
func (s *AlertStore) MoveAlerts(ctx context.Context, tenant string, ids []string, status string) (int, error) {
	moved := 0
	err := s.db.inTx(func(tx *sql.Tx) error {
		for _, id := range ids {
			_, err := s.move(context.Background(), tx, tenant, id, status)
			switch core.ErrorCode(err) {
			case "":
				moved++
			case core.CodeNotFound, core.CodeConflict:
			default:
				return err
			}
		}
		return nil
	})
	return moved, err
}

func (s *AlertStore) move(ctx context.Context, tx *sql.Tx, tenant, id, status string) (*core.Alert, error) {
	a, err := scanAlert(tx.QueryRowContext(ctx, alertColumns+`WHERE tenant = ? AND id = ?`, tenant, id).Scan)
	if err != nil {
		return nil, translate(err, "alert")
	}
	if err := core.MoveTo(a.Status, status); err != nil {
		return nil, err
	}
	now := millis(s.db.now())
	if _, err := tx.ExecContext(ctx, `UPDATE alerts SET status = ?, updated_at = ? WHERE id = ?`, status, now, id); err != nil {
		return nil, translate(err, "open alert for this cause")
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO alert_history VALUES (?, ?, ?, ?, ?)`, id, a.Status, status, core.ActorFrom(ctx), now)
	a.Status, a.UpdatedAt = status, instant(now)
	return a, err
}

// ScoreAlert stores how likely it is that an alert matters.
func (s *AlertStore) ScoreAlert(tenant, id string, score float64) error {
	ctx, cancel := lookup()
	defer cancel()
	res, err := s.db.write.ExecContext(ctx, `UPDATE alerts SET score = ? WHERE tenant = ? AND id = ?`, score, tenant, id)
	return changed(res, err, "alert")
}

// AssignAlert gives an alert to somebody, or to nobody.
func (s *AlertStore) AssignAlert(tenant, id, assignee string) error {
	res, err := s.db.write.Exec(`UPDATE alerts SET assignee = ?, updated_at = ? WHERE tenant = ? AND id = ?`, assignee, millis(s.db.now()), tenant, id)
	return changed(res, err, "alert")
}

// AddComment stores a comment under a new id.
func (s *AlertStore) AddComment(c *core.Comment) error {
	c.ID, c.At = core.NewID("comment"), instant(millis(s.db.now()))
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	_, err := s.db.write.ExecContext(ctx, `INSERT INTO alert_comments VALUES (?, ?, ?, ?, ?)`, c.ID, c.AlertID, c.Author, c.Text, millis(c.At))
	if err != nil {
		return translate(err, "comment")
	}
	return nil
}

// Comments returns an alert's comments in order.
func (s *AlertStore) Comments(alertID string) ([]*core.Comment, error) {
	rows, err := s.db.read.Query(`SELECT id, alert_id, author, text, at FROM alert_comments WHERE alert_id = ? ORDER BY at, rowid`, alertID)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (*core.Comment, error) {
		var c core.Comment
		var at int64
		err := scan(&c.ID, &c.AlertID, &c.Author, &c.Text, &at)
		c.At = instant(at)
		return &c, err
	})
}

// AlertHistory returns the steps an alert went through.
func (s *AlertStore) AlertHistory(alertID string) ([]core.AlertChange, error) {
	ctx, cancel := lookup()
	defer cancel()
	rows, err := s.db.read.QueryContext(ctx, `SELECT "from", "to", actor, at FROM alert_history WHERE alert_id = ? ORDER BY rowid`, alertID)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (c core.AlertChange, err error) {
		var at int64
		err = scan(&c.From, &c.To, &c.Actor, &at)
		c.At = instant(at)
		return c, err
	})
}

// SummarizeAlerts counts a tenant's alerts since a time.
func (s *AlertStore) SummarizeAlerts(tenant string, since time.Time) (*core.AlertSummary, error) {
	ctx, cancel := context.WithTimeout(context.Background(), searchTimeout)
	defer cancel()
	rows, err := s.db.read.QueryContext(ctx, `SELECT status, severity, count(*),
		coalesce(sum(CASE WHEN status = 'resolved' THEN updated_at - first_seen END), 0)
		FROM alerts WHERE tenant = ? AND last_seen >= ? GROUP BY status, severity`, tenant, millis(since))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	sum := &core.AlertSummary{ByStatus: map[string]int{}, BySeverity: map[int]int{}}
	var total int64
	for rows.Next() {
		var status string
		var severity, n int
		var took int64
		if err := rows.Scan(&status, &severity, &n, &took); err != nil {
			return nil, err
		}
		sum.ByStatus[status] += n
		sum.BySeverity[severity] += n
		total += took
	}
	if n := sum.ByStatus[core.AlertResolved]; n > 0 {
		sum.MeanTimeSecs = float64(total) / 1000 / float64(n)
	}
	return sum, rows.Err()
}

// PurgeAlerts removes alerts that were closed before a time.
func (s *AlertStore) PurgeAlerts(ctx context.Context, before time.Time) (int, error) {
	return purge(ctx, s.db, `DELETE FROM alerts WHERE rowid IN (SELECT rowid FROM alerts
		WHERE updated_at < ?1 AND status IN ('resolved', 'dismissed') LIMIT ?2)`, before)
}

func scanAlert(scan func(...any) error) (*core.Alert, error) {
	var a core.Alert
	var ids []byte
	var first, last, updated int64
	err := scan(&a.ID, &a.Tenant, &a.RuleID, &a.DedupKey, &a.Title, &a.Severity, &a.Status, &a.Assignee, &a.Count, &ids, &first, &last, &updated, &a.Score)
	if err != nil {
		return nil, err
	}
	a.FirstSeen, a.LastSeen, a.UpdatedAt = instant(first), instant(last), instant(updated)
	return &a, json.Unmarshal(ids, &a.EventIDs)
}
