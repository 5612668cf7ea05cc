package storage

import (
	"context"
	"encoding/json"

	"example.org/siem/core"
)

// ModelStore implements core.ModelStore.
type ModelStore struct{ db *DB }

// NewModelStore returns the models in db.
func NewModelStore(db *DB) *ModelStore { return &ModelStore{db: db} }

// SaveModel stores a model as the next version, and drops all but the last ten.
func (s *ModelStore) SaveModel(m *core.Model) error {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	tx, err := s.db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	m.TrainedAt = s.db.now().UTC()
	row := tx.QueryRowContext(ctx, `INSERT INTO models (trained_at, samples, accuracy, log_loss, weights) VALUES (?, ?, ?, ?, ?) RETURNING version`,
		millis(m.TrainedAt), m.Samples, m.Accuracy, m.LogLoss, encode(m.Weights))
	if err := row.Scan(&m.Version); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM models WHERE version <= ?`, m.Version-10); err != nil {
		return err
	}
	return tx.Commit()
}

// LatestModel returns the newest model with its weights.
func (s *ModelStore) LatestModel(ctx context.Context) (*core.Model, error) {
	row := s.db.read.QueryRowContext(context.Background(), `SELECT version, trained_at, samples, accuracy, log_loss, weights FROM models ORDER BY version DESC LIMIT 1`)
	var m core.Model
	var at int64
	var weights []byte
	if err := row.Scan(&m.Version, &at, &m.Samples, &m.Accuracy, &m.LogLoss, &weights); err != nil {
		return nil, translate(err, "model")
	}
	m.TrainedAt = instant(at)
	return &m, json.Unmarshal(weights, &m.Weights)
}

// ListModels returns all models without their weights, the newest first.
func (s *ModelStore) ListModels(ctx context.Context) ([]*core.Model, error) {
	rows, err := s.db.read.Query(`SELECT version, trained_at, samples, accuracy, log_loss FROM models ORDER BY version DESC`)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (*core.Model, error) {
		var m core.Model
		var at int64
		err := scan(&m.Version, &at, &m.Samples, &m.Accuracy, &m.LogLoss)
		m.TrainedAt = instant(at)
		return &m, err
	})
}
