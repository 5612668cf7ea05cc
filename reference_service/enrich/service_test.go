package enrich

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"example.org/siem/core"
	"example.org/siem/outbound"
	"example.org/siem/storage"
)

func TestEnrichAddsWhatIsKnown(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	db, err := storage.Open(filepath.Join(t.TempDir(), "test.db"), 2, log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var asked atomic.Int32
	locator := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = w.Write([]byte(`{"country":"FI","network":"AS1"}`))
	}))
	defer locator.Close()
	assets := storage.NewAssetStore(db)
	if err := assets.SaveAsset(t.Context(), &core.Asset{Tenant: "acme", Host: "web1", Owner: "ann", Criticality: 3}); err != nil {
		t.Fatal(err)
	}
	out := outbound.New([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, 5*time.Second)
	s := NewService(assets, storage.NewUserStore(db), out, locator.URL, time.Minute, log)
	s.Start(time.Millisecond)
	defer s.Stop()
	for range 2 {
		e := &core.Event{Tenant: "acme", Host: "web1", User: "nobody", Source: "10.1.2.3", Fields: map[string]string{"source_network": "own"}}
		if err := s.Enrich(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if e.Fields["host_owner"] != "ann" || e.Fields["source_country"] != "FI" || e.Fields["source_network"] != "own" {
			t.Errorf("fields: %v", e.Fields)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the locator was asked %d times", n)
	}
	if _, err := s.About(context.Background(), "mood", "x"); core.ErrorCode(err) != core.CodeInvalid {
		t.Errorf("a mood: %v", err)
	}
}
