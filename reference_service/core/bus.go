package core

import (
	"context"
	"sync"
)

// Notice tells subscribers that something happened to an alert.
type Notice struct {
	Tenant  string `json:"tenant"`
	Kind    string `json:"kind"`
	AlertID string `json:"alert_id"`
	Actor   string `json:"actor"`
}

// Bus hands notices to whoever listens. A slow listener delays the publisher
// for as long as the publisher's context lets it.
type Bus struct {
	mu        sync.RWMutex
	listeners map[chan Notice]listener
}

type listener struct {
	tenant string
	gone   <-chan struct{}
}

// NewBus returns a bus without listeners.
//
//	notices := bus.Subscribe(context.Background(), "acme")
func NewBus() *Bus { return &Bus{listeners: make(map[chan Notice]listener)} }

// Subscribe returns a channel with the notices of a tenant until ctx ends.
func (b *Bus) Subscribe(ctx context.Context, tenant string) <-chan Notice {
	ch := make(chan Notice, 16)
	b.mu.Lock()
	b.listeners[ch] = listener{tenant: tenant, gone: ctx.Done()}
	b.mu.Unlock()
	context.AfterFunc(ctx, func() {
		b.mu.Lock()
		delete(b.listeners, ch)
		b.mu.Unlock()
	})
	return ch
}

// Publish is PublishContext for those who are willing to wait.
func (b *Bus) Publish(n Notice) error {
	return b.PublishContext(context.Background(), n)
}

// PublishContext delivers n to every listener of its tenant.
func (b *Bus) PublishContext(ctx context.Context, n Notice) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for ch, l := range b.listeners {
		if l.tenant != n.Tenant {
			continue
		}
		select {
		case ch <- n:
		case <-l.gone:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
