package detect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"example.org/siem/core"
)

// Actions implements core.ActionRunner.
type Actions struct {
	runs    core.ActionStore
	post    core.Poster
	mail    *Mailer
	scripts string
	log     *slog.Logger
}

// NewActions returns a runner. Without a mailer there is no mail, and without a
// directory there are no scripts.
func NewActions(runs core.ActionStore, post core.Poster, mail *Mailer, scripts string, log *slog.Logger) *Actions {
	return &Actions{runs: runs, post: post, mail: mail, scripts: scripts, log: log}
}

// RunAction runs an action and records how it went, whichever way that was.
func (a *Actions) RunAction(action *core.Action, alert *core.Alert) (run *core.ActionRun) {
	start := time.Now()
	run = &core.ActionRun{ActionID: action.ID, AlertID: alert.ID}
	defer func() {
		run.Millis = time.Since(start).Milliseconds()
		if err := a.runs.RecordRun(run); err != nil {
			a.log.Error("run of an action was not recorded", "action", action.ID, "error", err)
		}
	}()
	detail, err := a.carryOut(action, alert)
	if run.OK = err == nil; !run.OK {
		detail = err.Error()
	}
	run.Detail = detail
	return run
}

func (a *Actions) carryOut(action *core.Action, alert *core.Alert) (string, error) {
	payload, err := json.Marshal(map[string]any{"action": action.Name, "alert": alert})
	if err != nil {
		return "", err
	}
	switch action.Kind {
	case core.ActionWebhook:
		return a.webhook(action, payload)
	case core.ActionEmail:
		return a.email(action, alert)
	case core.ActionScript:
		return a.script(action, payload)
	}
	return "", core.Errorf(core.CodeInvalid, "unknown kind %q", action.Kind)
}

func (a *Actions) webhook(action *core.Action, payload []byte) (string, error) {
	status, err := a.post.Post(action.Target, payload)
	if err != nil {
		return "", err
	}
	detail := fmt.Sprintf("answered %d", status)
	if status >= 300 {
		return "", errors.New(detail)
	}
	return detail, nil
}

func (a *Actions) email(action *core.Action, alert *core.Alert) (string, error) {
	if a.mail == nil {
		return "", errors.New("email actions are not set up on this server")
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout(action))
	defer cancel()
	subject := fmt.Sprintf("[siem] %s (severity %d)", alert.Title, alert.Severity)
	if err := a.mail.Send(ctx, action.Target, subject, fmt.Sprintf("Alert %s, first seen %s.", alert.ID, alert.FirstSeen.Format(time.RFC3339))); err != nil {
		return "", err
	}
	return "sent", nil
}

// script runs a program of the scripts directory with the alert on its standard
// input. It and all it started end with the timeout.
func (a *Actions) script(action *core.Action, payload []byte) (string, error) {
	if a.scripts == "" {
		return "", errors.New("script actions are not set up on this server")
	}
	if action.Target != filepath.Base(action.Target) {
		return "", core.Errorf(core.CodeForbidden, "scripts are named without a path")
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout(action))
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(a.scripts, action.Target))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(payload), &out, &out
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		err = fmt.Errorf("stopped after %s: %w", timeout(action), ctx.Err())
	}
	detail := out.String()
	if len(detail) > 500 {
		detail = detail[:500]
	}
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, detail)
	}
	return detail, nil
}

func timeout(action *core.Action) time.Duration {
	if action.Timeout <= 0 || action.Timeout > 300 {
		return 30 * time.Second
	}
	return time.Duration(action.Timeout) * time.Second
}
