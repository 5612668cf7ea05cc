package detect

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"example.org/siem/core"
)

// Actions implements core.ActionRunner.
type Actions struct {
	runs    core.ActionStore
	post    core.Poster
	call    core.Caller
	events  core.EventStore
	allowed Allowed
	log     *slog.Logger
}

// Allowed is what an operator lets actions do. Without a mailer there is no
// mail, and without a directory there are no scripts. Timeouts are by kind.
type Allowed struct {
	Mail     *Mailer
	Scripts  string
	Timeouts map[string]time.Duration
}

// NewActions returns a runner.
func NewActions(runs core.ActionStore, post core.Poster, call core.Caller, events core.EventStore, allowed Allowed, log *slog.Logger) *Actions {
	return &Actions{runs: runs, post: post, call: call, events: events, allowed: allowed, log: log}
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
	detail, err := a.insist(action, alert)
	if run.OK = err == nil; !run.OK {
		detail = err.Error()
	}
	run.Detail = detail
	return run
}

// insist tries an action as often as it says, and waits longer each time.
func (a *Actions) insist(action *core.Action, alert *core.Alert) (detail string, err error) {
	for attempt := 0; ; attempt++ {
		detail, err = a.carryOut(action, alert)
		if err == nil || attempt >= action.Retries || core.ErrorCode(err) == core.CodeForbidden || core.ErrorCode(err) == core.CodeInvalid {
			return detail, err
		}
		a.log.Warn("action is tried again", "action", action.ID, "attempt", attempt+1, "error", err)
		pause, cancel := context.WithTimeout(context.Background(), time.Second<<attempt)
		<-pause.Done()
		cancel()
	}
}

// RunAll runs some actions for an alert, four at a time, and returns their runs in order.
func (a *Actions) RunAll(actions []*core.Action, alert *core.Alert) []*core.ActionRun {
	runs := make([]*core.ActionRun, len(actions))
	group, ctx := errgroup.WithContext(context.Background())
	group.SetLimit(4)
	for i, action := range actions {
		runs[i] = &core.ActionRun{ActionID: action.ID, AlertID: alert.ID, Detail: "not run"}
		group.Go(func() error {
			if ctx.Err() == nil {
				runs[i] = a.RunAction(action, alert)
			}
			return nil
		})
	}
	_ = group.Wait() // each run says how it went
	return runs
}

// Reachable reports whether a URL, or a host and port, has an address that may be
// reached. What has no host may be.
func (a *Actions) Reachable(target string) error {
	host, _, _ := net.SplitHostPort(target)
	if u, err := url.Parse(target); err == nil && u.Host != "" {
		host = u.Hostname()
	} else if host == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return core.Errorf(core.CodeUnavailable, "%s has no address: %v", host, err)
	}
	for _, addr := range addrs {
		if err := a.call.Permits(addr); err != nil {
			return err
		}
	}
	return nil
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
	case core.ActionTicket:
		return a.ticket(action, alert)
	case core.ActionChat:
		return a.chat(action, alert)
	case core.ActionForward:
		return a.forward(action, alert)
	case core.ActionBlock:
		return a.block(action, alert)
	}
	return "", core.Errorf(core.CodeInvalid, "unknown kind %q", action.Kind)
}

func (a *Actions) webhook(action *core.Action, payload []byte) (string, error) {
	status, err := a.post.Post(action.Target, payload, a.timeout(action))
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
	if a.allowed.Mail == nil {
		return "", errors.New("email actions are not set up on this server")
	}
	ctx, cancel := context.WithTimeout(context.Background(), a.timeout(action))
	defer cancel()
	subject := fmt.Sprintf("[siem] %s (severity %d)", alert.Title, alert.Severity)
	if err := a.allowed.Mail.Send(ctx, action.Target, subject, fmt.Sprintf("Alert %s, first seen %s.", alert.ID, alert.FirstSeen.Format(time.RFC3339))); err != nil {
		return "", err
	}
	return "sent", nil
}

// script runs a program of the scripts directory with the alert on its standard
// input. It and all it started end with the timeout.
func (a *Actions) script(action *core.Action, payload []byte) (string, error) {
	if a.allowed.Scripts == "" {
		return "", errors.New("script actions are not set up on this server")
	}
	if action.Target != filepath.Base(action.Target) || strings.HasPrefix(action.Target, ".") {
		return "", core.Errorf(core.CodeForbidden, "scripts are named without a path")
	}
	ctx, cancel := context.WithTimeout(context.Background(), a.timeout(action))
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(a.allowed.Scripts, action.Target))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(payload), &out, &out
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		err = fmt.Errorf("stopped after %s: %w", a.timeout(action), ctx.Err())
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

// timeout is what an action may take: what it says itself, or what is set for
// its kind.
func (a *Actions) timeout(action *core.Action) time.Duration {
	return cmp.Or(time.Duration(action.Timeout)*time.Second, a.allowed.Timeouts[action.Kind], core.ActionTimeout)
}

