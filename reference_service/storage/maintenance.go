package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"example.org/siem/core"
)

// Backup writes a consistent copy of the database to path, which must not exist.
func (db *DB) Backup(path string) (size int64, err error) {
	if _, err := os.Stat(path); err == nil {
		return 0, core.Errorf(core.CodeConflict, "%s exists already", path)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	if _, err := db.write.ExecContext(ctx, `VACUUM INTO ?`, path); err != nil {
		return 0, fmt.Errorf("backup: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// OpenCopy opens a backup to read it; nothing is migrated or written.
func OpenCopy(path string, log *slog.Logger) (*DB, error) {
	read, err := sql.Open("sqlite", dsn(path, "query_only(1)"))
	if err != nil {
		return nil, err
	}
	db := &DB{read: read, write: read, log: log, now: time.Now}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	var tables int
	if err := read.QueryRowContext(ctx, `SELECT count(*) FROM schema_migrations`).Scan(&tables); err != nil {
		return nil, errors.Join(fmt.Errorf("%s is no database of the service: %w", path, err), read.Close())
	}
	return db, nil
}

// Check lists what SQLite finds wrong with the database; nothing is good news.
func (db *DB) Check(ctx context.Context) ([]string, error) {
	queryCtx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	rows, err := db.read.QueryContext(queryCtx, `PRAGMA integrity_check`)
	if err != nil {
		return nil, err
	}
	found, err := collect(rows, func(scan func(...any) error) (s string, err error) {
		err = scan(&s)
		return s, err
	})
	if len(found) == 1 && found[0] == "ok" {
		found = nil
	}
	return found, err
}

// Optimize refreshes the planner's statistics and gives free pages back.
func (db *DB) Optimize() error {
	ctx := context.Background()
	for _, statement := range []string{`PRAGMA analysis_limit = 1000`, `PRAGMA optimize`, `PRAGMA wal_checkpoint(TRUNCATE)`} {
		if _, err := db.write.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// Size returns the bytes the database takes, the write-ahead log not counted.
func (db *DB) Size() (int64, error) {
	var bytes int64
	row := db.read.QueryRow(`SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`)
	return bytes, row.Scan(&bytes)
}
