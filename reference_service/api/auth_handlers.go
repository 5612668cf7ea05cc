package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"net/http"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"

	"example.org/siem/core"
)

const minPassword = 12

// decoy is compared with when there is no such user, so that an answer takes as
// long either way.
var decoy = sync.OnceValue(func() []byte {
	hash, err := bcrypt.GenerateFromPassword([]byte("no such user"), bcrypt.DefaultCost)
	if err != nil {
		panic(err) // only a cost out of range fails
	}
	return hash
})

type credentials struct {
	Tenant   string `json:"tenant"`
	Username string `json:"username"`
	Password string `json:"password"`
	Code     string `json:"code"`
}

func (s *Server) login(w http.ResponseWriter, r *http.Request) error {
	var c credentials
	if err := s.readJSON(w, r, &c); err != nil {
		return err
	}
	user, err := s.verify(c)
	if err == nil && s.Factors != nil {
		err = s.secondFactor(user, c.Code)
	}
	if err != nil {
		s.metrics.logins.WithLabelValues("refused").Inc()
		s.record(r, "login.refused", c.Username, r.RemoteAddr)
		return err
	}
	pair, err := s.startSession(r, user)
	if err != nil {
		return err
	}
	s.metrics.logins.WithLabelValues("accepted").Inc()
	s.background.Go(func() {
		if err := s.Users.RecordLogin(user.ID, true); err != nil {
			s.log.Warn("login was not recorded", "user", user.ID, "error", err)
		}
	})
	s.record(r, "login", user.ID, r.RemoteAddr)
	return writeJSON(w, http.StatusOK, pair)
}

// verify finds the user that some credentials belong to.
func (s *Server) verify(c credentials) (*core.User, error) {
	if c.Tenant == "" {
		c.Tenant = "default"
	}
	refused := core.Errorf(core.CodeUnauthorized, "unknown user or wrong password")
	user, err := s.Users.UserByName(c.Tenant, c.Username)
	if core.ErrorCode(err) == core.CodeNotFound {
		_ = bcrypt.CompareHashAndPassword(decoy(), []byte(c.Password))
		return nil, refused
	}
	if err != nil {
		return nil, err
	}
	if user.Locked(time.Now()) {
		return nil, refused
	}
	if err := bcrypt.CompareHashAndPassword(user.PasswordHash, []byte(c.Password)); err != nil {
		if err := s.Users.RecordLogin(user.ID, false); err != nil {
			return nil, err
		}
		return nil, refused
	}
	return user, nil
}

func (s *Server) refresh(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		RefreshToken string `json:"refresh_token"`
	}
	if err := s.readJSON(w, r, &body); err != nil {
		return err
	}
	pair, err := s.refreshSession(r, body.RefreshToken)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, pair)
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	p := core.PrincipalFrom(r.Context())
	if err := s.Sessions.RevokeSession(ctx, p.SessionID); err != nil && core.ErrorCode(err) != core.CodeNotFound {
		return err
	}
	s.record(r, "logout", p.UserID, "")
	return noContent(w)
}

func (s *Server) me(w http.ResponseWriter, r *http.Request) error {
	p := core.PrincipalFrom(r.Context())
	user, err := s.Users.UserByID(p.UserID)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"user": user, "session_id": p.SessionID, "permissions": p.Permissions})
}

func (s *Server) changePassword(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Old string `json:"old"`
		New string `json:"new"`
	}
	if err := s.readJSON(w, r, &body); err != nil {
		return err
	}
	p := core.PrincipalFrom(r.Context())
	user, err := s.verify(credentials{Tenant: p.Tenant, Username: p.Username, Password: body.Old})
	if err != nil {
		return err
	}
	hash, err := hashPassword(body.New)
	if err != nil {
		return err
	}
	if err := s.Users.SetPassword(user.ID, hash); err != nil {
		return err
	}
	s.record(r, "password.change", user.ID, "")
	return noContent(w)
}

func (s *Server) listSessions(w http.ResponseWriter, r *http.Request) error {
	sessions, err := s.Sessions.SessionsOf(context.Background(), core.PrincipalFrom(r.Context()).UserID)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, sessions)
}

