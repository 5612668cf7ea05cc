package soar

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.org/siem/core"
)

const longestStep = 5 * time.Minute

// takeStep takes a step; when it takes longer than it may, the playbook goes on
// without waiting for it.
func (e *Engine) takeStep(step core.Step, alert *core.Alert) core.StepResult {
	ctx, cancel := context.WithTimeout(context.Background(), stepTimeout(step))
	defer cancel()
	type outcome struct {
		detail string
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		detail, err := e.steps[kindOf(step)](step, alert)
		done <- outcome{detail, err}
	}()
	result := core.StepResult{Name: step.Name}
	select {
	case o := <-done:
		if result.OK, result.Detail = o.err == nil, o.detail; o.err != nil {
			result.Detail = core.ErrorMessage(o.err)
		}
	case <-ctx.Done():
		result.Detail = fmt.Sprintf("took longer than %s", stepTimeout(step))
	}
	return result
}

func kindOf(step core.Step) string {
	switch {
	case step.ActionID != "":
		return "action"
	case step.Approval != "":
		return "approval"
	case step.Assign != "":
		return "assign"
	case step.Comment != "":
		return "comment"
	}
	return "status"
}

func stepTimeout(step core.Step) time.Duration {
	if d := time.Duration(step.Seconds) * time.Second; d > 0 && d < longestStep {
		return d
	}
	return time.Minute
}

func (e *Engine) act(step core.Step, alert *core.Alert) (string, error) {
	action, err := e.actions.Find(alert.Tenant, step.ActionID)
	if err != nil {
		return "", err
	}
	run := e.runner.RunAction(action, alert)
	if !run.OK {
		return "", &core.Error{Code: core.CodeUnavailable, Message: run.Detail}
	}
	return run.Detail, nil
}

func (e *Engine) assign(step core.Step, alert *core.Alert) (string, error) {
	return "assigned to " + step.Assign, e.alerts.AssignAlert(alert.Tenant, alert.ID, step.Assign)
}

func (e *Engine) comment(step core.Step, alert *core.Alert) (string, error) {
	comment := &core.Comment{AlertID: alert.ID, Author: "playbook", Text: step.Comment}
	return "commented", e.alerts.AddComment(comment)
}

// move changes the status; an alert that is there already is fine.
func (e *Engine) move(step core.Step, alert *core.Alert) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	moved, err := e.alerts.MoveAlert(ctx, alert.Tenant, alert.ID, step.Status)
	var known *core.Error
	if errors.As(err, &known) && known.Code == core.CodeConflict {
		if current, findErr := e.alerts.AlertByID(alert.Tenant, alert.ID); findErr == nil && current.Status == step.Status {
			return "was " + step.Status, nil
		}
	}
	if err != nil {
		return "", err
	}
	return "moved to " + moved.Status, nil
}

// ask waits until somebody grants or refuses a step, for as long as it may take.
func (e *Engine) ask(step core.Step, alert *core.Alert) (string, error) {
	if e.approvals == nil {
		return "", core.Errorf(core.CodeUnavailable, "nobody can be asked on this server")
	}
	ctx, cancel := context.WithTimeout(context.Background(), stepTimeout(step))
	defer cancel()
	question := &core.Approval{Tenant: alert.Tenant, AlertID: alert.ID, Step: step.Approval, ExpiresAt: time.Now().Add(stepTimeout(step))}
	if err := e.approvals.RequestApproval(ctx, question); err != nil {
		return "", err
	}
	ticker := time.NewTicker(e.askEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return "", core.Errorf(core.CodeTimeout, "nobody answered")
		case <-ticker.C:
		}
		answer, err := e.approvals.ApprovalByID(question.ID)
		if err != nil {
			return "", err
		}
		switch answer.Status {
		case core.ApprovalGranted:
			return "granted by " + answer.DecidedBy, nil
		case core.ApprovalRefused, core.ApprovalTimedOut:
			return "", core.Errorf(core.CodeForbidden, "%s by %s", answer.Status, answer.DecidedBy)
		}
	}
}
