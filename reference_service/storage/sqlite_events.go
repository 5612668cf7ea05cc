package storage

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"example.org/siem/core"
)

// EventStore implements core.EventStore and core.Analyst.
type EventStore struct{ db *DB }

// NewEventStore returns the events in db.
func NewEventStore(db *DB) *EventStore { return &EventStore{db: db} }

const eventColumns = `SELECT id, tenant, at, kind, severity, host, user, source, dest, message, fields FROM events `

// InsertEvents stores a batch, all of it or nothing.
func (s *EventStore) InsertEvents(ctx context.Context, events []*core.Event) error {
	txCtx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	tx, err := s.db.write.BeginTx(txCtx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	insert, err := tx.PrepareContext(txCtx, `INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }()
	for _, e := range events {
		_, err := insert.ExecContext(txCtx, e.ID, e.Tenant, millis(e.At), e.Kind, e.Severity, e.Host, e.User, e.Source, e.Dest, e.Message, encode(e.Fields))
		if err != nil {
			return translate(err, "event")
		}
	}
	return tx.Commit()
}

// Event returns one event.
func (s *EventStore) Event(ctx context.Context, tenant, id string) (*core.Event, error) {
	row := s.db.read.QueryRow(eventColumns+`WHERE tenant = ? AND id = ?`, tenant, id)
	e, err := scanEvent(row.Scan)
	if err != nil {
		return nil, translate(err, "event")
	}
	return e, nil
}

// SearchEvents returns the events a filter selects, the latest first.
func (s *EventStore) SearchEvents(ctx context.Context, filter core.EventFilter) ([]*core.Event, error) {
	searchCtx, cancel := context.WithTimeout(context.Background(), searchTimeout)
	defer cancel()
	condition, args := eventCondition(filter)
	rows, err := s.db.read.QueryContext(searchCtx, eventColumns+condition+` ORDER BY at DESC LIMIT ? OFFSET ?`,
		append(args, limitOf(filter.Limit, 1000), filter.Offset)...)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanEvent)
}

// CountEvents returns how many events a filter selects.
func (s *EventStore) CountEvents(ctx context.Context, filter core.EventFilter) (n int, err error) {
	condition, args := eventCondition(filter)
	err = s.db.read.QueryRowContext(context.Background(), `SELECT count(*) FROM events `+condition, args...).Scan(&n)
	return n, err
}

// Histogram counts the events a filter selects in steps of time.
func (s *EventStore) Histogram(_ context.Context, filter core.EventFilter, step time.Duration) ([]core.Bucket, error) {
	searchCtx, cancel := context.WithTimeout(context.Background(), searchTimeout)
	defer cancel()
	condition, args := eventCondition(filter)
	width := max(step.Milliseconds(), 1)
	rows, err := s.db.read.QueryContext(searchCtx, `SELECT at / ? * ? AS start, count(*) FROM events `+condition+` GROUP BY start ORDER BY start LIMIT 10000`,
		append([]any{width, width}, args...)...)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (b core.Bucket, err error) {
		var start int64
		err = scan(&start, &b.Count)
		b.Start = instant(start)
		return b, err
	})
}

// TopValues ranks the values of a column among the events a filter selects.
func (s *EventStore) TopValues(ctx context.Context, filter core.EventFilter, field string, n int) ([]core.TopValue, error) {
	switch field {
	case "kind", "host", "user", "source", "dest":
	default:
		return nil, core.Errorf(core.CodeInvalid, "can't rank by %q", field)
	}
	condition, args := eventCondition(filter)
	rows, err := s.db.read.Query(`SELECT `+field+`, count(*) AS n FROM events `+condition+` GROUP BY 1 ORDER BY n DESC, 1 LIMIT ?`,
		append(args, limitOf(n, 100))...)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (v core.TopValue, err error) {
		err = scan(&v.Value, &v.Count)
		return v, err
	})
}

// EachEvent visits the events a filter selects, the oldest first, without
// holding them in memory. It stops at the first error.
func (s *EventStore) EachEvent(ctx context.Context, filter core.EventFilter, visit func(*core.Event) error) error {
	condition, args := eventCondition(filter)
	rows, err := s.db.read.QueryContext(context.Background(), eventColumns+condition+` ORDER BY at`, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		e, err := scanEvent(rows.Scan)
		if err != nil {
			return err
		}
		if err := visit(e); err != nil {
			return err
		}
	}
	return rows.Err()
}

// DeleteEventsBefore removes old events.
func (s *EventStore) DeleteEventsBefore(ctx context.Context, t time.Time) (int, error) {
	return purge(ctx, s.db, `DELETE FROM events WHERE rowid IN (SELECT rowid FROM events WHERE at < ?1 LIMIT ?2)`, t)
}

// purge deletes in chunks, so that writers get their turn in between.
func purge(ctx context.Context, db *DB, statement string, before time.Time) (int, error) {
	const chunk = 5000
	total := 0
	for {
		n, err := purgeChunk(ctx, db, statement, before, chunk)
		total += n
		if err != nil || n < chunk {
			return total, err
		}
	}
}

func purgeChunk(ctx context.Context, db *DB, statement string, before time.Time, chunk int) (int, error) {
	chunkCtx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	res, err := db.write.ExecContext(chunkCtx, statement, millis(before), chunk)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

func eventCondition(f core.EventFilter) (string, []any) {
	where, args := []string{`tenant = ?`}, []any{f.Tenant}
	add := func(use bool, condition string, arg any) {
		if use {
			where, args = append(where, condition), append(args, arg)
		}
	}
	add(!f.From.IsZero(), `at >= ?`, millis(f.From))
	add(!f.To.IsZero(), `at < ?`, millis(f.To))
	add(f.Kind != "", `kind = ?`, f.Kind)
	add(f.Host != "", `host = ?`, f.Host)
	add(f.User != "", `user = ?`, f.User)
	add(f.Source != "", `source = ?`, f.Source)
	add(f.Min > 0, `severity >= ?`, f.Min)
	add(f.Text != "", `instr(message, ?) > 0`, f.Text)
	return `WHERE ` + strings.Join(where, ` AND `), args
}

func scanEvent(scan func(...any) error) (*core.Event, error) {
	var e core.Event
	var at int64
	var raw []byte
	if err := scan(&e.ID, &e.Tenant, &at, &e.Kind, &e.Severity, &e.Host, &e.User, &e.Source, &e.Dest, &e.Message, &raw); err != nil {
		return nil, err
	}
	e.At = instant(at)
	return &e, json.Unmarshal(raw, &e.Fields)
}
