package storage

import (
	"context"
	"sync"
	"time"

	"example.org/siem/core"
)

const alertsABatch = 1000

// ClickHouseAlerts is a core.AlertStore that also keeps every change of an alert,
// and counts alerts from there.
type ClickHouseAlerts struct {
	core.AlertStore
	server *ClickHouse
	ticks  ticking
	one    sync.Mutex // one flush at a time: whoever flushes has everything sent
	mu     sync.Mutex
	queue  []alertChange
}

type alertChange struct {
	alert core.Alert
	at    time.Time
}

// NewClickHouseAlerts returns alerts that are in store, and whose changes go to a server.
func NewClickHouseAlerts(store core.AlertStore, server *ClickHouse) *ClickHouseAlerts {
	return &ClickHouseAlerts{AlertStore: store, server: server}
}

// Start sends what has queued up, now and then until Stop.
func (s *ClickHouseAlerts) Start(every time.Duration) {
	s.ticks.start(every, func() {
		if err := s.flush(); err != nil {
			s.server.log.Warn("changes of alerts wait", "error", err)
		}
	})
}

// Stop sends the rest.
func (s *ClickHouseAlerts) Stop() error {
	s.ticks.end()
	return s.flush()
}

// RaiseAlert stores an alert or counts it with an open one.
func (s *ClickHouseAlerts) RaiseAlert(ctx context.Context, a *core.Alert) (bool, error) {
	created, err := s.AlertStore.RaiseAlert(ctx, a)
	if err != nil || !created {
		return created, err
	}
	return true, s.note(a)
}

// MoveAlert changes the status of an alert and returns it.
func (s *ClickHouseAlerts) MoveAlert(ctx context.Context, tenant, id, status string) (*core.Alert, error) {
	a, err := s.AlertStore.MoveAlert(ctx, tenant, id, status)
	if err != nil {
		return nil, err
	}
	return a, s.note(a)
}

// MoveAlerts changes the status of many and returns how many it changed.
func (s *ClickHouseAlerts) MoveAlerts(ctx context.Context, tenant string, ids []string, status string) (int, error) {
	n, err := s.AlertStore.MoveAlerts(ctx, tenant, ids, status)
	if err != nil {
		return n, err
	}
	for _, id := range ids {
		a, err := s.AlertByID(tenant, id)
		if core.ErrorCode(err) == core.CodeNotFound {
			continue
		}
		if err != nil {
			return n, err
		}
		if err := s.note(a); err != nil {
			return n, err
		}
	}
	return n, nil
}

// note queues a change, and makes room when there are too many.
func (s *ClickHouseAlerts) note(a *core.Alert) error {
	s.mu.Lock()
	s.queue = append(s.queue, alertChange{alert: *a, at: s.server.now()})
	full := len(s.queue) >= alertsABatch
	s.mu.Unlock()
	if full {
		return s.flush()
	}
	return nil
}

// flush sends everything that is queued; what can't be sent is queued again.
func (s *ClickHouseAlerts) flush() error {
	s.one.Lock()
	defer s.one.Unlock()
	s.mu.Lock()
	changes := s.queue
	s.queue = nil
	s.mu.Unlock()
	if len(changes) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	err := s.send(ctx, changes)
	if err != nil {
		s.mu.Lock()
		s.queue = append(changes, s.queue...)
		s.mu.Unlock()
	}
	return err
}

func (s *ClickHouseAlerts) send(ctx context.Context, changes []alertChange) error {
	batch, err := s.server.conn.PrepareBatch(ctx, `INSERT INTO alert_log (id, tenant, rule_id, severity, status, first_seen, changed)`)
	if err != nil {
		return err
	}
	for _, c := range changes {
		a := c.alert
		if err := batch.Append(a.ID, a.Tenant, a.RuleID, int8(a.Severity), a.Status, millis(a.FirstSeen), millis(c.at)); err != nil {
			_ = batch.Abort()
			return err
		}
	}
	return batch.Send()
}

// SummarizeAlerts counts a tenant's alerts since a time, as they last were.
func (s *ClickHouseAlerts) SummarizeAlerts(tenant string, since time.Time) (*core.AlertSummary, error) {
	if err := s.flush(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), searchTimeout)
	defer cancel()
	rows, err := s.server.conn.Query(ctx, `SELECT last, severity, count(), sum(if(last = 'resolved', moved - first, 0)) FROM (
			SELECT id, argMax(status, changed) AS last, max(severity) AS severity, min(first_seen) AS first, max(changed) AS moved
			FROM alert_log WHERE tenant = ? AND changed >= ? GROUP BY id
		) GROUP BY last, severity`, tenant, millis(since))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	sum := &core.AlertSummary{ByStatus: map[string]int{}, BySeverity: map[int]int{}}
	var total int64
	for rows.Next() {
		var status string
		var severity int8
		var n uint64
		var took int64
		if err := rows.Scan(&status, &severity, &n, &took); err != nil {
			return nil, err
		}
		sum.ByStatus[status] += int(n)
		sum.BySeverity[int(severity)] += int(n)
		total += took
	}
	if n := sum.ByStatus[core.AlertResolved]; n > 0 {
		sum.MeanTimeSecs = float64(total) / 1000 / float64(n)
	}
	return sum, rows.Err()
}

// PurgeAlerts removes alerts that were closed before a time, and the days of
// changes that ended by then.
func (s *ClickHouseAlerts) PurgeAlerts(ctx context.Context, before time.Time) (int, error) {
	if _, err := s.server.dropBefore(context.Background(), "alert_log", before); err != nil {
		return 0, err
	}
	return s.AlertStore.PurgeAlerts(ctx, before)
}
