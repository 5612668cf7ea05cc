package storage

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"example.org/siem/core"
	"example.org/siem/storage/storetest"
)

// open returns a database whose clock the test sets.
func open(t *testing.T) *DB {
	t.Helper()
	db, err := Open(filepath.Join(t.TempDir(), "test.db"), 2, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if core.ErrorCode(err) != code {
		t.Fatalf("error %v, want %q", err, code)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newRule(name string) *core.Rule {
	return &core.Rule{Tenant: "acme", Name: name, Enabled: true, Tags: []string{"auth"},
		Conditions: []core.Condition{{Field: "kind", Op: core.OpEquals, Values: []string{"login"}}}}
}

func TestMigrationsApplyOnce(t *testing.T) {
	db := open(t)
	before, err := db.Applied()
	ok(t, err)
	ok(t, db.migrate())
	after, err := db.Applied()
	ok(t, err)
	if len(before) < 4 || len(after) != len(before) {
		t.Errorf("%v, then %v", before, after)
	}
}

func TestUsersLockAfterFailures(t *testing.T) {
	db := open(t)
	users := NewUserStore(db)
	u := &core.User{Tenant: "acme", Username: "ann", PasswordHash: []byte("x"), Roles: []string{"analyst"}}
	ok(t, users.CreateUser(u))
	wantCode(t, users.CreateUser(&core.User{Tenant: "acme", Username: "ann", PasswordHash: []byte("x")}), core.CodeConflict)
	wantCode(t, users.CreateUser(&core.User{Tenant: "acme", Username: "bob", PasswordHash: []byte("x"), Roles: []string{"king"}}), core.CodeInvalid)
	for range failuresBeforeLock {
		ok(t, users.RecordLogin(u.ID, false))
	}
	found, err := users.UserByName("acme", "ann")
	ok(t, err)
	if !found.Locked(time.Now()) || found.Locked(time.Now().Add(lockedFor+time.Second)) || found.Roles[0] != "analyst" {
		t.Errorf("after %d failures: %+v", failuresBeforeLock, found)
	}
	ok(t, users.RecordLogin(u.ID, true))
	if found, err = users.UserByID(u.ID); err != nil || found.Locked(time.Now()) {
		t.Errorf("after a login: %+v, %v", found, err)
	}
	ok(t, users.DeleteUser("acme", u.ID))
	_, err = users.UserByID(u.ID)
	wantCode(t, err, core.CodeNotFound)
}

func TestPasswordChangeEndsSessions(t *testing.T) {
	db := open(t)
	ctx := t.Context()
	users, sessions := NewUserStore(db), NewSessionStore(db)
	u := &core.User{Tenant: "acme", Username: "ann", PasswordHash: []byte("x")}
	ok(t, users.CreateUser(u))
	s := &core.Session{ID: "s1", UserID: u.ID, RefreshHash: []byte("a"), CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}
	ok(t, sessions.CreateSession(ctx, s))
	ok(t, sessions.RotateSession(ctx, "s1", []byte("a"), []byte("b")))
	ok(t, users.SetPassword(u.ID, []byte("y")))
	wantCode(t, sessions.RotateSession(ctx, "s1", []byte("b"), []byte("c")), core.CodeUnauthorized)
}

func TestRolesAddUp(t *testing.T) {
	db := open(t)
	ctx := t.Context()
	roles := NewRoleStore(db)
	u := &core.User{Tenant: "acme", Username: "ann", PasswordHash: []byte("x")}
	ok(t, NewUserStore(db).CreateUser(u))
	ok(t, roles.SaveRole(ctx, &core.Role{Name: "auditor", Permissions: []core.Permission{"audit:read"}}))
	wantCode(t, roles.SaveRole(ctx, &core.Role{Name: "admin"}), core.CodeConflict)
	ok(t, roles.Grant(ctx, u.ID, []string{"auditor", "analyst"}))
	wantCode(t, roles.Grant(ctx, u.ID, []string{"king"}), core.CodeInvalid)
	names, permissions, err := roles.PermissionsOf(ctx, u.ID)
	ok(t, err)
	if len(names) != 2 || len(permissions) != 3 {
		t.Errorf("%v, %v", names, permissions)
	}
}

func TestRuleVersions(t *testing.T) {
	db := open(t)
	rules := NewRuleStore(db)
	rule := newRule("one")
	ok(t, rules.CreateRule(rule))
	stale := *rule
	rule.Name = "uno"
	ok(t, rules.UpdateRule(t.Context(), rule))
	wantCode(t, rules.UpdateRule(t.Context(), &stale), core.CodeConflict)
	versions, err := rules.RuleVersions("acme", rule.ID)
	ok(t, err)
	if len(versions) != 2 || versions[0].Rule.Name != "uno" || versions[1].Rule.Name != "one" {
		t.Errorf("versions: %+v", versions)
	}
	tagged, err := rules.ListRules(core.RuleFilter{Tenant: "acme", Enabled: true, Tag: "auth"})
	ok(t, err)
	ok(t, rules.EnableRule("acme", rule.ID, false))
	enabled, err := rules.ListRules(core.RuleFilter{Tenant: "acme", Enabled: true})
	ok(t, err)
	if len(tagged) != 1 || len(enabled) != 0 {
		t.Errorf("%d tagged, %d enabled", len(tagged), len(enabled))
	}
}

func TestImportIsAllOrNothing(t *testing.T) {
	db := open(t)
	rules := NewRuleStore(db)
	_, err := rules.ImportRules("acme", []*core.Rule{newRule("one"), {Name: "bad"}})
	wantCode(t, err, core.CodeInvalid)
	n, err := rules.ImportRules("acme", []*core.Rule{newRule("one"), newRule("two"), newRule("one")})
	ok(t, err)
	if n != 2 {
		t.Errorf("imported %d, want 2", n)
	}
}

func TestAlertsCountTogetherUntilClosed(t *testing.T) {
	db := open(t)
	ctx := core.WithPrincipal(t.Context(), &core.Principal{Username: "ann", Tenant: "acme"})
	alerts := NewAlertStore(db)
	raise := func() (string, bool) {
		a := &core.Alert{Tenant: "acme", RuleID: "r", DedupKey: "r/web1", Severity: 2, FirstSeen: time.Now(), LastSeen: time.Now()}
		created, err := alerts.RaiseAlert(ctx, a)
		ok(t, err)
		return a.ID, created
	}
	first, _ := raise()
	second, created := raise()
	if created || first != second {
		t.Fatalf("%s and %s", first, second)
	}
	if n, err := alerts.MoveAlerts(ctx, "acme", []string{first, "none"}, core.AlertResolved); n != 1 || err != nil {
		t.Fatalf("moved %d, %v", n, err)
	}
	third, created := raise()
	if !created || third == first {
		t.Fatal("a closed alert was counted on")
	}
	_, err := alerts.MoveAlert(ctx, "acme", first, core.AlertOpen)
	wantCode(t, err, core.CodeConflict)
	sum, err := alerts.SummarizeAlerts("acme", time.Time{})
	ok(t, err)
	if sum.ByStatus[core.AlertResolved] != 1 || sum.ByStatus[core.AlertOpen] != 1 || sum.BySeverity[2] != 2 {
		t.Errorf("summary: %+v", sum)
	}
}

func TestAuditLogShowsTampering(t *testing.T) {
	db := open(t)
	ctx := core.WithRequestID(core.WithPrincipal(t.Context(), &core.Principal{Username: "ann", Tenant: "acme"}), "req-1")
	log := NewAuditLog(db)
	for range 3 {
		ok(t, log.Record(ctx, &core.AuditEntry{Action: "x", Target: "y"}))
	}
	entries, err := log.AuditEntries("acme", 10)
	ok(t, err)
	if len(entries) != 3 || entries[0].Actor != "ann" || entries[0].RequestID != "req-1" {
		t.Fatalf("entries: %+v", entries)
	}
	broken, err := log.VerifyAudit(ctx)
	ok(t, err)
	if broken != 0 {
		t.Fatalf("entry %d is broken", broken)
	}
	_, err = db.write.Exec(`UPDATE audit_log SET actor = 'eve' WHERE seq = 2`)
	ok(t, err)
	if broken, err = log.VerifyAudit(ctx); broken != 2 || err != nil {
		t.Errorf("broken: %d, %v", broken, err)
	}
}

func TestWritesFailOnceTheContextHasEnded(t *testing.T) {
	db := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := NewAuditLog(db).Record(ctx, &core.AuditEntry{Action: "x"}); core.ErrorCode(err) != core.CodeCanceled {
		t.Errorf("audit entry: %v", err)
	}
	if db.InUse() != 0 {
		t.Error("a connection was not given back")
	}
}

func TestSessions(t *testing.T) {
	storetest.Sessions(t, func(t *testing.T) (core.SessionStore, string) {
		db := open(t)
		u := &core.User{Tenant: "acme", Username: "ann", PasswordHash: []byte("x")}
		ok(t, NewUserStore(db).CreateUser(u))
		return NewSessionStore(db), u.ID
	})
}
