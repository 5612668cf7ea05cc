package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"example.org/siem/core"
)

// ClickHouseEvents implements core.EventStore and core.Analyst.
type ClickHouseEvents struct{ *ClickHouse }

// NewClickHouseEvents returns the events on a server.
func NewClickHouseEvents(c *ClickHouse) *ClickHouseEvents { return &ClickHouseEvents{c} }

const (
	clickhouseEvent = `SELECT id, tenant, at, kind, severity, host, user, source, dest, message, fields FROM events `
	eventsInsert    = `INSERT INTO events (id, tenant, at, kind, severity, host, user, source, dest, message, fields)`
	eventsABlock    = 50_000
)

// limits gives a query the server's own time limit besides the caller's.
func limits(d time.Duration) (context.Context, context.CancelFunc) {
	ctx := clickhouse.Context(context.Background(), clickhouse.WithSettings(clickhouse.Settings{"max_execution_time": int(d.Seconds())}))
	return context.WithTimeout(ctx, d)
}

// InsertEvents stores events in blocks; the server takes a block whole or not at all.
func (s *ClickHouseEvents) InsertEvents(ctx context.Context, events []*core.Event) error {
	for block := range slices.Chunk(events, eventsABlock) {
		blockCtx, cancel := context.WithTimeout(context.Background(), batchTimeout)
		err := s.insertBlock(blockCtx, block)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *ClickHouseEvents) insertBlock(ctx context.Context, events []*core.Event) error {
	batch, err := s.conn.PrepareBatch(ctx, eventsInsert)
	if err != nil {
		return err
	}
	for _, e := range events {
		err := batch.Append(e.ID, e.Tenant, millis(e.At), e.Kind, int8(e.Severity), e.Host, e.User, e.Source, e.Dest, e.Message, encode(e.Fields))
		if err != nil {
			_ = batch.Abort()
			return err
		}
	}
	return batch.Send()
}

// Event returns one event.
func (s *ClickHouseEvents) Event(ctx context.Context, tenant, id string) (*core.Event, error) {
	lookupCtx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	e, err := scanClickHouseEvent(s.conn.QueryRow(lookupCtx, clickhouseEvent+`WHERE tenant = ? AND id = ? LIMIT 1`, tenant, id).Scan)
	if err != nil {
		return nil, absent(err, "event")
	}
	return e, nil
}

// SearchEvents returns the events a filter selects, the latest first.
func (s *ClickHouseEvents) SearchEvents(ctx context.Context, filter core.EventFilter) ([]*core.Event, error) {
	queryCtx, cancel := limits(searchTimeout)
	defer cancel()
	condition, args := clickhouseCondition(filter)
	rows, err := s.conn.Query(queryCtx, clickhouseEvent+condition+fmt.Sprintf(` ORDER BY at DESC LIMIT %d, %d`, filter.Offset, limitOf(filter.Limit, 1000)), args...)
	if err != nil {
		return nil, err
	}
	return gather(rows, scanClickHouseEvent)
}

// CountEvents returns how many events a filter selects.
func (s *ClickHouseEvents) CountEvents(ctx context.Context, filter core.EventFilter) (int, error) {
	queryCtx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	condition, args := clickhouseCondition(filter)
	var n uint64
	err := s.conn.QueryRow(queryCtx, `SELECT count() FROM events `+condition, args...).Scan(&n)
	return int(n), err
}

// Histogram counts the events a filter selects in steps of time.
func (s *ClickHouseEvents) Histogram(ctx context.Context, filter core.EventFilter, step time.Duration) ([]core.Bucket, error) {
	queryCtx, cancel := limits(searchTimeout)
	defer cancel()
	condition, args := clickhouseCondition(filter)
	width := max(step.Milliseconds(), 1)
	rows, err := s.conn.Query(queryCtx, fmt.Sprintf(`SELECT intDiv(at, %d) * %d AS start, count() FROM events %s GROUP BY start ORDER BY start LIMIT 10000`,
		width, width, condition), args...)
	if err != nil {
		return nil, err
	}
	return gather(rows, func(scan func(...any) error) (b core.Bucket, err error) {
		var start int64
		var n uint64
		err = scan(&start, &n)
		b.Start, b.Count = instant(start), int(n)
		return b, err
	})
}

// TopValues ranks the values of a column among the events a filter selects.
func (s *ClickHouseEvents) TopValues(ctx context.Context, filter core.EventFilter, field string, n int) ([]core.TopValue, error) {
	switch field {
	case "kind", "host", "user", "source", "dest":
	default:
		return nil, core.Errorf(core.CodeInvalid, "can't rank by %q", field)
	}
	queryCtx, cancel := limits(searchTimeout)
	defer cancel()
	condition, args := clickhouseCondition(filter)
	rows, err := s.conn.Query(queryCtx, fmt.Sprintf(`SELECT %s AS value, count() AS n FROM events %s GROUP BY value ORDER BY n DESC, value LIMIT %d`,
		field, condition, limitOf(n, 100)), args...)
	if err != nil {
		return nil, err
	}
	return gather(rows, func(scan func(...any) error) (v core.TopValue, err error) {
		var n uint64
		err = scan(&v.Value, &n)
		v.Count = int(n)
		return v, err
	})
}

// EachEvent visits the events a filter selects, the oldest first, without
// holding them in memory. It stops at the first error.
func (s *ClickHouseEvents) EachEvent(ctx context.Context, filter core.EventFilter, visit func(*core.Event) error) error {
	condition, args := clickhouseCondition(filter)
	rows, err := s.conn.Query(context.Background(), clickhouseEvent+condition+` ORDER BY at`, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		e, err := scanClickHouseEvent(rows.Scan)
		if err != nil {
			return err
		}
		if err := visit(e); err != nil {
			return err
		}
	}
	return rows.Err()
}

// DeleteEventsBefore drops the days that ended before a time.
func (s *ClickHouseEvents) DeleteEventsBefore(ctx context.Context, t time.Time) (int, error) {
	dropCtx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	return s.dropBefore(dropCtx, "events", t)
}

func clickhouseCondition(f core.EventFilter) (string, []any) {
	condition, args := eventCondition(f)
	for i, arg := range args {
		if severity, ok := arg.(core.Severity); ok {
			args[i] = int(severity)
		}
	}
	if f.Text != "" { // ClickHouse calls SQLite's instr position
		condition = condition[:len(condition)-len(`instr(message, ?) > 0`)] + `position(message, ?) > 0`
	}
	return condition, args
}

func scanClickHouseEvent(scan func(...any) error) (*core.Event, error) {
	var e core.Event
	var at int64
	var severity int8
	var raw string
	if err := scan(&e.ID, &e.Tenant, &at, &e.Kind, &severity, &e.Host, &e.User, &e.Source, &e.Dest, &e.Message, &raw); err != nil {
		return nil, err
	}
	e.At, e.Severity = instant(at), core.Severity(severity)
	return &e, json.Unmarshal([]byte(raw), &e.Fields)
}
