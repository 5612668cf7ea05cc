package storage

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"example.org/siem/core"
)

// CaseStore implements core.CaseStore.
type CaseStore struct{ db *DB }

// NewCaseStore returns the cases in db.
func NewCaseStore(db *DB) *CaseStore { return &CaseStore{db: db} }

const caseColumns = `SELECT id, tenant, title, severity, status, owner, summary, resolution, opened_at, updated_at, closed_at,
	(SELECT coalesce(group_concat(alert_id), '') FROM case_alerts WHERE case_id = cases.id) FROM cases `

// OpenCase stores a case under a new id, with the alerts it names.
func (s *CaseStore) OpenCase(ctx context.Context, c *core.Case) error {
	if c.Status = core.CaseOpen; c.Validate() != nil {
		return c.Validate()
	}
	c.ID, c.OpenedAt = core.NewID("case"), instant(millis(s.db.now()))
	c.UpdatedAt = c.OpenedAt
	txCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	tx, err := s.db.write.BeginTx(txCtx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	_, err = tx.ExecContext(txCtx, `INSERT INTO cases (id, tenant, title, severity, status, owner, summary, opened_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, c.ID, c.Tenant, c.Title, c.Severity, c.Status, c.Owner, c.Summary, millis(c.OpenedAt), millis(c.UpdatedAt))
	if err != nil {
		return translate(err, "case")
	}
	if _, err := linkAlerts(txCtx, tx, c.Tenant, c.ID, c.AlertIDs); err != nil {
		return err
	}
	return tx.Commit()
}

// linkAlerts joins the alerts that the tenant has to a case.
func linkAlerts(ctx context.Context, tx *sql.Tx, tenant, id string, alertIDs []string) (int, error) {
	linked := 0
	for _, alertID := range alertIDs {
		res, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO case_alerts SELECT ?, id FROM alerts WHERE tenant = ? AND id = ?`, id, tenant, alertID)
		if err != nil {
			return linked, translate(err, "alert")
		}
		if n, err := res.RowsAffected(); err == nil {
			linked += int(n)
		}
	}
	return linked, nil
}

// CaseByID returns one case.
func (s *CaseStore) CaseByID(tenant, id string) (*core.Case, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	c, err := scanCase(s.db.read.QueryRowContext(ctx, caseColumns+`WHERE tenant = ? AND id = ?`, tenant, id).Scan)
	if err != nil {
		return nil, translate(err, "case")
	}
	return c, nil
}

// ListCases returns the cases a filter selects, the latest changed first.
func (s *CaseStore) ListCases(ctx context.Context, filter core.CaseFilter) ([]*core.Case, error) {
	queryCtx, cancel := context.WithTimeout(context.Background(), searchTimeout)
	defer cancel()
	rows, err := s.db.read.QueryContext(queryCtx, caseColumns+`WHERE tenant = ?1 AND (?2 = '' OR status = ?2) AND (?3 = '' OR owner = ?3)
		ORDER BY updated_at DESC LIMIT ?4`, filter.Tenant, filter.Status, filter.Owner, limitOf(filter.Limit, 500))
	if err != nil {
		return nil, err
	}
	return collect(rows, scanCase)
}

// UpdateCase stores what people change in a case that is not closed.
func (s *CaseStore) UpdateCase(ctx context.Context, c *core.Case) error {
	if err := c.Validate(); err != nil {
		return err
	}
	c.UpdatedAt = instant(millis(s.db.now()))
	res, err := s.db.write.ExecContext(context.Background(), `UPDATE cases SET title = ?, severity = ?, status = ?, owner = ?, summary = ?, updated_at = ?
		WHERE tenant = ? AND id = ? AND status <> 'closed'`, c.Title, c.Severity, c.Status, c.Owner, c.Summary, millis(c.UpdatedAt), c.Tenant, c.ID)
	return changed(res, err, "open case")
}

