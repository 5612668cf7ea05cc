package storage

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"example.org/siem/core"
)

// Paths follows connections from a host, each later than the one before, and
// counts the ways that lead to every end. The number of ways grows with the
// power of the depth; going deep first keeps the queue short.
func (s *EventStore) Paths(query core.PathQuery) ([]core.Path, error) {
	ctx, cancel := context.WithTimeout(context.Background(), searchTimeout)
	defer cancel()
	rows, err := s.db.read.QueryContext(ctx, `
		WITH RECURSIVE walk (hosts, host, at, hops) AS (
			SELECT ?1, ?1, 0, 0
			UNION ALL
			SELECT walk.hosts || '>' || e.dest, e.dest, e.at, walk.hops + 1
			FROM walk JOIN events e ON e.tenant = ?2 AND e.source = walk.host AND e.at >= walk.at
			WHERE walk.hops < ?3 AND e.dest <> '' AND e.dest <> walk.host
			ORDER BY 4 DESC
		)
		SELECT min(hosts), hops, count(*) FROM walk WHERE hops > 0 GROUP BY host, hops ORDER BY hops, 1 LIMIT ?4`,
		query.From, query.Tenant, query.Depth, limitOf(query.Limit, 500))
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (p core.Path, err error) {
		var hosts string
		err = scan(&hosts, &p.Hops, &p.Count)
		p.Hosts = strings.Split(hosts, ">")
		return p, err
	})
}

// Sequences finds the hosts on which events of some kinds followed one another
// within a window that starts with the first.
func (s *EventStore) Sequences(query core.SequenceQuery) ([]core.SequenceMatch, error) {
	statement, args := sequenceStatement(query)
	rows, err := s.db.read.Query(statement, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (m core.SequenceMatch, err error) {
		var first, last int64
		err = scan(&m.Host, &m.Chains, &first, &last)
		m.First, m.Last = instant(first), instant(last)
		return m, err
	})
}

func sequenceStatement(query core.SequenceQuery) (string, []any) {
	var b strings.Builder
	end := len(query.Steps) - 1
	args := []any{query.Tenant, query.Steps[0], query.Window.Milliseconds()}
	fmt.Fprintf(&b, "SELECT e0.host, count(*), min(e0.at), max(e%d.at) FROM events e0", end)
	for i, kind := range query.Steps[1:] {
		args = append(args, kind)
		fmt.Fprintf(&b, " JOIN events e%d ON e%d.tenant = ?1 AND e%d.kind = ?%d AND e%d.host = e0.host AND e%d.at > e%d.at AND e%d.at <= e0.at + ?3",
			i+1, i+1, i+1, len(args), i+1, i+1, i, i+1)
	}
	b.WriteString(" WHERE e0.tenant = ?1 AND e0.kind = ?2 GROUP BY e0.host ORDER BY 2 DESC LIMIT 500")
	return b.String(), args
}

// Backtest runs a rule over stored events. It reads from one transaction, so
// that what comes in meanwhile does not count.
func (s *EventStore) Backtest(rule *core.Rule, filter core.EventFilter) (*core.Backtest, error) {
	ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	tx, err := s.db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	condition, args := eventCondition(filter)
	rows, err := tx.Query(eventColumns+condition+` ORDER BY at`, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	result := &core.Backtest{Sample: []*core.Event{}}
	for rows.Next() {
		e, err := scanEvent(rows.Scan)
		if err != nil {
			return nil, err
		}
		result.Scanned++
		if rule.Matches(e) {
			result.Matched++
			if len(result.Sample) < 20 {
				result.Sample = append(result.Sample, e)
			}
		}
	}
	return result, rows.Err()
}
