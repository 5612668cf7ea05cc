package detect

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"example.org/siem/core"
)

// Detector implements core.Detector: workers that take batches from a queue, and
// the upkeep of rules and correlation state.
type Detector struct {
	engine  *Engine
	queue   chan []*core.Event
	pending atomic.Int64
	log     *slog.Logger
	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup
}

// NewDetector returns a detector whose queue holds some batches. It works
// between Start and Stop.
func NewDetector(engine *Engine, batches int, log *slog.Logger) *Detector {
	d := &Detector{engine: engine, queue: make(chan []*core.Event, batches), log: log}
	d.ctx, d.stop = context.WithCancel(context.Background())
	return d
}

// Submit queues a batch. When the queue is full it waits for as long as ctx lets it.
func (d *Detector) Submit(ctx context.Context, events []*core.Event) error {
	if ctx == nil {
		ctx = context.Background()
	}
	d.pending.Add(int64(len(events)))
	select {
	case d.queue <- events:
		return nil
	case <-d.ctx.Done():
		d.pending.Add(-int64(len(events)))
		return core.Errorf(core.CodeUnavailable, "the service is stopping")
	case <-ctx.Done():
		d.pending.Add(-int64(len(events)))
		return ctx.Err()
	}
}

// Pending returns how many events wait or are being evaluated.
func (d *Detector) Pending() int { return int(d.pending.Load()) }

// Start begins to take batches, and looks after rules and counters now and then.
func (d *Detector) Start(workers int, upkeep time.Duration) {
	for range workers {
		d.running.Go(d.work)
	}
	d.running.Go(func() { d.every(upkeep, d.reloadRules) })
	d.running.Go(func() { d.every(upkeep, d.expireCounters) })
}

func (d *Detector) work() {
	for {
		select {
		case <-d.ctx.Done():
			return
		case events := <-d.queue:
			d.engine.ProcessBatch(d.ctx, events)
			d.pending.Add(-int64(len(events)))
		}
	}
}

// Drain evaluates what is queued, until ctx ends.
func (d *Detector) Drain(ctx context.Context) error {
	for d.Pending() > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

// Stop gives the queue a moment, and ends the workers.
func (d *Detector) Stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := d.Drain(ctx); err != nil {
		d.log.Warn("events were stored but not evaluated", "events", d.Pending())
	}
	d.stop()
	d.running.Wait()
}

func (d *Detector) every(interval time.Duration, do func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-d.ctx.Done():
			return
		case <-ticker.C:
			do()
		}
	}
}

func (d *Detector) reloadRules() {
	if err := d.engine.Reload(); err != nil {
		d.log.Error("rules were not reloaded", "error", err)
	}
}

// expireCounters keeps correlation state from growing for ever.
func (d *Detector) expireCounters() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	n, err := d.engine.Correlations.ExpireCounters(ctx, time.Now())
	if err != nil {
		d.log.Error("counters were not expired", "error", err)
	} else if n > 0 {
		d.log.Debug("counters expired", "n", n)
	}
}
