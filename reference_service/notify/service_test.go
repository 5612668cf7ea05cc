package notify

import (
	"strings"
	"testing"
	"time"

	"example.org/siem/core"
	"example.org/siem/siemtest"
	"example.org/siem/storage"
)

func TestDigestsAndFailures(t *testing.T) {
	b, mail := siemtest.New(t), &siemtest.Mailbox{}
	store, bus := storage.NewSubscriptionStore(b.DB), core.NewBus()
	mailed := &core.Subscription{Meta: core.Meta{Tenant: siemtest.Tenant, Name: "mail", Enabled: true}, Channel: "email", Target: "ann@acme.example", Digest: 60}
	broken := &core.Subscription{Meta: core.Meta{Tenant: siemtest.Tenant, Name: "hook", Enabled: true}, Channel: "webhook", Target: "http://127.0.0.1:1/", Min: 3}
	b.OK(store.Create(mailed))
	b.OK(store.Create(broken))
	s := NewService(store, storage.NewAlertStore(b.DB), storage.NewCaseStore(b.DB), bus, mail, b.Out, siemtest.Tenant, b.Log)
	s.Start(time.Hour)
	for title, severity := range map[string]core.Severity{"small": 1, "large": 4} {
		b.OK(bus.Publish(core.Notice{Tenant: siemtest.Tenant, Kind: "raised", AlertID: b.Alert(title, severity).ID}))
	}
	b.Eventually("a failed try", func() bool {
		waiting, err := store.Messages(t.Context(), broken.ID, 10)
		b.OK(err)
		return len(waiting) == 1 && waiting[0].Tries == 1 && strings.Contains(waiting[0].Text, "large")
	})
	b.Eventually("two queued messages", func() bool {
		waiting, err := store.Messages(t.Context(), mailed.ID, 10)
		b.OK(err)
		return len(waiting) == 2
	})
	s.Stop()
	s.digests(time.Now().Add(30 * time.Minute))
	if len(mail.Mails()) != 0 {
		t.Errorf("too early: %v", mail.Mails())
	}
	s.digests(time.Now().Add(2 * time.Hour))
	if mails := mail.Mails(); len(mails) != 1 || !strings.Contains(mails[0], "2 alerts") {
		t.Errorf("mails: %v", mails)
	}
}

func TestOwnersAreRemindedOfTasks(t *testing.T) {
	b := siemtest.New(t)
	store := storage.NewSubscriptionStore(b.DB)
	ann := &core.Subscription{Meta: core.Meta{Tenant: siemtest.Tenant, Name: "ann", Enabled: true}, Owner: "ann", Channel: "email", Target: "ann@acme.example", Digest: 5}
	b.OK(store.Create(ann))
	b.Case("triage", time.Now().Add(-time.Hour))
	s := NewService(store, storage.NewAlertStore(b.DB), storage.NewCaseStore(b.DB), core.NewBus(), nil, b.Out, siemtest.Tenant, b.Log)
	morning := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1).Add(6 * time.Hour)
	s.remind(morning.Add(time.Hour))
	s.remind(morning)
	waiting, err := store.Messages(t.Context(), ann.ID, 10)
	b.OK(err)
	if len(waiting) != 1 || waiting[0].Text != "overdue: do triage" {
		t.Errorf("waiting: %+v", waiting)
	}
	if code := core.ErrorCode(s.Test(ann)); code != core.CodeUnavailable {
		t.Errorf("without a mail server: %q", code)
	}
}
