"""A Go module of two files, small enough to audit in a test, with one root of each common kind."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "go.mod": "module example.org/tiny\n\ngo 1.24\n",
    "api/server.go": """package api

import (
	"context"
	"net/http"

	"example.org/tiny/storage"
)

func Handle(store *storage.Store) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_ = store.Get(context.TODO(), r.URL.Path)
		store.Touch(r.URL.Path)
	}
}
""",
    "storage/store.go": """package storage

import (
	"context"
	"database/sql"
)

type Store struct{ db *sql.DB }

func (s *Store) Get(ctx context.Context, id string) error {
	_, err := s.db.ExecContext(ctx, "SELECT 1", id)
	return err
}

func (s *Store) Touch(id string) {
	_, _ = s.db.ExecContext(context.Background(), "UPDATE t SET n = n + 1", id)
	_, _ = s.db.Exec("DELETE FROM t")
}
""",
}


def module(folder: Path) -> Path:
    """Write the module below `folder`, and give it back."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
