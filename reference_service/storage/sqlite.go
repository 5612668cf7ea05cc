// Package storage keeps everything in one SQLite database.
package storage

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"modernc.org/sqlite" // also registers the driver
	sqlite3 "modernc.org/sqlite/lib"

	"example.org/siem/core"
)

const (
	lookupTimeout = 10 * time.Second
	searchTimeout = 30 * time.Second
	batchTimeout  = time.Minute
)

// DB is an open database: one connection that writes and some that read, so
// that readers never wait for a writer.
type DB struct {
	read  *sql.DB
	write *sql.DB
	log   *slog.Logger
	now   func() time.Time
}

// Open opens the database at path, makes it if it isn't there, and migrates it.
func Open(path string, readers int, log *slog.Logger) (*DB, error) {
	write, err := sql.Open("sqlite", dsn(path, "journal_mode(WAL)", "synchronous(NORMAL)")+"&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", dsn(path, "query_only(1)"))
	if err != nil {
		return nil, err
	}
	read.SetMaxOpenConns(max(readers, 1))
	db := &DB{read: read, write: write, log: log, now: time.Now}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	if err := write.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), db.Close())
	}
	if err := db.migrate(); err != nil {
		return nil, errors.Join(fmt.Errorf("migrate %s: %w", path, err), db.Close())
	}
	return db, nil
}

func dsn(path string, pragmas ...string) string {
	q := url.Values{}
	for _, p := range append([]string{"busy_timeout(5000)", "foreign_keys(1)"}, pragmas...) {
		q.Add("_pragma", p)
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// Close folds the write-ahead log into the database and closes it. It waits for
// queries that are running.
func (db *DB) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	if _, err := db.write.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
		db.log.Warn("checkpoint failed", "error", err)
	}
	return errors.Join(db.read.Close(), db.write.Close())
}

// Ping reports whether the database answers.
func (db *DB) Ping() error { return db.read.Ping() }

// InUse returns how many connections are running something.
func (db *DB) InUse() int { return db.read.Stats().InUse + db.write.Stats().InUse }

// Waiting returns how often somebody had to wait for a connection.
func (db *DB) Waiting() int64 { return db.read.Stats().WaitCount + db.write.Stats().WaitCount }

// inTx runs fn in a transaction and commits it if fn returns no error.
func (db *DB) inTx(fn func(tx *sql.Tx) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// lookup is the context of statements that touch a few rows.
func lookup() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), lookupTimeout)
}

// collect reads all rows and closes them.
func collect[T any](rows *sql.Rows, scan func(scan func(...any) error) (T, error)) ([]T, error) {
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

// changed turns a write that met no row into a not-found error.
func changed(res sql.Result, err error, what string) error {
	if err != nil {
		return translate(err, what)
	}
	if n, err := res.RowsAffected(); err == nil && n == 0 {
		return core.Errorf(core.CodeNotFound, "no such %s", what)
	}
	return nil
}

// translate gives the errors a caller can do something about a code.
func translate(err error, what string) error {
	var se *sqlite.Error
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return core.Errorf(core.CodeNotFound, "no such %s", what)
	case errors.As(err, &se) && (se.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || se.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY):
		return core.Errorf(core.CodeConflict, "there is such a %s already", what)
	case errors.As(err, &se) && se.Code() == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return core.Errorf(core.CodeInvalid, "%s refers to something that does not exist", what)
	}
	return err
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only our own types come here, and they can be encoded
	}
	return string(b)
}

func limitOf(n, most int) int {
	if n <= 0 || n > most {
		return most
	}
	return n
}
