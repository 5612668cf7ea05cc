// Package feeds fetches lists of indicators.
package feeds

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"example.org/siem/core"
)

const maxBytes = 16 << 20

// Poller implements core.Refresher, and fetches all feeds on a schedule.
type Poller struct {
	store  core.FeedStore
	fetch  core.Fetcher
	tenant string
	log    *slog.Logger
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// NewPoller returns a poller of one tenant's feeds.
func NewPoller(store core.FeedStore, fetch core.Fetcher, tenant string, log *slog.Logger) *Poller {
	return &Poller{store: store, fetch: fetch, tenant: tenant, log: log, cancel: func() {}}
}

// Refresh fetches one feed now.
func (p *Poller) Refresh(feed *core.Feed) (int, error) {
	body, err := p.fetch.Fetch(feed.URL, maxBytes)
	if err != nil {
		if err := p.store.RecordFailure(feed, err); err != nil {
			p.log.Warn("failure of a feed was not recorded", "feed", feed.ID, "error", err)
		}
		return 0, err
	}
	return p.store.StoreIndicators(feed, parse(string(body)))
}

// RefreshAll fetches every enabled feed, some at a time, and goes on when one fails.
func (p *Poller) RefreshAll(ctx context.Context) error {
	feeds, err := p.store.List(p.tenant)
	if err != nil {
		return err
	}
	slots := make(chan struct{}, 4)
	errs := make([]error, len(feeds))
	var wg sync.WaitGroup
	for i, feed := range feeds {
		if !feed.Enabled || ctx.Err() != nil {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			_, errs[i] = p.Refresh(feed)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Start fetches now and then until Stop.
func (p *Poller) Start(every time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	p.done.Go(func() { core.Every(ctx, every, func(time.Time) { p.round() }) })
}

func (p *Poller) round() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	if err := p.RefreshAll(ctx); err != nil {
		p.log.Warn("some feeds were not refreshed", "error", err)
	}
}

// Stop ends the schedule and waits for a round that is running.
func (p *Poller) Stop() {
	p.cancel()
	p.done.Wait()
}

// parse takes the first word of every line that is not a comment.
func parse(text string) []string {
	var values []string
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if words := strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(" \t\r\n,;", c) }); len(words) > 0 {
			values = append(values, strings.ToLower(words[0]))
		}
	}
	return values
}
