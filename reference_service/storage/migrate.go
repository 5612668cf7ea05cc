package storage

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"
)

//go:embed migrations/*.sql
var migrations embed.FS

// startup is the context of migrations.
var startup = context.Background()

// migrate applies the migrations that are missing, each in a transaction.
func (db *DB) migrate() error {
	const table = `CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY, at INTEGER NOT NULL)`
	if _, err := db.write.ExecContext(startup, table); err != nil {
		return err
	}
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := db.apply(name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (db *DB) apply(name string) error {
	script, err := migrations.ReadFile(name)
	if err != nil {
		return err
	}
	return db.inTx(func(tx *sql.Tx) error {
		var done int
		row := tx.QueryRowContext(startup, `SELECT count(*) FROM schema_migrations WHERE name = ?`, path.Base(name))
		if err := row.Scan(&done); err != nil || done > 0 {
			return err
		}
		if _, err := tx.ExecContext(startup, string(script)); err != nil {
			return err
		}
		_, err := tx.ExecContext(startup, `INSERT INTO schema_migrations VALUES (?, ?)`, path.Base(name), millis(db.now()))
		return err
	})
}

// Applied lists the migrations the database has seen.
func (db *DB) Applied() ([]string, error) {
	rows, err := db.read.Query(`SELECT name FROM schema_migrations ORDER BY name`)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (name string, err error) {
		err = scan(&name)
		return name, err
	})
}
