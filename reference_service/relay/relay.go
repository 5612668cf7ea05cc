// Package relay sends the audit log to a place that the service can't change:
// a syslog server of somebody else's.
package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"example.org/siem/core"
)

// Relay sends audit entries, each once, in order.
type Relay struct {
	store  core.RelayStore
	target string
	log    *slog.Logger
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// New returns a relay to a TCP address.
func New(store core.RelayStore, target string, log *slog.Logger) *Relay {
	return &Relay{store: store, target: target, log: log, cancel: func() {}}
}

// Send sends what the target does not have, and returns how many entries that was.
func (r *Relay) Send(ctx context.Context) (int, error) {
	last, err := r.store.RelayedTo(r.target)
	if err != nil {
		return 0, err
	}
	entries, err := r.store.EntriesAfter(ctx, last, 500)
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	conn, err := r.dial()
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	sent := 0
	for _, e := range entries {
		if err = r.write(conn, e); err != nil {
			break
		}
		sent, last = sent+1, e.Seq
	}
	return sent, errors.Join(err, r.store.SetRelayed(context.Background(), r.target, last))
}

func (r *Relay) dial() (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var dialer net.Dialer
	return dialer.DialContext(ctx, "tcp", r.target)
}

// write writes an entry, and waits until the target has said that it has it.
func (r *Relay) write(conn net.Conn, e *core.AuditEntry) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(conn, "<110>1 %s siem audit - %d - %s\n", e.At.Format(time.RFC3339), e.Seq, body); err != nil {
		return errors.Join(ctx.Err(), err)
	}
	answer := make([]byte, 3)
	if _, err := conn.Read(answer); err != nil || string(answer[:2]) != "ok" {
		return errors.Join(ctx.Err(), err, fmt.Errorf("entry %d was not taken: %q", e.Seq, answer))
	}
	return nil
}

// Start sends now and then until Stop.
func (r *Relay) Start(every time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	r.done.Go(func() { core.Every(ctx, every, func(time.Time) { r.round() }) })
}

func (r *Relay) round() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := r.Send(ctx); err != nil {
		r.log.Warn("audit entries were not relayed", "target", r.target, "error", err)
	}
}

// Stop ends the schedule, and sends the rest.
func (r *Relay) Stop() error {
	r.cancel()
	r.done.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := r.Send(ctx)
	return err
}
