package api

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"example.org/siem/core"
)

// health says that the process lives and what it is busy with. It asks nobody else.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, map[string]any{"status": "ok", "db_in_use": s.db.InUse(), "db_waits": s.db.Waiting(), "events_pending": s.Detector.Pending()})
}

// ready says whether requests can be answered: the database has two seconds to say so.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) error {
	answered := make(chan error, 1)
	go func() { answered <- s.db.Ping() }()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	select {
	case err := <-answered:
		if err == nil {
			return writeJSON(w, http.StatusOK, map[string]string{"status": "ready"})
		}
		s.log.Error("database does not answer", "error", err)
	case <-ctx.Done():
	}
	return writeJSON(w, http.StatusServiceUnavailable, map[string]string{"status": "not ready"})
}

func (s *Server) serveMetrics(w http.ResponseWriter, r *http.Request) error {
	promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}).ServeHTTP(w, r)
	return nil
}

func (s *Server) listAudit(w http.ResponseWriter, r *http.Request) error {
	limit, err := limit(r, 100)
	if err != nil {
		return err
	}
	entries, err := s.Audit.AuditEntries(tenant(r), limit)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, entries)
}

func (s *Server) verifyAudit(w http.ResponseWriter, r *http.Request) error {
	broken, err := s.Audit.VerifyAudit(context.Background())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"intact": broken == 0, "first_broken": broken})
}

func (s *Server) listRetention(w http.ResponseWriter, r *http.Request) error {
	policies, err := s.Retention.Policies(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, policies)
}

func (s *Server) setRetention(w http.ResponseWriter, r *http.Request) error {
	var policy core.RetentionPolicy
	if err := s.readJSON(w, r, &policy); err != nil {
		return err
	}
	policy.Kind = r.PathValue("kind")
	if err := s.Retention.SetPolicy(context.Background(), policy); err != nil {
		return err
	}
	s.record(r, "retention.set", policy.Kind, fmt.Sprintf("%d days", policy.Days))
	return writeJSON(w, http.StatusOK, policy)
}

// sweep applies the retention policies now.
func (s *Server) sweep(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	done, err := s.Retention.Sweep(ctx)
	if err != nil {
		return err
	}
	s.record(r, "retention.sweep", "", fmt.Sprint(done.Removed))
	return writeJSON(w, http.StatusOK, done)
}

// backup writes a copy of the database beside it, under a name with the time.
func (s *Server) backup(w http.ResponseWriter, r *http.Request) error {
	path := filepath.Join(s.cfg.BackupDir, time.Now().UTC().Format("siem-20060102T150405.000.db"))
	size, err := s.db.Backup(path)
	if err != nil {
		return err
	}
	s.record(r, "backup", path, fmt.Sprintf("%d bytes", size))
	return writeJSON(w, http.StatusCreated, map[string]any{"file": filepath.Base(path), "bytes": size})
}

func (s *Server) checkDatabase(w http.ResponseWriter, r *http.Request) error {
	found, err := s.db.Check(context.Background())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"ok": len(found) == 0, "found": found})
}

// optimize answers at once: the work goes on.
func (s *Server) optimize(w http.ResponseWriter, r *http.Request) error {
	s.record(r, "optimize", "", "")
	s.background.Go(func() {
		if err := s.db.Optimize(); err != nil {
			s.log.Error("database was not optimized", "error", err)
		}
	})
	return writeJSON(w, http.StatusAccepted, map[string]string{"status": "running"})
}

func (s *Server) listCopies(w http.ResponseWriter, r *http.Request) error {
	copies, err := s.Keeper.Copies(context.Background())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, copies)
}

// verifyCopy opens a backup and says what is wrong with it.
func (s *Server) verifyCopy(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	found, err := s.Keeper.Verify(ctx, r.PathValue("name"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"ok": len(found) == 0, "found": found})
}

// uploadCopy takes a backup to where the operator wants backups to be.
func (s *Server) uploadCopy(w http.ResponseWriter, r *http.Request) error {
	bytes, err := s.Keeper.Upload(r.PathValue("name"))
	if err != nil {
		return err
	}
	s.record(r, "backup.upload", r.PathValue("name"), fmt.Sprintf("%d bytes", bytes))
	return writeJSON(w, http.StatusOK, map[string]int64{"bytes": bytes})
}

// diagnostics looks at everything the service needs, all at once; each part has
// three seconds.
func (s *Server) diagnostics(w http.ResponseWriter, r *http.Request) error {
	parts := map[string]func(ctx context.Context) error{
		"database": func(context.Context) error { return s.db.Ping() },
		"events": func(ctx context.Context) error {
			_, err := s.Events.CountEvents(ctx, core.EventFilter{Tenant: tenant(r), From: time.Now().Add(-time.Minute)})
			return err
		},
		"audit": func(context.Context) error {
			_, err := s.Audit.AuditEntries(tenant(r), 1)
			return err
		},
		"retention": func(context.Context) error {
			_, err := s.Retention.Policies(context.Background())
			return err
		},
	}
	said := make(map[string]string, len(parts))
	var mu sync.Mutex
	var wg sync.WaitGroup
	for name, part := range parts {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
			defer cancel()
			start, err := time.Now(), part(ctx)
			mu.Lock()
			defer mu.Unlock()
			if said[name] = "ok after " + time.Since(start).Round(time.Millisecond).String(); err != nil {
				said[name] = err.Error()
			}
		})
	}
	wg.Wait()
	return writeJSON(w, http.StatusOK, said)
}
