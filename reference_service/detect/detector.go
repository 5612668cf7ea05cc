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
	d.running.Go(func() { d.every(upkeep, d.checkSilence) })
	d.running.Go(func() { d.every(upkeep, d.retryLetters) })
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
	d.saveQueue()
}

// saveQueue keeps what is left in the queue for the next start.
func (d *Detector) saveQueue() {
	if d.engine.Letters == nil {
		return
	}
	for {
		select {
		case events := <-d.queue:
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			if err := d.engine.Letters.SaveLetters(ctx, events, "the service stopped"); err != nil {
				d.log.Error("events were stored, and won't be evaluated", "events", len(events), "error", err)
			}
			cancel()
		default:
			return
		}
	}
}

func (d *Detector) every(tick time.Duration, do func()) {
	core.Every(d.ctx, tick, func(time.Time) { do() })
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

// Replay evaluates the stored events that a filter selects once more, and
// returns how many it queued.
func (d *Detector) Replay(ctx context.Context, filter core.EventFilter) (int, error) {
	var batch []*core.Event
	queued := 0
	submit := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := d.Submit(context.Background(), batch)
		if err == nil {
			queued += len(batch)
		}
		batch = nil
		return err
	}
	err := d.engine.Events.EachEvent(context.Background(), filter, func(e *core.Event) error {
		if batch = append(batch, e); len(batch) < 200 {
			return nil
		}
		return submit()
	})
	if err != nil {
		return queued, err
	}
	return queued, submit()
}

// Explain says what an event would raise.
func (d *Detector) Explain(event *core.Event) ([]string, error) { return d.engine.Explain(event) }

// silence is how long a host that matters may send nothing.
const silence = time.Hour

// checkSilence raises an alert for every host that matters and has gone silent.
func (d *Detector) checkSilence() {
	silent, err := d.engine.Assets.ListAssets("default", time.Now().Add(-silence))
	if err != nil {
		d.log.Error("silent hosts are not known", "error", err)
		return
	}
	for _, asset := range silent {
		if asset.Criticality < 3 || asset.Events == 0 {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		n, err := d.engine.Events.CountEvents(ctx, core.EventFilter{Tenant: asset.Tenant, Host: asset.Host, From: time.Now().Add(-silence)})
		cancel()
		if err != nil || n > 0 {
			continue
		}
		alert := &core.Alert{Tenant: asset.Tenant, RuleID: "silence", DedupKey: "silence/" + asset.Host, Title: asset.Host + " has gone silent",
			Severity: core.SeverityMedium, FirstSeen: asset.LastSeen, LastSeen: time.Now().UTC()}
		if _, err := d.engine.Alerts.RaiseAlert(context.Background(), alert); err != nil {
			d.log.Error("silent host was not reported", "host", asset.Host, "error", err)
		}
	}
}

// retryLetters evaluates events that could not be evaluated before, and lets go
// of those that can't be evaluated this time either.
func (d *Detector) retryLetters() {
	if d.engine.Letters == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	events, err := d.engine.Letters.Letters(ctx, 500)
	if err != nil || len(events) == 0 {
		return
	}
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	if err := d.engine.Letters.DropLetters(context.Background(), ids); err != nil {
		d.log.Error("events are tried again and again", "error", err)
		return
	}
	if err := d.Submit(ctx, events); err != nil {
		d.log.Error("events were not tried again", "events", len(events), "error", err)
	}
}
