package storage

import (
	"context"
	"io"
	"time"

	"example.org/siem/core"
)

// ReportStore implements core.ReportStore.
type ReportStore struct {
	documents[core.ReportPlan, *core.ReportPlan]
}

// NewReportStore returns the report plans and the reports in db.
func NewReportStore(db *DB) *ReportStore {
	return &ReportStore{documents[core.ReportPlan, *core.ReportPlan]{db: db, sort: "plan"}}
}

const reportColumns = `SELECT id, plan_id, status, format, length(content), at FROM reports `

// BeginReport stores a report that is being made, under a new id.
func (s *ReportStore) BeginReport(ctx context.Context, r *core.Report) error {
	r.ID, r.Status, r.At = core.NewID("report"), "running", instant(millis(s.db.now()))
	beginCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	_, err := s.db.write.ExecContext(beginCtx, `INSERT INTO reports (id, plan_id, status, format, at) VALUES (?, ?, ?, ?, ?)`, r.ID, r.PlanID, r.Status, r.Format, millis(r.At))
	return err
}

// FinishReport stores how the making of a report ended, and what came of it.
func (s *ReportStore) FinishReport(r *core.Report, content []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	r.Size = len(content)
	res, err := s.db.write.ExecContext(ctx, `UPDATE reports SET status = ?, content = ? WHERE id = ?`, r.Status, content, r.ID)
	return changed(res, err, "report")
}

// ReportsOf returns the reports of a plan, the latest first.
func (s *ReportStore) ReportsOf(ctx context.Context, planID string) ([]*core.Report, error) {
	rows, err := s.db.read.QueryContext(context.Background(), reportColumns+`WHERE plan_id = ? ORDER BY at DESC, rowid DESC LIMIT 100`, planID)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanReport)
}

// LastReport returns the latest report of a plan.
func (s *ReportStore) LastReport(planID string) (*core.Report, error) {
	ctx, cancel := lookup()
	defer cancel()
	r, err := scanReport(s.db.read.QueryRowContext(ctx, reportColumns+`WHERE plan_id = ? ORDER BY at DESC, rowid DESC LIMIT 1`, planID).Scan)
	if err != nil {
		return nil, translate(err, "report")
	}
	return r, nil
}

// WriteReport copies a report.
func (s *ReportStore) WriteReport(ctx context.Context, planID, id string, to io.Writer) error {
	readCtx, cancel := context.WithTimeout(context.Background(), searchTimeout)
	defer cancel()
	var content []byte
	row := s.db.read.QueryRowContext(readCtx, `SELECT content FROM reports WHERE plan_id = ? AND id = ? AND status = 'done'`, planID, id)
	if err := row.Scan(&content); err != nil {
		return translate(err, "report")
	}
	_, err := to.Write(content)
	return err
}

// PurgeReports removes old reports.
func (s *ReportStore) PurgeReports(ctx context.Context, before time.Time) (int, error) {
	return purge(ctx, s.db, `DELETE FROM reports WHERE rowid IN (SELECT rowid FROM reports WHERE at < ?1 LIMIT ?2)`, before)
}

func scanReport(scan func(...any) error) (*core.Report, error) {
	var r core.Report
	var at int64
	err := scan(&r.ID, &r.PlanID, &r.Status, &r.Format, &r.Size, &at)
	r.At = instant(at)
	return &r, err
}
