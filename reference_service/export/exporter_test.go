package export

import (
	"bytes"
	"context"
	"testing"
	"time"

	"example.org/siem/core"
	"example.org/siem/siemtest"
	"example.org/siem/storage"
)

func TestJobsOfAKilledProcessAreTakenUp(t *testing.T) {
	b := siemtest.New(t)
	b.Events("dns", "web1", 5)
	jobs := storage.NewExportStore(b.DB)
	left := &core.ExportJob{Tenant: siemtest.Tenant, Format: "ndjson", Filter: core.EventFilter{Tenant: siemtest.Tenant, Kind: "dns"}}
	b.OK(jobs.CreateJob(t.Context(), left))
	b.OK(jobs.Progress(t.Context(), left.ID, 3))
	e := NewExporter(jobs, storage.NewEventStore(b.DB), t.TempDir(), b.Log)
	b.OK(e.Start())
	b.Eventually("the end of the job", func() bool {
		j, err := jobs.JobByID(siemtest.Tenant, left.ID)
		b.OK(err)
		return j.Status == "done"
	})
	e.Stop()
	var content bytes.Buffer
	b.OK(e.Read(left, &content))
	if n := bytes.Count(content.Bytes(), []byte("\n")); n != 5 || e.Cancel(left.ID) {
		t.Errorf("%d lines", n)
	}
	if code := core.ErrorCode(e.Read(&core.ExportJob{ID: "none", Format: "csv"}, &content)); code != core.CodeNotFound {
		t.Errorf("a job that is not there: %q", code)
	}
}

// endless is a store that never runs out of events.
type endless struct{ core.EventStore }

func (endless) EachEvent(_ context.Context, _ core.EventFilter, each func(*core.Event) error) error {
	for {
		if err := each(&core.Event{Kind: "dns"}); err != nil {
			return err
		}
	}
}

func TestStopLeavesTheRunningJobToTheNextProcess(t *testing.T) {
	b := siemtest.New(t)
	jobs := storage.NewExportStore(b.DB)
	e := NewExporter(jobs, endless{}, t.TempDir(), b.Log)
	b.OK(e.Start())
	job := &core.ExportJob{Tenant: siemtest.Tenant, Format: "csv"}
	b.OK(e.Queue(job))
	b.Eventually("its first ten thousand events", func() bool {
		j, err := jobs.JobByID(siemtest.Tenant, job.ID)
		b.OK(err)
		return j.Status == "running"
	})
	stopped := make(chan struct{})
	go func() { e.Stop(); close(stopped) }()
	select {
	case <-stopped:
	case <-time.After(5 * time.Second):
		t.Fatal("Stop waits for a job that has no end")
	}
	if left, err := jobs.UnfinishedJobs(t.Context()); err != nil || len(left) != 1 {
		t.Fatalf("left for the next process: %d, %v", len(left), err)
	}
}
