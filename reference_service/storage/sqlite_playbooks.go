package storage

import (
	"context"
	"encoding/json"

	"example.org/siem/core"
)

// PlaybookStore implements core.PlaybookStore.
type PlaybookStore struct {
	documents[core.Playbook, *core.Playbook]
}

// NewPlaybookStore returns the playbooks in db.
func NewPlaybookStore(db *DB) *PlaybookStore {
	return &PlaybookStore{documents[core.Playbook, *core.Playbook]{db: db, sort: "playbook"}}
}

// StartRun stores a run under a new id.
func (s *PlaybookStore) StartRun(ctx context.Context, run *core.PlaybookRun) error {
	run.ID, run.Status, run.StartedAt = core.NewID("pbrun"), "running", s.db.now().UTC()
	execCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	_, err := s.db.write.ExecContext(execCtx, `INSERT INTO playbook_runs (id, playbook_id, alert_id, status, steps, started_at) VALUES (?, ?, ?, ?, '[]', ?)`,
		run.ID, run.PlaybookID, run.AlertID, run.Status, millis(run.StartedAt))
	return err
}

// SaveStep appends the result of a step to a run.
func (s *PlaybookStore) SaveStep(ctx context.Context, runID string, result core.StepResult) error {
	res, err := s.db.write.ExecContext(context.Background(), `UPDATE playbook_runs SET steps = json_insert(steps, '$[#]', json(?)) WHERE id = ?`,
		encode(result), runID)
	return changed(res, err, "playbook run")
}

// FinishRun stores how a run ended.
func (s *PlaybookStore) FinishRun(ctx context.Context, runID, status string) error {
	res, err := s.db.write.ExecContext(ctx, `UPDATE playbook_runs SET status = ?, finished_at = ? WHERE id = ?`, status, millis(s.db.now()), runID)
	return changed(res, err, "playbook run")
}

// PlaybookRuns returns the runs of a playbook, the latest first.
func (s *PlaybookStore) PlaybookRuns(playbookID string) ([]*core.PlaybookRun, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	rows, err := s.db.read.QueryContext(ctx, `SELECT id, playbook_id, alert_id, status, steps, started_at, finished_at FROM playbook_runs
		WHERE playbook_id = ? ORDER BY started_at DESC, rowid DESC LIMIT 100`, playbookID)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (*core.PlaybookRun, error) {
		var r core.PlaybookRun
		var steps []byte
		var started, finished int64
		if err := scan(&r.ID, &r.PlaybookID, &r.AlertID, &r.Status, &steps, &started, &finished); err != nil {
			return nil, err
		}
		r.StartedAt, r.FinishedAt = instant(started), instant(finished)
		return &r, json.Unmarshal(steps, &r.Steps)
	})
}

// AbortRuns marks runs that a previous process left unfinished.
func (s *PlaybookStore) AbortRuns(ctx context.Context) (int, error) {
	res, err := s.db.write.ExecContext(ctx, `UPDATE playbook_runs SET status = 'aborted', finished_at = ? WHERE status = 'running'`, millis(s.db.now()))
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}
