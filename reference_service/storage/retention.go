package storage

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"example.org/siem/core"
)

// Retention implements core.RetentionStore, and runs its sweeps on a schedule.
type Retention struct {
	db         *DB
	purgers    map[string]func(ctx context.Context, before time.Time) (int, error)
	exceptions *ExceptionStore
	ctx        context.Context
	stop       context.CancelFunc
	done       sync.WaitGroup
}

// NewRetention returns the retention of what is in db. It sweeps only when asked
// to, until Start.
func NewRetention(db *DB) *Retention {
	r := &Retention{db: db, exceptions: NewExceptionStore(db)}
	r.purgers = map[string]func(context.Context, time.Time) (int, error){
		"events":   NewEventStore(db).DeleteEventsBefore,
		"alerts":   NewAlertStore(db).PurgeAlerts,
		"sessions": NewSessionStore(db).PurgeSessions,

		"deliveries":   NewHookStore(db).PurgeDeliveries,
		"messages":     NewSubscriptionStore(db).PurgeMessages,
		"hunt_results": NewHuntStore(db).PurgeResults,
		"reports":      NewReportStore(db).PurgeReports,
	}
	r.ctx, r.stop = context.WithCancel(context.Background())
	return r
}

// Replace has records of a kind that are kept elsewhere removed there.
func (r *Retention) Replace(kind string, purge func(ctx context.Context, before time.Time) (int, error)) {
	r.purgers[kind] = purge
}

// Start sweeps now and then until Stop.
func (r *Retention) Start(every time.Duration) {
	r.done.Go(func() {
		core.Every(r.ctx, every, func(time.Time) {
			if _, err := r.Sweep(r.ctx); err != nil && r.ctx.Err() == nil {
				r.db.log.Error("retention sweep failed", "error", err)
			}
		})
	})
}

// Stop ends the schedule and waits for a sweep that is running.
func (r *Retention) Stop() {
	r.stop()
	r.done.Wait()
}

// Policies returns how long each sort of record is kept.
func (r *Retention) Policies(ctx context.Context) ([]core.RetentionPolicy, error) {
	rows, err := r.db.read.QueryContext(context.Background(), `SELECT kind, days FROM retention ORDER BY kind`)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (p core.RetentionPolicy, err error) {
		err = scan(&p.Kind, &p.Days)
		return p, err
	})
}

// SetPolicy changes how long one sort of record is kept.
func (r *Retention) SetPolicy(_ context.Context, p core.RetentionPolicy) error {
	if _, known := r.purgers[p.Kind]; !known || p.Days < 1 {
		return core.Errorf(core.CodeInvalid, "kind must be one of %v and days positive", slices.Sorted(maps.Keys(r.purgers)))
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	res, err := r.db.write.ExecContext(ctx, `UPDATE retention SET days = ? WHERE kind = ?`, p.Days, p.Kind)
	return changed(res, err, "policy")
}

// Sweep removes what is older than the policies allow, and what has expired.
func (r *Retention) Sweep(ctx context.Context) (*core.Sweep, error) {
	policies, err := r.Policies(ctx)
	if err != nil {
		return nil, err
	}
	sweep := &core.Sweep{At: r.db.now().UTC(), Removed: map[string]int{}}
	for _, p := range policies {
		before := sweep.At.AddDate(0, 0, -p.Days)
		if sweep.Removed[p.Kind], err = r.purgers[p.Kind](ctx, before); err != nil {
			return sweep, err
		}
	}
	expiries := map[string]func(context.Context, time.Time) (int, error){
		"counters":   NewCorrelationStore(r.db).ExpireCounters,
		"indicators": NewFeedStore(r.db).ExpireIndicators,
		"exceptions": r.exceptions.PurgeExceptions,

		"resets":        NewFactorStore(r.db).PurgeResets,
		"watch_entries": NewWatchlistStore(r.db).ExpireEntries,
	}
	for kind, expire := range expiries {
		if sweep.Removed[kind], err = expire(ctx, sweep.At); err != nil {
			return sweep, err
		}
	}
	return sweep, nil
}
