// Package directory brings users in from where a company keeps its people: a
// directory that answers over HTTP, page by page.
package directory

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"

	"example.org/siem/core"
)

const maxPages = 200

// Syncer implements core.Syncer, and syncs all directories on a schedule.
type Syncer struct {
	directories core.Collection[core.Directory]
	users       core.UserStore
	roles       core.RoleStore
	sessions    core.SessionStore
	call        core.Caller
	token       string
	tenant      string
	log         *slog.Logger
	stop        chan struct{}
	done        sync.WaitGroup
}

// NewSyncer returns a syncer that shows token to directories.
func NewSyncer(directories core.Collection[core.Directory], users core.UserStore, roles core.RoleStore, sessions core.SessionStore,
	call core.Caller, token, tenant string, log *slog.Logger) *Syncer {
	return &Syncer{directories: directories, users: users, roles: roles, sessions: sessions, call: call, token: token, tenant: tenant,
		log: log, stop: make(chan struct{})}
}

// page is one answer of a directory.
type page struct {
	Entries []core.DirectoryEntry `json:"entries"`
	Next    string                `json:"next"`
}

// Preview returns the first page of a directory, and changes nothing.
func (s *Syncer) Preview(d *core.Directory) ([]core.DirectoryEntry, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	p, err := s.fetch(ctx, d, "")
	if err != nil {
		return nil, err
	}
	return p.Entries, nil
}

// Sync makes the users of a tenant what a directory says. Who is not in it any
// more is disabled, unless the directory could not be read to its end.
func (s *Syncer) Sync(ctx context.Context, d *core.Directory) (*core.SyncResult, error) {
	result := &core.SyncResult{}
	seen := map[string]bool{}
	for cursor, pages := "", 0; ; pages++ {
		if pages == maxPages {
			return result, core.Errorf(core.CodeTooLarge, "%s has more than %d pages", d.Name, maxPages)
		}
		p, err := s.fetch(context.Background(), d, cursor)
		if err != nil {
			return result, err
		}
		for _, entry := range p.Entries {
			seen[entry.Username] = true
			result.Read++
			if err := s.apply(d, entry, result); err != nil {
				result.Errors = append(result.Errors, fmt.Sprintf("%s: %s", entry.Username, core.ErrorMessage(err)))
			}
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	if err := s.disableOthers(d.Tenant, seen, result); err != nil {
		return result, err
	}
	d.SyncedAt = time.Now().UTC()
	return result, s.directories.Update(d)
}

// fetch reads one page, once more when the directory is busy.
func (s *Syncer) fetch(ctx context.Context, d *core.Directory, cursor string) (*page, error) {
	target := d.URL + "?cursor=" + url.QueryEscape(cursor)
	header := map[string]string{"Authorization": "Bearer " + s.token}
	pageCtx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	status, body, err := s.call.Call(pageCtx, http.MethodGet, target, header, nil)
	if err == nil && status == http.StatusServiceUnavailable {
		pause, cancel := context.WithTimeout(context.Background(), time.Second)
		<-pause.Done()
		cancel()
		status, body, err = s.call.Call(pageCtx, http.MethodGet, target, header, nil)
	}
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, core.Errorf(core.CodeUnavailable, "%s answered %d", d.Name, status)
	}
	p := &page{}
	if err := json.Unmarshal(body, p); err != nil {
		return nil, core.Errorf(core.CodeUnavailable, "%s did not answer with JSON: %v", d.Name, err)
	}
	return p, nil
}

// apply makes one user what an entry says.
func (s *Syncer) apply(d *core.Directory, entry core.DirectoryEntry, result *core.SyncResult) error {
	user, err := s.users.UserByName(d.Tenant, entry.Username)
	if core.ErrorCode(err) == core.CodeNotFound {
		if entry.Disabled {
			return nil
		}
		result.Created++
		return s.create(d, entry)
	}
	if err != nil {
		return err
	}
	if user.DisplayName != entry.Name || user.Email != entry.Email || user.Disabled != entry.Disabled {
		user.DisplayName, user.Email = entry.Name, entry.Email
		if entry.Disabled && !user.Disabled {
			return s.disable(user, result)
		}
		user.Disabled = entry.Disabled
		result.Changed++
		if err := s.users.UpdateUser(user); err != nil {
			return err
		}
	}
	if roles := d.RolesOf(entry.Groups); !slices.Equal(roles, slices.Sorted(slices.Values(user.Roles))) {
		return s.roles.Grant(context.Background(), user.ID, roles)
	}
	return nil
}

// create adds a user who logs in with a reset first: nobody knows the password.
func (s *Syncer) create(d *core.Directory, entry core.DirectoryEntry) error {
	hash, err := bcrypt.GenerateFromPassword([]byte(rand.Text()), bcrypt.MinCost)
	if err != nil {
		return err
	}
	return s.users.CreateUser(&core.User{Tenant: d.Tenant, Username: entry.Username, DisplayName: entry.Name, Email: entry.Email,
		PasswordHash: hash, Roles: d.RolesOf(entry.Groups)})
}

// disable ends a user's logins with the account.
func (s *Syncer) disable(user *core.User, result *core.SyncResult) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	user.Disabled = true
	if err := s.users.UpdateUser(user); err != nil {
		return err
	}
	result.Disabled++
	_, err := s.sessions.RevokeUser(ctx, user.ID)
	return err
}

func (s *Syncer) disableOthers(tenant string, seen map[string]bool, result *core.SyncResult) error {
	users, err := s.users.ListUsers(tenant)
	if err != nil {
		return err
	}
	for _, user := range users {
		if seen[user.Username] || user.Disabled || slices.Contains(user.Roles, "admin") {
			continue // administrators are never locked out by a directory
		}
		if err := s.disable(user, result); err != nil {
			return err
		}
	}
	return nil
}

// Start syncs all directories now and then until Stop.
func (s *Syncer) Start(every time.Duration) {
	s.done.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-s.stop:
				return
			case <-ticker.C:
				s.round()
			}
		}
	})
}

func (s *Syncer) round() {
	directories, err := s.directories.List(s.tenant)
	if err != nil {
		s.log.Error("directories were not read", "error", err)
		return
	}
	for _, d := range directories {
		if !d.Enabled {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		result, err := s.Sync(ctx, d)
		cancel()
		if err != nil {
			s.log.Error("directory was not synced", "directory", d.ID, "read", result.Read, "error", err)
		}
	}
}

// Stop ends the schedule and waits for a round that is running.
func (s *Syncer) Stop() {
	close(s.stop)
	s.done.Wait()
}
