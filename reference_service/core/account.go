package core

import (
	"context"
	"slices"
	"time"
)

// Factor is a user's second factor: a secret that their phone shares, and codes
// for when the phone is lost, kept only as hashes.
type Factor struct {
	UserID    string
	Secret    []byte
	Confirmed bool
	LastStep  int64
	Codes     [][]byte
}

// Reset lets a user choose a new password without the old one, once.
type Reset struct {
	UserID    string
	Hash      []byte
	ExpiresAt time.Time
}

// FactorStore keeps what users prove themselves with besides a password.
type FactorStore interface {
	FactorOf(ctx context.Context, userID string) (*Factor, error)
	SaveFactor(ctx context.Context, f *Factor) error
	UseStep(userID string, step int64) error
	UseCode(userID string, hash []byte) error
	RemoveFactor(ctx context.Context, userID string) error
	CreateReset(ctx context.Context, reset *Reset) error
	TakeReset(hash []byte) (*Reset, error)
	PurgeResets(ctx context.Context, before time.Time) (int, error)
}

// KeyRotator replaces the secret of a key; the old one works for a while.
type KeyRotator interface {
	RotateKey(ctx context.Context, tenant, id string, hash []byte, grace time.Duration) error
	StaleKeys(unusedSince time.Time) ([]*Key, error)
}

// Tenant is a customer of the service, with what it may use.
type Tenant struct {
	Name         string    `json:"name"`
	DisplayName  string    `json:"display_name"`
	Suspended    bool      `json:"suspended"`
	EventsPerDay int       `json:"events_per_day"`
	Searches     int       `json:"parallel_searches"`
	CreatedAt    time.Time `json:"created_at"`
}

// Usage is what a tenant used on one day.
type Usage struct {
	Day      string `json:"day"`
	Events   int    `json:"events"`
	Searches int    `json:"searches"`
}

// TenantStore keeps tenants and counts what they use.
type TenantStore interface {
	SaveTenant(ctx context.Context, t *Tenant) error
	TenantByName(name string) (*Tenant, error)
	ListTenants(ctx context.Context) ([]*Tenant, error)
	RemoveTenant(ctx context.Context, name string) (map[string]int, error)
	AddUsage(ctx context.Context, name string, day time.Time, u Usage) (Usage, error)
	UsageOf(name string, since time.Time) ([]Usage, error)
}

// DirectoryEntry is a person as a directory knows them.
type DirectoryEntry struct {
	Username string   `json:"username"`
	Name     string   `json:"name"`
	Email    string   `json:"email"`
	Groups   []string `json:"groups"`
	Disabled bool     `json:"disabled"`
}

// Directory is where a tenant's people come from.
type Directory struct {
	Meta
	URL      string            `json:"url"`
	Roles    map[string]string `json:"roles"`
	SyncedAt time.Time         `json:"synced_at,omitzero"`
}

// Address is where the users are.
func (d *Directory) Address() string { return d.URL }

// Validate returns an error if d can't be read.
func (d *Directory) Validate() error {
	if d.Name == "" || len(d.Roles) == 0 {
		return Errorf(CodeInvalid, "name and roles are required")
	}
	return validateURL(d.URL)
}

// RolesOf returns the roles that groups of a directory stand for, in order.
func (d *Directory) RolesOf(groups []string) []string {
	roles := []string{}
	for _, group := range groups {
		if role := d.Roles[group]; role != "" && !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	slices.Sort(roles)
	return roles
}

// SyncResult is what a synchronisation changed.
type SyncResult struct {
	Read     int      `json:"read"`
	Created  int      `json:"created"`
	Changed  int      `json:"changed"`
	Disabled int      `json:"disabled"`
	Errors   []string `json:"errors,omitempty"`
}

// Syncer reads directories.
type Syncer interface {
	Sync(ctx context.Context, d *Directory) (*SyncResult, error)
	Preview(d *Directory) ([]DirectoryEntry, error)
}
