package storage

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"example.org/siem/core"
)

// RoleStore implements core.RoleStore.
type RoleStore struct{ db *DB }

// NewRoleStore returns the roles in db.
func NewRoleStore(db *DB) *RoleStore { return &RoleStore{db: db} }

// ListRoles returns all roles by name.
func (s *RoleStore) ListRoles(ctx context.Context) ([]*core.Role, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	rows, err := s.db.read.QueryContext(ctx, `SELECT name, description, permissions, builtin FROM roles ORDER BY name`)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (*core.Role, error) {
		var r core.Role
		var permissions []byte
		if err := scan(&r.Name, &r.Description, &permissions, &r.Builtin); err != nil {
			return nil, err
		}
		return &r, json.Unmarshal(permissions, &r.Permissions)
	})
}

// SaveRole stores a role; a built-in one can't be replaced.
func (s *RoleStore) SaveRole(_ context.Context, role *core.Role) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	res, err := s.db.write.ExecContext(ctx, `INSERT INTO roles (name, description, permissions) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET description = excluded.description, permissions = excluded.permissions WHERE builtin = 0`,
		role.Name, role.Description, encode(role.Permissions))
	if err := changed(res, err, "role"); core.ErrorCode(err) == core.CodeNotFound {
		return core.Errorf(core.CodeConflict, "role %s is built in", role.Name)
	} else if err != nil {
		return err
	}
	return nil
}

// DeleteRole removes a role from the table and from those who hold it.
func (s *RoleStore) DeleteRole(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	res, err := s.db.write.ExecContext(ctx, `DELETE FROM roles WHERE name = ? AND builtin = 0`, name)
	return changed(res, err, "role")
}

// Grant replaces the roles of a user.
func (s *RoleStore) Grant(ctx context.Context, userID string, roles []string) (err error) {
	tx, err := s.db.write.Begin()
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	if _, err := tx.ExecContext(context.Background(), `DELETE FROM user_roles WHERE user_id = ?`, userID); err != nil {
		return err
	}
	for _, role := range roles {
		if _, err := tx.ExecContext(context.Background(), `INSERT INTO user_roles VALUES (?, ?)`, userID, role); err != nil {
			return translate(err, "role")
		}
	}
	return tx.Commit()
}

// PermissionsOf returns a user's roles, and what they add up to.
func (s *RoleStore) PermissionsOf(ctx context.Context, userID string) ([]string, []core.Permission, error) {
	queryCtx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	rows, err := s.db.read.QueryContext(queryCtx, `SELECT r.name, r.permissions FROM roles r JOIN user_roles u ON u.role = r.name
		WHERE u.user_id = ? ORDER BY r.name`, userID)
	if err != nil {
		return nil, nil, err
	}
	var all []core.Permission
	names, err := collect(rows, func(scan func(...any) error) (name string, err error) {
		var raw []byte
		if err := scan(&name, &raw); err != nil {
			return "", err
		}
		var some []core.Permission
		err = json.Unmarshal(raw, &some)
		all = append(all, some...)
		return name, err
	})
	return names, all, err
}
