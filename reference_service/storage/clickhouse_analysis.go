package storage

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"

	"example.org/siem/core"
)

// hop is a connection from one host to another.
type hop struct {
	to string
	at int64
}

// Paths follows connections from a host, each later than the one before. The
// server has no recursive queries: the connections of each step are asked for,
// and followed here.
func (s *ClickHouseEvents) Paths(query core.PathQuery) ([]core.Path, error) {
	ctx, cancel := context.WithTimeout(context.Background(), searchTimeout)
	defer cancel()
	type walk struct {
		hosts []string
		at    int64
	}
	front := []walk{{hosts: []string{query.From}}}
	found := map[string]*core.Path{}
	for hops := 1; hops <= query.Depth && len(front) > 0; hops++ {
		ends := make([]string, len(front))
		for i, w := range front {
			ends[i] = w.hosts[len(w.hosts)-1]
		}
		next, err := s.connections(ctx, query.Tenant, ends)
		if err != nil {
			return nil, err
		}
		var ahead []walk
		for i, w := range front {
			for _, h := range next[ends[i]] {
				if h.at < w.at || h.to == ends[i] {
					continue
				}
				hosts := append(append([]string{}, w.hosts...), h.to)
				key := fmt.Sprintf("%s/%d", h.to, hops)
				if found[key] == nil {
					found[key] = &core.Path{Hosts: hosts, Hops: hops}
				}
				found[key].Count++
				ahead = append(ahead, walk{hosts: hosts, at: h.at})
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		front = ahead
	}
	paths := make([]core.Path, 0, len(found))
	for _, p := range found {
		paths = append(paths, *p)
	}
	sort.Slice(paths, func(i, j int) bool {
		if paths[i].Hops != paths[j].Hops {
			return paths[i].Hops < paths[j].Hops
		}
		return strings.Join(paths[i].Hosts, ">") < strings.Join(paths[j].Hosts, ">")
	})
	return paths[:min(len(paths), limitOf(query.Limit, 500))], nil
}

func (s *ClickHouseEvents) connections(ctx context.Context, tenant string, from []string) (map[string][]hop, error) {
	rows, err := s.conn.Query(ctx, `SELECT source, dest, at FROM events WHERE tenant = ? AND dest != '' AND source IN ?`, tenant, set(from))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	out := map[string][]hop{}
	for rows.Next() {
		var source string
		var h hop
		if err := rows.Scan(&source, &h.to, &h.at); err != nil {
			return nil, err
		}
		out[source] = append(out[source], h)
	}
	return out, rows.Err()
}

// set writes values the way IN takes them.
func set(values []string) clickhouse.GroupSet {
	group := clickhouse.GroupSet{}
	for _, v := range values {
		group.Value = append(group.Value, v)
	}
	return group
}

// Sequences finds the hosts on which events of some kinds followed one another
// within a window that starts with the first.
func (s *ClickHouseEvents) Sequences(query core.SequenceQuery) ([]core.SequenceMatch, error) {
	ctx, cancel := context.WithTimeout(context.Background(), searchTimeout)
	defer cancel()
	rows, err := s.conn.Query(ctx, `SELECT host, groupArray(at), groupArray(kind) FROM (
			SELECT host, at, kind FROM events WHERE tenant = ? AND kind IN ? ORDER BY host, at
		) GROUP BY host`, query.Tenant, set(query.Steps))
	if err != nil {
		return nil, err
	}
	matches, err := gather(rows, func(scan func(...any) error) (core.SequenceMatch, error) {
		var m core.SequenceMatch
		var at []int64
		var kinds []string
		if err := scan(&m.Host, &at, &kinds); err != nil {
			return m, err
		}
		countChains(&m, at, kinds, query)
		return m, ctx.Err()
	})
	matched := matches[:0]
	for _, m := range matches {
		if m.Chains > 0 {
			matched = append(matched, m)
		}
	}
	sort.SliceStable(matched, func(i, j int) bool { return matched[i].Chains > matched[j].Chains })
	return matched[:min(len(matched), 500)], err
}

// countChains counts, for every start, the ways through the later steps.
func countChains(m *core.SequenceMatch, at []int64, kinds []string, query core.SequenceQuery) {
	last := len(query.Steps) - 1
	for i, kind := range kinds {
		if kind != query.Steps[0] {
			continue
		}
		ways := make([]int, last+1)
		ways[0] = 1
		for j := i + 1; j < len(at) && at[j] <= at[i]+query.Window.Milliseconds(); j++ {
			for step := last; step > 0; step-- {
				if kinds[j] != query.Steps[step] || ways[step-1] == 0 {
					continue
				}
				ways[step] += ways[step-1]
				if step == last && (m.Last.IsZero() || instant(at[j]).After(m.Last)) {
					m.Last = instant(at[j])
				}
			}
		}
		if ways[last] > 0 {
			m.Chains += ways[last]
			if m.First.IsZero() || instant(at[i]).Before(m.First) {
				m.First = instant(at[i])
			}
		}
	}
}

// Backtest runs a rule over stored events.
func (s *ClickHouseEvents) Backtest(rule *core.Rule, filter core.EventFilter) (*core.Backtest, error) {
	result := &core.Backtest{Sample: []*core.Event{}}
	err := s.EachEvent(context.Background(), filter, func(e *core.Event) error {
		result.Scanned++
		if rule.Matches(e) {
			result.Matched++
			if len(result.Sample) < 20 {
				result.Sample = append(result.Sample, e)
			}
		}
		return nil
	})
	return result, err
}
