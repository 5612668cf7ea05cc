package storage

import (
	"context"
	"time"

	"example.org/siem/core"
)

// ApprovalStore implements core.ApprovalStore.
type ApprovalStore struct{ db *DB }

// NewApprovalStore returns the approvals in db.
func NewApprovalStore(db *DB) *ApprovalStore { return &ApprovalStore{db: db} }

const approvalColumns = `SELECT id, tenant, playbook_id, alert_id, step, status, decided_by, requested_at, expires_at FROM approvals `

// RequestApproval stores a question under a new id.
func (s *ApprovalStore) RequestApproval(ctx context.Context, a *core.Approval) error {
	a.ID, a.Status, a.RequestedAt = core.NewID("approval"), core.ApprovalPending, instant(millis(s.db.now()))
	askCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	_, err := s.db.write.ExecContext(askCtx, `INSERT INTO approvals (id, tenant, playbook_id, alert_id, step, status, requested_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		a.ID, a.Tenant, a.PlaybookID, a.AlertID, a.Step, a.Status, millis(a.RequestedAt), millis(a.ExpiresAt))
	return err
}

// ApprovalByID returns one approval.
func (s *ApprovalStore) ApprovalByID(id string) (*core.Approval, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	a, err := scanApproval(s.db.read.QueryRowContext(ctx, approvalColumns+`WHERE id = ?`, id).Scan)
	if err != nil {
		return nil, translate(err, "approval")
	}
	return a, nil
}

// PendingApprovals returns what a tenant's people have not decided.
func (s *ApprovalStore) PendingApprovals(ctx context.Context, tenant string) ([]*core.Approval, error) {
	rows, err := s.db.read.Query(approvalColumns+`WHERE tenant = ? AND status = 'pending' ORDER BY requested_at`, tenant)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanApproval)
}

// Decide stores somebody's word; only the first one counts.
func (s *ApprovalStore) Decide(tenant, id, actor, status string) error {
	res, err := s.db.write.ExecContext(context.Background(), `UPDATE approvals SET status = ?, decided_by = ?
		WHERE tenant = ? AND id = ? AND status = 'pending' AND expires_at > ?`, status, actor, tenant, id, millis(s.db.now()))
	return changed(res, err, "pending approval")
}

// ExpireApprovals gives up on what nobody decided in time.
func (s *ApprovalStore) ExpireApprovals(ctx context.Context, now time.Time) (int, error) {
	res, err := s.db.write.ExecContext(ctx, `UPDATE approvals SET status = 'expired' WHERE status = 'pending' AND expires_at <= ?`, millis(now))
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

func scanApproval(scan func(...any) error) (*core.Approval, error) {
	var a core.Approval
	var requested, expires int64
	err := scan(&a.ID, &a.Tenant, &a.PlaybookID, &a.AlertID, &a.Step, &a.Status, &a.DecidedBy, &requested, &expires)
	a.RequestedAt, a.ExpiresAt = instant(requested), instant(expires)
	return &a, err
}
