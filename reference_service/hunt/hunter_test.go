package hunt

import (
	"context"
	"testing"
	"time"

	"example.org/siem/core"
	"example.org/siem/siemtest"
	"example.org/siem/storage"
)

func TestHuntsThatAreDueAreRun(t *testing.T) {
	b := siemtest.New(t)
	b.Events("dns", "web1", 3)
	store := storage.NewHuntStore(b.DB)
	due := &core.Hunt{Meta: core.Meta{Tenant: siemtest.Tenant, Name: "dns", Enabled: true}, Query: core.EventFilter{Kind: "dns"}, Minutes: 5, Window: 10, Threshold: 3}
	off := &core.Hunt{Meta: core.Meta{Tenant: siemtest.Tenant, Name: "off"}, Minutes: 5, Window: 10, Threshold: 1}
	b.OK(store.Create(due))
	b.OK(store.Create(off))
	h := NewHunter(store, storage.NewEventStore(b.DB), storage.NewAlertStore(b.DB), core.NewBus(), siemtest.Tenant, b.Log)
	h.Start(5 * time.Millisecond)
	b.Eventually("the alert of the hunt", func() bool { return b.Alerts()["dns: 3 events"] != nil })
	time.Sleep(20 * time.Millisecond)
	h.Stop()
	results, err := store.Results(t.Context(), due.ID, 10)
	b.OK(err)
	if len(results) != 1 || results[0].Hosts[0] != "web1" {
		t.Errorf("results: %+v", results)
	}
	b.OK(b.Within(time.Second, func(ctx context.Context) error {
		_, err := h.Run(ctx, off)
		return err
	}))
}
