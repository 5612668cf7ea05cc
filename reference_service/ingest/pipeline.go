package ingest

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"example.org/siem/core"
)

// Pipeline collects events into batches, stores them, and has them evaluated.
type Pipeline struct {
	events   core.EventStore
	detector core.Detector
	tenant   string
	log      *slog.Logger
	in       chan *core.Event
	workers  sync.WaitGroup
	stored   atomic.Int64
	dropped  atomic.Int64
}

// Limits of a batch.
const (
	batchSize = 500
	batchWait = 200 * time.Millisecond
)

// NewPipeline returns a pipeline with room for some events, and starts its workers.
func NewPipeline(events core.EventStore, detector core.Detector, tenant string, room, workers int, log *slog.Logger) *Pipeline {
	p := &Pipeline{events: events, detector: detector, tenant: tenant, log: log, in: make(chan *core.Event, room)}
	for range workers {
		p.workers.Go(p.work)
	}
	return p
}

// Put queues an event, and drops it when there is no room: whoever sends by
// syslog can't be told to wait.
func (p *Pipeline) Put(e *core.Event) bool {
	e.ID, e.Tenant = core.NewID("event"), p.tenant
	select {
	case p.in <- e:
		return true
	default:
		p.dropped.Add(1)
		return false
	}
}

// Counts returns how many events were stored and how many there was no room for.
func (p *Pipeline) Counts() (stored, dropped int64) { return p.stored.Load(), p.dropped.Load() }

// Close stores what is queued. Nothing may be put in any more.
func (p *Pipeline) Close() {
	close(p.in)
	p.workers.Wait()
}

func (p *Pipeline) work() {
	var batch []*core.Event
	timer := time.NewTimer(batchWait)
	defer timer.Stop()
	for {
		select {
		case e, more := <-p.in:
			if !more {
				p.flush(batch)
				return
			}
			if batch = append(batch, e); len(batch) < batchSize {
				continue
			}
		case <-timer.C:
			timer.Reset(batchWait)
		}
		p.flush(batch)
		batch = nil
	}
}

// flush stores a batch, once more when it fails.
func (p *Pipeline) flush(batch []*core.Event) {
	if len(batch) == 0 {
		return
	}
	err := p.store(batch)
	if err != nil {
		time.Sleep(100 * time.Millisecond)
		err = p.store(batch)
	}
	if err != nil {
		p.dropped.Add(int64(len(batch)))
		p.log.Error("events were lost", "events", len(batch), "error", err)
		return
	}
	p.stored.Add(int64(len(batch)))
	if err := p.detector.Submit(context.Background(), batch); err != nil {
		p.log.Error("events were stored but not evaluated", "events", len(batch), "error", err)
	}
}

func (p *Pipeline) store(batch []*core.Event) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return p.events.InsertEvents(ctx, batch)
}