// CloseCase ends a case whose tasks are done, and resolves its alerts.
func (s *CaseStore) CloseCase(ctx context.Context, tenant, id, resolution string) error {
	tx, err := s.db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	stepCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	var open int
	if err := tx.QueryRowContext(stepCtx, `SELECT count(*) FROM case_tasks WHERE case_id = ? AND done_at = 0`, id).Scan(&open); err != nil {
		return err
	}
	if open > 0 {
		return core.Errorf(core.CodeConflict, "%d tasks are not done", open)
	}
	now := millis(s.db.now())
	res, err := tx.ExecContext(stepCtx, `UPDATE cases SET status = 'closed', resolution = ?1, closed_at = ?2, updated_at = ?2
		WHERE tenant = ?3 AND id = ?4 AND status <> 'closed'`, resolution, now, tenant, id)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return core.Errorf(core.CodeNotFound, "no such open case")
	}
	_, err = tx.ExecContext(stepCtx, `UPDATE alerts SET status = 'resolved', updated_at = ? WHERE status IN ('open', 'acknowledged')
		AND id IN (SELECT alert_id FROM case_alerts WHERE case_id = ?)`, now, id)
	if err != nil {
		return err
	}
	return tx.Commit()
}

// MergeCases moves everything of one case into another, and removes it.
func (s *CaseStore) MergeCases(tenant, into, from string) error {
	ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	tx, err := s.db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	var both int
	row := tx.QueryRowContext(ctx, `SELECT count(*) FROM cases WHERE tenant = ? AND id IN (?, ?) AND status <> 'closed'`, tenant, into, from)
	if err := row.Scan(&both); err != nil {
		return err
	}
	if both != 2 {
		return core.Errorf(core.CodeNotFound, "no such open cases")
	}
	for _, statement := range []string{
		`UPDATE OR IGNORE case_alerts SET case_id = ? WHERE case_id = ?`,
		`UPDATE case_notes SET case_id = ? WHERE case_id = ?`,
		`UPDATE case_tasks SET case_id = ? WHERE case_id = ?`,
		`UPDATE case_evidence SET case_id = ? WHERE case_id = ?`,
	} {
		if _, err := tx.ExecContext(ctx, statement, into, from); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM cases WHERE id = ?`, from); err != nil {
		return err
	}
	return tx.Commit()
}

// LinkAlerts joins alerts to a case and returns how many were new to it.
func (s *CaseStore) LinkAlerts(tenant, id string, alertIDs []string) (linked int, err error) {
	err = s.db.inTx(func(tx *sql.Tx) error {
		linked, err = linkAlerts(context.Background(), tx, tenant, id, alertIDs)
		return err
	})
	return linked, err
}

// CasesOfAlert returns the cases an alert belongs to.
func (s *CaseStore) CasesOfAlert(ctx context.Context, alertID string) ([]*core.Case, error) {
	rows, err := s.db.read.QueryContext(ctx, caseColumns+`WHERE id IN (SELECT case_id FROM case_alerts WHERE alert_id = ?)`, alertID)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanCase)
}

func scanCase(scan func(...any) error) (*core.Case, error) {
	var c core.Case
	var alerts string
	var opened, updated, closed int64
	err := scan(&c.ID, &c.Tenant, &c.Title, &c.Severity, &c.Status, &c.Owner, &c.Summary, &c.Resolution, &opened, &updated, &closed, &alerts)
	if err != nil {
		return nil, err
	}
	c.OpenedAt, c.UpdatedAt, c.ClosedAt = instant(opened), instant(updated), instant(closed)
	if alerts != "" {
		c.AlertIDs = strings.Split(alerts, ",")
	}
	return &c, nil
}

// OverdueTasks returns the tasks of all tenants that should have been done.
func (s *CaseStore) OverdueTasks(ctx context.Context, now time.Time) ([]*core.Task, error) {
	rows, err := s.db.read.QueryContext(context.Background(), taskColumns+`WHERE done_at = 0 AND due_at > 0 AND due_at < ? ORDER BY due_at`, millis(now))
	if err != nil {
		return nil, err
	}
	return collect(rows, scanTask)
}
