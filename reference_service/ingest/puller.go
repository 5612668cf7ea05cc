package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"example.org/siem/core"
)

const maxPages = 50

// Puller implements core.Puller: it fetches events from systems that send none.
type Puller struct {
	sources  core.SourceStore
	events   core.EventStore
	detector core.Detector
	call     core.Caller
	log      *slog.Logger
	cancel   context.CancelFunc
	done     sync.WaitGroup
}

// NewPuller returns a puller that stores events and has them evaluated.
func NewPuller(sources core.SourceStore, events core.EventStore, detector core.Detector, call core.Caller, log *slog.Logger) *Puller {
	return &Puller{sources: sources, events: events, detector: detector, call: call, log: log, cancel: func() {}}
}

// Pull fetches what is new at a source, page by page, and returns how much that was.
func (p *Puller) Pull(s *core.Source) (int, error) {
	total := 0
	for range maxPages {
		events, next, err := p.page(s)
		if err == nil && len(events) > 0 {
			err = p.take(events)
		}
		if err != nil {
			return total, errors.Join(err, p.sources.Stalled(context.Background(), s, core.ErrorMessage(err)))
		}
		total += len(events)
		if err := p.sources.Advance(context.Background(), s, next); err != nil {
			return total, err
		}
		if len(events) == 0 {
			break
		}
	}
	return total, nil
}

// page fetches one page: events, and where the next begins.
func (p *Puller) page(s *core.Source) ([]*core.Event, string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	status, body, err := p.call.Call(ctx, http.MethodGet, s.URL+"?after="+url.QueryEscape(s.Cursor), nil, nil)
	if err != nil {
		return nil, "", err
	}
	if status != http.StatusOK {
		return nil, "", core.Errorf(core.CodeUnavailable, "the source answered %d", status)
	}
	var answer struct {
		Events []*core.Event `json:"events"`
		Next   string        `json:"next"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, "", core.Errorf(core.CodeUnavailable, "the source did not answer with JSON: %v", err)
	}
	if slices.Contains(answer.Events, nil) {
		return nil, "", core.Errorf(core.CodeUnavailable, "the source sent an event that is null")
	}
	now := time.Now().UTC()
	for _, e := range answer.Events {
		e.ID, e.Tenant = core.NewID("event"), s.Tenant
		if e.Kind == "" {
			e.Kind = s.Kind
		}
		if e.At.IsZero() {
			e.At = now
		}
		if err := e.Validate(); err != nil {
			return nil, "", core.Errorf(core.CodeUnavailable, "the source sent what is no event: %s", core.ErrorMessage(err))
		}
	}
	if answer.Next == "" {
		answer.Next = s.Cursor
	}
	return answer.Events, answer.Next, nil
}

func (p *Puller) take(events []*core.Event) error {
	if err := p.events.InsertEvents(context.Background(), events); err != nil {
		return err
	}
	return p.detector.Submit(context.Background(), events)
}

// Start pulls from sources that are due, at every tick until Stop.
func (p *Puller) Start(tick time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	p.done.Go(func() {
		core.Every(ctx, tick, func(now time.Time) {
			if err := p.pullDue(ctx, now); err != nil {
				p.log.Warn("some sources were not read", "error", err)
			}
		})
	})
}

func (p *Puller) pullDue(ctx context.Context, now time.Time) error {
	due, err := p.sources.DueSources(now)
	if err != nil {
		return err
	}
	var errs []error
	for _, s := range due {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if _, err := p.Pull(s); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.Name, err))
		}
	}
	return errors.Join(errs...)
}

// Stop ends the schedule and waits for a source that is being read.
func (p *Puller) Stop() {
	p.cancel()
	p.done.Wait()
}
