package packs

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"testing"

	"example.org/siem/core"
	"example.org/siem/siemtest"
	"example.org/siem/storage"
)

func TestPacksThatAreNotWhatTheyShouldBe(t *testing.T) {
	b := siemtest.New(t)
	const good = `{"version":"1","rules":[{"name":"r","conditions":[{"field":"kind","op":"equals","values":["x"]}]}]}`
	sum := sha256.Sum256([]byte(good))
	store, reloads := storage.NewPackStore(b.DB), 0
	i := NewInstaller(store, b.Out, b.Out, func() { reloads++ }, b.Log)
	for _, c := range []struct {
		name, body, sha256, code string
	}{
		{"good", good, hex.EncodeToString(sum[:]), ""},
		{"changed", good + " ", hex.EncodeToString(sum[:]), core.CodeForbidden},
		{"html", "<html>", "", core.CodeUnavailable},
		{"no conditions", `{"version":"1","rules":[{"name":"r"}]}`, "", core.CodeInvalid},
	} {
		remote := b.Answering(http.StatusOK, func(*http.Request) string { return c.body })
		p := &core.Pack{Meta: core.Meta{Tenant: siemtest.Tenant, Name: c.name}, URL: remote.URL, SHA256: c.sha256}
		b.OK(p.Validate())
		b.OK(store.Create(p))
		if _, err := i.Install(t.Context(), p); core.ErrorCode(err) != c.code {
			t.Errorf("%s: %v, want %q", c.name, err, c.code)
		}
	}
	if reloads != 1 {
		t.Errorf("%d reloads", reloads)
	}
}
