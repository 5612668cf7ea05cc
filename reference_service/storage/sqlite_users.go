package storage

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"example.org/siem/core"
)

const (
	failuresBeforeLock = 5
	lockedFor          = 15 * time.Minute
)

// UserStore implements core.UserStore.
type UserStore struct{ db *DB }

// NewUserStore returns the users in db.
func NewUserStore(db *DB) *UserStore { return &UserStore{db: db} }

// CreateUser stores u under a new id, with the roles it names.
func (s *UserStore) CreateUser(u *core.User) error {
	if err := u.Validate(); err != nil {
		return err
	}
	u.ID, u.CreatedAt = core.NewID("user"), s.db.now().UTC()
	u.UpdatedAt = u.CreatedAt
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	tx, err := s.db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	_, err = tx.ExecContext(ctx, `INSERT INTO users (id, tenant, username, display_name, email, password_hash, disabled, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, u.ID, u.Tenant, u.Username, u.DisplayName, u.Email, u.PasswordHash, u.Disabled,
		millis(u.CreatedAt), millis(u.UpdatedAt))
	if err != nil {
		return translate(err, "user")
	}
	for _, role := range u.Roles {
		if _, err := tx.ExecContext(ctx, `INSERT INTO user_roles VALUES (?, ?)`, u.ID, role); err != nil {
			return translate(err, "role")
		}
	}
	return tx.Commit()
}

// UserByID returns the user with an id.
func (s *UserStore) UserByID(id string) (*core.User, error) {
	return s.one(`u.id = ?`, id)
}

// UserByName returns the user of a tenant with a name.
func (s *UserStore) UserByName(tenant, username string) (*core.User, error) {
	return s.one(`u.tenant = ? AND u.username = ?`, tenant, username)
}

// ListUsers returns a tenant's users by name.
func (s *UserStore) ListUsers(tenant string) ([]*core.User, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	rows, err := s.db.read.QueryContext(ctx, userQuery(`u.tenant = ?`)+` ORDER BY u.username`, tenant)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanUser)
}

// UpdateUser stores the parts of u that an administrator may change.
func (s *UserStore) UpdateUser(u *core.User) error {
	u.UpdatedAt = s.db.now().UTC()
	res, err := s.db.write.Exec(`UPDATE users SET display_name = ?, email = ?, disabled = ?, updated_at = ? WHERE tenant = ? AND id = ?`,
		u.DisplayName, u.Email, u.Disabled, millis(u.UpdatedAt), u.Tenant, u.ID)
	return changed(res, err, "user")
}

// DeleteUser removes a user with their sessions and roles.
func (s *UserStore) DeleteUser(tenant, id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	res, err := s.db.write.ExecContext(ctx, `DELETE FROM users WHERE tenant = ? AND id = ?`, tenant, id)
	return changed(res, err, "user")
}

// SetPassword replaces a password and ends every session that used the old one.
func (s *UserStore) SetPassword(id string, hash []byte) error {
	return s.db.inTx(func(tx *sql.Tx) error {
		now := millis(s.db.now())
		res, err := tx.Exec(`UPDATE users SET password_hash = ?, failed_logins = 0, locked_until = 0, updated_at = ? WHERE id = ?`, hash, now, id)
		if err := changed(res, err, "user"); err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE sessions SET revoked_at = ? WHERE user_id = ? AND revoked_at = 0`, now, id)
		return err
	})
}

// RecordLogin counts failures, locks after too many, and forgets them on success.
func (s *UserStore) RecordLogin(id string, ok bool) error {
	now := s.db.now()
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	if ok {
		_, err := s.db.write.ExecContext(ctx, `UPDATE users SET failed_logins = 0, locked_until = 0, last_login = ? WHERE id = ?`, millis(now), id)
		return err
	}
	_, err := s.db.write.ExecContext(ctx, `UPDATE users SET failed_logins = failed_logins + 1,
		locked_until = CASE WHEN failed_logins + 1 >= ? THEN ? ELSE locked_until END WHERE id = ?`,
		failuresBeforeLock, millis(now.Add(lockedFor)), id)
	return err
}

func (s *UserStore) one(condition string, args ...any) (*core.User, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	u, err := scanUser(s.db.read.QueryRowContext(ctx, userQuery(condition), args...).Scan)
	if err != nil {
		return nil, translate(err, "user")
	}
	return u, nil
}

func userQuery(condition string) string {
	return `SELECT u.id, u.tenant, u.username, u.display_name, u.email, u.password_hash, u.disabled, u.failed_logins,
		u.locked_until, u.last_login, u.created_at, u.updated_at,
		(SELECT coalesce(group_concat(role), '') FROM user_roles WHERE user_id = u.id) FROM users u WHERE ` + condition
}

func scanUser(scan func(...any) error) (*core.User, error) {
	var u core.User
	var locked, last, created, updated int64
	var roles string
	err := scan(&u.ID, &u.Tenant, &u.Username, &u.DisplayName, &u.Email, &u.PasswordHash, &u.Disabled, &u.FailedLogins,
		&locked, &last, &created, &updated, &roles)
	if err != nil {
		return nil, err
	}
	u.LockedUntil, u.LastLogin, u.CreatedAt, u.UpdatedAt = instant(locked), instant(last), instant(created), instant(updated)
	if u.Roles = []string{}; roles != "" {
		u.Roles = strings.Split(roles, ",")
	}
	return &u, nil
}
