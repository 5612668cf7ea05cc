package core

import "context"

type contextKey int

const (
	principalKey contextKey = iota
	requestIDKey
)

// Principal is who a request acts for.
type Principal struct {
	UserID      string
	Username    string
	Tenant      string
	SessionID   string
	Roles       []string
	Permissions map[Permission]bool
}

// Can reports whether the principal holds p.
func (p *Principal) Can(permission Permission) bool {
	return p != nil && (p.Permissions[permission] || p.Permissions[PermissionAll])
}

// WithPrincipal returns a context that carries p. A program of one's own acts for
// somebody like this:
//
//	ctx := core.WithPrincipal(context.Background(), &core.Principal{Username: "nightly", Tenant: "acme"})
func WithPrincipal(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, principalKey, p)
}

// PrincipalFrom returns the principal ctx carries, or nil.
func PrincipalFrom(ctx context.Context) *Principal {
	p, _ := ctx.Value(principalKey).(*Principal)
	return p
}

// WithRequestID returns a context that carries the id of a request.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey, id)
}

// RequestIDFrom returns the id of the request ctx belongs to, or "".
func RequestIDFrom(ctx context.Context) string {
	if ctx == nil {
		ctx = context.Background()
	}
	id, _ := ctx.Value(requestIDKey).(string)
	return id
}

// TenantFrom returns the tenant ctx acts in, or "" for the service itself.
func TenantFrom(ctx context.Context) string {
	if p := PrincipalFrom(ctx); p != nil {
		return p.Tenant
	}
	return ""
}

// ActorFrom returns the name of the user ctx acts for, or "system".
func ActorFrom(ctx context.Context) string {
	if p := PrincipalFrom(ctx); p != nil {
		return p.Username
	}
	return "system"
}
