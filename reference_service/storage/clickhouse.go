package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"example.org/siem/core"
)

// ClickHouse is a server that keeps what grows without end: events, what became
// of alerts, and the audit log. Everything that changes stays in SQLite.
type ClickHouse struct {
	conn driver.Conn
	log  *slog.Logger
	now  func() time.Time
}

// OpenClickHouse connects to the server at addr (host:port of the native
// protocol), and makes the database of auth and its tables if they aren't there.
func OpenClickHouse(addr string, auth clickhouse.Auth, log *slog.Logger) (*ClickHouse, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	bare, err := clickhouse.Open(&clickhouse.Options{Addr: []string{addr}, Auth: clickhouse.Auth{Username: auth.Username, Password: auth.Password}, DialTimeout: 5 * time.Second})
	if err != nil {
		return nil, err
	}
	err = bare.Exec(ctx, `CREATE DATABASE IF NOT EXISTS `+auth.Database)
	if err = errors.Join(err, bare.Close()); err != nil {
		return nil, fmt.Errorf("clickhouse %s: %w", addr, err)
	}
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr: []string{addr}, Auth: auth, DialTimeout: 5 * time.Second,
		MaxOpenConns: 8, MaxIdleConns: 4, ConnMaxLifetime: time.Hour,
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4},
	})
	if err != nil {
		return nil, err
	}
	c := &ClickHouse{conn: conn, log: log, now: time.Now}
	if err := c.migrate(); err != nil {
		return nil, errors.Join(fmt.Errorf("clickhouse %s: %w", addr, err), conn.Close())
	}
	return c, nil
}

// Close closes the connections.
func (c *ClickHouse) Close() error { return c.conn.Close() }

// clickhouseTables are made in order. A day is a partition, so that retention
// drops days and rewrites nothing.
var clickhouseTables = []string{
	`CREATE TABLE IF NOT EXISTS events (
		id String, tenant String, at Int64, kind String, severity Int8, host String, user String,
		source String, dest String, message String, fields String
	) ENGINE = MergeTree() PARTITION BY intDiv(at, 86400000) ORDER BY (tenant, at, id)`,
	`CREATE TABLE IF NOT EXISTS alert_log (
		id String, tenant String, rule_id String, severity Int8, status String, first_seen Int64, changed Int64
	) ENGINE = MergeTree() PARTITION BY intDiv(changed, 86400000) ORDER BY (tenant, id, changed)`,
	`CREATE TABLE IF NOT EXISTS audit_log (
		seq Int64, at Int64, tenant String, actor String, request_id String, action String,
		target String, detail String, hash String
	) ENGINE = MergeTree() PARTITION BY intDiv(at, 2592000000) ORDER BY seq`,
}

func (c *ClickHouse) migrate() error {
	for _, table := range clickhouseTables {
		if err := c.conn.Exec(context.Background(), table); err != nil {
			return err
		}
	}
	return nil
}

// dropBefore drops the partitions of a table that end before a time, and returns
// how many rows they had.
func (c *ClickHouse) dropBefore(ctx context.Context, table string, before time.Time) (int, error) {
	rows, err := c.conn.Query(ctx, `SELECT partition, sum(rows) FROM system.parts
		WHERE database = currentDatabase() AND table = ? AND active AND toInt64(partition) < ? GROUP BY partition`,
		table, before.UnixMilli()/86_400_000)
	if err != nil {
		return 0, err
	}
	found, err := gather(rows, func(scan func(...any) error) (p struct {
		name string
		rows uint64
	}, err error) {
		err = scan(&p.name, &p.rows)
		return p, err
	})
	if err != nil {
		return 0, err
	}
	dropped := 0
	for _, p := range found {
		if err := c.conn.Exec(ctx, `ALTER TABLE `+table+` DROP PARTITION `+p.name); err != nil {
			return dropped, fmt.Errorf("partition %s of %s: %w", p.name, table, err)
		}
		dropped += int(p.rows)
	}
	return dropped, nil
}

// gather is collect for rows of ClickHouse.
func gather[T any](rows driver.Rows, scan func(scan func(...any) error) (T, error)) ([]T, error) {
	defer func() { _ = rows.Close() }()
	out := []T{}
	for rows.Next() {
		v, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// absent gives an empty answer the code of a missing record.
func absent(err error, what string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return core.Errorf(core.CodeNotFound, "no such %s", what)
	}
	return err
}

// ticking runs do now and then until its stop function is called, which waits.
type ticking struct {
	stop context.CancelFunc
	done sync.WaitGroup
}

func (t *ticking) start(every time.Duration, do func()) {
	ctx, cancel := context.WithCancel(context.Background())
	t.stop = cancel
	t.done.Go(func() { core.Every(ctx, every, func(time.Time) { do() }) })
}

func (t *ticking) end() {
	if t.stop != nil {
		t.stop()
	}
	t.done.Wait()
}