// ticket opens a ticket, and puts the events of the alert under it.
func (a *Actions) ticket(action *core.Action, alert *core.Alert) (string, error) {
	body, err := json.Marshal(map[string]any{"title": alert.Title, "priority": alert.Severity, "reference": alert.ID})
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), a.timeout(action))
	defer cancel()
	status, answer, err := a.call.Call(ctx, http.MethodPost, action.Target, nil, body)
	if err != nil {
		return "", err
	}
	var ticket struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(answer, &ticket); err != nil || status >= 300 || ticket.ID == "" {
		return "", fmt.Errorf("answered %d and no id", status)
	}
	n, err := a.attach(action, strings.TrimSuffix(action.Target, "/")+"/"+url.PathEscape(ticket.ID)+"/comments", alert)
	return fmt.Sprintf("ticket %s with %d events", ticket.ID, n), err
}

// attach posts the events of an alert, one by one, and returns how many.
func (a *Actions) attach(action *core.Action, target string, alert *core.Alert) (int, error) {
	for i, id := range alert.EventIDs {
		event, err := a.events.Event(context.Background(), alert.Tenant, id)
		if core.ErrorCode(err) == core.CodeNotFound {
			continue
		}
		if err != nil {
			return i, err
		}
		body, err := json.Marshal(map[string]any{"text": event})
		if err != nil {
			return i, err
		}
		ctx, cancel := context.WithTimeout(context.Background(), a.timeout(action))
		status, _, err := a.call.Call(ctx, http.MethodPost, target, nil, body)
		cancel()
		if err != nil || status >= 300 {
			return i, errors.Join(err, fmt.Errorf("event %s: answered %d", id, status))
		}
	}
	return len(alert.EventIDs), nil
}

// chat writes into a channel. One that is told to slow down does so, once.
func (a *Actions) chat(action *core.Action, alert *core.Alert) (string, error) {
	body, err := json.Marshal(map[string]string{"text": fmt.Sprintf("%s (severity %d, %d times)", alert.Title, alert.Severity, max(alert.Count, 1))})
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), a.timeout(action))
	defer cancel()
	status, answer, err := a.call.Call(ctx, http.MethodPost, action.Target, nil, body)
	if err == nil && status == http.StatusTooManyRequests {
		var slow struct {
			Seconds float64 `json:"retry_after"`
		}
		_ = json.Unmarshal(answer, &slow) // without a number it is a second
		pause, end := context.WithTimeout(context.Background(), time.Duration(min(max(slow.Seconds, 0.01), 30)*float64(time.Second)))
		<-pause.Done()
		end()
		again, cancel := context.WithTimeout(context.Background(), a.timeout(action))
		defer cancel()
		status, _, err = a.call.Call(again, http.MethodPost, action.Target, nil, body)
	}
	if err == nil && status >= 300 {
		err = fmt.Errorf("answered %d", status)
	}
	return "written", err
}

// forward sends the alert as one syslog line over TCP.
func (a *Actions) forward(action *core.Action, alert *core.Alert) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), a.timeout(action))
	defer cancel()
	conn, err := a.call.Dial(ctx, action.Target)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	line := fmt.Sprintf("<%d>1 %s siem siem - %s - %s\n", 8*13+max(2, 6-int(alert.Severity)), time.Now().UTC().Format(time.RFC3339), alert.ID, alert.Title)
	if _, err := io.WriteString(conn, line); err != nil {
		return "", errors.Join(ctx.Err(), err)
	}
	return fmt.Sprintf("%d bytes", len(line)), nil
}

// block asks a firewall to turn an address away for a while, and waits until it does.
func (a *Actions) block(action *core.Action, alert *core.Alert) (string, error) {
	if len(alert.EventIDs) == 0 {
		return "", errors.New("the alert names no event, and so no address")
	}
	ctx, cancel := context.WithTimeout(context.Background(), a.timeout(action))
	defer cancel()
	event, err := a.events.Event(ctx, alert.Tenant, alert.EventIDs[0])
	if err != nil {
		return "", err
	}
	value := event.Field(cmp.Or(action.Field, "source"))
	if _, err := netip.ParseAddr(value); err != nil {
		return "", core.Errorf(core.CodeInvalid, "%q is no address", value)
	}
	target := strings.TrimSuffix(action.Target, "/") + "/" + value
	body := fmt.Appendf(nil, `{"minutes":%d,"reason":%q}`, max(action.Minutes, 1), alert.ID)
	status, _, err := a.call.Call(ctx, http.MethodPut, target, nil, body)
	if err != nil || status >= 300 {
		return "", errors.Join(err, fmt.Errorf("answered %d", status))
	}
	return value + " is blocked", a.confirm(action, target)
}

// confirm asks every now and then whether a block is in force.
func (a *Actions) confirm(action *core.Action, target string) error {
	ctx, cancel := context.WithTimeout(context.Background(), a.timeout(action))
	defer cancel()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		status, _, err := a.call.Call(ctx, http.MethodGet, target, nil, nil)
		if err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the block is not in force: answered %d: %w", status, ctx.Err())
		case <-ticker.C:
		}
	}
}
