package storage

import (
	"context"
	"encoding/json"

	"example.org/siem/core"
)

// ExportStore implements core.ExportStore.
type ExportStore struct{ db *DB }

// NewExportStore returns the export jobs in db.
func NewExportStore(db *DB) *ExportStore { return &ExportStore{db: db} }

const jobColumns = `SELECT id, tenant, owner, filter, format, status, written, error, created_at FROM export_jobs `

// CreateJob stores a job under a new id.
func (s *ExportStore) CreateJob(ctx context.Context, j *core.ExportJob) error {
	j.ID, j.Status, j.CreatedAt = core.NewID("export"), "queued", instant(millis(s.db.now()))
	_, err := s.db.write.ExecContext(context.Background(), `INSERT INTO export_jobs (id, tenant, owner, filter, format, status, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		j.ID, j.Tenant, j.Owner, encode(j.Filter), j.Format, j.Status, millis(j.CreatedAt))
	return err
}

// JobByID returns one job.
func (s *ExportStore) JobByID(tenant, id string) (*core.ExportJob, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	j, err := scanJob(s.db.read.QueryRowContext(ctx, jobColumns+`WHERE tenant = ? AND id = ?`, tenant, id).Scan)
	if err != nil {
		return nil, translate(err, "export")
	}
	return j, nil
}

// JobsOf returns a tenant's jobs, the latest first.
func (s *ExportStore) JobsOf(ctx context.Context, tenant string) ([]*core.ExportJob, error) {
	rows, err := s.db.read.QueryContext(context.Background(), jobColumns+`WHERE tenant = ? ORDER BY created_at DESC, rowid DESC LIMIT 200`, tenant)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanJob)
}

// Progress notes how much a job has written.
func (s *ExportStore) Progress(ctx context.Context, id string, written int) error {
	noteCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	_, err := s.db.write.ExecContext(noteCtx, `UPDATE export_jobs SET status = 'running', written = ? WHERE id = ? AND status IN ('queued', 'running')`, written, id)
	return err
}

// EndJob notes how a job ended.
func (s *ExportStore) EndJob(id, status, reason string) error {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	_, err := s.db.write.ExecContext(ctx, `UPDATE export_jobs SET status = ?, error = ? WHERE id = ? AND status IN ('queued', 'running')`, status, reason, id)
	return err
}

// CancelJob gives up on a job that has not ended.
func (s *ExportStore) CancelJob(ctx context.Context, tenant, id string) error {
	res, err := s.db.write.ExecContext(ctx, `UPDATE export_jobs SET status = 'cancelled' WHERE tenant = ? AND id = ? AND status IN ('queued', 'running')`, tenant, id)
	return changed(res, err, "running export")
}

// UnfinishedJobs returns what a previous process left.
func (s *ExportStore) UnfinishedJobs(ctx context.Context) ([]*core.ExportJob, error) {
	rows, err := s.db.read.QueryContext(ctx, jobColumns+`WHERE status IN ('queued', 'running') ORDER BY created_at`)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanJob)
}

func scanJob(scan func(...any) error) (*core.ExportJob, error) {
	var j core.ExportJob
	var filter []byte
	var created int64
	if err := scan(&j.ID, &j.Tenant, &j.Owner, &filter, &j.Format, &j.Status, &j.Written, &j.Error, &created); err != nil {
		return nil, err
	}
	j.CreatedAt = instant(created)
	err := json.Unmarshal(filter, &j.Filter)
	j.Filter.Tenant = j.Tenant
	return &j, err
}
