package memory

import (
	"testing"
	"time"

	"example.org/siem/core"
)

func TestSessions(t *testing.T) {
	var store core.SessionStore = NewSessions()
	ctx := t.Context()
	s := &core.Session{ID: "one", UserID: "ann", RefreshHash: []byte("a"), CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}
	if err := store.CreateSession(ctx, s); err != nil {
		t.Fatal(err)
	}
	if err := store.RotateSession(ctx, "one", []byte("a"), []byte("b")); err != nil {
		t.Fatal(err)
	}
	if err := store.RotateSession(ctx, "one", []byte("a"), []byte("c")); core.ErrorCode(err) != core.CodeUnauthorized {
		t.Fatalf("a token that was used before: %v", err)
	}
	if found, err := store.SessionByID(ctx, "one"); err != nil || found.Active(time.Now()) {
		t.Fatalf("the session lives on: %v", err)
	}
	if n, err := store.PurgeSessions(ctx, time.Now().Add(time.Minute)); n != 1 || err != nil {
		t.Fatalf("purged %d, %v", n, err)
	}
}
