package export

import (
	"bytes"
	"testing"

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
