package storage

import (
	"context"

	"example.org/siem/core"
)

// ActionStore implements core.ActionStore.
type ActionStore struct {
	documents[core.Action, *core.Action]
}

// NewActionStore returns the actions in db.
func NewActionStore(db *DB) *ActionStore {
	return &ActionStore{documents[core.Action, *core.Action]{db: db, sort: "action"}}
}

// RecordRun stores how an action went and keeps the last thousand runs of it.
func (s *ActionStore) RecordRun(run *core.ActionRun) error {
	run.ID, run.At = core.NewID("run"), s.db.now().UTC()
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	tx, err := s.db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	_, err = tx.ExecContext(ctx, `INSERT INTO action_runs VALUES (?, ?, ?, ?, ?, ?, ?)`,
		run.ID, run.ActionID, run.AlertID, run.OK, run.Detail, millis(run.At), run.Millis)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM action_runs WHERE action_id = ?1 AND rowid <=
		(SELECT rowid FROM action_runs WHERE action_id = ?1 ORDER BY rowid DESC LIMIT 1 OFFSET 1000)`, run.ActionID)
	if err != nil {
		return err
	}
	return tx.Commit()
}

// RunsOf returns the runs of an action, the latest first.
func (s *ActionStore) RunsOf(actionID string, limit int) ([]*core.ActionRun, error) {
	rows, err := s.db.read.Query(`SELECT id, action_id, alert_id, ok, detail, at, millis FROM action_runs
		WHERE action_id = ? ORDER BY rowid DESC LIMIT ?`, actionID, limitOf(limit, 1000))
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (*core.ActionRun, error) {
		var r core.ActionRun
		var at int64
		err := scan(&r.ID, &r.ActionID, &r.AlertID, &r.OK, &r.Detail, &at, &r.Millis)
		r.At = instant(at)
		return &r, err
	})
}
