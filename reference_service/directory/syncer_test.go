package directory

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"example.org/siem/core"
	"example.org/siem/siemtest"
	"example.org/siem/storage"
)

func TestWhoLeavesIsLockedOut(t *testing.T) {
	b := siemtest.New(t)
	bob := b.User("bob", "analyst")
	session := b.Login(bob)
	b.User("root", "admin")
	body := `{"entries":[{"username":"eve","name":"Eve","groups":["soc"]}]}`
	remote := b.Answering(http.StatusOK, func(*http.Request) string { return body })
	directories, users, sessions := storage.NewDirectoryStore(b.DB), storage.NewUserStore(b.DB), storage.NewSessionStore(b.DB)
	d := &core.Directory{Meta: core.Meta{Tenant: siemtest.Tenant, Name: "people", Enabled: true}, URL: remote.URL, Roles: map[string]string{"soc": "analyst", "eng": "engineer"}}
	b.OK(d.Validate())
	b.OK(directories.Create(d))
	s := NewSyncer(directories, users, storage.NewRoleStore(b.DB), sessions, b.Out, "token", siemtest.Tenant, b.Log)
	s.round()
	body = `{"entries":[{"username":"eve","name":"Eve","groups":["eng"]}]}`
	result, err := s.Sync(t.Context(), d)
	b.OK(err)
	eve, err := users.UserByName(siemtest.Tenant, "eve")
	b.OK(err)
	gone, err := users.UserByName(siemtest.Tenant, "bob")
	b.OK(err)
	root, err := users.UserByName(siemtest.Tenant, "root")
	b.OK(err)
	ended, err := sessions.SessionByID(t.Context(), session.ID)
	b.OK(err)
	if !gone.Disabled || root.Disabled || ended.Active(time.Now()) || !slices.Equal(eve.Roles, []string{"engineer"}) || len(result.Errors) > 0 {
		t.Errorf("bob %+v, eve %+v, session %+v, result %+v", gone, eve, ended, result)
	}
	remote.Close()
	if _, err := s.Sync(t.Context(), d); core.ErrorCode(err) != core.CodeUnavailable {
		t.Errorf("a directory that is away: %v", err)
	}
	s.Start(time.Hour)
	s.Stop()
}
