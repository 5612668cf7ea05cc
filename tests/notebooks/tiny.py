"""Go modules that are small enough to audit and fix in a test: a library with sites, and a program with tests."""

from __future__ import annotations

from collections.abc import Mapping
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


def module(folder: Path, files: Mapping[str, str] = FILES) -> Path:
    """Write the module below `folder`, and give it back."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


PROGRAM = {
    "go.mod": "module example.org/tiny\n\ngo 1.24\n",
    "main.go": """package main

import (
	"context"
	"net/http"

	"example.org/tiny/api"
	"example.org/tiny/storage"
)

func main() {
	store := &storage.Memory{Rows: map[string]string{}}
	store.Load(context.Background())
	_ = http.ListenAndServe("127.0.0.1:8080", api.Handle(store))
}
""",
    "api/server.go": """package api

import (
	"context"
	"net/http"

	"example.org/tiny/storage"
)

func Handle(store storage.Store) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := store.Get(context.TODO(), r.URL.Path); err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		store.Touch(r.URL.Path)
	}
}
""",
    "api/server_test.go": """package api

import (
	"net/http/httptest"
	"testing"

	"example.org/tiny/storage"
)

func TestHandle(t *testing.T) {
	answer := httptest.NewRecorder()
	Handle(&storage.Memory{Rows: map[string]string{"/": ""}})(answer, httptest.NewRequest("GET", "/", nil))
	if answer.Code != 200 {
		t.Fatal(answer.Code)
	}
}
""",
    "storage/store.go": """package storage

import (
	"context"
	"errors"
)

type Store interface {
	Get(ctx context.Context, id string) error
	Touch(id string)
}

type Memory struct{ Rows map[string]string }

func (m *Memory) Get(ctx context.Context, id string) error {
	if _, ok := m.Rows[id]; !ok {
		return errors.New("not found")
	}
	return ctx.Err()
}

func (m *Memory) Load(ctx context.Context) { m.set(ctx, "/") }

func (m *Memory) Touch(id string) { m.set(context.Background(), id) }

func (m *Memory) set(ctx context.Context, id string) {
	if ctx.Err() == nil {
		m.Rows[id] = "touched"
	}
}
""",
}


def program(folder: Path) -> Path:
    """Write a program with an interface, a test and a root that is kept below `folder`, and give it back."""
    return module(folder, PROGRAM)
