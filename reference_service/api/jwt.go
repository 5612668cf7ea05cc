package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"example.org/siem/core"
)

// claims is what an access token says.
type claims struct {
	jwt.RegisteredClaims
	Tenant    string `json:"tenant"`
	Username  string `json:"name"`
	SessionID string `json:"sid"`
}

// tokenPair is what a login or a refresh gives: a short-lived token for requests,
// and one that is good for a single refresh.
type tokenPair struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
}

// startSession stores a new login of user and returns its first tokens.
func (s *Server) startSession(r *http.Request, user *core.User) (*tokenPair, error) {
	session := &core.Session{ID: core.NewID("session"), UserID: user.ID}
	secret, hash := newSecret()
	session.RefreshHash, session.CreatedAt = hash, time.Now()
	session.ExpiresAt = session.CreatedAt.Add(s.cfg.RefreshTTL)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	session.UserAgent, session.RemoteAddr = r.UserAgent(), r.RemoteAddr
	if err := s.Sessions.CreateSession(ctx, session); err != nil {
		return nil, err
	}
	return s.tokens(user, session.ID, secret)
}

// refreshSession trades a refresh token for new tokens.
func (s *Server) refreshSession(_ *http.Request, token string) (*tokenPair, error) {
	id, secret, ok := strings.Cut(token, ".")
	if !ok {
		return nil, core.Errorf(core.CodeUnauthorized, "not a refresh token")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	session, err := s.Sessions.SessionByID(ctx, id)
	if core.ErrorCode(err) == core.CodeNotFound {
		return nil, core.Errorf(core.CodeUnauthorized, "the session has ended")
	} else if err != nil {
		return nil, err
	}
	user, err := s.Users.UserByID(session.UserID)
	if err != nil || user.Locked(time.Now()) {
		return nil, core.Errorf(core.CodeUnauthorized, "the account is locked")
	}
	old := sha256.Sum256([]byte(secret))
	next, hash := newSecret()
	if err := s.Sessions.RotateSession(context.Background(), id, old[:], hash); err != nil {
		return nil, err
	}
	return s.tokens(user, id, next)
}

func (s *Server) tokens(user *core.User, sessionID, secret string) (*tokenPair, error) {
	now := time.Now()
	access, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    "siem",
			Subject:   user.ID,
			IssuedAt:  jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(s.cfg.AccessTTL)),
		},
		Tenant: user.Tenant, Username: user.Username, SessionID: sessionID,
	}).SignedString(s.cfg.SigningKey)
	if err != nil {
		return nil, err
	}
	return &tokenPair{AccessToken: access, RefreshToken: sessionID + "." + secret, TokenType: "Bearer", ExpiresIn: int(s.cfg.AccessTTL.Seconds())}, nil
}

// parse checks an access token's signature, issuer and age.
func (s *Server) parse(token string) (*claims, error) {
	var c claims
	_, err := jwt.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return s.cfg.SigningKey, nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer("siem"), jwt.WithExpirationRequired())
	if err != nil {
		return nil, core.Errorf(core.CodeUnauthorized, "the token is not valid")
	}
	return &c, nil
}

func newSecret() (secret string, hash []byte) {
	var b [32]byte
	_, _ = rand.Read(b[:])
	secret = base64.RawURLEncoding.EncodeToString(b[:])
	sum := sha256.Sum256([]byte(secret))
	return secret, sum[:]
}

// introspect says whether a token would be accepted, and whose it is.
func (s *Server) introspect(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Token string `json:"token"`
	}
	if err := s.readJSON(w, r, &body); err != nil {
		return err
	}
	c, err := s.parse(body.Token)
	if err != nil || c.Tenant != tenant(r) {
		return writeJSON(w, http.StatusOK, map[string]any{"active": false})
	}
	session, err := s.Sessions.SessionByID(context.Background(), c.SessionID)
	if err != nil && core.ErrorCode(err) != core.CodeNotFound {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"active": err == nil && session.Active(time.Now()), "sub": c.Subject,
		"username": c.Username, "exp": c.ExpiresAt.Unix()})
}

// impersonate lets an administrator see what somebody else sees, for a quarter
// of an hour, without a token to prolong it.
func (s *Server) impersonate(w http.ResponseWriter, r *http.Request) error {
	user, err := s.userInTenant(r)
	if err != nil {
		return err
	}
	session := &core.Session{ID: core.NewID("session"), UserID: user.ID, CreatedAt: time.Now(), UserAgent: "impersonated by " + core.ActorFrom(r.Context()), RemoteAddr: r.RemoteAddr}
	session.ExpiresAt = session.CreatedAt.Add(15 * time.Minute)
	_, session.RefreshHash = newSecret()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.Sessions.CreateSession(ctx, session); err != nil {
		return err
	}
	s.record(r, "user.impersonate", user.ID, user.Username)
	pair, err := s.tokens(user, session.ID, "")
	if err != nil {
		return err
	}
	pair.RefreshToken = ""
	return writeJSON(w, http.StatusOK, pair)
}
