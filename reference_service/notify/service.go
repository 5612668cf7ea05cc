// Package notify tells people about alerts: each at once, or some at a time.
package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"example.org/siem/core"
)

const digestSize = 200

// Service implements core.Notifier.
type Service struct {
	subscriptions core.SubscriptionStore
	alerts        core.AlertStore
	cases         core.CaseStore
	bus           *core.Bus
	mail          core.Mailer
	call          core.Caller
	tenant        string
	log           *slog.Logger
	cancel        context.CancelFunc
	done          sync.WaitGroup
}

// NewService returns a service for one tenant; mail may be nil.
func NewService(subscriptions core.SubscriptionStore, alerts core.AlertStore, cases core.CaseStore, bus *core.Bus, mail core.Mailer,
	call core.Caller, tenant string, log *slog.Logger) *Service {
	return &Service{subscriptions: subscriptions, alerts: alerts, cases: cases, bus: bus, mail: mail, call: call, tenant: tenant, log: log, cancel: func() {}}
}

// Start listens to what happens to alerts, and sends digests at ticks.
func (s *Service) Start(tick time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	notices := s.bus.Subscribe(ctx, s.tenant)
	s.done.Go(func() {
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case n := <-notices:
				s.handle(n)
			case now := <-ticker.C:
				s.digests(now)
				s.remind(now)
			}
		}
	})
}

// Stop ends the work of Start; what is queued is sent after the next start.
func (s *Service) Stop() {
	s.cancel()
	s.done.Wait()
}

// handle tells, or queues, what a notice says.
func (s *Service) handle(n core.Notice) {
	if n.Kind != "raised" {
		return
	}
	alert, err := s.alerts.AlertByID(n.Tenant, n.AlertID)
	if err != nil {
		s.log.Warn("alert of a notice is not known", "alert", n.AlertID, "error", err)
		return
	}
	subscriptions, err := s.subscriptions.List(n.Tenant)
	if err != nil {
		s.log.Error("nobody was notified", "alert", n.AlertID, "error", err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for _, sub := range subscriptions {
		if !sub.Enabled || alert.Severity < sub.Min {
			continue
		}
		message := &core.Message{Text: fmt.Sprintf("%s (severity %d)", alert.Title, alert.Severity)}
		if err := s.subscriptions.QueueMessage(ctx, sub.ID, message); err != nil {
			s.log.Error("message was lost", "subscription", sub.ID, "error", err)
			continue
		}
		if sub.Digest == 0 {
			s.send(sub)
		}
	}
}

// send tells a subscriber what is queued; what fails stays queued.
func (s *Service) send(sub *core.Subscription) {
	if _, err := s.Flush(context.Background(), sub); err != nil {
		s.log.Warn("subscriber was not told", "subscription", sub.ID, "error", err)
	}
}

// digests sends to those who have waited long enough.
func (s *Service) digests(now time.Time) {
	subscriptions, err := s.subscriptions.List(s.tenant)
	if err != nil {
		s.log.Error("digests were not sent", "error", err)
		return
	}
	for _, sub := range subscriptions {
		since, err := s.subscriptions.OldestMessage(sub.ID)
		if err != nil || since.IsZero() || now.Sub(since) < time.Duration(sub.Digest)*time.Minute {
			continue
		}
		s.send(sub)
	}
}

// remind queues a message about every task that is overdue, once a day.
func (s *Service) remind(now time.Time) {
	if now.UTC().Hour() != 6 || now.Minute() != 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tasks, err := s.cases.OverdueTasks(ctx, now)
	if err != nil || len(tasks) == 0 {
		return
	}
	subscriptions, err := s.subscriptions.List(s.tenant)
	if err != nil {
		return
	}
	for _, sub := range subscriptions {
		for _, task := range tasks {
			if sub.Enabled && sub.Owner == task.Assignee {
				err = errors.Join(err, s.subscriptions.QueueMessage(context.Background(), sub.ID, &core.Message{Text: "overdue: " + task.Title}))
			}
		}
	}
	if err != nil {
		s.log.Error("reminders were lost", "error", err)
	}
}

// Flush sends a subscriber everything that is queued, in one message, and
// returns how many there were.
func (s *Service) Flush(ctx context.Context, sub *core.Subscription) (int, error) {
	messages, err := s.subscriptions.Messages(ctx, sub.ID, digestSize)
	if err != nil || len(messages) == 0 {
		return 0, err
	}
	ids, lines := make([]string, len(messages)), make([]string, len(messages))
	for i, m := range messages {
		ids[i], lines[i] = m.ID, m.At.Format(time.DateTime)+" "+m.Text
	}
	if err := s.deliver(sub, fmt.Sprintf("%d alerts", len(messages)), strings.Join(lines, "\n")); err != nil {
		return 0, errors.Join(err, s.subscriptions.MessagesFailed(context.Background(), ids, err.Error()))
	}
	return len(messages), s.subscriptions.MessagesSent(context.Background(), ids)
}

// Test sends a message that says that it is a test.
func (s *Service) Test(sub *core.Subscription) error {
	return s.deliver(sub, "test", "This is how alerts of "+sub.Name+" will reach you.")
}

func (s *Service) deliver(sub *core.Subscription, subject, text string) error {
	if sub.Channel == "email" {
		if s.mail == nil {
			return core.Errorf(core.CodeUnavailable, "this server sends no mail")
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		return s.mail.Send(ctx, sub.Target, "[siem] "+subject, text)
	}
	body, err := json.Marshal(map[string]string{"subject": subject, "text": text})
	if err != nil {
		return err
	}
	status, _, err := s.call.Call(context.Background(), http.MethodPost, sub.Target, nil, body)
	if err == nil && status >= 300 {
		err = core.Errorf(core.CodeUnavailable, "the subscriber answered %d", status)
	}
	return err
}
