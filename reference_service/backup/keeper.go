// Package backup makes copies of the database on a schedule, keeps some of
// them, looks whether they are good, and takes them elsewhere.
package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"example.org/siem/core"
)

// Database is what is copied.
type Database interface {
	Backup(path string) (int64, error)
}

// Checker opens a copy and lists what is wrong with it.
type Checker func(ctx context.Context, path string) ([]string, error)

// Keeper implements core.Keeper.
type Keeper struct {
	db     Database
	check  Checker
	dir    string
	keep   int
	target string
	http   *http.Client
	log    *slog.Logger
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// NewKeeper returns a keeper of the last copies in dir. Without a target, copies
// stay where they are.
func NewKeeper(db Database, check Checker, dir string, keep int, target string, log *slog.Logger) *Keeper {
	return &Keeper{db: db, check: check, dir: dir, keep: keep, target: strings.TrimSuffix(target, "/"), http: &http.Client{}, log: log, cancel: func() {}}
}

// Make makes a copy now.
func (k *Keeper) Make() (*core.Copy, error) {
	name := time.Now().UTC().Format("siem-20060102T150405.000.db")
	bytes, err := k.db.Backup(filepath.Join(k.dir, name))
	if err != nil {
		return nil, err
	}
	c := &core.Copy{Name: name, Bytes: bytes, At: time.Now().UTC()}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	c.SHA256, err = k.sum(ctx, name)
	if err != nil {
		return nil, err
	}
	return c, os.WriteFile(filepath.Join(k.dir, name+".sha256"), []byte(c.SHA256+"\n"), 0o600)
}

// sum hashes a copy, and stops when ctx ends.
func (k *Keeper) sum(ctx context.Context, name string) (string, error) {
	file, err := k.open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	h := sha256.New()
	for {
		if _, err := io.CopyN(h, file, 4<<20); errors.Is(err, io.EOF) {
			return hex.EncodeToString(h.Sum(nil)), nil
		} else if err != nil {
			return "", err
		}
		if err := ctx.Err(); err != nil {
			return "", err
		}
	}
}

func (k *Keeper) open(name string) (*os.File, error) {
	if name != filepath.Base(name) || !strings.HasPrefix(name, "siem-") {
		return nil, core.Errorf(core.CodeInvalid, "%q is no name of a copy", name)
	}
	file, err := os.Open(filepath.Join(k.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, core.Errorf(core.CodeNotFound, "no such copy")
	}
	return file, err
}

// Copies lists the copies, the latest first.
func (k *Keeper) Copies(ctx context.Context) ([]*core.Copy, error) {
	paths, err := filepath.Glob(filepath.Join(k.dir, "siem-*.db"))
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	slices.Reverse(paths)
	copies := []*core.Copy{}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		sum, _ := os.ReadFile(path + ".sha256") // a copy of an older version has none
		copies = append(copies, &core.Copy{Name: filepath.Base(path), Bytes: info.Size(), SHA256: strings.TrimSpace(string(sum)), At: info.ModTime().UTC()})
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return copies, nil
}

// Verify lists what is wrong with a copy; nothing is good news.
func (k *Keeper) Verify(ctx context.Context, name string) ([]string, error) {
	sum, err := k.sum(context.Background(), name)
	if err != nil {
		return nil, err
	}
	var wrong []string
	if noted, err := os.ReadFile(filepath.Join(k.dir, name+".sha256")); err == nil && strings.TrimSpace(string(noted)) != sum {
		wrong = append(wrong, "the file is not what it was when it was made")
	}
	checkCtx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	found, err := k.check(checkCtx, filepath.Join(k.dir, name))
	return append(wrong, found...), err
}

// Upload puts a copy where the operator wants copies to be, and returns its size.
func (k *Keeper) Upload(name string) (int64, error) {
	if k.target == "" {
		return 0, core.Errorf(core.CodeUnavailable, "this server has nowhere to take copies to")
	}
	file, err := k.open(name)
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, k.target+"/"+name, file)
	if err != nil {
		return 0, err
	}
	req.ContentLength = info.Size()
	resp, err := k.http.Do(req)
	if err != nil {
		return 0, core.Errorf(core.CodeUnavailable, "%v", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode >= 300 {
		return 0, core.Errorf(core.CodeUnavailable, "the target answered %s", resp.Status)
	}
	return info.Size(), k.confirm(name, info.Size())
}

// confirm asks the target whether it has all of a copy.
func (k *Keeper) confirm(name string, size int64) error {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodHead, k.target+"/"+name, nil)
	if err != nil {
		return err
	}
	resp, err := k.http.Do(req)
	if err != nil {
		return core.Errorf(core.CodeUnavailable, "%v", err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.ContentLength != size {
		return core.Errorf(core.CodeUnavailable, "the target has %d of %d bytes", resp.ContentLength, size)
	}
	return nil
}

// Start makes copies now and then until Stop.
func (k *Keeper) Start(every time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	k.cancel = cancel
	k.done.Go(func() {
		core.Every(ctx, every, func(time.Time) {
			if err := k.round(); err != nil {
				k.log.Error("backup failed", "error", err)
			}
		})
	})
}

// round makes a copy, looks whether it is good, takes it elsewhere, and removes
// the oldest.
func (k *Keeper) round() error {
	c, err := k.Make()
	if err != nil {
		return err
	}
	wrong, err := k.Verify(context.Background(), c.Name)
	if err != nil || len(wrong) > 0 {
		return errors.Join(err, fmt.Errorf("%s: %s", c.Name, strings.Join(wrong, "; ")))
	}
	if k.target != "" {
		if _, err := k.Upload(c.Name); err != nil {
			return err
		}
	}
	return k.prune()
}

func (k *Keeper) prune() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	copies, err := k.Copies(ctx)
	if err != nil || len(copies) <= k.keep {
		return err
	}
	var errs []error
	for _, c := range copies[k.keep:] {
		errs = append(errs, os.Remove(filepath.Join(k.dir, c.Name)))
		_ = os.Remove(filepath.Join(k.dir, c.Name+".sha256"))
	}
	return errors.Join(errs...)
}

// Stop ends the schedule and waits for a copy that is being made.
func (k *Keeper) Stop() {
	k.cancel()
	k.done.Wait()
}
