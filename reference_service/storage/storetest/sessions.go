package storetest

import (
	"context"
	"testing"
	"time"

	"example.org/siem/core"
)

// Sessions holds a place for logins to what the service expects; open returns an
// empty one, and the id of a user who may log in.
func Sessions(t *testing.T, open func(t *testing.T) (core.SessionStore, string)) {
	for name, check := range map[string]func(*testing.T, core.SessionStore, string){
		"RefreshTokenRotates": refreshTokenRotates, "OneLoginEnds": oneLoginEnds, "AllLoginsEnd": allLoginsEnd, "OldLoginsGo": oldLoginsGo,
	} {
		t.Run(name, func(t *testing.T) {
			store, user := open(t)
			check(t, store, user)
		})
	}
}

func login(t *testing.T, store core.SessionStore, user, id string, lives time.Duration) *core.Session {
	t.Helper()
	s := &core.Session{ID: id, UserID: user, RefreshHash: []byte("first"), CreatedAt: time.Now().UTC(), ExpiresAt: time.Now().UTC().Add(lives)}
	ok(t, store.CreateSession(context.Background(), s))
	return s
}

func refreshTokenRotates(t *testing.T, store core.SessionStore, user string) {
	login(t, store, user, "s1", time.Hour)
	ok(t, store.RotateSession(context.Background(), "s1", []byte("first"), []byte("second")))
	ok(t, store.RotateSession(context.Background(), "s1", []byte("second"), []byte("third")))
	wantCode(t, store.RotateSession(context.Background(), "s1", []byte("first"), []byte("stolen")), core.CodeUnauthorized)
	s, err := store.SessionByID(context.Background(), "s1")
	ok(t, err)
	if s.Active(time.Now()) {
		t.Error("a session whose token was used twice goes on")
	}
}

func oneLoginEnds(t *testing.T, store core.SessionStore, user string) {
	login(t, store, user, "s1", time.Hour)
	login(t, store, user, "s2", time.Hour)
	ok(t, store.RevokeSession(context.Background(), "s1"))
	wantCode(t, store.RevokeSession(context.Background(), "none"), core.CodeNotFound)
	for id, want := range map[string]bool{"s1": false, "s2": true} {
		s, err := store.SessionByID(context.Background(), id)
		ok(t, err)
		if s.Active(time.Now()) != want {
			t.Errorf("%s is active: %v", id, !want)
		}
	}
	_, err := store.SessionByID(context.Background(), "none")
	wantCode(t, err, core.CodeNotFound)
}

func allLoginsEnd(t *testing.T, store core.SessionStore, user string) {
	login(t, store, user, "s1", time.Hour)
	login(t, store, user, "s2", time.Hour)
	n, err := store.RevokeUser(context.Background(), user)
	ok(t, err)
	all, err := store.SessionsOf(context.Background(), user)
	ok(t, err)
	if n != 2 || len(all) != 2 || all[0].Active(time.Now()) || all[1].Active(time.Now()) {
		t.Errorf("%d ended; %+v", n, all)
	}
}

func oldLoginsGo(t *testing.T, store core.SessionStore, user string) {
	login(t, store, user, "old", -time.Hour)
	login(t, store, user, "new", time.Hour)
	n, err := store.PurgeSessions(context.Background(), time.Now())
	ok(t, err)
	left, err := store.SessionsOf(context.Background(), user)
	ok(t, err)
	if n != 1 || len(left) != 1 || left[0].ID != "new" {
		t.Errorf("%d gone, left %+v", n, left)
	}
}
