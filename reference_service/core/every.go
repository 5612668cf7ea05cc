package core

import (
	"context"
	"time"
)

// Every does something at every tick until ctx ends. It returns when that is
// done which is being done.
func Every(ctx context.Context, tick time.Duration, do func(now time.Time)) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			do(now)
		}
	}
}
