package core

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"time"
	"unicode"
)

// Permission names one thing a role allows.
type Permission string

// Permissions the API checks.
const (
	PermissionAll       Permission = "*"
	PermissionRead      Permission = "events:read"
	PermissionIngest    Permission = "events:write"
	PermissionAlerts    Permission = "alerts:write"
	PermissionDetection Permission = "detection:write"
	PermissionResponse  Permission = "response:write"
	PermissionAdmin     Permission = "admin"
)

// ValidatePermissions returns an error if one is not among those that the API checks.
func ValidatePermissions(permissions []Permission) error {
	for _, p := range permissions {
		switch p {
		case PermissionAll, PermissionRead, PermissionIngest, PermissionAlerts, PermissionDetection, PermissionResponse, PermissionAdmin:
		default:
			return Errorf(CodeInvalid, "there is no permission %q", p)
		}
	}
	return nil
}

// User is an account. PasswordHash never leaves the process.
type User struct {
	ID           string    `json:"id"`
	Tenant       string    `json:"tenant"`
	Username     string    `json:"username"`
	DisplayName  string    `json:"display_name"`
	Email        string    `json:"email"`
	PasswordHash []byte    `json:"-"`
	Disabled     bool      `json:"disabled"`
	Roles        []string  `json:"roles"`
	FailedLogins int       `json:"failed_logins"`
	LockedUntil  time.Time `json:"locked_until,omitzero"`
	LastLogin    time.Time `json:"last_login,omitzero"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
}

// Validate returns an error if u can't be stored.
func (u *User) Validate() error {
	switch {
	case strings.TrimSpace(u.Username) == "":
		return Errorf(CodeInvalid, "username is required")
	case len(u.Username) > 64:
		return Errorf(CodeInvalid, "username is longer than 64 bytes")
	case strings.ContainsFunc(u.Username, unicode.IsControl):
		return Errorf(CodeInvalid, "username has a control character in it")
	case u.Tenant == "":
		return Errorf(CodeInvalid, "tenant is required")
	case len(u.PasswordHash) == 0:
		return Errorf(CodeInvalid, "password is required")
	}
	return nil
}

// Locked reports whether logins of u are refused at t.
func (u *User) Locked(t time.Time) bool { return u.Disabled || t.Before(u.LockedUntil) }

// Role is a named set of permissions.
type Role struct {
	Name        string       `json:"name"`
	Description string       `json:"description"`
	Permissions []Permission `json:"permissions"`
	Builtin     bool         `json:"builtin"`
}

// Session is one login. Its refresh token is kept only as a hash.
type Session struct {
	ID          string    `json:"id"`
	UserID      string    `json:"user_id"`
	RefreshHash []byte    `json:"-"`
	UserAgent   string    `json:"user_agent"`
	RemoteAddr  string    `json:"remote_addr"`
	CreatedAt   time.Time `json:"created_at"`
	ExpiresAt   time.Time `json:"expires_at"`
	RevokedAt   time.Time `json:"revoked_at,omitzero"`
}

// Active reports whether s may be used at t.
func (s *Session) Active(t time.Time) bool { return s.RevokedAt.IsZero() && t.Before(s.ExpiresAt) }

// NewID returns a random identifier with a prefix that says what it names.
func NewID(prefix string) string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	return prefix + "_" + hex.EncodeToString(b[:])
}
