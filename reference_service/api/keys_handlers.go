package api

import (
	"context"
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"
	"time"

	"example.org/siem/core"
)

const keyPrefix = "siemkey_"

func (s *Server) createKey(w http.ResponseWriter, r *http.Request) error {
	key := &core.Key{}
	if err := s.readJSON(w, r, key); err != nil {
		return err
	}
	if strings.TrimSpace(key.Name) == "" || len(key.Permissions) == 0 {
		return core.Errorf(core.CodeInvalid, "name and permissions are required")
	}
	if err := core.ValidatePermissions(key.Permissions); err != nil {
		return err
	}
	p := core.PrincipalFrom(r.Context())
	for _, permission := range key.Permissions {
		if !p.Can(permission) {
			return core.Errorf(core.CodeForbidden, "nobody gives what they don't have: %s", permission)
		}
	}
	secret, _ := newSecret()
	hash := sha256.Sum256([]byte(keyPrefix + secret))
	key.Tenant, key.CreatedBy, key.Hash = p.Tenant, p.Username, hash[:]
	if err := s.Keys.CreateKey(key); err != nil {
		return err
	}
	s.record(r, "key.create", key.ID, key.Name)
	return writeJSON(w, http.StatusCreated, map[string]any{"key": key, "secret": keyPrefix + secret})
}

func (s *Server) listKeys(w http.ResponseWriter, r *http.Request) error {
	keys, err := s.Keys.ListKeys(context.Background(), tenant(r))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, keys)
}

func (s *Server) revokeKey(w http.ResponseWriter, r *http.Request) error {
	if err := s.Keys.RevokeKey(r.Context(), tenant(r), r.PathValue("id")); err != nil {
		return err
	}
	s.record(r, "key.revoke", r.PathValue("id"), "")
	return noContent(w)
}

// rotateKey gives a key a new secret; the old one works for a day.
func (s *Server) rotateKey(w http.ResponseWriter, r *http.Request) error {
	secret, _ := newSecret()
	hash := sha256.Sum256([]byte(keyPrefix + secret))
	if err := s.Rotator.RotateKey(context.Background(), tenant(r), r.PathValue("id"), hash[:], 24*time.Hour); err != nil {
		return err
	}
	s.record(r, "key.rotate", r.PathValue("id"), "")
	return writeJSON(w, http.StatusOK, map[string]string{"secret": keyPrefix + secret})
}

// staleKeys lists the tenant's keys that nobody has used for ninety days.
func (s *Server) staleKeys(w http.ResponseWriter, r *http.Request) error {
	all, err := s.Rotator.StaleKeys(time.Now().AddDate(0, 0, -90))
	if err != nil {
		return err
	}
	own := slices.DeleteFunc(all, func(k *core.Key) bool { return k.Tenant != tenant(r) })
	return writeJSON(w, http.StatusOK, own)
}

// keyPrincipal finds the program that a key belongs to.
func (s *Server) keyPrincipal(secret string) (*core.Principal, error) {
	hash := sha256.Sum256([]byte(secret))
	key, err := s.Keys.KeyByHash(hash[:])
	if core.ErrorCode(err) == core.CodeNotFound || (err == nil && !key.RevokedAt.IsZero()) {
		return nil, core.Errorf(core.CodeUnauthorized, "the key is not valid")
	}
	if err != nil {
		return nil, err
	}
	s.background.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Keys.TouchKey(ctx, key.ID); err != nil {
			s.log.Warn("use of a key was not recorded", "key", key.ID, "error", err)
		}
	})
	p := &core.Principal{UserID: key.ID, Username: "key:" + key.Name, Tenant: key.Tenant, Permissions: make(map[core.Permission]bool)}
	for _, permission := range key.Permissions {
		p.Permissions[permission] = true
	}
	return p, nil
}
