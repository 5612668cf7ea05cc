package client

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.org/siem/core"
	"example.org/siem/siemtest"
)

func TestShortFormsDoWhatTheLongOnesDo(t *testing.T) {
	b := siemtest.New(t)
	remote := b.Answering(http.StatusOK, func(r *http.Request) string {
		switch {
		case strings.HasSuffix(r.URL.Path, "/login"):
			return `{"access_token":"t"}`
		case r.Method == http.MethodPost:
			return `{"accepted":1}`
		case strings.HasSuffix(r.URL.Path, "/alerts"):
			return `[{"id":"a1"}]`
		}
		return `{"events":[{"id":"e1"}]}`
	})
	c := New(remote.URL)
	b.OK(c.WaitReady())
	b.OK(c.Login("ann", "secret"))
	n, err := c.Send([]*core.Event{{Kind: "x"}})
	b.OK(err)
	events, err := c.Search(core.EventFilter{Host: "web 1", From: time.Unix(0, 0).UTC()})
	b.OK(err)
	alerts, err := c.Alerts(core.AlertOpen)
	b.OK(err)
	b.OK(c.Move("a1", core.AlertResolved))
	calls := remote.Calls()
	if n != 1 || len(events) != 1 || len(alerts) != 1 || calls[3] != "GET /api/v1/events?from=1970-01-01T00%3A00%3A00Z&host=web+1" {
		t.Errorf("%d, %v, %v, %v", n, events, alerts, calls)
	}
}

func TestFailuresHaveTheirCode(t *testing.T) {
	b := siemtest.New(t)
	refused := b.Answering(http.StatusConflict, func(*http.Request) string { return `{"error":"conflict","message":"taken"}` })
	if err := WithKey(refused.URL, "k").Move("a", "b"); core.ErrorCode(err) != core.CodeConflict {
		t.Errorf("a conflict: %v", err)
	}
	err := b.Within(300*time.Millisecond, func(ctx context.Context) error { return New("http://127.0.0.1:1").WaitReadyContext(ctx) })
	if core.ErrorCode(err) != core.CodeTimeout {
		t.Errorf("nobody there: %v", err)
	}
}
