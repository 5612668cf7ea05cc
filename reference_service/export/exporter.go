// Package export writes large numbers of events to files, one job after another.
package export

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"example.org/siem/core"
)

// Exporter implements core.Exporter.
type Exporter struct {
	jobs    core.ExportStore
	events  core.EventStore
	dir     string
	log     *slog.Logger
	queue   chan *core.ExportJob
	mu      sync.Mutex
	running map[string]context.CancelFunc
	ctx     context.Context
	stop    context.CancelFunc
	done    sync.WaitGroup
}

// NewExporter returns an exporter that writes into dir. It works between Start and Stop.
func NewExporter(jobs core.ExportStore, events core.EventStore, dir string, log *slog.Logger) *Exporter {
	e := &Exporter{jobs: jobs, events: events, dir: dir, log: log, queue: make(chan *core.ExportJob, 100), running: make(map[string]context.CancelFunc)}
	e.ctx, e.stop = context.WithCancel(context.Background())
	return e
}

// Queue stores a job, and carries it out when its turn comes.
func (e *Exporter) Queue(j *core.ExportJob) error {
	if err := e.jobs.CreateJob(context.Background(), j); err != nil {
		return err
	}
	select {
	case e.queue <- new(*j): // what is carried out changes, while j is answered with
		return nil
	default:
		return errors.Join(core.Errorf(core.CodeUnavailable, "too many exports wait"), e.jobs.EndJob(j.ID, "failed", "too many exports waited"))
	}
}

// Cancel ends a job that is running, and reports whether it was.
func (e *Exporter) Cancel(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	cancel, ok := e.running[id]
	if ok {
		cancel()
	}
	return ok
}

// Start takes up what a previous process left, and then what is queued.
func (e *Exporter) Start() error {
	if err := os.MkdirAll(e.dir, 0o700); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	left, err := e.jobs.UnfinishedJobs(ctx)
	if err != nil {
		return err
	}
	e.done.Go(func() {
		for _, j := range left {
			e.carryOut(j)
		}
		for {
			select {
			case <-e.ctx.Done():
				return
			case j := <-e.queue:
				e.carryOut(j)
			}
		}
	})
	return nil
}

// Stop ends the job that is running; the next process takes it up again.
func (e *Exporter) Stop() {
	e.stop()
	e.mu.Lock()
	for _, cancel := range e.running {
		cancel()
	}
	e.mu.Unlock()
	e.done.Wait()
}

func (e *Exporter) carryOut(j *core.ExportJob) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	e.mu.Lock()
	e.running[j.ID] = cancel
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		delete(e.running, j.ID)
		e.mu.Unlock()
	}()
	if e.ctx.Err() != nil {
		return // the next process begins it once more
	}
	err := e.write(ctx, j)
	if err != nil && e.ctx.Err() != nil {
		return // so it does here
	}
	status, reason := "done", ""
	if err != nil {
		status, reason = "failed", core.ErrorMessage(err)
		_ = os.Remove(e.path(j))
	}
	if err := e.jobs.EndJob(j.ID, status, reason); err != nil {
		e.log.Error("end of an export was not recorded", "job", j.ID, "error", err)
	}
}

func (e *Exporter) path(j *core.ExportJob) string { return filepath.Join(e.dir, j.ID+"."+j.Format) }

// write writes the events of a job, and says every now and then how many.
func (e *Exporter) write(ctx context.Context, j *core.ExportJob) (err error) {
	file, err := os.OpenFile(e.path(j), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	buffer := bufio.NewWriter(file)
	defer func() { err = errors.Join(err, buffer.Flush(), file.Close()) }()
	put := encoder(j.Format, buffer)
	j.Written = 0
	return e.events.EachEvent(context.Background(), j.Filter, func(event *core.Event) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if j.Written++; j.Written%10_000 == 0 {
			if err := e.jobs.Progress(context.Background(), j.ID, j.Written); err != nil {
				return err
			}
		}
		return put(event)
	})
}

func encoder(format string, to io.Writer) func(*core.Event) error {
	if format == "csv" {
		w := csv.NewWriter(to)
		return func(e *core.Event) error {
			defer w.Flush()
			return w.Write([]string{e.ID, e.At.Format(time.RFC3339Nano), e.Kind, strconv.Itoa(int(e.Severity)), e.Host, e.User, e.Source, e.Dest, e.Message})
		}
	}
	w := json.NewEncoder(to)
	return func(e *core.Event) error { return w.Encode(e) }
}

// Read copies what a job wrote.
func (e *Exporter) Read(j *core.ExportJob, to io.Writer) error {
	file, err := os.Open(e.path(j))
	if errors.Is(err, fs.ErrNotExist) {
		return core.Errorf(core.CodeNotFound, "the export is not there, or not yet")
	}
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	_, err = io.Copy(to, file)
	return err
}
