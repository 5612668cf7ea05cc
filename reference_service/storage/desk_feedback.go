package storage

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"example.org/siem/core"
)

// FeedbackStore implements core.FeedbackStore.
type FeedbackStore struct{ db *DB }

// NewFeedbackStore returns what people thought of scores.
func NewFeedbackStore(db *DB) *FeedbackStore { return &FeedbackStore{db: db} }

// AddFeedback stores what somebody thought; they may change their mind.
func (s *FeedbackStore) AddFeedback(ctx context.Context, f *core.Feedback) error {
	f.At = instant(millis(s.db.now()))
	addCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	_, err := s.db.write.ExecContext(addCtx, `INSERT OR REPLACE INTO feedback VALUES (?, ?, ?, ?, ?)`, f.AlertID, f.Actor, f.Useful, f.Score, millis(f.At))
	if err != nil {
		return translate(err, "feedback")
	}
	return nil
}

// FeedbackSince returns what a tenant's people thought since a time, in order.
func (s *FeedbackStore) FeedbackSince(tenant string, since time.Time) ([]*core.Feedback, error) {
	ctx, cancel := context.WithTimeout(context.Background(), searchTimeout)
	defer cancel()
	rows, err := s.db.read.QueryContext(ctx, `SELECT f.alert_id, f.actor, f.useful, f.score, f.at FROM feedback f
		JOIN alerts a ON a.id = f.alert_id WHERE a.tenant = ? AND f.at >= ? ORDER BY f.at`, tenant, millis(since))
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (*core.Feedback, error) {
		var f core.Feedback
		var at int64
		err := scan(&f.AlertID, &f.Actor, &f.Useful, &f.Score, &at)
		f.At = instant(at)
		return &f, err
	})
}

// ModelByVersion returns one model with its weights.
func (s *FeedbackStore) ModelByVersion(_ context.Context, version int) (*core.Model, error) {
	m := &core.Model{Version: version}
	var at int64
	var weights []byte
	row := s.db.read.QueryRowContext(context.Background(), `SELECT trained_at, samples, accuracy, log_loss, weights FROM models WHERE version = ?`, version)
	if err := row.Scan(&at, &m.Samples, &m.Accuracy, &m.LogLoss, &weights); err != nil {
		return nil, translate(err, "model")
	}
	m.TrainedAt = instant(at)
	return m, json.Unmarshal(weights, &m.Weights)
}

// SimilarAlerts returns alerts of the same rule, or on the same host, the latest first.
func (s *AlertStore) SimilarAlerts(ctx context.Context, a *core.Alert, limit int) ([]*core.Alert, error) {
	rows, err := s.db.read.QueryContext(ctx, alertColumns+`WHERE tenant = ?1 AND id <> ?2 AND (rule_id = ?3 OR
		(instr(dedup_key, '/') > 0 AND substr(dedup_key, instr(dedup_key, '/')) = ?4)) ORDER BY rule_id = ?3 DESC, last_seen DESC LIMIT ?5`,
		a.Tenant, a.ID, a.RuleID, "/"+hostOf(a), limitOf(limit, 100))
	if err != nil {
		return nil, err
	}
	return collect(rows, scanAlert)
}

func hostOf(a *core.Alert) string {
	for i, c := range a.DedupKey {
		if c == '/' {
			return a.DedupKey[i+1:]
		}
	}
	return ""
}

// AssignMany gives alerts to somebody, and returns how many there were.
func (s *AlertStore) AssignMany(tenant string, ids []string, assignee string) (n int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	err = s.db.inTx(func(tx *sql.Tx) error {
		for _, id := range ids {
			res, err := tx.ExecContext(ctx, `UPDATE alerts SET assignee = ?, updated_at = ? WHERE tenant = ? AND id = ?`, assignee, millis(s.db.now()), tenant, id)
			if err != nil {
				return err
			}
			if changed, err := res.RowsAffected(); err == nil {
				n += int(changed)
			}
		}
		return nil
	})
	return n, err
}

// RunByID returns one run of a playbook.
func (s *PlaybookStore) RunByID(ctx context.Context, id string) (*core.PlaybookRun, error) {
	readCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	r := &core.PlaybookRun{ID: id}
	var steps []byte
	row := s.db.read.QueryRowContext(readCtx, `SELECT playbook_id, alert_id, status, steps FROM playbook_runs WHERE id = ?`, id)
	if err := row.Scan(&r.PlaybookID, &r.AlertID, &r.Status, &steps); err != nil {
		return nil, translate(err, "playbook run")
	}
	return r, json.Unmarshal(steps, &r.Steps)
}

// RunsBetween counts a tenant's runs by how they ended.
func (s *PlaybookStore) RunsBetween(tenant string, from, to time.Time) (map[string]int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), searchTimeout)
	defer cancel()
	rows, err := s.db.read.QueryContext(ctx, `SELECT status, count(*) FROM playbook_runs WHERE started_at BETWEEN ? AND ?
		AND playbook_id IN (SELECT id FROM documents WHERE sort = 'playbook' AND tenant = ?) GROUP BY status`, millis(from), millis(to), tenant)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	out := map[string]int{}
	for rows.Next() {
		var status string
		var n int
		if err := rows.Scan(&status, &n); err != nil {
			return nil, err
		}
		out[status] = n
	}
	return out, rows.Err()
}
