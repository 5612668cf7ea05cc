// Package hunt runs saved queries on a schedule, and raises alerts about what
// they find.
package hunt

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"example.org/siem/core"
)

// Hunter implements core.Hunter.
type Hunter struct {
	hunts  core.HuntStore
	events core.EventStore
	alerts core.AlertStore
	bus    *core.Bus
	tenant string
	log    *slog.Logger
	now    func() time.Time
	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// NewHunter returns a hunter for one tenant. It hunts when asked to, and by
// itself between Start and Stop.
func NewHunter(hunts core.HuntStore, events core.EventStore, alerts core.AlertStore, bus *core.Bus, tenant string, log *slog.Logger) *Hunter {
	h := &Hunter{hunts: hunts, events: events, alerts: alerts, bus: bus, tenant: tenant, log: log, now: time.Now}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h
}

// Start looks for hunts that are due at every tick.
func (h *Hunter) Start(tick time.Duration) {
	h.done.Go(func() {
		core.Every(h.ctx, tick, func(time.Time) {
			if err := h.runDue(); err != nil {
				h.log.Error("hunts failed", "error", err)
			}
		})
	})
}

// Stop ends the schedule and waits for hunts that are running.
func (h *Hunter) Stop() {
	h.cancel()
	h.done.Wait()
}

// runDue runs what is due, three at a time.
func (h *Hunter) runDue() error {
	hunts, err := h.hunts.List(h.tenant)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(context.Background())
	group.SetLimit(3)
	for _, hunt := range hunts {
		last, err := h.hunts.LastResult(ctx, hunt.ID)
		if err != nil && core.ErrorCode(err) != core.CodeNotFound {
			return err
		}
		if !hunt.Enabled || (last != nil && h.now().Sub(last.At) < time.Duration(hunt.Minutes)*time.Minute) {
			continue
		}
		group.Go(func() error {
			if _, err := h.Run(ctx, hunt); err != nil {
				h.log.Error("hunt failed", "hunt", hunt.ID, "error", err)
			}
			return nil
		})
	}
	return group.Wait()
}

// Run runs a hunt now: it counts, compares with the window before, and raises
// an alert when there is too much.
func (h *Hunter) Run(ctx context.Context, hunt *core.Hunt) (*core.HuntResult, error) {
	start := time.Now()
	runCtx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	window := time.Duration(hunt.Window) * time.Minute
	now := hunt.Query
	now.Tenant, now.To, now.From = hunt.Tenant, h.now(), h.now().Add(-window)
	r := &core.HuntResult{HuntID: hunt.ID, Hosts: []string{}}
	var err error
	if r.Found, err = h.events.CountEvents(runCtx, now); err != nil {
		return nil, err
	}
	before := now
	before.To, before.From = now.From, now.From.Add(-window)
	if r.Before, err = h.events.CountEvents(context.Background(), before); err != nil {
		return nil, err
	}
	if r.Found >= hunt.Threshold {
		if err := h.report(hunt, now, r); err != nil {
			return nil, err
		}
	}
	r.Millis = time.Since(start).Milliseconds()
	return r, h.hunts.SaveResult(r)
}

// report raises an alert that names the busiest hosts and the latest events.
func (h *Hunter) report(hunt *core.Hunt, found core.EventFilter, r *core.HuntResult) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	hosts, err := h.events.TopValues(ctx, found, "host", 10)
	if err != nil {
		return err
	}
	for _, host := range hosts {
		r.Hosts = append(r.Hosts, host.Value)
	}
	found.Limit = 20
	events, err := h.events.SearchEvents(ctx, found)
	if err != nil {
		return err
	}
	alert := &core.Alert{Tenant: hunt.Tenant, RuleID: hunt.ID, DedupKey: "hunt/" + hunt.ID, Title: fmt.Sprintf("%s: %d events", hunt.Name, r.Found),
		Severity: hunt.Severity, FirstSeen: found.From.UTC(), LastSeen: found.To.UTC()}
	for _, e := range slices.Backward(events) {
		alert.EventIDs = append(alert.EventIDs, e.ID)
	}
	created, err := h.alerts.RaiseAlert(context.Background(), alert)
	if r.AlertID = alert.ID; err != nil || !created {
		return err
	}
	return h.bus.Publish(core.Notice{Tenant: alert.Tenant, Kind: "raised", AlertID: alert.ID, Actor: "hunt:" + hunt.Name})
}

// Compare says what a hunt would have found each day.
func (h *Hunter) Compare(hunt *core.Hunt, days int) ([]core.Bucket, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	filter := hunt.Query
	filter.Tenant, filter.From = hunt.Tenant, h.now().AddDate(0, 0, -days)
	return h.events.Histogram(ctx, filter, 24*time.Hour)
}
