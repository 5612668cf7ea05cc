package core

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestCondition(t *testing.T) {
	e := &Event{Kind: "login", Host: "web1", Message: "failed for bob", Fields: map[string]string{"port": "22"}}
	cases := []struct {
		c    Condition
		want bool
	}{
		{Condition{Field: "kind", Op: OpEquals, Values: []string{"logout"}}, false},
		{Condition{Field: "kind", Op: OpEquals, Values: []string{"logout", "login"}}, true},
		{Condition{Field: "kind", Op: OpEquals, Values: []string{"login"}, Negate: true}, false},
		{Condition{Field: "message", Op: OpContains, Values: []string{"bob"}}, true},
		{Condition{Field: "host", Op: OpPrefix, Values: []string{"web"}}, true},
		{Condition{Field: "host", Op: OpSuffix, Values: []string{"web"}}, false},
		{Condition{Field: "port", Op: OpRegexp, Values: []string{"^2[0-9]$"}}, true},
		{Condition{Field: "nothing", Op: OpEquals, Values: []string{""}}, true},
	}
	for _, c := range cases {
		if got := c.c.Matches(e); got != c.want {
			t.Errorf("%+v: %v, want %v", c.c, got, c.want)
		}
	}
}

func TestErrorCode(t *testing.T) {
	cases := map[string]error{
		"":              nil,
		CodeNotFound:    fmt.Errorf("wrapped: %w", Errorf(CodeNotFound, "gone")),
		CodeTimeout:     fmt.Errorf("query: %w", context.DeadlineExceeded),
		CodeCanceled:    context.Canceled,
		CodeInternal:    errors.New("disk on fire"),
		CodeUnavailable: errors.Join(Errorf(CodeUnavailable, "no route"), context.DeadlineExceeded),
	}
	for want, err := range cases {
		if got := ErrorCode(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
	if m := ErrorMessage(errors.New("password in here")); m != "internal error" {
		t.Errorf("an internal error shows: %q", m)
	}
}

func TestMoveTo(t *testing.T) {
	if err := MoveTo(AlertOpen, AlertResolved); err != nil {
		t.Error(err)
	}
	if code := ErrorCode(MoveTo(AlertResolved, AlertDismissed)); code != CodeConflict {
		t.Errorf("resolved to dismissed: %q", code)
	}
	if code := ErrorCode(MoveTo(AlertOpen, "lost")); code != CodeInvalid {
		t.Errorf("open to lost: %q", code)
	}
}

func TestRuleValidate(t *testing.T) {
	rule := Rule{Name: "r", Conditions: []Condition{{Field: "host", Op: OpRegexp, Values: []string{"("}}}}
	if code := ErrorCode(rule.Validate()); code != CodeInvalid {
		t.Errorf("a broken expression: %q", code)
	}
}

func TestContextCarriesWhoAndWhich(t *testing.T) {
	ctx := WithRequestID(WithPrincipal(t.Context(), &Principal{Username: "ann", Tenant: "acme"}), "req-1")
	if ActorFrom(ctx) != "ann" || TenantFrom(ctx) != "acme" || RequestIDFrom(ctx) != "req-1" {
		t.Error("the context does not carry what was put in")
	}
	if ActorFrom(t.Context()) != "system" || TenantFrom(t.Context()) != "" {
		t.Error("nobody is not the system")
	}
}

func TestBus(t *testing.T) {
	bus := NewBus()
	gone, leave := context.WithCancel(t.Context())
	bus.Subscribe(gone, "acme")
	mine := bus.Subscribe(t.Context(), "acme")
	leave()
	for i := range 40 { // more than the one that left has room for
		if err := bus.Publish(Notice{Tenant: "acme", AlertID: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
		if n := <-mine; n.AlertID != fmt.Sprint(i) {
			t.Fatalf("notice %s, want %d", n.AlertID, i)
		}
	}
	if err := bus.Publish(Notice{Tenant: "other"}); err != nil || len(mine) > 0 {
		t.Error("a notice of another tenant arrived")
	}
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	var err error
	for range 20 {
		err = bus.PublishContext(short, Notice{Tenant: "acme"})
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a full listener: %v", err)
	}
}

func TestActionValidate(t *testing.T) {
	for valid, actions := range map[bool][]Action{
		true: {{Kind: ActionWebhook, Target: "https://hooks.example"}, {Kind: ActionScript, Target: "lock", Timeout: 300}},
		false: {{Kind: "fax", Target: "1"}, {Kind: ActionChat, Target: "no URL"}, {Kind: ActionEmail}, {Kind: ActionEmail, Target: "a@b", Timeout: -1},
			{Kind: ActionEmail, Target: "a@b", Timeout: 301}, {Kind: ActionEmail, Target: "a@b", Retries: 6}, {Kind: ActionEmail, Target: "ann"}, {Kind: ActionEmail, Target: "a@b\r\nRCPT TO:<c@d>"}},
	} {
		for _, a := range actions {
			a.Name = "one"
			if err := a.Validate(); (err == nil) != valid || (err != nil && ErrorCode(err) != CodeInvalid) {
				t.Errorf("%+v: %v", a, err)
			}
		}
	}
}

func TestNamesAndPermissionsThatAreNone(t *testing.T) {
	for name, err := range map[string]error{
		"no name":           (&User{Tenant: "acme", Username: " ", PasswordHash: []byte("x")}).Validate(),
		"two lines":         (&User{Tenant: "acme", Username: "ann\nbob", PasswordHash: []byte("x")}).Validate(),
		"no permission":     ValidatePermissions([]Permission{PermissionRead, "events:delete"}),
		"window of an age":  (&CorrelationRule{Meta: Meta{Name: "c"}, Type: CorrelateCount, Kind: "x", GroupBy: "host", Threshold: 1, Seconds: 1 << 40}).Validate(),
		"severity of seven": (&Event{Kind: "x", Severity: 7}).Validate(),
		"two recipients":    (&ReportPlan{Meta: Meta{Name: "r"}, Sections: []string{SectionCases}, Days: 1, Format: "csv", Recipients: []string{"a@b", "a@b\nc@d"}}).Validate(),
	} {
		if ErrorCode(err) != CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := ValidatePermissions([]Permission{PermissionAll, PermissionAdmin}); err != nil {
		t.Error(err)
	}
}

func TestEveryEndsWithItsContextAndDoesNotCutWorkShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ticks, done := 0, make(chan struct{})
		go func() {
			defer close(done)
			Every(ctx, time.Minute, func(time.Time) {
				time.Sleep(time.Second)
				ticks++
			})
		}()
		time.Sleep(3*time.Minute + time.Millisecond) // the third is being worked on
		cancel()
		<-done
		if ticks != 3 {
			t.Errorf("%d ticks in three minutes", ticks)
		}
	})
}
