package core

import (
	"context"
	"time"
)

// Asset is a host that events spoke of.
type Asset struct {
	Tenant      string    `json:"tenant"`
	Host        string    `json:"host"`
	Owner       string    `json:"owner"`
	Criticality int       `json:"criticality"`
	Events      int       `json:"events"`
	FirstSeen   time.Time `json:"first_seen"`
	LastSeen    time.Time `json:"last_seen"`
}

// Raise returns the severity of something that happened to the asset.
func (a *Asset) Raise(s Severity) Severity {
	if a != nil && a.Criticality >= 3 && s < SeverityCritical {
		return s + 1
	}
	return s
}

// AssetStore keeps the hosts of a tenant.
type AssetStore interface {
	SeeHosts(ctx context.Context, events []*Event) error
	AssetByHost(tenant, host string) (*Asset, error)
	ListAssets(tenant string, silentSince time.Time) ([]*Asset, error)
	SaveAsset(ctx context.Context, a *Asset) error
	ForgetAsset(tenant, host string) error
}

// Key lets a program in without a login. The key itself is kept only as a hash.
type Key struct {
	ID          string       `json:"id"`
	Tenant      string       `json:"tenant"`
	Name        string       `json:"name"`
	Hash        []byte       `json:"-"`
	Permissions []Permission `json:"permissions"`
	CreatedBy   string       `json:"created_by"`
	CreatedAt   time.Time    `json:"created_at"`
	LastUsed    time.Time    `json:"last_used,omitzero"`
	RevokedAt   time.Time    `json:"revoked_at,omitzero"`
}

// KeyStore keeps the keys of programs.
type KeyStore interface {
	CreateKey(k *Key) error
	KeyByHash(hash []byte) (*Key, error)
	ListKeys(ctx context.Context, tenant string) ([]*Key, error)
	TouchKey(ctx context.Context, id string) error
	RevokeKey(ctx context.Context, tenant, id string) error
}
