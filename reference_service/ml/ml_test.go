package ml

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"example.org/siem/core"
)

type fakeAlerts struct {
	core.AlertStore
	closed map[string][]*core.Alert
}

func (f *fakeAlerts) ListAlerts(filter core.AlertFilter) ([]*core.Alert, error) {
	all := f.closed[filter.Status]
	return all[min(filter.Offset, len(all)):min(filter.Offset+filter.Limit, len(all))], nil
}

type fakeModels struct {
	core.ModelStore
	saved []*core.Model
}

func (f *fakeModels) SaveModel(m *core.Model) error {
	m.Version = len(f.saved) + 1
	f.saved = append(f.saved, m)
	return nil
}

func (f *fakeModels) LatestModel(context.Context) (*core.Model, error) {
	if len(f.saved) == 0 {
		return nil, core.Errorf(core.CodeNotFound, "no such model")
	}
	return f.saved[len(f.saved)-1], nil
}

func alert(rule string, i int) *core.Alert {
	return &core.Alert{RuleID: rule, Title: fmt.Sprintf("%s on host%d", rule, i%7), Severity: core.Severity(i % 4), Count: 1, FirstSeen: time.Unix(int64(i)*3600, 0).UTC()}
}

func TestLearnsWhichRulesMatter(t *testing.T) {
	alerts := &fakeAlerts{closed: map[string][]*core.Alert{}}
	for i := range 600 {
		alerts.closed[core.AlertResolved] = append(alerts.closed[core.AlertResolved], alert("exfiltration", i))
		alerts.closed[core.AlertDismissed] = append(alerts.closed[core.AlertDismissed], alert("typo", i))
	}
	models := &fakeModels{}
	s := NewService(alerts, models, slog.New(slog.DiscardHandler))
	if _, err := s.Score(alert("typo", 1)); core.ErrorCode(err) != core.CodeNotFound {
		t.Fatalf("a score without a model: %v", err)
	}
	model, err := s.Train(t.Context(), "acme")
	if err != nil || model.Samples != 1200 || model.Accuracy < 0.95 {
		t.Fatalf("%+v, %v", model, err)
	}
	matters, err := s.Score(alert("exfiltration", 9))
	if err != nil {
		t.Fatal(err)
	}
	noise, err := s.Score(alert("typo", 9))
	if err != nil || matters < 0.9 || noise > 0.1 {
		t.Errorf("%.2f and %.2f, %v", matters, noise, err)
	}
	again := NewService(alerts, models, slog.New(slog.DiscardHandler))
	if score, err := again.Score(alert("exfiltration", 9)); err != nil || score != matters {
		t.Errorf("the stored model says %.2f: %v", score, err)
	}
}

func TestTooLittleToLearnFrom(t *testing.T) {
	s := NewService(&fakeAlerts{}, &fakeModels{}, slog.New(slog.DiscardHandler))
	if _, err := s.Train(t.Context(), "acme"); core.ErrorCode(err) != core.CodeConflict {
		t.Error(err)
	}
}

func BenchmarkPredict(b *testing.B) {
	weights, a := make([]float64, dimensions), alert("typo", 3)
	for b.Loop() {
		predict(weights, features(a))
	}
}
