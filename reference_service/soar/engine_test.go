package soar

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"example.org/siem/core"
	"example.org/siem/storage"
)

type fakeRunner struct {
	core.ActionRunner
	ok    bool
	block chan struct{}
}

func (f *fakeRunner) RunAction(action *core.Action, alert *core.Alert) *core.ActionRun {
	if f.block != nil {
		<-f.block
	}
	return &core.ActionRun{ActionID: action.ID, AlertID: alert.ID, OK: f.ok, Detail: "ran"}
}

type bench struct {
	*Engine
	t      *testing.T
	runner *fakeRunner
	alert  *core.Alert
	action *core.Action
}

func newBench(t *testing.T) *bench {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	db, err := storage.Open(filepath.Join(t.TempDir(), "test.db"), 2, log)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, runner: &fakeRunner{ok: true}, alert: &core.Alert{Tenant: "acme", RuleID: "r1", DedupKey: "k", FirstSeen: time.Now(), LastSeen: time.Now()},
		action: &core.Action{Meta: core.Meta{Tenant: "acme", Name: "page"}, Kind: core.ActionWebhook, Target: "https://hooks.example"}}
	b.Engine = NewEngine(storage.NewPlaybookStore(db), storage.NewActionStore(db), storage.NewAlertStore(db), b.runner, 10*time.Second, 2, log)
	t.Cleanup(func() {
		b.ok(b.Wait(5 * time.Second))
		b.ok(db.Close())
	})
	_, err = b.alerts.RaiseAlert(t.Context(), b.alert)
	b.ok(err)
	b.ok(b.actions.Create(b.action))
	return b
}

func (b *bench) ok(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) playbook(steps ...core.Step) *core.Playbook {
	b.t.Helper()
	p := &core.Playbook{Meta: core.Meta{Tenant: "acme", Name: core.NewID("p"), Enabled: true}, Trigger: "r1", Steps: steps}
	b.ok(b.playbooks.Create(p))
	return p
}

func (b *bench) runs(p *core.Playbook) []*core.PlaybookRun {
	b.t.Helper()
	runs, err := b.playbooks.PlaybookRuns(p.ID)
	b.ok(err)
	return runs
}

func TestStepsAreTakenInOrder(t *testing.T) {
	b := newBench(t)
	p := b.playbook(core.Step{Name: "page", ActionID: b.action.ID}, core.Step{Name: "take", Assign: "ann"},
		core.Step{Name: "say", Comment: "on it"}, core.Step{Name: "ack", Status: core.AlertAcknowledged}, core.Step{Name: "again", Status: core.AlertAcknowledged})
	run, err := b.ExecutePlaybook(t.Context(), p, b.alert)
	b.ok(err)
	if run.Status != "done" || len(run.Steps) != 5 || run.Steps[4].Detail != "was acknowledged" {
		t.Errorf("run: %+v", run)
	}
	if stored := b.runs(p); len(stored) != 1 || stored[0].Status != "done" || len(stored[0].Steps) != 5 {
		t.Errorf("stored: %+v", stored)
	}
	alert, err := b.alerts.AlertByID("acme", b.alert.ID)
	b.ok(err)
	comments, err := b.alerts.Comments(b.alert.ID)
	b.ok(err)
	if alert.Assignee != "ann" || alert.Status != core.AlertAcknowledged || len(comments) != 1 {
		t.Errorf("%+v, %d comments", alert, len(comments))
	}
}

func TestAFailedStepEndsTheRun(t *testing.T) {
	b := newBench(t)
	b.runner.ok = false
	p := b.playbook(core.Step{Name: "page", ActionID: b.action.ID}, core.Step{Name: "take", Assign: "ann"})
	run, err := b.ExecutePlaybook(t.Context(), p, b.alert)
	b.ok(err)
	if run.Status != "failed" || len(run.Steps) != 1 {
		t.Errorf("run: %+v", run)
	}
}

func TestAStepThatTakesTooLongIsLeft(t *testing.T) {
	b := newBench(t)
	b.runner.block = make(chan struct{})
	defer close(b.runner.block)
	p := b.playbook(core.Step{Name: "page", ActionID: b.action.ID, Seconds: 1})
	run, err := b.ExecutePlaybook(t.Context(), p, b.alert)
	b.ok(err)
	if run.Status != "failed" || run.Steps[0].Detail != "took longer than 1s" {
		t.Errorf("run: %+v", run)
	}
}

func TestAlertsStartTheirPlaybooks(t *testing.T) {
	b := newBench(t)
	mine, other := b.playbook(core.Step{Name: "take", Assign: "ann"}), b.playbook(core.Step{Name: "take", Assign: "bob"})
	other.Trigger = "r2"
	b.ok(b.playbooks.Update(other))
	b.ok(b.ExecuteForAlert(b.alert))
	b.ok(b.Wait(5 * time.Second))
	if len(b.runs(mine)) != 1 || len(b.runs(other)) != 0 {
		t.Errorf("%d and %d runs", len(b.runs(mine)), len(b.runs(other)))
	}
}

func TestScheduleRunsWhatIsDue(t *testing.T) {
	b := newBench(t)
	p := b.playbook(core.Step{Name: "say", Comment: "still open"})
	p.Minutes = 10
	b.ok(b.playbooks.Update(p))
	s := NewScheduler(b.Engine, "acme", b.log)
	start := time.Now()
	for i, want := range []int{1, 1, 2} {
		s.now = func() time.Time { return start.Add(time.Duration(i) * 6 * time.Minute) }
		b.ok(s.RunDue(t.Context()))
		if got := len(b.runs(p)); got != want {
			t.Errorf("round %d: %d runs, want %d", i, got, want)
		}
	}
	s.Start(time.Millisecond)
	time.Sleep(5 * time.Millisecond)
	s.Stop()
}