// revokeSession ends one of the caller's own logins.
func (s *Server) revokeSession(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	session, err := s.Sessions.SessionByID(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	if session.UserID != core.PrincipalFrom(r.Context()).UserID {
		return core.Errorf(core.CodeNotFound, "no such session")
	}
	if err := s.Sessions.RevokeSession(ctx, session.ID); err != nil {
		return err
	}
	return noContent(w)
}

// revokeOtherSessions ends all logins of the caller but the one that asks.
func (s *Server) revokeOtherSessions(w http.ResponseWriter, r *http.Request) error {
	p := core.PrincipalFrom(r.Context())
	sessions, err := s.Sessions.SessionsOf(r.Context(), p.UserID)
	if err != nil {
		return err
	}
	ended := 0
	for _, session := range sessions {
		if session.ID == p.SessionID || !session.Active(time.Now()) {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		err := s.Sessions.RevokeSession(ctx, session.ID)
		cancel()
		if err != nil {
			return err
		}
		ended++
	}
	s.record(r, "sessions.revoke", p.UserID, "")
	return writeJSON(w, http.StatusOK, map[string]int{"ended": ended})
}

// hashPassword refuses what is too short, or longer than bcrypt looks at.
func hashPassword(password string) ([]byte, error) {
	if len(password) < minPassword || len(password) > 72 {
		return nil, core.Errorf(core.CodeInvalid, "a password has %d to 72 bytes", minPassword)
	}
	return bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
}

// secondFactor checks a code, if the user has a second factor.
func (s *Server) secondFactor(user *core.User, code string) error {
	factor, err := s.Factors.FactorOf(context.Background(), user.ID)
	if core.ErrorCode(err) == core.CodeNotFound || (err == nil && !factor.Confirmed) {
		return nil
	}
	if err != nil {
		return err
	}
	refused := core.Errorf(core.CodeUnauthorized, "a code of the second factor is required")
	if step, ok := matchCode(factor.Secret, code, time.Now()); ok {
		err = s.Factors.UseStep(user.ID, step)
	} else {
		sum := sha256.Sum256([]byte(code))
		err = s.Factors.UseCode(user.ID, sum[:])
	}
	if core.ErrorCode(err) == core.CodeNotFound {
		return refused
	}
	return err
}

// enrollFactor makes a secret for the caller's phone, and codes for when it is
// lost. It counts once a code was confirmed.
func (s *Server) enrollFactor(w http.ResponseWriter, r *http.Request) error {
	p := core.PrincipalFrom(r.Context())
	factor := &core.Factor{UserID: p.UserID, Secret: make([]byte, 20)}
	_, _ = rand.Read(factor.Secret)
	codes := make([]string, 8)
	for i := range codes {
		codes[i] = rand.Text()[:10]
		sum := sha256.Sum256([]byte(codes[i]))
		factor.Codes = append(factor.Codes, sum[:])
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.Factors.SaveFactor(ctx, factor); err != nil {
		return err
	}
	s.record(r, "factor.enroll", p.UserID, "")
	secret := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(factor.Secret)
	return writeJSON(w, http.StatusCreated, map[string]any{"secret": secret, "codes": codes, "uri": "otpauth://totp/siem:" + p.Username + "?secret=" + secret + "&issuer=siem"})
}

func (s *Server) confirmFactor(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Code string `json:"code"`
	}
	if err := s.readJSON(w, r, &body); err != nil {
		return err
	}
	p := core.PrincipalFrom(r.Context())
	factor, err := s.Factors.FactorOf(context.Background(), p.UserID)
	if err != nil {
		return err
	}
	step, ok := matchCode(factor.Secret, body.Code, time.Now())
	if !ok {
		return core.Errorf(core.CodeInvalid, "the code does not fit")
	}
	if err := s.Factors.UseStep(p.UserID, step); err != nil {
		return err
	}
	s.record(r, "factor.confirm", p.UserID, "")
	return noContent(w)
}

// removeFactor takes a user's second factor away; an administrator does so for
// somebody who has lost everything.
func (s *Server) removeFactor(w http.ResponseWriter, r *http.Request) error {
	user, err := s.userInTenant(r)
	if err != nil {
		return err
	}
	if err := s.Factors.RemoveFactor(context.Background(), user.ID); err != nil {
		return err
	}
	s.record(r, "factor.remove", user.ID, user.Username)
	return noContent(w)
}

// requestReset mails a user a way to choose a new password. Whether there is
// such a user, the answer does not say.
func (s *Server) requestReset(w http.ResponseWriter, r *http.Request) error {
	var c credentials
	if err := s.readJSON(w, r, &c); err != nil {
		return err
	}
	user, err := s.Users.UserByName(cmp.Or(c.Tenant, "default"), c.Username)
	if err != nil && core.ErrorCode(err) != core.CodeNotFound {
		return err
	}
	if err == nil && user.Email != "" && !user.Disabled && s.Mail != nil {
		s.background.Go(func() { s.sendReset(user) })
	}
	s.record(r, "password.forgotten", c.Username, r.RemoteAddr)
	return writeJSON(w, http.StatusAccepted, map[string]string{"status": "if the user has an address, mail is on its way"})
}

func (s *Server) sendReset(user *core.User) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	secret, hash := newSecret()
	err := s.Factors.CreateReset(ctx, &core.Reset{UserID: user.ID, Hash: hash, ExpiresAt: time.Now().Add(time.Hour)})
	if err == nil {
		err = s.Mail.Send(ctx, user.Email, "[siem] a new password", "Send this within an hour to choose a new password: "+secret)
	}
	if err != nil {
		s.log.Error("reset was not sent", "user", user.ID, "error", err)
	}
}

// completeReset sets a password with what the mail said, and ends all logins.
func (s *Server) completeReset(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Secret   string `json:"secret"`
		Password string `json:"password"`
	}
	if err := s.readJSON(w, r, &body); err != nil {
		return err
	}
	password, err := hashPassword(body.Password)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(body.Secret))
	reset, err := s.Factors.TakeReset(sum[:])
	if core.ErrorCode(err) == core.CodeNotFound {
		return core.Errorf(core.CodeUnauthorized, "the reset was used, or came too late")
	}
	if err != nil {
		return err
	}
	if err := s.Users.SetPassword(reset.UserID, password); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := s.Sessions.RevokeUser(ctx, reset.UserID); err != nil {
		return err
	}
	s.record(r, "password.reset", reset.UserID, r.RemoteAddr)
	return noContent(w)
}
